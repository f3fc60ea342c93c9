"""Groups: services with versions of their own that move together or not at all, through a whole day."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot import wording
from bot.answers import NotRecorded, Recorded
from bot.cards import Card
from bot.dossier import dossiers
from bot.ledger import Proposal
from bot.promoting.hearing import AsksFirst, Hearing
from bot.promoting.poller import Writer
from bot.showing.cardfile import cards as cards_of
from bot.verify import verify
from handlers.shell.history import moves
from handlers.slack import messages
from handlers.slack.everything import words_of
from handlers.slack.questions import Everything, History, Pending, Question, Status, Who, Why
from handlers.slack.reports import reply
from handlers.slack.spelling import corrected
from policies.codes import Code
from policies.entries.entry import Bot, Entry, Kind, write_time
from policies.ledger.keys import expected_key
from policies.ledger.population import population
from policies.ledger.state import Stage
from policies.words import (
    Approve,
    Block,
    Cancel,
    Emergency,
    Freeze,
    Hold,
    Propose,
    Resume,
    Review,
    Rollback,
    Word,
)
from sandbox.gitops import CHECKOUT, PRODUCTION, STAGING, WEB
from tests.bot.ledger_worlds import said
from tests.scenarios.offices import Office, office_in

SHOP = "shop"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with office_in(tmp_path) as made:
        made.change_rules(
            "rules.yaml", "services:\n", f"groups: {{{SHOP}: [{CHECKOUT}, {WEB}]}}\nservices:\n"
        )
        yield made


def told_of(office: Office, question: Question) -> str:
    """Return what a question is answered, as plain text."""
    return reply(office.engine, question, user="U0CAROL").text


def codes(office: Office, environment: str, service: str) -> tuple[str, ...]:
    row = office.engine.look().decision.row(environment, service)
    assert row
    return row.codes


def last(office: Office, kind: str) -> Entry:
    return office.entries(kind)[-1]


def stands(office: Office, environment: str) -> tuple[str, str]:
    """Return what the branch says of both services."""
    text = office.world.git.text
    overlay = text("show", f"main:apps/{environment}/kustomization.yaml")
    workload = text("show", f"main:apps/{environment}/deployment.yaml")
    web = workload.partition(f"/{WEB}:")[2].split()[0].partition("@")[0]
    return overlay.partition("newTag: ")[2].split()[0].partition("@")[0], web


def findings(office: Office) -> list[str]:
    desk = office.engine.desk
    return [str(one) for one in verify(desk.mirror, desk.book, folder="promotion").findings]


def cards(office: Office) -> dict[str, Card]:
    """Return the cards that should be there now, by what they are about and their stage."""
    look = office.engine.desk.view(office.clock.at)
    found = cards_of(look, office.engine.desk.decide(look), {}, ())
    return {f"{one.environment} {one.service} {one.stage}": one for one in found if isinstance(one, Card)}


def test_a_day_of_a_group(office: Office) -> None:
    _moves_in_staging(office)
    promotion = _goes_to_production(office)
    _comes_back(office)
    _is_told(office, promotion)


def _moves_in_staging(office: Office) -> None:
    office.say("ada", Hold(WEB, "not yet", STAGING))
    office.world.push(CHECKOUT, "1.4.2")
    office.world.push(WEB, "2.5.0")
    office.look()

    assert codes(office, STAGING, CHECKOUT) == (Code.GROUP_WAITS,)
    assert codes(office, STAGING, WEB) == (Code.HELD,)
    assert office.kinds().count("bump") == 0, "one that is held keeps all back"

    other = Entry(
        kind=Kind.HOLD, at=write_time(office.clock.at), key="", service=WEB, environment=PRODUCTION,
        trigger="another-replica", why=Code.TAGS_LOST,
    )  # fmt: skip
    office.engine.desk.append(
        lambda look, _tip: Proposal((replace(other, key=expected_key(look.state, other)),)), office.clock.at
    )
    unseen = office.say("ada", Resume(WEB, "all is well", PRODUCTION))
    assert isinstance(unseen, NotRecorded), unseen
    assert unseen.code == Code.NOT_STANDING
    office.clock.wind(seconds=2)
    assert isinstance(office.say("ada", Resume(WEB, "all is well, I looked", PRODUCTION)), Recorded)

    office.say("ada", Resume(WEB, "now", STAGING))
    office.look()

    bump = last(office, "bump")
    assert (bump.service, bump.group) == (SHOP, SHOP)
    assert [(one.service, one.images) for one in bump.members] == [(CHECKOUT, 1), (WEB, 1)]
    assert office.kinds().count("bump") == 1
    assert stands(office, STAGING) == ("1.4.2", "2.5.0")


def _goes_to_production(office: Office) -> str:
    assert {name for name in cards(office) if name.endswith("moved")} == {"staging shop moved"}
    card = cards(office)["production shop candidate"]
    assert card.version == f"{CHECKOUT} 1.4.2, {WEB} 2.5.0"
    assert not {name for name in cards(office) if f"{WEB} candidate" in name}

    alone = Propose(WEB, environment=PRODUCTION, note="we want it")
    refused = office.say("carol", alone)
    assert isinstance(refused, NotRecorded)
    assert refused.code == Code.IN_GROUP
    assert corrected(alone, refused) == (f"{SHOP} to {PRODUCTION} because we want it",)

    asked = office.say("carol", Propose(SHOP, card.asks, PRODUCTION, "we want it"))
    assert isinstance(asked, Recorded), asked
    assert asked.version == f"{CHECKOUT} 1.4.2, {WEB} 2.5.0"
    promotion = office.engine.look().state.promotions[asked.promotion]
    assert promotion.group == SHOP
    branches = office.world.git.text("for-each-ref", "--format=%(refname:short)").split()
    assert f"countersign/{PRODUCTION}/{SHOP}/{promotion.id}" in branches

    assert cards(office)["production shop open"].promotion == promotion.id

    office.say("ada", Approve(promotion.id))
    office.say("bob", Approve(promotion.id))
    office.look()
    assert office.stage(promotion.id) is Stage.LANDED
    assert stands(office, PRODUCTION) == ("1.4.2", "2.5.0")
    assert office.kinds().count("landed") == 1
    return promotion.id


def _comes_back(office: Office) -> None:
    part = Rollback(WEB, "it is broken", environments=(PRODUCTION,))
    refused = office.say("bob", part)
    assert isinstance(refused, NotRecorded)
    assert corrected(part, refused) == (f"rollback {SHOP} in {PRODUCTION} because it is broken",)

    back = office.say("bob", Rollback(SHOP, "it is broken", environments=(PRODUCTION,)))
    assert isinstance(back, Recorded), back
    office.look()
    assert stands(office, PRODUCTION) == ("1.4.1", "2.3.0")
    assert {one for _, one, _ in office.engine.look().state.blocks} == {CHECKOUT, WEB}

    message = office.world.git.text("log", "-1", "--format=%B", "main")
    assert message.count("\nService: ") == message.count("\nPrevious: ") == 2
    assert findings(office) == []


def _is_told(office: Office, promotion: str) -> None:
    chain = office.engine.desk.ledger.read(office.engine.desk.mirror.tips())
    changes = population(chain.state, chain.entries)
    told = list(dossiers(chain, office.engine.desk.mirror, office.engine.desk.book, changes))
    page = next(one for one in told if one.change.id == promotion)
    assert page.diff.count("\n+++ ") == 2
    assert {one.service for one in page.gates} == {CHECKOUT, WEB}
    assert [one.environment for one in moves(chain.state, WEB)] == [STAGING, PRODUCTION, PRODUCTION]


def test_what_a_group_answers(office: Office) -> None:
    for version in ("1.4.2", "1.4.3"):
        office.world.push(CHECKOUT, version)
        office.look()

    def code(word: Word) -> str:
        answer = office.say("carol", word)
        assert isinstance(answer, NotRecorded), answer
        return answer.code

    assert code(Propose(SHOP, "1.4.2", PRODUCTION)) == Code.NOT_WHOLE
    assert code(Propose(SHOP, "0123456789ab", PRODUCTION)) == Code.CHANGE_MOVED
    assert code(Emergency(SHOP, "1.4.2", PRODUCTION, "now")) == Code.NOT_WHOLE
    assert code(Emergency(SHOP, "", PRODUCTION, "now")) == Code.NO_EMERGENCY
    assert code(Emergency(WEB, "2.5.0", PRODUCTION, "now")) == Code.IN_GROUP
    assert code(Rollback(SHOP, "it is broken", "1.4.0", (PRODUCTION,))) == Code.NOT_WHOLE
    assert code(Rollback(SHOP, "it is broken", environments=(PRODUCTION,))) == "nothing-to-roll-back"
    assert code(Block(SHOP, "1.4.2", "broken")) == "unknown-service"

    first = office.say("carol", Propose(SHOP, environment=PRODUCTION))
    assert isinstance(first, Recorded)
    assert first.version == f"{CHECKOUT} 1.4.3", "web has nothing newer and stays"
    office.world.push(WEB, "2.5.0")
    office.look()
    second = office.say("carol", Propose(SHOP, environment=PRODUCTION))
    assert isinstance(second, Recorded)
    assert second.version == f"{CHECKOUT} 1.4.3, {WEB} 2.5.0"
    assert office.stage(first.promotion) is Stage.SUPERSEDED

    told = {kind: told_of(office, kind(SHOP)) for kind in (Status, History, Who, Why)}
    assert f"{PRODUCTION}: {WEB} 2.3.0" in told[Status]
    assert f"bump: {CHECKOUT} 1.4.2" in told[History]
    assert f"for {CHECKOUT}" in told[Who]
    assert f"{CHECKOUT} 1.4.3, {WEB} 2.5.0" in told[Why]
    assert f"production: {SHOP} {CHECKOUT} 1.4.3, {WEB} 2.5.0" in told_of(office, Pending())

    held = office.say("ada", Hold(SHOP, "an incident", PRODUCTION))
    assert isinstance(held, Recorded)
    assert set(office.engine.look().state.holds) == {
        (PRODUCTION, CHECKOUT),
        (PRODUCTION, WEB),
    }
    assert code(Propose(SHOP, environment=PRODUCTION)) == Code.OPEN_ELSEWHERE
    office.say("ada", Resume(SHOP, "over", PRODUCTION))
    assert not office.engine.look().state.holds


def _behind_before(office: Office, keys: str = "") -> None:
    """Let staging run web 2.4.0, which was there before the first look, and checkout-api 1.4.2, which came."""
    office.change_rules("rules.yaml", "    approvals: none\n", "    approvals: none\n    catch-up: true\n")
    office.change_rules(
        "rules.yaml",
        "    approvals: 2 of release-managers\n",
        f"    approvals: 2 of release-managers\n{keys}",
    )
    office.world.push(CHECKOUT, "1.4.2")
    office.look()
    office.look()
    assert stands(office, STAGING) == ("1.4.2", "2.4.0")


BOTH_BEHIND = f"{CHECKOUT} 1.4.2, {WEB} 2.4.0"


def test_what_all_services_of_a_group_go_back_to_is_asked_for_at_once(office: Office) -> None:
    office.world.push(CHECKOUT, "1.4.2")
    office.world.push(WEB, "2.5.0")
    office.look()
    desk, at = office.engine.desk, office.clock.at
    hearing = Hearing(desk, None, None)
    back = Rollback(SHOP, "it is broken", environments=(STAGING,))

    with pytest.raises(AsksFirst) as first:
        hearing.composer(desk.rules(desk.mirror.tips()).rules, said("bob"), back, at)

    assert [tag for _, tag in first.value.questions.exact] == ["1.4.1", "2.3.0"]


def test_card_plan_list_and_command_offer_the_same_of_what_was_there_before(office: Office) -> None:
    _behind_before(office)

    card = cards(office)["production shop candidate"]
    assert card.version == BOTH_BEHIND
    assert card.waits == ()
    row = office.engine.look().decision.row(PRODUCTION, SHOP)
    assert row
    assert row.best
    assert (row.best.version, row.codes) == (BOTH_BEHIND, (Code.NOT_REQUESTED,))
    listed = reply(office.engine, Everything(PRODUCTION, "we want it"), user="U0CAROL")
    assert f"{PRODUCTION}: {SHOP} {BOTH_BEHIND}" in listed.text
    (word,) = words_of(listed.buttons[0]["value"])
    assert word == Propose(SHOP, card.asks, PRODUCTION, "we want it")

    by_button = office.say("carol", word)
    assert isinstance(by_button, Recorded), by_button
    office.say("carol", Cancel(by_button.promotion, "only to see"))
    by_command = office.say("carol", Propose(SHOP, environment=PRODUCTION))

    assert isinstance(by_command, Recorded), by_command
    assert by_button.version == by_command.version == BOTH_BEHIND
    assert findings(office) == []


def test_what_was_there_before_alone_is_listed_and_has_no_card(office: Office) -> None:
    office.change_rules("rules.yaml", "    approvals: none\n", "    approvals: none\n    catch-up: true\n")
    office.look()
    assert stands(office, STAGING) == ("1.4.1", "2.4.0")

    assert "production shop candidate" not in cards(office)
    listed = reply(office.engine, Everything(PRODUCTION), user="U0CAROL")
    assert f"{PRODUCTION}: {SHOP} {WEB} 2.4.0" in listed.text
    asked = office.say("carol", words_of(listed.buttons[0]["value"])[0])

    assert isinstance(asked, Recorded), asked
    assert asked.version == f"{WEB} 2.4.0"
    assert findings(office) == []


def test_the_bot_asks_by_itself_without_what_was_there_before_and_offers_no_more_on_its_card(
    office: Office,
) -> None:
    _behind_before(office, "    opens: at-once\n")
    office.look()

    (asked,) = office.entries("propose")
    assert (asked.by, [one.service for one in asked.members]) == (Bot(), [CHECKOUT])
    found = cards(office)
    assert found["production shop open"].newer == ""
    assert "production shop candidate" not in found

    whole = office.say("carol", Propose(SHOP, environment=PRODUCTION))

    assert isinstance(whole, Recorded), whole
    assert whole.version == BOTH_BEHIND
    office.look()
    assert len(office.entries("propose")) == 2, "the bot does not ask against it"
    assert findings(office) == []


def _may_be_called(office: Office) -> None:
    calm = "    approvals: 2 of release-managers\n"
    rule = "    emergency: {approvals: 1 of release-managers, skips: [previous, freeze]}\n"
    office.change_rules("rules.yaml", calm, calm + rule)


def test_an_emergency_moves_the_whole_group_at_one_persons_word_and_waits_for_one_review(
    office: Office,
) -> None:
    _may_be_called(office)
    office.say("ada", Hold(WEB, "not yet", STAGING))  # neither has run in staging
    for service, version in ((CHECKOUT, "1.4.2"), (WEB, "2.5.0")):
        office.world.push(service, version)
    office.look()
    assert isinstance(office.say("bob", Freeze((PRODUCTION,), "the audit")), Recorded)
    refused = office.say("ada", Propose(SHOP, environment=PRODUCTION, note="payments fail"))
    assert isinstance(refused, NotRecorded)
    assert refused.code == Code.GROUP_WAITS

    called = office.say("ada", Emergency(SHOP, "", PRODUCTION, "payments fail"))
    assert isinstance(called, Recorded), called
    assert called.version == f"{CHECKOUT} 1.4.2, {WEB} 2.5.0"
    office.look()
    office.look()

    assert stands(office, PRODUCTION) == ("1.4.2", "2.5.0")
    assert office.stage(called.promotion) is Stage.LANDED
    (entry,) = office.entries("emergency")
    assert (entry.service, entry.group, len(entry.members)) == (SHOP, SHOP, 2)
    message = office.world.git.text("log", "-1", "--format=%B", "main")
    assert "Emergency: review until " in message
    assert "Skipped: previous, freeze" in message
    assert len(findings(office)) == 1, "nobody has reviewed it"
    told = [one.text for one in office.world.slack.workspace.messages("C0DEPLOYS")]
    assert any(
        one.startswith(f"Emergency: ada moves {SHOP} in {PRODUCTION} to {called.version}") for one in told
    )

    mine = office.say("ada", Review(f"#{entry.seq}", "I did it"))
    assert isinstance(mine, NotRecorded)
    assert mine.code == Code.REQUESTER
    assert isinstance(office.say("bob", Review(f"#{entry.seq}", "the fix was right")), Recorded)
    office.look()
    assert findings(office) == []
    assert not office.engine.look().state.open


def test_an_emergency_of_a_group_in_staging_moves_at_once(office: Office) -> None:
    calm = "    approvals: none\n"
    office.change_rules("rules.yaml", calm, f"{calm}    emergency: {{approvals: 1, skips: [hold]}}\n")
    office.say("bob", Hold(WEB, "not yet", STAGING))
    for service, version in ((CHECKOUT, "1.4.2"), (WEB, "2.5.0")):
        office.world.push(service, version)
    office.look()
    assert office.kinds().count("bump") == 0

    called = office.say("ada", Emergency(SHOP, "", STAGING, "staging is down"))

    assert isinstance(called, Recorded), called
    assert stands(office, STAGING) == ("1.4.2", "2.5.0")
    card = cards(office)["staging shop moved"]
    assert (card.is_emergency, card.review) == (True, office.entries("emergency")[0].seq)


def test_an_emergency_of_a_group_waits_for_what_a_members_rule_does_not_skip(office: Office) -> None:
    _may_be_called(office)
    for service, version in ((CHECKOUT, "1.4.2"), (WEB, "2.5.0")):
        office.world.push(service, version)
    office.look()
    office.say("bob", Hold(WEB, "it is odd", PRODUCTION))

    refused = office.say("ada", Emergency(SHOP, "", PRODUCTION, "payments fail"))

    assert isinstance(refused, NotRecorded)
    assert refused.code == Code.GROUP_WAITS
    assert refused.detail == f"{WEB} 2.5.0: {Code.HELD}"


def test_a_commit_that_says_or_moves_less_than_its_entry_is_found(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = wording.service_trailers
    with monkeypatch.context() as patched:
        patched.setattr(wording, "service_trailers", lambda moves: whole(list(moves)[:1]))
        office.world.push(CHECKOUT, "1.4.2")
        office.world.push(WEB, "2.5.0")
        office.look()
    assert office.kinds().count("bump") == 1

    found = findings(office)

    assert {one.partition(" ")[0] for one in found} == {"trailers-differ"}
    assert any("expected Service: web" in one for one in found)

    build = Writer.build
    with monkeypatch.context() as patched:
        patched.setattr(
            Writer, "build", lambda self, parent, edits, **rest: build(self, parent, list(edits)[:1], **rest)
        )
        office.world.push(CHECKOUT, "1.4.3")
        office.world.push(WEB, "2.6.0")
        office.look()

    assert any(one.startswith("content-differs") for one in findings(office))


def test_a_member_whose_newer_version_did_not_run_before_is_named_with_what_keeps_it_back(
    office: Office,
) -> None:
    answer = office.say("carol", Propose(SHOP, environment=PRODUCTION))

    assert isinstance(answer, NotRecorded)
    assert answer.code == "nothing-to-promote"
    assert [(name, one.code) for name, one in answer.parts] == [(f"{WEB} 2.4.0", Code.NOT_IN_PREVIOUS)]
    told = messages.refused(answer, Propose(SHOP, environment=PRODUCTION), None, "carol").text
    assert "/promote why shop says why" in told
    assert "• web 2.4.0 waits: it has not run in staging" in told


def test_each_member_that_keeps_the_others_back_says_all_that_it_waits_for(office: Office) -> None:
    for service, version in ((CHECKOUT, "1.4.2"), (WEB, "2.5.0")):
        office.world.push(service, version)
    office.look()
    office.world.push(WEB, "2.6.0")
    office.say("ada", Hold(WEB, "not yet", PRODUCTION))
    office.say("ada", Block(WEB, "2.5.0", "it leaks"))

    answer = office.say("carol", Propose(SHOP, environment=PRODUCTION))

    assert isinstance(answer, NotRecorded)
    assert answer.code == Code.GROUP_WAITS
    assert {name.split()[0] for name, _ in answer.parts} == {WEB}
    assert {one.code for _, one in answer.parts} >= {Code.HELD}
    assert "web 2.6.0 " in messages.refused(answer, Propose(SHOP), None, "carol").text
