"""When things came by their order: a commit or an entry that is dated back or ahead hides from nobody."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.dating import MAX_NOTES, Dating
from bot.repository.objects import Oid
from policies.entries.entry import Entry, Kind, write_time
from policies.ledger.order import Between, misdated_of

BEGIN = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
LINE = [Oid(f"{number:040x}") for number in range(1, 9)]


def at(minutes: int) -> str:
    """Return an instant so many minutes after the beginning."""
    return write_time(BEGIN + timedelta(minutes=minutes))


def entry(kind: Kind, minutes: int, commit: int = 0, promotion: str = "") -> Entry:
    """Return an entry; ``commit``: the number of a commit of the line, 0 = none."""
    return Entry(
        kind=kind, at=at(minutes), key="", commit=LINE[commit - 1] if commit else "", promotion=promotion
    )


def dating(entries: Sequence[Entry], since: int | None = None, now: int | None = None) -> Dating:
    """Date entries and the line."""
    numbered = [
        (Oid(f"e{index:039x}"), replace(one, seq=index)) for index, one in enumerate(entries, start=1)
    ]
    off = misdated_of(numbered, None if now is None else BEGIN + timedelta(minutes=now))
    return Dating.of(numbered, LINE, off, "" if since is None else at(since))


def test_nothing_is_said_of_entries_in_their_order() -> None:
    assert list(dating([entry(Kind.SEEN, 0), entry(Kind.SEEN, 0), entry(Kind.SEEN, 9)], now=9).notes()) == []


def test_one_entry_and_a_stretch_of_them_are_told() -> None:
    times = [0, 10, -900, 20, 30, -800, -700, -750, 40]

    one, several = dating([entry(Kind.SEEN, one) for one in times]).notes()

    around = f"and those around it say between {at(10)} and {at(20)}: one of them is wrong"
    assert one == f"#3 is dated {at(-900)}, {around}"
    around = f"and those around them say between {at(30)} and {at(40)}: some of them are wrong"
    assert several == f"#6 to #8 are dated {at(-800)} to {at(-750)}, {around}"


def test_what_is_dated_ahead_of_now_is_told_where_now_is_known() -> None:
    entries = [entry(Kind.SEEN, 0), entry(Kind.SEEN, 900)]

    assert list(dating(entries).notes()) == []
    (note,) = dating(entries, now=10).notes()
    assert note.startswith(f"#2 is dated {at(900)}, and those around it say between {at(0)} and now:")


def test_of_very_many_stretches_the_rest_is_counted() -> None:
    times = [one for step in range(MAX_NOTES + 2) for one in (10 * step, 10 * step + 1, -900)]

    notes = list(dating([entry(Kind.SEEN, one) for one in times]).notes())

    assert len(notes) == MAX_NOTES + 1
    assert notes[-1] == "2 more stretches of entries are dated out of their order"
    exactly = list(dating([entry(Kind.SEEN, one) for one in times[: 3 * MAX_NOTES]]).notes())
    assert len(exactly) == MAX_NOTES
    assert exactly[-1].startswith(f"#{3 * MAX_NOTES} is dated")


def test_since_goes_by_the_order_of_entries() -> None:
    entries = [entry(Kind.SEEN, one) for one in (0, 900, 10, 20, 30)]

    assert dating(entries).begins == 0
    assert dating(entries, since=901).begins == 5
    assert dating(entries, since=15).begins == 1, "in doubt more is looked at"
    assert dating([entry(Kind.SEEN, one) for one in (0, -900, 10, 20, 30)], since=15).begins == 3
    assert dating([entry(Kind.SEEN, one) for one in (0, -900, 10, 20, 30)], since=10).begins == 1
    assert dating([entry(Kind.SEEN, one) for one in (0, 10, 20, 30, -900)], since=99).begins == 4


def test_since_goes_by_the_last_commit_that_an_old_entry_names() -> None:
    entries = [
        entry(Kind.BUMP, 0, 3),
        entry(Kind.EXTERNAL, 10, 2),
        entry(Kind.SEEN, 20),
        entry(Kind.BUMP, 30, 5),
        Entry(kind=Kind.BUMP, at=at(40), key="", commit="f" * 40),
    ]

    assert dating(entries).held == 0
    assert dating(entries, since=0).held == 0
    assert dating(entries, since=5).held == 3
    assert dating(entries, since=25).held == 3, "older than the entry: whatever stands before its commit"
    assert dating(entries, since=99).held == 5


def test_commits_came_between_what_entries_name() -> None:
    entries = [
        entry(Kind.GENESIS, 0),
        entry(Kind.BUMP, 5, 2),
        entry(Kind.INTENT, 10, promotion="one"),
        entry(Kind.INTENT, 12, promotion="one"),
        entry(Kind.LANDED, 14, 4, "one"),
        entry(Kind.HEALTHY, 15, 4),
        entry(Kind.BUMP, -900, 5),  # it is dated back: it tells nothing
        entry(Kind.EXTERNAL, 30, 6),
        entry(Kind.EXTERNAL, 30, 7),
    ]

    found = dating(entries).commits()

    assert [found[one] for one in LINE] == [
        Between(at(0), at(5)),
        Between(at(0), at(5)),
        Between(at(5), at(14)),
        Between(at(5), at(14)),
        Between(at(10), at(30)),
        Between(at(10), at(30)),
        Between(at(10), at(30)),  # what people did may be written down later, and bounds nothing from below
        Between(at(10), ""),
    ]


def test_a_commit_that_is_named_again_came_when_it_was_named_first() -> None:
    found = dating([entry(Kind.BUMP, 5, 2), entry(Kind.BUMP, 9, 2)]).commits()

    assert found[LINE[1]] == Between(at(5), at(5))
    assert found[LINE[2]] == Between(at(5), "")


def test_commits_come_after_the_year_that_names_one_before_them_began() -> None:
    found = dating([entry(Kind.GENESIS, 0), entry(Kind.BUMP, 5, 2), entry(Kind.GENESIS, 90, 3)]).commits()

    assert found[LINE[0]] == Between(at(0), at(5))
    assert found[LINE[2]] == Between(at(5), at(90))
    assert found[LINE[3]] == Between(at(90), "")
