"""What a comparison of the forge says, and what becomes of one that cannot be so."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.errors import BotError
from bot.forge.people import People
from bot.forge.pull_requests import GitHubForge
from bot.ports import Compared, SourceCommit
from tests.scenarios.offices import Office, office_in

OID = "a" * 40
GOOD: dict[str, Any] = {
    "sha": OID,
    "commit": {"message": "Fix it\n\nmore"},
    "author": {"id": 7, "login": "ada-l"},
}


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with office_in(Path(tmp_path_factory.mktemp("compared"))) as made:
        yield made


class Answers:
    """A wire that answers one thing."""

    repository = "example/web"

    def __init__(self, body: object) -> None:
        self.body = body

    def read(self, _path: str, **_parameters: str | int) -> object:
        return self.body


def compared(body: object) -> Compared | None:
    people = People(Answers(body), Answers)  # type: ignore[arg-type]  # the answer alone matters
    people.others["example/web"] = Answers(body)  # type: ignore[assignment]
    return people.compared("example/web", "1.0", "1.1", most=200)


def test_two_refs_are_compared_both_ways(office: Office) -> None:
    forge, world = office.engine.forge, office.world
    assert isinstance(forge, GitHubForge)
    for login, message in (("ada-l", "First\n\nof two"), ("bob", "Second")):
        files: dict[str, str | None] = {f"{login}.txt": message}
        world.forge.push_to_branch("code", files, message, login=login)

    there = forge.compared("example/gitops", "main", "code", most=200)
    back = forge.compared("example/gitops", "code", "main", most=200)

    assert there
    assert [(one.subject, one.login) for one in there.commits] == [("First", "ada-l"), ("Second", "bob")]
    assert (there.total, there.behind) == (2, 0)
    assert there.url.startswith(world.addresses["forge"])
    assert back
    assert (back.commits, back.total, back.behind) == ((), 0, 2)
    assert forge.compared("example/gitops", "main", "nowhere", most=200) is None


def test_more_commits_than_are_listed_are_counted() -> None:
    found = compared({"total_commits": 900, "commits": [GOOD] * 100})

    assert found
    assert (found.total, len(found.commits)) == (900, 100)


def test_what_people_would_read_is_one_plain_line_and_leads_nowhere_odd() -> None:
    odd = GOOD | {"commit": {"message": "\n\u202eFix <!here>\x07" + "x" * 500 + "\nSigned"}, "author": None}

    found = compared(
        {"total_commits": 1, "commits": [odd], "behind_by": "3", "html_url": "javascript:alert(1)"}
    )

    assert found
    (commit,) = found.commits
    assert commit.login == ""
    assert len(commit.subject) <= 100
    assert commit.subject.startswith("\N{REPLACEMENT CHARACTER}Fix <!here>\N{REPLACEMENT CHARACTER}x")
    assert (found.behind, found.url) == (0, "")


@pytest.mark.parametrize(
    "body",
    [
        [],
        {"total_commits": "2", "commits": [GOOD]},
        {"total_commits": True, "commits": []},
        {"total_commits": 0, "commits": [GOOD]},
        {"total_commits": 1, "commits": {}},
        {"total_commits": 1, "commits": ["x"]},
        {"total_commits": 1, "commits": [GOOD | {"sha": "main; rm -rf"}]},
        {"total_commits": 1, "commits": [GOOD | {"author": {"id": 7, "login": "<@U1>"}}]},
    ],
)
def test_a_comparison_that_cannot_be_so_is_an_error(body: object) -> None:
    with pytest.raises(BotError):
        compared(body)


def test_a_message_that_is_no_text_says_nothing() -> None:
    found = compared({"total_commits": 1, "commits": [GOOD | {"commit": {"message": 7}}]})

    assert found
    assert found.commits == (SourceCommit(OID, "", "ada-l"),)
