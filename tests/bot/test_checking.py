"""A long ledger that is still being checked: shown as it says, decided on by nobody, dropped when the check fails."""

import gc
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args

import pytest

from bot import checking
from bot.answers import NotRecorded
from bot.chains import signatures_ahead
from bot.chains.chain import Chain
from bot.checking import Checking
from bot.engine import Engine, PassReport
from bot.errors import BotError, PermanentError
from bot.index import Index
from bot.look import Look
from bot.looking.book import Book
from bot.looking.survey import Answers, survey
from bot.preview import Preview, preview_of, tables_of
from bot.repository.objects import EMPTY_TREE, RawCommit
from bot.rounds import STALE, Rounds
from bot.showing.outbox import Outbox
from policies.decide import decide
from policies.images.evidence import TagList
from policies.images.image import Digest
from policies.ledger.state import State
from policies.words import Fork, Redact, Speaker, Word
from tests.bot.ledger_worlds import NINE, World, bot, digest, world
from tests.repositories import git

ADA = Speaker("T0", "U0ADA", "button", "click-1")
LATER = NINE + timedelta(days=1)


class Tags:
    """A registry of two versions."""

    def tags(self, images: Any, _rules: Any) -> Mapping[Any, Any]:
        return dict.fromkeys(images, TagList(("1.0.0", "1.1.0")))

    def digests(self, images: Any, _rules: Any) -> Mapping[Any, Any]:
        return {image: Digest(digest(image[1])) for image in images}


@dataclass
class StandingBook:
    """The rules and commits that the validator asks for, behind a door that a test opens."""

    book: Book
    reached: threading.Event = field(default_factory=threading.Event)
    opened: threading.Event = field(default_factory=threading.Event)

    def __getattr__(self, name: str) -> Any:
        self.reached.set()
        assert self.opened.wait(60)
        return getattr(self.book, name)


@dataclass
class Start:
    """A bot that began on an empty disk; its check stands still until it is let go."""

    engine: Engine
    door: StandingBook
    thread: threading.Thread
    said: list[str]
    reports: list[PassReport]

    def finish(self) -> PassReport:
        self.door.opened.set()
        self.thread.join(60)
        return self.reports[0]


@contextmanager
def starting(there: World, folder: Path) -> Iterator[Start]:
    desk = bot(there.remote, folder / "empty", there.signer)
    door = StandingBook(desk.book)
    desk.ledger.book = door
    index, said = Index.open(None), list[str]()
    clock = SimpleNamespace(now=lambda: LATER)
    engine = Engine(desk, Tags(), clock, index, Outbox(index, None, said.append))
    engine.look_early()
    reports: list[PassReport] = []
    thread = threading.Thread(target=lambda: reports.append(engine.run_pass()))
    thread.start()
    try:
        assert door.reached.wait(60)
        yield Start(engine, door, thread, said, reports)
    finally:
        door.opened.set()
        thread.join(60)
        index.close()


def refs(there: World) -> str:
    return git(there.remote, "for-each-ref")


def preview_in(there: World, at: datetime = LATER) -> Preview | None:
    desk = there.desk
    tips = desk.mirror.fetch()
    return preview_of(desk.book, tips, "2026", desk.mirror.raw_commits(tips.ledgers["2026"]), at)


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(checking, "MANY", 3)
    found = world(tmp_path)
    found.stage("1.1.0")
    return found


def test_a_ledger_unjudged_adds_up_to_what_it_does_when_it_is_checked(there: World) -> None:
    there.promote("1.1.0")
    there.roll_back("production", "1.0.0")
    desk, tips = there.desk, there.desk.mirror.fetch()
    state = desk.ledger.read(tips).state
    meant = survey(
        book=desk.book, tips=tips, rules=desk.rules(tips), state=state, answers=Answers(), at=LATER
    ).world

    found = preview_in(there)

    assert found is not None
    assert found.state == tables_of(state)
    assert found.decision == decide(meant, LATER)
    assert found.current_since("staging", "web") == meant.current_since("staging", "web") is not None
    assert found.why("staging", "web", "1.1.0") is not None
    assert not found.is_checked


def test_what_is_unjudged_is_of_no_type_that_decides(there: World) -> None:
    found = preview_in(there)

    assert found is not None
    assert not isinstance(found, Look)
    assert not isinstance(found.state, State)
    assert not hasattr(found, "world")
    assert not hasattr(found.state, "apply")


@pytest.mark.parametrize("spoil", ["order", "body", "rules"])
def test_an_odd_ledger_has_no_preview_and_raises_nothing(there: World, spoil: str) -> None:
    desk, tips = there.desk, there.desk.mirror.fetch()
    commits = desk.mirror.raw_commits(tips.ledgers["2026"])
    if spoil == "order":
        commits.reverse()
    if spoil == "body":
        commits[1] = RawCommit(commits[1].oid, b"tree " + EMPTY_TREE.encode() + b"\n\nx\n\n[]\n")
    book = desk.book
    if spoil == "rules":
        book = Book(desk.mirror, "nowhere")

    assert preview_of(book, tips, "2026", commits, LATER) is None
    assert gc.isenabled()


def test_a_bot_whose_ledger_is_being_checked_refuses_every_word_and_shows_nothing(
    there: World, tmp_path: Path
) -> None:
    asked = there.ask("1.1.0")
    before, entries = refs(there), len(there.entries)
    with starting(there, tmp_path) as start:
        look, rounds = start.engine.look(), Rounds(start.engine)
        progress = start.engine.reading()
        words: list[object] = [start.engine.say(ADA, kind.__new__(kind)) for kind in get_args(Word)]
        words += [start.engine.prepare(ADA, one) for one in (Redact(3, "a name"), Fork("it was cut"))]
        words += [start.engine.link(ADA, lambda _answer: None)]
        health = rounds.health()
        asked_outside = [start.engine.brings("web"), start.engine.check(["web"])]

        assert isinstance(look, Preview)
        assert asked_outside == [(), ()]
        assert asked.id in look.state.promotions
        assert progress.startswith("checking ")
        assert progress.endswith(f" of {entries} entries")
        assert words == [NotRecorded(code="ledger-checking", detail=progress)] * len(words)
        assert len(words) > 15
        assert health["ok"] is True
        assert health["ledger_writable"] is False
        assert health["problem"] == f"reading: {progress}"
        assert rounds.promotions() == {}
        assert start.engine.why("staging", "web", "1.1.0") is not None
        assert start.engine.person_of("U0ADA") == "ada"
        assert start.said == []
        assert refs(there) == before

        report = start.finish()

        assert start.engine.reading() == ""
        assert isinstance(start.engine.look(), Look)
        assert start.engine.look().state.promotions[asked.id].stage.value == "open"
        assert not [line for line in report.left if line.startswith("ledger-read-only")]
        assert start.said


def test_when_the_check_fails_the_bot_is_read_only_and_what_was_unjudged_is_gone(
    there: World, tmp_path: Path
) -> None:
    asked = there.ask("1.1.0")
    there.sneak(there.approval("dan"))
    before = refs(there)
    with starting(there, tmp_path) as start:
        look = start.engine.look()
        assert isinstance(look, Preview)
        assert [one.by.person for one in look.state.promotions[asked.id].approvals] == ["dan"]

        report = start.finish()

        assert any(line.startswith("ledger-read-only: entry ") for line in report.left)
        found = start.engine.desk.ledger.checking
        assert found is not None
        assert found.preview is None
        assert isinstance(start.engine.look(), Look)
        assert any("can only be read" in line or "read-only" in line for line in start.said)
        assert refs(there) == before


def test_the_check_that_cannot_go_on_drops_what_was_unjudged(there: World) -> None:
    desk = there.desk
    tips = desk.mirror.fetch()
    commits = desk.mirror.raw_commits(tips.ledgers["2026"])
    found, seen = Checking(lambda _year, _commits: preview_in(there)), list[Preview | None]()

    def checks() -> None:
        with found.of(Chain("2026", State("2026")), commits):
            seen.append(found.preview)
            raise PermanentError("the clone is damaged")

    with pytest.raises(PermanentError):
        checks()

    assert seen[0] is not None
    assert found.preview is None
    assert found.said == ""


def test_of_a_short_ledger_nothing_is_shown_early(there: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "MANY", signatures_ahead.MANY)
    found = Checking(lambda _year, _commits: pytest.fail("it was looked at"))
    desk = bot(there.remote, there.remote.parent / "short", there.signer)
    desk.ledger.checking = found

    chain = desk.ledger.read(desk.mirror.fetch())

    assert not chain.faults
    assert found.preview is None


def test_a_check_that_hangs_is_not_well(there: World, tmp_path: Path) -> None:
    with starting(there, tmp_path) as start:
        late = LATER + STALE + timedelta(seconds=1)
        start.engine.clock = SimpleNamespace(now=lambda: late)

        assert Rounds(start.engine).health()["ok"] is False


def test_before_anything_was_seen_nobody_is_answered(there: World) -> None:
    index = Index.open(None)
    engine = Engine(there.desk, Tags(), SimpleNamespace(now=lambda: LATER), index, Outbox(index, None, None))

    with pytest.raises(BotError, match="nothing has been looked at yet"):
        engine.look()
    assert engine.reading() == engine.person_of("U0ADA") == ""
    index.close()
