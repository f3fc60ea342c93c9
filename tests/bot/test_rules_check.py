"""What the check says of pull requests that change rules, in the sandbox's world: changes in words, or findings."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest

from bot.forge.comments import CUT, MARKER
from bot.promoting import rules_check
from bot.promoting.checks import GUARDED, MOVES_NOTHING, NO_CHANGE, answer_pull_requests
from policies.rulebook.changes import Change, spelled
from tests.bot.test_checks import OVERLAY, Office, at_work

RULES = "promotion/rules.yaml"
PEOPLE = "promotion/people.yaml"


@dataclass
class Room:
    """What one test asks of the office."""

    office: Office
    branch: str

    def opened(self, files: Mapping[str, str | None]) -> str:
        return self.office.opened(files, branch=self.branch, title=self.branch)

    def answer(self) -> list[str]:
        return self.office.answer()

    def text(self, path: str) -> str:
        return self.office.text(path)

    def verdict(self, head: str) -> tuple[str | None, str | None]:
        return self.office.verdict(head)

    def summary(self, head: str) -> str:
        return self.office.summary(head)

    @property
    def number(self) -> int:
        pulls = self.office.world.forge.snapshot()["pulls"]
        return max(int(one["number"]) for one in pulls if one["head"] == self.branch)

    def comments(self) -> list[str]:
        """What the pull request's conversation says."""
        pulls = self.office.world.forge.snapshot()["pulls"]
        return [said["body"] for one in pulls if one["number"] == self.number for said in one["comments"]]

    def comment(self, login: str, body: str) -> None:
        self.office.world.forge.comment(self.number, login=login, body=body)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with at_work(tmp_path_factory.mktemp("office")) as office:
        yield office


@pytest.fixture
def office(world: Office, request: pytest.FixtureRequest) -> Room:
    """The one office, each test with a branch of its own."""
    return Room(world, re.sub(r"[^a-z0-9]+", "-", request.node.name))


def changed(office: Room, path: str, old: str, new: str) -> dict[str, str | None]:
    """Return a file in which one thing is other."""
    text = office.text(path)
    assert old in text
    return {path: text.replace(old, new, 1)}


def test_who_may_approve_from_now_on_is_told(office: Room) -> None:
    head = office.opened(changed(office, RULES, "approvals: 2 of release-managers", "approvals: 1"))

    assert office.answer() == []

    assert office.verdict(head) == ("success", "changes the rules: 1 effective change")
    said = "- who may approve everything in production: was `2 of release-managers`, becomes `1`"
    assert said in office.summary(head)
    assert "judged by the rules of the target branch" in office.summary(head)


def test_what_the_changed_rules_would_have_made_of_the_last_weeks_is_told(office: Room) -> None:
    world, engine = office.office.world, office.office.engine
    world.push("checkout-api", "1.4.2")
    engine.run_pass()
    head = office.opened(changed(office, RULES, "approvals: none", "approvals: 1"))

    # at the time of the pass, which the answer here does not know
    engine.desk.mirror.fetch()
    answer_pull_requests(engine.forge, engine.desk, office.office.index, engine.clock.now())

    summary = office.summary(head)
    assert "Had they been in force, 1 move from " in summary
    assert "- staging: checkout-api 1.4.2 would have been stopped, moved " in summary
    assert ": approvals-missing, approvals are missing" in summary


def test_rules_that_are_only_written_otherwise_change_nothing(office: Room) -> None:
    head = office.opened(changed(office, RULES, "interval: 1s", "interval: 1000ms  # a second"))

    office.answer()

    assert office.verdict(head) == ("success", "changes no effective rule")


def test_another_account_of_a_person_is_told(office: Room) -> None:
    head = office.opened(changed(office, PEOPLE, "slack: U0BOB", "slack: U0EVE"))

    office.answer()

    assert "person bob: was `slack U0BOB, github bob`, becomes `slack U0EVE, github bob`" in office.summary(
        head
    )


def test_rules_that_do_not_parse_are_named_with_their_places(office: Room) -> None:
    bad = changed(office, RULES, "approvals: 2 of", "aprovals: 2 of")
    head = office.opened(bad)

    office.answer()

    verdict, title = office.verdict(head)
    assert verdict != "success"
    assert title is not None
    assert title.startswith("its rules cannot be used: ")
    line = str(bad[RULES]).splitlines().index("    aprovals: 2 of release-managers") + 1
    assert f"- `{RULES}:{line}:5: unknown key in an environment 'aprovals'; expected" in office.summary(head)
    assert "last good ones would stay in force" in office.summary(head)


def test_a_file_that_goes_takes_its_rules_with_it(office: Room) -> None:
    head = office.opened({PEOPLE: None})

    office.answer()

    assert "unknown team or person 'release-managers'" in office.summary(head)


def test_names_in_findings_bring_no_links_and_ping_nobody(office: Room) -> None:
    name = "'x`](https://evil.example) @acme'"
    head = office.opened(changed(office, PEOPLE, "[ada", f"[{name}, ada"))

    office.answer()

    (line,) = [one for one in office.summary(head).splitlines() if "evil" in one]
    assert line.startswith("- `")
    assert line.endswith("`")
    assert line.count("`") == 2


def test_what_moves_and_changes_rules_says_both(office: Room) -> None:
    files = changed(office, OVERLAY, "newTag: 1.4.1", "newTag: 1.4.2")
    head = office.opened(files | changed(office, RULES, "of release-managers", "of ada or bob"))

    office.answer()

    assert office.verdict(head) == (None, GUARDED)
    assert "- production/checkout-api: " in office.summary(head)
    assert "was `2 of release-managers`, becomes `2 of ada or bob`" in office.summary(head)


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({RULES: "#" * 1_100_000}, "a file of the rules cannot be read"),
        ({f"promotion/{n}.yaml": "# much\n" * 100_000 for n in range(3)}, "bytes; expected at most 2000000"),
        (
            {f"promotion/{n}.yaml": f"# {n}\n" for n in range(51)},
            "changes 51 files of the rules; expected at most 50",
        ),
    ],
    ids=["a huge file", "much text", "many files"],
)
def test_what_is_too_large_is_not_read(office: Room, files: dict[str, str | None], says: str) -> None:
    head = office.opened(files)

    office.answer()

    verdict, title = office.verdict(head)
    assert verdict != "success"
    assert title == "its rules cannot be looked at"
    assert says in office.summary(head)


def test_other_files_of_the_folder_are_no_rules(office: Room) -> None:
    head = office.opened({"promotion/README.md": "# Rules\n", "promotions/x.yaml": "a: b\n"})

    office.answer()

    assert office.verdict(head) == ("success", MOVES_NOTHING)


def test_what_is_told_has_an_end(office: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules_check, "MAX_LINES", 2)
    services = "".join(f"  s{n}: {{image: ghcr.io/example/s{n}, versions: 1.x}}\n" for n in range(5))
    head = office.opened({"promotion/more.yaml": f"services:\n{services}"})

    office.answer()

    lines = [one for one in office.summary(head).splitlines() if one.startswith("- ")]
    assert len(lines) == 3
    assert lines[-1] == "- and 3 more"


def test_the_rules_of_a_pull_request_judge_nothing(office: Room) -> None:
    files = changed(office, RULES, "approvals: 2 of release-managers", "approvals: none")
    head = office.opened(files | changed(office, OVERLAY, "newTag: 1.4.1", "newTag: 1.4.2"))

    office.answer()

    assert office.verdict(head) == (None, GUARDED)


APPROVERS = "approvals: 2 of release-managers"


def test_one_comment_says_it_and_is_edited_when_the_head_moves(office: Room) -> None:
    office.opened(changed(office, RULES, APPROVERS, "approvals: 1"))
    office.answer()
    (first,) = office.comments()

    files = changed(office, RULES, APPROVERS, "approvals: 2 of ada or bob")
    office.office.world.forge.push_to_branch(office.branch, files, "Another", login="ada-l")
    office.answer()
    (second,) = office.comments()

    assert first.startswith(f"{MARKER}\n**Changes the rules: 1 effective change**\n")
    assert "production: was `2 of release-managers`, becomes `1`" in first
    assert "Had they been in force, " in first
    assert "becomes `2 of ada or bob`" in second


def test_a_comment_that_says_the_same_is_not_written_again(office: Room) -> None:
    office.opened(changed(office, RULES, APPROVERS, "approvals: 1"))
    office.answer()
    (said,) = office.comments()
    forge, twin = office.office.engine.forge, office.office.world.forge
    twin.forget()

    assert forge
    forge.comment(office.number, said.removeprefix(f"{MARKER}\n"))

    assert [one.method for one in twin.seen() if "/comments" in one.target] == ["GET"]


def test_the_marker_of_somebody_else_is_not_ours(office: Room) -> None:
    office.opened(changed(office, RULES, APPROVERS, "approvals: 1"))
    office.comment("ada-l", f"{MARKER}\nall is well")

    office.answer()

    theirs, ours = office.comments()
    assert theirs == f"{MARKER}\nall is well"
    assert "becomes `1`" in ours


def test_rules_that_are_taken_back_are_said_to_change_nothing(office: Room) -> None:
    office.opened(changed(office, RULES, APPROVERS, "approvals: 1"))
    office.answer()
    same = {RULES: office.text(RULES), "README.md": "# Here\n"}
    office.office.world.forge.push_to_branch(office.branch, same, "Back", login="ada-l")

    office.answer()

    assert office.comments() == [f"{MARKER}\n{NO_CHANGE}"]


def test_what_changes_no_rule_gets_no_comment(office: Room) -> None:
    office.opened({"README.md": "# There\n"})

    office.answer()

    assert office.comments() == []


def test_a_comment_that_is_refused_leaves_the_check_and_is_tried_again(office: Room) -> None:
    head = office.opened(changed(office, RULES, APPROVERS, "approvals: 1"))
    office.office.world.forge.fail(502, method="POST", address="/comments")

    (left,) = office.answer()

    assert "the comment on pull request" in left
    assert office.verdict(head)[0] == "success"
    assert office.answer() == []
    assert len(office.comments()) == 1


def test_an_answer_that_is_lost_makes_no_second_comment(office: Room) -> None:
    office.opened(changed(office, RULES, APPROVERS, "approvals: 1"))
    office.office.world.forge.fail(502, method="POST", address="/comments", after=True)

    assert office.answer() == []

    assert len(office.comments()) == 1


def test_a_comment_is_cut_at_a_line_with_a_pointer(office: Room) -> None:
    office.opened({"README.md": "# Long\n"})
    forge = office.office.engine.forge
    assert forge

    for _ in range(2):
        forge.comment(office.number, "\n".join(["- `" + "x" * 97 + "`"] * 1_000))

    (said,) = office.comments()
    assert 65_000 < len(said) <= 65_536
    assert said.endswith(f"x`\n\n{CUT}")


def test_with_a_token_the_account_of_the_token_is_the_author(office: Room) -> None:
    office.opened({"README.md": "# Token\n"})
    office.comment("ada-l", f"{MARKER}\nnot mine")

    for text in ("first", "second"):
        office.office.person.comment(office.number, text)

    assert office.comments() == [f"{MARKER}\nnot mine", f"{MARKER}\nsecond"]


def test_names_in_the_comment_mention_nobody() -> None:
    (line,) = spelled([Change("team @acme/all [x](https://evil.example)", "@bob", "`@eve`")], 5)

    assert line == "- `team @acme/all [x](https://evil.example)`: was `@bob`, becomes `'@eve'`"
