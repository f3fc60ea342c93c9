"""Somebody says something while a registry holds its answer: their word is recorded, and not after it."""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from bot.answers import NotRecorded, Recorded
from bot.engine import Engine
from bot.looking.survey import Image
from bot.ports import Chat
from bot.registries.registry import Limits, PycurlRegistry
from policies.images.image import Tag
from policies.ledger.state import Stage
from policies.rules.rules import Host
from policies.words import Approve, Freeze, Hold, Propose, Rollback
from sandbox.gitops import CHECKOUT, WEB
from sandbox.registry.twin import Held
from sandbox.world import OWNER
from tests.scenarios.offices import PATIENCE, Office, engine_in, office_in

pytestmark = pytest.mark.timeout(240)
LONG = timedelta(seconds=PATIENCE + 20)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with office_in(tmp_path) as found:
        patient(found.engine)
        yield found


def patient(engine: Engine) -> None:
    """Let an engine wait for registries as long as a test may take."""
    registry = engine.registry
    assert isinstance(registry, PycurlRegistry)
    registry.close()
    registry._limits = Limits(silence=LONG, request=LONG, whole=LONG)


@contextmanager
def begun(held: "Held | Reluctant", act: Callable[[], object]) -> Iterator[threading.Thread]:
    """Begin what asks a registry that holds its answer; when the block is over the answer has come."""
    found = threading.Thread(target=act)
    found.start()
    try:
        assert held.asked.wait(PATIENCE)
        yield found
        assert not held.let_go.is_set()
    finally:
        held.let_go.set()
        found.join(PATIENCE)
    assert not found.is_alive()


def tags_of(office: Office, service: str) -> tuple[str, ...]:
    """Return the tags that words and passes know of a service now."""
    view = office.engine.desk.view(office.clock.at)
    answer = view.world.tags_of(view.world.rules.services[service].image)
    return tuple(getattr(answer, "tags", ()))


def pinned(office: Office, service: str, environment: str) -> str:
    """Return the tag that is pinned in a place."""
    return office.engine.desk.view(office.clock.at).world.pin(environment, service).image[0].tag


def test_people_ask_approve_and_roll_back_while_a_pass_waits_for_a_registry(office: Office) -> None:
    office.world.push(CHECKOUT, "1.4.2")
    office.look()
    office.world.push(WEB, "2.5.0")
    held = office.world.registry.hold(repository=f"{OWNER}/{WEB}", kind="tags")

    with begun(held, office.engine.run_pass) as under_way:
        asked = office.say("carol", Propose(CHECKOUT, "1.4.2", "production", "we want it"))
        assert isinstance(asked, Recorded), asked
        approved = [office.say(name, Approve(asked.promotion)) for name in ("ada", "bob")]
        landed = office.stage(asked.promotion)
        back = office.say("ada", Rollback(CHECKOUT, "carts are empty", "", ("production",)))
        assert under_way.is_alive()

    assert all(isinstance(one, Recorded) for one in (*approved, back)), (*approved, back)
    assert landed is Stage.LANDED
    assert pinned(office, CHECKOUT, "production") == "1.4.1"
    assert pinned(office, WEB, "staging") == "2.5.0", "the pass that had to wait moved what it should"
    assert office.findings() == []


def test_what_a_registry_has_said_is_known_all_at_once(office: Office) -> None:
    office.look()
    office.world.push(WEB, "2.5.0")
    held = office.world.registry.hold(repository=f"{OWNER}/{WEB}", kind="manifests")

    with begun(held, office.engine.run_pass):
        assert isinstance(office.say("ada", Hold(CHECKOUT, "a demo", "production")), Recorded)
        before = tags_of(office, WEB)

    assert "2.5.0" not in before, "the list has come, what the tag names has not"
    assert "2.5.0" in tags_of(office, WEB)
    (seen,) = (one for entry in office.entries("seen") for one in entry.seen if one.tag == "2.5.0")
    assert seen.digest == office.world.registry.digest(f"{OWNER}/{WEB}", "2.5.0")
    assert pinned(office, WEB, "staging") == "2.5.0"


def test_another_pass_waits_for_the_one_that_asks(office: Office) -> None:
    held = office.world.registry.hold(kind="tags")
    with begun(held, office.engine.run_pass):
        other = office.another_pass()
        assert isinstance(office.say("ada", Hold(CHECKOUT, "a demo", "production")), Recorded)
        assert not other.done.is_set()

    assert other.done.wait(PATIENCE)
    other.thread.join(PATIENCE)
    assert office.findings() == []


def test_who_asks_for_a_version_waits_for_its_registry_and_nobody_else_does(office: Office) -> None:
    office.world.push(CHECKOUT, "1.4.2")
    office.look()
    office.world.push(CHECKOUT, "1.4.3")
    held = office.world.registry.hold(repository=f"{OWNER}/{CHECKOUT}")
    said: list[Recorded | NotRecorded] = []

    def ask() -> None:
        said.append(office.say("carol", Propose(CHECKOUT, "1.4.2", "production", "we want it")))

    with begun(held, ask):
        assert isinstance(office.say("ada", Freeze(("production",), "an incident")), Recorded)
        assert said == []

    (asked,) = said
    assert isinstance(asked, Recorded), asked
    assert [entry.kind.value for entry in office.entries("propose")] == ["propose"]
    assert office.kinds().index("freeze") < office.kinds().index("propose")
    assert "1.4.3" in tags_of(office, CHECKOUT)


def test_what_was_asked_for_a_word_is_not_forgotten_for_what_a_pass_asked_before(office: Office) -> None:
    office.look()
    repository = f"{OWNER}/{CHECKOUT}"
    held = office.world.registry.hold(repository=f"{OWNER}/{WEB}", kind="tags", times=1)

    with begun(held, office.engine.run_pass):  # which has been told what there is of the other service
        office.world.push(CHECKOUT, "1.4.2")
        told = office.say("carol", Propose(CHECKOUT, "", "production", "we want it"))
        assert isinstance(told, NotRecorded)  # it is not in staging yet
        assert "1.4.2" in tags_of(office, CHECKOUT)

    assert "1.4.2" in tags_of(office, CHECKOUT)
    image = office.engine.look().rules.services[CHECKOUT].image
    now = office.world.registry.digest(repository, "1.4.2")
    assert office.engine.desk.answers.digests[image, Tag("1.4.2")] == now
    assert pinned(office, CHECKOUT, "staging") == "1.4.2"
    assert "suspect" not in office.kinds()


def test_what_is_answered_late_for_a_service_that_the_rules_gave_up_is_left(office: Office) -> None:
    office.look()
    office.world.push(WEB, "2.5.0")
    office.world.push(CHECKOUT, "1.4.2")
    image = office.engine.look().rules.services[WEB].image
    held = office.world.registry.hold(repository=f"{OWNER}/{WEB}", kind="tags")
    text = office.world.git.text("show", "main:promotion/rules.yaml")
    fewer = "".join(one for one in text.splitlines(keepends=True) if not one.startswith(f"  {WEB}:"))

    with begun(held, office.engine.run_pass):
        office.world.forge.push_to_branch(
            "main", {"promotion/rules.yaml": fewer}, "Leave web to others\n", login="bob"
        )
        assert isinstance(office.say("ada", Hold(CHECKOUT, "a demo", "production")), Recorded)
        known = office.engine.desk.answers.tags[image]

    assert office.engine.desk.answers.tags[image] is known
    assert WEB not in office.engine.look().rules.services
    assert pinned(office, CHECKOUT, "staging") == "1.4.2", "the rest of what was asked counts"
    office.look()
    assert office.findings() == []


def test_what_a_word_was_told_of_a_registry_that_is_asked_otherwise_by_now_is_asked_again(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.world.push(CHECKOUT, "1.4.2")
    office.look()
    asked: list[object] = []
    real = PycurlRegistry.digests

    def digests(self: PycurlRegistry, images: Iterable[Image], hosts: Mapping[str, Host]) -> object:
        asked.append(hosts)
        return real(self, images, hosts)

    monkeypatch.setattr(PycurlRegistry, "digests", digests)
    rules = office.world.git.text("show", "main:promotion/rules.yaml")
    host = office.engine.look().rules.services[CHECKOUT].image.host
    other = f"{rules}\nregistries: {{'{host}': {{interval: 7s}}}}\n"
    held = office.world.registry.hold(repository=f"{OWNER}/{CHECKOUT}", kind="manifests")
    said: list[Recorded | NotRecorded] = []

    def ask() -> None:
        said.append(office.say("carol", Propose(CHECKOUT, "1.4.2", "production", "we want it")))

    with begun(held, ask):
        office.world.forge.push_to_branch(
            "main", {"promotion/rules.yaml": other}, "Ask less often\n", login="bob"
        )

    assert isinstance(said[0], Recorded), said
    assert asked[0] != asked[-1], "what was told under the old rules is not what the new ones ask"
    assert [entry.image[0].tag for entry in office.entries("propose")] == ["1.4.2"]


def with_authors(office: Office) -> None:
    """Let nobody approve their own code; which commit an image is of, its labels say."""
    rule = "approvals: 2 of release-managers"
    office.change_rules("rules.yaml", rule, f"{rule}\n    exclude: [requester, authors]")
    office.world.push(CHECKOUT, "1.4.2", labels={"org.opencontainers.image.revision": "1" * 40})
    office.look()


def test_who_asks_for_a_version_waits_for_its_labels_and_nobody_else_does(office: Office) -> None:
    with_authors(office)
    held = office.world.registry.hold(repository=f"{OWNER}/{CHECKOUT}", kind="blobs")
    said: list[Recorded | NotRecorded] = []

    def ask() -> None:
        said.append(office.say("carol", Propose(CHECKOUT, "1.4.2", "production", "we want it")))

    with begun(held, ask):
        assert isinstance(office.say("ada", Hold(WEB, "a demo", "production")), Recorded)
        assert said == []

    assert isinstance(said[0], Recorded), said
    assert len(office.engine.desk.authors.images.kept) == 1, "the image was read"


def test_a_pass_reads_labels_while_words_are_heard(office: Office, tmp_path: Path) -> None:
    with_authors(office)
    asked = office.say("carol", Propose(CHECKOUT, "1.4.2", "production", "we want it"))
    assert isinstance(asked, Recorded), asked
    with engine_in(office.world, tmp_path / "another", office.clock) as engine:
        patient(engine)
        office.engine = engine
        held = office.world.registry.hold(repository=f"{OWNER}/{CHECKOUT}", kind="blobs")

        with begun(held, engine.run_pass):
            assert isinstance(office.say("ada", Approve(asked.promotion)), Recorded)

        assert len(engine.desk.authors.images.kept) == 1, "the image was read"
        assert office.findings() == []


@dataclass
class Reluctant:
    """A chat that, asked the first time who is in a group, answers only after it was let go."""

    real: Chat
    asked: threading.Event = field(default_factory=threading.Event)
    let_go: threading.Event = field(default_factory=threading.Event)

    def group(self, named: str) -> frozenset[str]:
        """Return who is in a group."""
        if not self.asked.is_set():
            self.asked.set()
            assert self.let_go.wait(PATIENCE)
        return self.real.group(named)


def test_who_is_in_a_team_is_asked_while_words_are_heard(office: Office) -> None:
    office.change_rules(
        "people.yaml", "release-managers: [ada, bob, carol]", "release-managers: 'slack:@release-managers'"
    )
    promotion = office.asked("1.4.2")
    office.clock.wind(minutes=2)
    rosters = office.engine.desk.rosters
    assert rosters.chat
    reluctant = rosters.chat = Reluctant(rosters.chat)  # type: ignore[assignment]  # nothing else is asked of it

    with begun(reluctant, office.engine.run_pass):
        said = [office.say(name, Approve(promotion)) for name in ("ada", "bob")]
        assert all(isinstance(one, Recorded) for one in said), said
        assert office.stage(promotion) is Stage.LANDED

    assert office.findings() == []


def test_people_are_heard_before_registries_were_asked_for_the_first_time(
    office: Office, tmp_path: Path
) -> None:
    promotion = office.asked("1.4.2")
    office.world.push(WEB, "2.5.0")
    with engine_in(office.world, tmp_path / "another", office.clock) as engine:
        patient(engine)
        office.engine = engine
        held = office.world.registry.hold()
        shown = office.told()

        with begun(held, engine.run_pass):
            said = [office.say(name, Approve(promotion)) for name in ("ada", "bob")]
            assert office.told() == shown, "there is nothing to be shown before anything was asked"

        assert all(isinstance(one, Recorded) for one in said), said
        assert office.stage(promotion) is Stage.LANDED
        assert pinned(office, WEB, "staging") == "2.5.0"
        assert "1.4.2" in office.told()
        assert office.findings() == []
