"""``/promote changes``: versions, commits and values between what runs and what could come, from real Git and twins."""

from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from bot.answers import Recorded
from bot.looking.source_commits import SourceCommits, Sourced
from handlers.slack import reports
from handlers.slack.command import parse
from handlers.slack.names import Names
from handlers.slack.questions import Changes
from policies.words import Approve, Block, Propose
from sandbox.gitops import CHECKOUT, WEB
from sandbox.slack.members import User as Member
from tests.scenarios.offices import TEAM, Office, office_in

SOURCE = (
    "versions: 1.x, source: example/gitops, links: {dashboard: 'https://grafana.example.com/d/<service>'}}"
)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with office_in(tmp_path) as made:
        yield made


def commit(office: Office, login: str, message: str = "Work on it\n") -> str:
    files: dict[str, str | None] = {f"code/{login}-{office.clock.at:%s}.txt": message}
    return office.world.forge.push_to_branch("code", files, message, login=login)


def built(office: Office, version: str, *messages: str, login: str = "ada-l") -> None:
    """Push an image that names the last of some commits as its own."""
    for message in messages:
        office.clock.wind(seconds=1)
        revision = commit(office, login, message)
    home = f"{office.world.addresses['forge']}/example/gitops"
    labels = {"org.opencontainers.image.revision": revision, "org.opencontainers.image.source": home}
    office.world.push(CHECKOUT, version, labels=labels)
    office.look()


def runs(office: Office, version: str) -> None:
    asked = office.say("carol", Propose(CHECKOUT, version, "production", "we want it"))
    assert isinstance(asked, Recorded), asked
    for person in ("ada", "bob"):
        assert isinstance(office.say(person, Approve(asked.promotion)), Recorded)


def asks(office: Office, text: str, user: str = "U0CAROL", team: str = TEAM) -> str:
    """Ask as a person types it; return all that is answered."""
    word = parse(text, Names.of(office.engine.look().rules), office.clock.at)
    assert isinstance(word, Changes), word
    said = reports.reply(office.engine, word, user=user, team=team)
    return f"{said.text}\n{said.given}"


def test_versions_commits_and_values_are_told_of_what_could_come(office: Office) -> None:
    office.change_rules("rules.yaml", "versions: 1.x}", SOURCE)
    built(office, "1.4.2", "Begin\n")
    runs(office, "1.4.2")
    built(office, "1.4.3", "Fix rounding\n\nIt was off by one.\n")
    assert isinstance(office.say("bob", Block(CHECKOUT, "1.4.3", "it leaks")), Recorded)
    built(office, "1.4.4", "Stop the leak\n", "Say `<!here>` & <https://evil.example|why>\n", login="bob")
    before = office.kinds()

    told = asks(office, f"changes {CHECKOUT} in production")

    assert "production: 1.4.2 → 1.4.4 (patch)" in told
    assert "1 version passed over: 1.4.3 (seen" in told
    assert "blocked)" in told
    assert "3 commits of example/gitops (by the labels of the images):" in told
    assert (
        told.index("Say `<!here>`") < told.index("Stop the leak (bob)") < told.index("Fix rounding (ada-l)")
    )
    assert "off by one" not in told
    assert "dashboard" in told
    assert "+ 1.4.4@sha256:" in told or "+ sha256:" in told
    assert office.kinds() == before  # a question writes nothing


def test_the_way_back_says_what_would_be_taken_out(office: Office) -> None:
    built(office, "1.4.2", "Begin\n")
    runs(office, "1.4.2")
    built(office, "1.4.3", "Fix rounding\n")
    runs(office, "1.4.3")

    told = asks(office, f"changes {CHECKOUT} 1.4.2 in production")

    assert "1.4.3 → 1.4.2 (goes back)" in told
    assert "1 commit of example/gitops would be taken out (by the labels of the images):" in told
    assert "Fix rounding" in told


def test_what_is_not_known_is_said_with_why_and_the_rest_is_told(office: Office) -> None:
    office.world.push(CHECKOUT, "1.4.2")
    office.look()

    told = asks(office, f"changes {CHECKOUT} 1.4.2 in production")

    assert "production: 1.4.1 → 1.4.2 (patch)" in told
    assert "Which commits it brings is not known: by labels: " in told
    assert "by tags: the rules name no source of checkout-api" in told
    assert "- 1.4.1" in told


def test_tags_of_the_source_serve_where_images_say_nothing(office: Office) -> None:
    office.change_rules("rules.yaml", "versions: 1.x}", "versions: 1.x, source: example/gitops}")
    for version in ("1.4.1", "1.4.2"):
        office.world.git.run("tag", f"v{version}", commit(office, "ada-l", f"Make {version}\n"))
        office.clock.wind(seconds=1)
    office.world.push(CHECKOUT, "1.4.2")
    office.look()

    told = asks(office, f"changes {CHECKOUT} in production")

    assert "1 commit of example/gitops (by tags of the source):" in told
    assert "Make 1.4.2 (ada-l)" in told


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"changes {CHECKOUT} 9.9.9 in production", "9.9.9: the registry has no such tag."),
        (f"changes {CHECKOUT} 9.9.9", f"/promote check {CHECKOUT} asks the registry now."),
        (f"changes {CHECKOUT} 9.9.9", "Expected one that is listed, the newest: 1.4.1, 1.4.0."),
        (f"changes {CHECKOUT} 1.4.1 in production", "1.4.1 is what runs there now."),
        (f"changes {CHECKOUT} in production", "nothing newer"),
    ],
)
def test_where_nothing_comes_that_is_said(office: Office, text: str, expected: str) -> None:
    assert expected in asks(office, text)


def test_everything_is_told_while_the_forge_is_away(office: Office) -> None:
    office.world.push(CHECKOUT, "1.4.2")
    office.look()
    office.engine.forge = None

    told = asks(office, f"changes {CHECKOUT}")

    assert "Which commits it brings is not known: there is no forge to ask" in told
    assert "- 1.4.1" in told


class Watched(SourceCommits):
    """Looks whether somebody else may work while the forge is asked."""

    office: Office

    def between(self, *args: Any, **more: Any) -> tuple[Sourced, ...]:
        others = Thread(target=self.office.engine.run_pass)  # waits for the lock, if we hold it
        others.start()
        others.join(30)
        assert not others.is_alive()
        return SourceCommits.between(self, *args, **more)


def test_registry_and_forge_are_asked_outside_of_the_lock(office: Office) -> None:
    built(office, "1.4.2", "Begin\n")
    runs(office, "1.4.2")
    built(office, "1.4.3", "Fix rounding\n")
    watched = Watched(office.engine._commits.images)
    watched.office = office
    office.engine._commits = watched

    (found,) = office.engine.brings(CHECKOUT, "", "production")

    assert found.sourced[0].compared


def test_what_tags_say_is_asked_again_after_some_minutes_and_not_before(office: Office) -> None:
    office.change_rules("rules.yaml", "versions: 1.x}", "versions: 1.x, source: example/gitops}")
    office.world.push(CHECKOUT, "1.4.2")
    office.look()
    question = f"changes {CHECKOUT} in production"

    assert "has no tags 1.4.1 and 1.4.2" in asks(office, question)
    for version in ("1.4.1", "1.4.2"):
        office.clock.wind(seconds=1)
        office.world.git.run("tag", f"v{version}", commit(office, "ada-l", f"Make {version}\n"))
    assert "has no tags 1.4.1 and 1.4.2" in asks(office, question)
    office.clock.wind(minutes=6)
    assert "Make 1.4.2 (ada-l)" in asks(office, question)


def test_of_a_group_each_service_is_told_and_what_is_under_way_leads_to_its_pull_request(
    office: Office,
) -> None:
    office.change_rules("rules.yaml", "services:\n", f"groups: {{shop: [{CHECKOUT}, {WEB}]}}\nservices:\n")
    for service, version in ((CHECKOUT, "1.4.2"), (WEB, "2.5.0")):
        office.world.push(service, version)
    office.look()
    assert isinstance(office.say("carol", Propose("shop", "", "production", "we want it")), Recorded)

    told = asks(office, "changes shop in production")

    assert f"production: {CHECKOUT} 1.4.1 → 1.4.2 (patch)" in told
    assert f"production: {WEB} 2.3.0 → 2.5.0 (minor)" in told
    assert "1 version passed over: 2.4.0" in told
    assert "pull request #" in told


@pytest.mark.parametrize(
    ("user", "team", "is_told"),
    [
        pytest.param("U0CAROL", TEAM, True, id="whom the rules link"),
        pytest.param("U0ERIN", TEAM, True, id="a full member"),
        pytest.param("U0DAN", TEAM, False, id="a guest"),
        pytest.param("U0ERIN", "T0ELSEWHERE", False, id="of another workspace"),
        pytest.param("U0NOBODY", TEAM, False, id="whom the chat does not know"),
    ],
)
def test_who_is_not_of_the_team_reads_of_versions_alone(
    office: Office, user: str, team: str, *, is_told: bool
) -> None:
    office.world.slack.workspace.set_user(Member("U0ERIN", "erin", "Erin", "erin@example.com"))
    built(office, "1.4.2", "Begin\n")
    runs(office, "1.4.2")
    built(office, "1.4.3", "Fix rounding\n")

    told = asks(office, f"changes {CHECKOUT} in production", user, team)

    assert "production: 1.4.2 → 1.4.3 (patch)" in told
    for secret in ("Fix rounding", "- 1.4.2", "example/gitops"):
        assert (secret in told) is is_told
    assert ("Commits, values and links are for full members of this workspace." in told) is not is_told
