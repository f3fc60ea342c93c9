"""A line that is only skimmed tells the same as one that is read, as long as it is an entry at all."""

import json

import pytest
from hypothesis import given

from policies.canonical import Json, canonical
from policies.entries.entry import Entry, EntryError, Kind, Placed, parse
from policies.entries.skim import skim
from policies.ledger.state import Stage
from tests.policies.ledger_builders import at_stage
from tests.policies.test_entry import entries

LINES = [entry.line() for _, entry in at_stage(Stage.LANDED).entries]
ADA: Json = {"person": "ada", "via": "button", "slack": {"team": "T0", "user": "U0ADA"}}
BOB: Json = {"person": "bob", "via": "review", "forge": {"id": 7, "login": "bob"}}


@given(entries())
def test_what_can_be_read_is_skimmed_to_the_same_entry(entry: Entry) -> None:
    assert skim(entry.line()) == parse(entry.line())


@pytest.mark.parametrize(
    "by",
    [{"bot": True}, {"person": "ada", "via": "link"}, ADA, BOB, [ADA, BOB]],
    ids=["bot", "neither", "slack", "forge", "two"],
)
def test_who_speaks_is_skimmed_as_it_is_read(by: Json) -> None:
    line = canonical({**json.loads(LINES[-1]), "by": by})

    assert skim(line) == parse(line)


def test_a_whole_story_is_skimmed_as_it_is_read() -> None:
    assert [skim(line) for line in LINES] == [parse(line) for line in LINES]


@pytest.mark.parametrize("line", [b"", b"[]", b"{}", b'{"v":1}', b'{"v":1,"kind":"odd"}'])
def test_what_is_no_entry_is_not_taken_for_one(line: bytes) -> None:
    with pytest.raises((ValueError, TypeError, KeyError)):
        skim(line)


def test_another_version_is_not_taken_for_this_one() -> None:
    with pytest.raises(EntryError, match="version"):
        skim(canonical({**json.loads(LINES[-1]), "v": 2}))


def test_where_a_card_stands_is_skimmed_as_it_is_read() -> None:
    last = parse(LINES[-1])
    card = Placed("card/production/web/1.1.0", "C1", "1700000000.1", 2)
    line = Entry(
        kind=Kind.SHOWN, at=last.at, key="card/1", seq=last.seq, prev=last.prev, shown=(card,)
    ).line()

    assert skim(line) == parse(line)
    assert skim(line).shown == (card,)
