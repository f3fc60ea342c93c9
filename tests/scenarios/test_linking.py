"""``/promote link``: somebody shows which account at the forge is theirs, and may then be counted by it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.answers import Answer, NotRecorded, Recorded
from bot.ports import Asked
from bot.sign_in import DeviceFlow
from handlers.slack import reports
from handlers.slack.questions import WhoAmI
from policies.entries.entry import Kind
from policies.ledger.state import Stage
from policies.words import Approve, Speaker
from sandbox.forge.twin import User
from sandbox.slack.members import User as Member
from tests.scenarios.offices import TEAM, Office, office_in

CLIENT = "Iv23liSandbox0001"
ERIN = User(4242, "erin-k", "token-erin")


class Desk:
    """Somebody's own screen: what they were told."""

    def __init__(self, office: Office, name: str) -> None:
        self.office = office
        self.speaker = Speaker(TEAM, f"U0{name.upper()}", "command", f"link-{name}")
        self.told: list[Answer] = []

    def link(self, login: str | None) -> Answer | None:
        """Ask for a code and type it as this login; return how it ended."""
        begun = self.office.engine.link(self.speaker, self.told.append)
        assert isinstance(begun, Asked), begun
        if login is not None:
            self.office.world.forge.type_code(begun.code, login=login)
        self.wait()
        return self.told[-1] if self.told else None

    def wait(self, seconds: int = 6) -> None:
        self.office.clock.wind(seconds=seconds)
        self.office.engine.run_pass()

    def whoami(self) -> str:
        return reports.reply(self.office.engine, WhoAmI(), user=self.speaker.user).text


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with office_in(tmp_path) as made:
        made.world.forge.register(ERIN)
        workspace = made.world.slack.workspace
        workspace.set_user(Member("U0ERIN", "erin", "Erin", "erin@example.com"))
        made.world.forge.let_sign_in(CLIENT)
        made.engine.sign_in = DeviceFlow.open(CLIENT, made.world.addresses["forge"])
        made.engine.__post_init__()
        yield made


def test_a_stranger_links_and_is_counted_where_a_team_names_them(office: Office) -> None:
    office.world.forge.set_team("security", ["erin-k"])
    office.change_rules(
        "people.yaml", "release-managers: [ada, bob, carol]", "release-managers: github:example/security"
    )
    office.change_rules("rules.yaml", "approvals: 2 of release-managers", "approvals: 1 of release-managers")
    erin = Desk(office, "erin")
    assert "nobody" in erin.whoami()

    answer = erin.link("erin-k")

    assert answer == Recorded(kind=Kind.IDENTITY, person="erin-k", login="erin-k")
    assert "erin-k (4242), as you linked it" in erin.whoami()
    promotion = office.asked("1.4.2")
    said = office.engine.say(replace(erin.speaker, via="button"), Approve(promotion))
    assert isinstance(said, Recorded), said
    assert office.stage(promotion) is Stage.LANDED


def test_somebody_of_git_without_a_login_is_counted_by_their_review_after_linking(office: Office) -> None:
    office.change_rules("people.yaml", "bob: {slack: U0BOB, github: bob}", "bob: {slack: U0BOB}")
    promotion = office.asked("1.4.2")
    office.world.forge.review(1, login="bob")
    office.look()
    assert "approve" not in office.kinds()

    assert isinstance(Desk(office, "bob").link("bob"), Recorded)
    office.say("ada", Approve(promotion))

    assert office.stage(promotion) is Stage.LANDED


@pytest.mark.parametrize(
    ("name", "login", "code"),
    [
        ("bob", "carol", "unknown-person"),
        ("bob", "erin-k", "unknown-person"),
        ("erin", "ada-l", "unknown-person"),
        ("dan", "erin-k", "account-not-allowed"),
    ],
    ids=["another's account", "another account than Git says", "an account of Git's", "a guest"],
)
def test_what_git_or_slack_does_not_let_through_is_told(
    office: Office, name: str, login: str, code: str
) -> None:
    answer = Desk(office, name).link(login)

    assert isinstance(answer, NotRecorded)
    assert answer.code == code
    assert "identity" not in office.kinds()


def test_one_account_is_not_linked_twice(office: Office) -> None:
    office.world.slack.workspace.set_user(Member("U0MALLORY", "mallory", "Mallory", "m@example.com"))
    assert isinstance(Desk(office, "erin").link("erin-k"), Recorded)

    answer = Desk(office, "mallory").link("erin-k")

    assert isinstance(answer, NotRecorded)
    assert answer.code == "linked-elsewhere"
    assert office.kinds().count("identity") == 1


def test_a_renamed_account_is_the_same_person_and_a_taken_login_is_not(office: Office) -> None:
    erin = Desk(office, "erin")
    erin.link("erin-k")
    office.world.forge.rename("erin-k", "erin-new")
    office.world.forge.register(User(9999, "erin-k", "token-other"))
    office.world.slack.workspace.set_user(Member("U0OTHER", "other", "Other", "o@example.com"))

    answer = Desk(office, "other").link("erin-k")

    assert answer == Recorded(kind=Kind.IDENTITY, person="erin-k-9999", login="erin-k")
    links = office.engine.look().state.links
    assert {name: link.forge_id for name, link in links.items()} == {"erin-k": 4242, "erin-k-9999": 9999}


@pytest.mark.parametrize(
    ("login", "seconds", "code"), [("", 6, "sign-in-denied"), (None, 16 * 60, "sign-in-expired")]
)
def test_a_code_that_is_refused_or_expires_is_told_and_links_nothing(
    office: Office, login: str | None, seconds: int, code: str
) -> None:
    erin = Desk(office, "erin")
    answer = erin.link(login)
    if answer is None:
        erin.wait(seconds)

    (told,) = erin.told
    assert isinstance(told, NotRecorded)
    assert told.code == code
    assert "identity" not in office.kinds()


def test_the_same_code_is_shown_again_while_it_holds_and_is_looked_at_no_faster_than_asked(
    office: Office,
) -> None:
    erin = Desk(office, "erin")
    first = office.engine.link(erin.speaker, erin.told.append)
    office.world.forge.forget()
    for _ in range(3):
        office.clock.wind(seconds=1)
        office.engine.run_pass()

    assert office.engine.link(erin.speaker, erin.told.append) == first
    asked = [one for one in office.world.forge.seen() if one.target.endswith("/login/oauth/access_token")]
    assert asked == []


def test_without_a_client_id_it_is_said_who_can_mend_it(office: Office) -> None:
    office.engine.sign_in = None
    office.engine.__post_init__()

    answer = office.engine.link(Desk(office, "erin").speaker, lambda _answer: None)

    assert answer == NotRecorded(code="link-unavailable", detail="set GITHUB_CLIENT_ID")


def test_no_token_of_a_sign_in_is_left_anywhere(office: Office) -> None:
    Desk(office, "erin").link("erin-k")

    (token,) = office.world.forge.sign_in_tokens()
    ledger = office.world.git.text("log", "--all", "--format=%B")
    files = [path.read_bytes() for path in office.world.folder.parent.rglob("*") if path.is_file()]
    assert token not in ledger
    assert not any(token.encode() in content for content in files)
