"""What the check says of pull requests that change rules, in the sandbox's world: changes in words, or findings."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest

from bot import rules_check
from bot.checks import GUARDED, MOVES_NOTHING, answer_pull_requests
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
