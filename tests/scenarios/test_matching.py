"""Somebody is known by their e-mail address where the rules switch it on, and only while both accounts have it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.answers import NotRecorded, Recorded
from handlers.slack import reports
from handlers.slack.questions import WhoAmI
from policies.codes import Code
from policies.ledger.state import Stage
from policies.words import Approve, Hold
from sandbox.forge.twin import User
from sandbox.gitops import CHECKOUT
from sandbox.slack.members import User as Member
from tests.scenarios.offices import Office, office_in

ERIN = User(4242, "erin-k", "token-erin", verified=("Erin@acme.example",))
MEMBER = Member("U0ERIN", "erin", "Erin", "erin@acme.example")
HOLD = Hold(CHECKOUT, "something is odd")


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with office_in(tmp_path) as made:
        made.world.forge.register(ERIN)
        made.world.slack.workspace.set_user(MEMBER)
        yield made


def switch_on(office: Office, more: str = "") -> None:
    office.world.forge.set_team("managers", ["erin-k"])
    office.change_rules(
        "people.yaml",
        "release-managers: [ada, bob, carol]",
        "release-managers: github:example/managers",
    )
    text = f"identity: {{email: [acme.example]{more}}}\n"
    office.world.forge.push_to_branch("main", {"promotion/who.yaml": text}, "Match\n", login="bob")
    office.look()


def refusal(answer: Recorded | NotRecorded) -> str:
    assert isinstance(answer, NotRecorded), answer
    return answer.code


def test_nobody_is_matched_where_the_rules_do_not_say_so(office: Office) -> None:
    assert refusal(office.say("erin", HOLD)) == Code.UNKNOWN_PERSON
    assert "identity" not in office.kinds()
    assert not [one for one in office.world.forge.seen() if one.target.endswith("/graphql")]


def test_who_has_one_address_on_both_sides_may_stop_and_not_approve(office: Office) -> None:
    switch_on(office)

    assert isinstance(office.say("erin", HOLD), Recorded)

    (entry,) = office.entries("identity")
    assert entry.linked is not None
    assert (entry.linked.forge_id, entry.linked.domain) == (4242, "acme.example")
    assert b"rin@" not in entry.line()
    told = reports.reply(office.engine, WhoAmI(), user="U0ERIN")
    assert "Your address at acme.example matches" in told.text


def test_a_match_that_may_approve_is_looked_up_again_before_the_merge(office: Office) -> None:
    switch_on(office, ", approve: true")
    office.change_rules("rules.yaml", "approvals: 2 of release-managers", "approvals: 1 of release-managers")
    promotion = office.asked("1.4.2")

    assert isinstance(office.say("erin", Approve(promotion)), Recorded)

    assert office.stage(promotion) is Stage.LANDED
    (intent,) = office.entries("intent")
    assert isinstance(intent.evidence["emails"], dict)
    assert list(intent.evidence["emails"]) == ["erin-k"]


def test_without_the_permission_to_approve_a_member_of_the_team_is_refused(office: Office) -> None:
    switch_on(office)
    promotion = office.asked("1.4.2")

    assert refusal(office.say("erin", Approve(promotion))) == Code.MATCHED


UNSURE: dict[str, tuple[Member, User]] = {
    "a sub-address": (replace(MEMBER, email="erin+x@acme.example"), ERIN),
    "a look-alike": (replace(MEMBER, email="\u0435rin@acme.example"), ERIN),
    "another domain": (
        replace(MEMBER, email="erin@other.example"),
        replace(ERIN, verified=("erin@other.example",)),
    ),
    "not confirmed": (replace(MEMBER, is_email_confirmed=False), ERIN),
    "a guest": (replace(MEMBER, is_restricted=True), ERIN),
    "no address at the forge": (MEMBER, replace(ERIN, verified=(), email="")),
    "a longer domain": (MEMBER, replace(ERIN, verified=("erin@acme.example.evil.example",))),
    "suspended": (MEMBER, replace(ERIN, is_suspended=True)),
    "a bot": (MEMBER, replace(ERIN, is_bot=True)),
}


def test_what_is_not_certain_is_nobody(office: Office) -> None:
    switch_on(office)
    for what, (member, user) in UNSURE.items():
        office.world.slack.workspace.set_user(member)
        office.world.forge.register(user)
        office.clock.wind(seconds=2)

        assert refusal(office.say("erin", HOLD)) == Code.UNKNOWN_PERSON, what

    assert "identity" not in office.kinds()


def test_two_accounts_with_one_address_are_nobody(office: Office) -> None:
    switch_on(office)
    office.world.forge.register(User(5151, "erin-old", "token-old", email="ERIN@acme.example"))

    assert refusal(office.say("erin", HOLD)) == Code.UNKNOWN_PERSON


def test_a_changed_address_ends_the_match_and_gives_it_to_nobody_else(office: Office) -> None:
    switch_on(office)
    assert isinstance(office.say("erin", HOLD), Recorded)
    office.world.slack.workspace.set_user(replace(MEMBER, email="erin.k@acme.example"))
    office.world.slack.workspace.set_user(Member("U0MALLORY", "mallory", "Mallory", "erin@acme.example"))

    office.look()
    assert refusal(office.say("erin", HOLD)) == Code.EVIDENCE_MISSING
    assert refusal(office.say("mallory", HOLD)) == Code.UNKNOWN_PERSON
    assert office.kinds().count("identity") == 1


def test_a_login_that_was_registered_anew_does_not_take_the_match(office: Office) -> None:
    switch_on(office)
    assert isinstance(office.say("erin", HOLD), Recorded)
    office.world.forge.rename("erin-k", "erin-old")
    office.world.forge.register(replace(ERIN, verified=(), login="erin-old"))
    office.world.forge.register(replace(ERIN, id=9999))

    office.look()
    assert refusal(office.say("erin", HOLD)) == Code.EVIDENCE_MISSING
    assert office.kinds().count("identity") == 1


def test_an_app_that_may_not_read_addresses_matches_nobody(office: Office) -> None:
    switch_on(office)
    office.world.slack.scopes -= {"users:read.email"}

    assert refusal(office.say("erin", HOLD)) == Code.UNKNOWN_PERSON
