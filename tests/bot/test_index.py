"""The index: follows the ledger step by step or all at once to the same rows, and is never trusted when in doubt."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.chains.chain import Chain, Entries, Fault
from bot.errors import PermanentError, TransientError
from bot.index import Index, Sent
from policies.entries.entry import Kind, Placed
from policies.entries.facts import Fact, Finding
from policies.ledger.state import State, fold
from tests.bot.ledger_builders import Story, by, oid, pinned

SENT = Sent("card/production/checkout-api/1.4.2", "C1", "1700.1", 3, "e" * 64, "open")


# told by tests of their own
LATER = {
    kind
    for kind in Kind
    if kind.value
    in {
        "healthy",
        "unhealthy",
        "emergency",
        "config",
        "identity",
        "checkpoint",
        "redact",
        "fork",
        "quarantine",
    }
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the index is, in a folder that is not there yet."""
    return tmp_path / "state" / "index.db"


@pytest.fixture
def index(path: Path) -> Iterator[Index]:
    """Return an open index."""
    found = Index.open(path)
    yield found
    found.close()


def day() -> Iterator[Story]:
    """Tell a day, pausing after each step."""
    story = Story()
    yield story
    story.see("1.4.2")
    story.bump("1.4.2")
    yield story
    first = story.propose("1.4.2")
    story.shown(Placed("card/production/checkout-api/1.4.2", "C1", "1700.1", 1))
    yield story
    story.say(Kind.APPROVE, first, "ada")
    story.say(Kind.APPROVE, first, "bob")
    story.intend(first, 7)
    yield story
    story.land(first)
    yield story
    back = story.rollback("1.4.1", "production")
    yield story
    story.say(Kind.REJECT, back, "ada", note="it was the database")
    yield story


def told() -> Story:
    """Return the day when it is over."""
    return list(day())[-1]


def test_following_step_by_step_and_rebuilding_give_equal_databases(index: Index, tmp_path: Path) -> None:
    for story in day():
        index.follow(story.chain)

    with_all = Index.open(tmp_path / "other.db")
    with_all.rebuild(story.chain)
    at_once = Index.open(None)
    at_once.follow(story.chain)

    assert index.dump() == with_all.dump() == at_once.dump()
    assert len(index.entries()) == len(story.chain.entries)
    with_all.close()
    at_once.close()


def many_kinds() -> Story:
    """Tell of everything that may become of a change."""
    story = list(day())[-1]
    story.see("1.4.3")
    story.bump("1.4.3")
    voided = story.propose("1.4.3", note="again")
    story.say(Kind.APPROVE, voided, "ada")
    story.say(Kind.UNAPPROVE, voided, "ada")
    story.say(Kind.APPROVE, voided, "ada")
    story.void(voided, "change-moved")
    story.say(Kind.APPROVE, voided, "bob")
    story.say(Kind.REFUSED, voided, why="requester", evidence={"person": "carol", "decision": "approve"})
    about = story.promotion(voided)
    story.say(Kind.REBASED, voided, change=about.change, rule=about.rule, head=oid("rebased"))
    story.intend(voided, 8)
    story.say(Kind.ABORT, voided, head=oid("rebased"), why="head-moved")
    story.intend(voided, 9)
    story.say(Kind.MERGED, voided, head=oid("rebased"), commit=oid("other"))
    story.say(Kind.MISMATCH, voided, commit=oid("other"), why="other-files")
    story.add(Kind.REVIEW, by=by("carol"), closes=story.state.seq, note="known")
    story.add(Kind.FREEZE, by=by("bob"), environment="staging", trigger="T1", note="a fair")
    story.add(Kind.UNFREEZE, by=by("bob"), environment="production", trigger="T2", note="on we go")
    story.rollback("1.4.1", "staging")
    cancelled = story.propose("1.4.4")
    story.say(Kind.CANCEL, cancelled, "carol")
    story.say(Kind.ENDED, story.propose("1.4.5"), why="expired")
    story.external("1.4.0", "production")
    story.external("1.4.0", "staging")
    for kind in (Kind.HOLD, Kind.RESUME):
        story.add(kind, by=by("ada"), service="checkout-api", trigger="T3", note="wait")
    for kind in (Kind.BLOCK, Kind.UNBLOCK):
        story.add(kind, by=by("ada"), service="checkout-api", image=pinned("1.4.9"), trigger="T4", note="bad")
    return story


def test_a_rebuilt_index_equals_the_one_that_followed_every_single_entry(index: Index) -> None:
    story = many_kinds()
    told_kinds = {entry.kind for _, entry in story.chain.entries}

    for end in range(1, len(story.chain.entries) + 1):
        part = story.chain.entries[:end]
        index.follow(Chain("2026", fold("2026", part), Entries(part)))
    before = index.dump()
    index.rebuild(story.chain)

    assert index.dump() == before
    assert told_kinds >= set(Kind) - {Kind.RULES} - LATER


def test_the_ledgers_end_is_remembered_across_restarts(index: Index, path: Path) -> None:
    story = told()
    assert index.remembered() == ""

    index.follow(story.chain)
    index.close()
    again = Index.open(path)

    assert again.remembered() == story.chain.tip
    assert again.dump() == index_of(story)
    again.close()


def index_of(story: Story) -> tuple[str, ...]:
    """Return the rows of an index that was made from nothing."""
    fresh = Index.open(None)
    fresh.rebuild(story.chain)
    dump = fresh.dump()
    fresh.close()
    return dump


def test_following_twice_changes_nothing(index: Index) -> None:
    story = told()
    index.follow(story.chain)
    before = index.dump()

    index.follow(story.chain)

    assert index.dump() == before


def test_promotions_are_rows_as_the_state_says(index: Index) -> None:
    index.follow(told().chain)

    rows = {row["tag"]: row for row in index._rows("select * from promotions")}

    assert (rows["1.4.2"]["stage"], rows["1.4.2"]["person"]) == ("landed", "carol")
    assert (rows["1.4.2"]["number"], rows["1.4.2"]["url"]) == (7, "https://forge.example/pull/7")
    assert (rows["1.4.1"]["stage"], rows["1.4.1"]["kind"]) == ("rejected", "rollback")


def test_entries_are_found_by_promotion_and_by_service(index: Index) -> None:
    story = told()
    index.follow(story.chain)
    first = next(iter(story.state.promotions))

    lines = index.entries(promotion=first)

    kinds = ["propose", "approve", "approve", "intent", "merged", "landed"]
    assert [f'"kind":"{kind}"' in line for kind, line in zip(kinds, lines, strict=True)] == [True] * 6
    assert len(index.entries(service="checkout-api")) == 9
    assert index.entries(service="nothing-like-it") == []


@pytest.mark.parametrize("entries", [1, 40], ids=["shorter", "longer"])
def test_a_mark_that_the_ledger_lost_makes_the_index_anew(index: Index, entries: int) -> None:
    index.follow(told().chain)
    other = Story()
    for number in range(entries):
        other.add(Kind.FREEZE, environment="production", trigger=f"T{number}", note="another history")

    index.follow(other.chain)

    assert index.dump() == index_of(other)


def test_a_new_years_ledger_makes_the_index_anew(index: Index) -> None:
    index.follow(told().chain)
    story = Story()
    entries = [(oid(f"2027 {one}"), entry) for one, entry in story.chain.entries]
    chain = Chain("2027", State("2027"), Entries(entries))
    for one, entry in entries:
        chain.state.apply(entry, one)

    index.follow(chain)

    assert index.remembered() == entries[-1][0]
    assert len(index.entries()) == len(entries)


def test_a_ledger_with_a_fault_does_not_move_the_mark(index: Index) -> None:
    story = Story()
    index.follow(story.chain)
    remembered = index.remembered()
    story.see("1.4.2")
    story.chain.faults.append(Fault(oid("bad"), 3, "it is not signed"))

    index.follow(story.chain)

    assert index.remembered() == remembered != story.chain.tip


def test_what_fails_in_the_middle_leaves_everything_as_it_was(index: Index) -> None:
    story = Story()
    index.follow(story.chain)
    before = index.dump()
    story.see("1.4.2")
    story.chain.entries.append(story.chain.entries[0])  # its number is there already

    with pytest.raises(PermanentError, match="the index cannot be used"):
        index.follow(story.chain)

    assert index.dump() == before


def test_caches_survive_a_rebuild_and_a_restart(index: Index, path: Path) -> None:
    index.remember_sent(SENT)
    index.remember_status("a" * 40, "False waits: frozen")
    index.remember_pull("5" * 12, 9, "https://forge.example/pull/9")
    index.rebuild(told().chain)
    index.close()

    again = Index.open(path)

    assert again.sent() == {SENT.what: SENT}
    assert (again.sent_of(SENT.what), again.sent_of("card/else")) == (SENT, None)
    assert (again.status("a" * 40), again.status("b" * 40)) == ("False waits: frozen", "")
    assert sorted(number for number, _ in again.pulls().values()) == [7, 9]
    again.close()


def test_what_was_sent_is_read_once_and_again_where_another_process_wrote(index: Index, path: Path) -> None:
    other = replace(SENT, what="card/production/web/1.0.0")
    index.remember_sent(SENT)
    assert index.sent() == {SENT.what: SENT}
    index.sent().clear()
    asked: list[str] = []
    index._db.conn.set_trace_callback(asked.append)
    index.remember_sent(replace(SENT, seq=9))
    index.remember_sent(other)

    assert index.sent() == {SENT.what: replace(SENT, seq=9), other.what: other}
    assert [one for one in asked if one.startswith("select * from outbox")] == []

    elsewhere = Index.open(path)
    elsewhere.remember_sent(replace(other, seq=11))
    elsewhere.close()
    assert index.sent() == {SENT.what: replace(SENT, seq=9), other.what: replace(other, seq=11)}


def test_what_could_not_be_written_was_not_sent(index: Index, path: Path) -> None:
    index.remember_sent(SENT)
    assert index.sent() == {SENT.what: SENT}
    index._db.conn.execute("PRAGMA busy_timeout = 0")
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")

    with pytest.raises(TransientError):
        index.remember_sent(replace(SENT, seq=9))

    holder.execute("ROLLBACK")
    holder.close()
    assert index.sent() == {SENT.what: SENT}


def test_what_is_remembered_later_stands_in_the_place_of_the_earlier(index: Index) -> None:
    index.remember_status("a" * 40, "False")
    index.remember_status("a" * 40, "True")

    assert index.status("a" * 40) == "True"


def test_answers_of_gates_are_remembered_and_forgotten_by_what_they_are_about(index: Index) -> None:
    first = Fact("signature", Finding.WAITING, "signature-missing", "none", datetime(2026, 1, 1, tzinfo=UTC))
    second = replace(first, gate="labels", verdict=Finding.PASSED, code="", detail="")
    index.remember_facts({"one": first, "two": second}, ())
    assert index.facts() == {"one": first, "two": second}

    index.remember_facts({"two": first}, ["one", "three"])

    assert index.facts() == {"two": first}


def junk(path: Path) -> None:
    """Write what is no database."""
    path.write_bytes(b"no database at all, but long enough to be looked at" * 40)


def nothing(path: Path) -> None:
    """Leave a file that a crash left empty."""
    path.write_bytes(b"")


def older(path: Path) -> None:
    """Leave a file of an older program."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 0")
    connection.close()


def other_shape(path: Path) -> None:
    """Leave a file that says it is ours and has other tables."""
    connection = sqlite3.connect(path)
    connection.execute("DROP TABLE outbox")
    connection.close()


def torn(path: Path) -> None:
    """Tear the middle out of the file."""
    content = bytearray(path.read_bytes())
    content[4096 : len(content) - 512] = b"\xa5" * (len(content) - 4608)
    path.write_bytes(content)


@pytest.mark.parametrize("harm", [junk, nothing, older, other_shape, torn], ids=lambda harm: harm.__name__)
def test_a_file_in_doubt_is_put_aside_and_made_anew(path: Path, harm: Callable[[Path], None]) -> None:
    story = told()
    before = Index.open(path)
    before.follow(story.chain)
    before.remember_sent(SENT)
    before.close()

    harm(path)
    index = Index.open(path)

    assert path.with_name("index.db.aside").exists()
    assert (index.remembered(), index.sent()) == ("", {})
    index.follow(story.chain)
    assert index.dump() == index_of(story)
    index.close()


def test_a_file_that_another_process_holds_is_not_put_aside(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Index.open(path).close()
    monkeypatch.setattr("bot.index.BUSY_SECONDS", 0.01)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    index = Index.open(path)

    with pytest.raises(TransientError, match="cannot be used now"):
        index.remember_status("a" * 40, "True")
    holder.execute("ROLLBACK")
    index.remember_status("a" * 40, "True")

    assert index.status("a" * 40) == "True"
    assert not path.with_name("index.db.aside").exists()
    holder.close()
    index.close()


def test_one_writes_at_a_time_from_the_first_look_on(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.index.BUSY_SECONDS", 0.01)
    one, other = Index.open(path), Index.open(path)

    with one._writing(), pytest.raises(TransientError, match="cannot be used now"), other._writing():
        pass

    one.close()
    other.close()


def test_a_file_that_cannot_even_be_looked_at_is_left_alone(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Index.open(path).close()
    monkeypatch.setattr("bot.index.BUSY_SECONDS", 0.01)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("PRAGMA locking_mode = EXCLUSIVE")
    holder.execute("BEGIN EXCLUSIVE")

    with pytest.raises(TransientError, match="cannot be used now"):
        Index.open(path)

    holder.close()
    assert not path.with_name("index.db.aside").exists()


def test_a_path_that_cannot_be_a_file_says_which_setting_names_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")

    with pytest.raises(PermanentError, match="COUNTERSIGN_DATABASE"):
        Index.open(tmp_path / "file" / "index.db")
    with pytest.raises(PermanentError, match="COUNTERSIGN_DATABASE"):
        Index.open(tmp_path)
    assert (tmp_path / "file").read_text() == "no folder"


def test_threads_share_one_index(index: Index) -> None:
    def work(number: int) -> None:
        for step in range(20):
            index.remember_status(f"{number}-{step}", "True")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert all(index.status(f"{number}-{step}") for number in range(4) for step in range(20))


def test_a_second_index_on_the_same_file_sees_what_the_first_wrote(index: Index, path: Path) -> None:
    other = Index.open(path)
    story = told()

    index.follow(story.chain)
    other.follow(story.chain)

    assert other.dump() == index.dump() == index_of(story)
    other.close()
