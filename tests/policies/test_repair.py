"""What keeps the ledger itself adds up: links, words that are taken out, what is given up and put aside."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from policies.entries.entry import Entry, Kind, Link, parse_time, write_time
from policies.ledger.repair import has_words, quarantined_on
from policies.ledger.state import Stage, State
from tests.policies.ledger_builders import Story, at_stage, hash_of, oid, person, pinned, shelf, story

WORDS = parse_time("2026-11-26T00:00:00Z")
HIDDEN = "(redacted, see #99)"
MAIL = Link("erin", "T0", "U0ERIN", 4242, "erin-k", "acme.example")


def _say(state: State, kind: Kind, seq: int = 99, at: datetime = WORDS, **fields: Any) -> None:
    state.apply(Entry(kind=kind, seq=seq, at=write_time(at), key=f"k{seq}", **fields), oid(str(seq)))


def test_each_link_of_a_person_counts_and_the_last_one_stands() -> None:
    found = story()
    found.add(found.linked("carol"))
    assert found.state.counts["identity/person/carol"] == 1
    again = Link("carol", "T0", "U0CAROL", 77_000, "carol-two")
    _say(found.state, Kind.IDENTITY, linked=again)

    assert found.state.counts["identity/person/carol"] == 2
    assert found.state.links == {"carol": again}


@pytest.mark.parametrize(
    ("link", "ends"),
    [
        (Link("erin-k", "T0", "U0ERIN", 1, "other"), True),
        (Link("erin-k", "T0", "U0OTHER", 4242, "erin-k"), True),
        (Link("erin-k", "T0", "U0ERIN", 4242, "erin-k"), True),
        (Link("dora", "T0", "U0DORA", 9, "dora"), False),
    ],
    ids=["the Slack account", "the account at the forge", "both", "neither"],
)
def test_a_match_by_an_address_ends_where_somebody_shows_that_an_account_is_theirs(
    link: Link, *, ends: bool
) -> None:
    state = State("2026")
    _say(state, Kind.IDENTITY, linked=MAIL)
    _say(state, Kind.IDENTITY, linked=link)

    stays = {} if ends else {"erin": MAIL}
    assert state.links == {**stays, link.person: link}


def test_what_a_person_showed_does_not_end_where_another_shows_the_same() -> None:
    state = State("2026")
    shown = replace(MAIL, domain="")
    other = replace(shown, person="erin-k")
    _say(state, Kind.IDENTITY, linked=shown)
    _say(state, Kind.IDENTITY, linked=other)

    assert state.links == {"erin": shown, "erin-k": other}


def test_a_key_signs_until_another_does() -> None:
    state = State("2026")
    _say(state, Kind.IDENTITY, signer="one")
    _say(state, Kind.IDENTITY, linked=MAIL)

    assert state.signer == "one"


# --- words -------------------------------------------------------------------------------------------------------


def test_from_a_moment_on_it_is_remembered_which_entries_have_words() -> None:
    found = Story(shelf(), at=WORDS)
    found.add(found.genesis())
    found.add(found.rules_at(found.book.line[0]))
    held = found.add(found.stand(Kind.HOLD, person("ada"))).seq
    found.add(found.seen("1.1.0"))

    assert found.state.counts["words-from"] == 1
    assert dict(found.state.worded) == {held: True}
    assert [has_words(found.state, seq) for seq in (1, held, held + 1)] == [False, True, False]


def test_before_that_moment_nobody_remembers() -> None:
    state = State("2026")
    _say(state, Kind.HOLD, 1, WORDS - timedelta(seconds=1), service="web", note="an incident")
    assert "words-from" not in state.counts
    assert dict(state.worded) == {}
    assert has_words(state, 1)

    _say(state, Kind.SEEN, 2)
    assert [has_words(state, seq) for seq in (1, 2, 3)] == [True, False, False]


def test_of_a_hold_a_block_or_a_freeze_the_words_of_that_entry_go() -> None:
    found = story()
    for kind in (Kind.HOLD, Kind.BLOCK, Kind.FREEZE):
        found.add(found.stand(kind, person("dan")))
    tables = (found.state.holds, found.state.blocks, found.state.freezes)
    seqs = [one.seq for table in tables for one in table.values()]

    for place, seq in enumerate(seqs):
        _say(found.state, Kind.REDACT, erases=seq)
        notes = [one.note for table in tables for one in table.values()]
        assert notes == [HIDDEN] * (place + 1) + ["an incident"] * (2 - place)
    assert found.state.redacted == dict.fromkeys(seqs, 99)


def test_what_has_no_words_does_not_look_as_if_it_had() -> None:
    found = at_stage(Stage.MISMATCH)
    freeze = found.state.freezes["production"]

    _say(found.state, Kind.REDACT, erases=freeze.seq)
    _say(found.state, Kind.REDACT, erases=found.promotion().seq)

    assert found.state.freezes["production"] == freeze
    assert found.promotion().note == ""


def _rejected() -> Story:
    """Two promotions that were rejected, one after the other, with a word each."""
    found = at_stage(Stage.REJECTED)
    found.add(found.propose("1.1.0", change=hash_of("again"), note="once more"))
    found.add(found.about(Kind.REJECT, person("ada"), note="nor tomorrow"))
    return found


def test_the_words_that_ended_a_promotion_go_and_those_of_another_stay() -> None:
    found = _rejected()

    _say(found.state, Kind.REDACT, erases=found.state.seq)

    told = [(one.note, one.ended_note) for one in found.state.promotions.values()]
    assert told == [("", "not today"), ("once more", HIDDEN)]


def test_the_words_of_a_request_go_and_those_of_its_end_stay() -> None:
    found = _rejected()

    _say(found.state, Kind.REDACT, erases=found.promotion().seq)

    told = [(one.note, one.ended_note) for one in found.state.promotions.values()]
    assert told == [("", "not today"), (HIDDEN, "nor tomorrow")]


def test_an_end_without_words_does_not_look_as_if_it_had_some() -> None:
    found = at_stage(Stage.CANCELLED)

    _say(found.state, Kind.REDACT, erases=found.state.seq)

    assert found.promotion().ended_note == ""


# --- given up, put aside -----------------------------------------------------------------------------------------


def test_the_ends_that_two_people_gave_up_are_known_with_who_says_so() -> None:
    state = State("2026")
    _say(state, Kind.FORK, 5, lost=oid("a"), evidence={"ends": [oid("b"), oid("a")]})
    _say(state, Kind.FORK, 6, lost=oid("b"), evidence={"ends": oid("c")})

    assert state.forks == {oid("a"): 5, oid("b"): 5}


def test_what_is_put_aside_is_counted_by_day() -> None:
    found = story()
    day = write_time(found.at)[:10]
    for what in ("one", "two"):
        assert quarantined_on(found.add(found.junk(what))) == f"quarantine/{day}"

    assert found.state.counts[f"quarantine/{day}"] == 2


def test_words_of_a_rollback_go_from_the_block_that_it_sets() -> None:
    found = at_stage(Stage.LANDED)
    entry = found.add(found.rollback("1.0.0"))
    assert found.state.blocks["production", "web", pinned("1.1.0")].note == "errors in checkout"

    _say(found.state, Kind.REDACT, erases=entry.seq)

    assert found.state.blocks["production", "web", pinned("1.1.0")].note == HIDDEN
    assert found.promotion().note == HIDDEN
