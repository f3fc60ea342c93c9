"""Words that two people took out are shown nowhere: not in the state, not in entries, not in what a year carries."""

from dataclasses import replace
from datetime import timedelta

import pytest

from policies.allowed.reperformed import reperformed
from policies.canonical import Json
from policies.entries.carried import carry
from policies.entries.entry import Beside, Entry, Kind, RuleAt
from policies.entries.redacted import ended_by, hidden, is_hidden, veiled, without_notes
from policies.ledger.state import Stage
from policies.verdict import Waiting
from tests.policies.ledger_builders import Story, at_stage, oid, person

SECRET = "the password is hunter2"


def _redact(found: Story, seq: int) -> None:
    found.add(found.both(Kind.REDACT, erases=seq))


def _last(found: Story) -> int:
    return found.state.seq


def _asked(found: Story) -> None:
    (promotion,) = found.state.promotions.values()
    found.state.promotions[promotion.id] = replace(promotion, note=SECRET)


def test_the_words_of_a_request_leave_the_promotion() -> None:
    found = at_stage(Stage.OPEN)
    _asked(found)
    (promotion,) = found.state.promotions.values()

    _redact(found, promotion.seq)

    assert found.state.promotions[promotion.id].note == hidden(_last(found))


def test_the_words_that_ended_a_promotion_leave_it_and_its_request_stays() -> None:
    found = at_stage(Stage.OPEN)
    _asked(found)
    (promotion,) = found.state.promotions.values()
    found.add(found.about(Kind.REJECT, person("ada"), note=SECRET))

    _redact(found, _last(found))

    told = found.state.promotions[promotion.id]
    assert (told.note, told.ended_note) == (SECRET, hidden(_last(found)))


@pytest.mark.parametrize("kind", [Kind.HOLD, Kind.BLOCK, Kind.FREEZE])
def test_the_words_of_what_stands_in_the_way_leave_it(kind: Kind) -> None:
    found = at_stage(Stage.LANDED)
    found.add(found.stand(kind, person("dan"), note=SECRET))
    seq = _last(found)
    other = Kind.FREEZE if kind is Kind.HOLD else Kind.HOLD
    found.add(found.stand(other, person("dan"), note="a demo"))

    _redact(found, seq)

    tables = (found.state.holds, found.state.blocks, found.state.freezes)
    notes = {one.note for table in tables for one in table.values()}
    assert notes == {hidden(_last(found)), "a demo"}


def _entry(seq: int, kind: Kind = Kind.HOLD, **more: object) -> tuple[str, Entry]:
    return oid(str(seq)), Entry(kind=kind, at="2026-11-23T10:00:00Z", key=f"k/{seq}", seq=seq, **more)  # type: ignore[arg-type]


def test_entries_are_shown_without_those_words_wherever_they_stand() -> None:
    entries = (
        _entry(2, note=SECRET),
        _entry(3, note="a demo", evidence={"facts": [{"detail": SECRET}, 1], "note": SECRET}),
        _entry(4, Kind.QUARANTINE),
        _entry(5, Kind.REDACT, note="it was a password", erases=2),
    )

    assert veiled(entries, {}) == entries
    shown = [entry for _, entry in veiled(entries, {2: 5, 4: 5})]

    assert SECRET not in repr(shown)
    assert [one.note for one in shown] == [hidden(5), "a demo", "", "it was a password"]
    assert shown[1].evidence == {"facts": [{"detail": hidden(5)}, 1], "note": hidden(5)}


def test_what_moved_beside_another_is_shown_without_them_too() -> None:
    beside = Beside("cart", (), (), RuleAt("", (), ""), {"facts": [{"detail": SECRET}]})

    _, (_, shown) = veiled([_entry(2, note=SECRET), _entry(3, Kind.BUMP, also=(beside,))], {2: 5})

    assert shown.also == (replace(beside, evidence={"facts": [{"detail": hidden(5)}]}),)


@pytest.mark.parametrize(
    "evidence",
    [
        {"members": {"security": ["ada", "bob"]}},
        {"facts": [{"gate": "ada", "verdict": "ada", "code": "ada"}]},
        {"person": "ada"},
        {"members": {"detail": ["ada"]}},
    ],
)
def test_a_name_a_verdict_or_a_code_stays_although_the_words_are_the_same(evidence: dict[str, Json]) -> None:
    entries = (_entry(2, note="ada"), _entry(3, Kind.INTENT, evidence=evidence))

    (_, hold), (_, shown) = veiled(entries, {2: 4})

    assert (hold.note, shown.evidence) == (hidden(4), evidence)


def test_what_is_judged_again_has_its_evidence_whole_and_tells_no_words() -> None:
    found = at_stage(Stage.OPEN)
    hold = found.add(found.stand(Kind.HOLD, person("dan"), note=SECRET))
    late = found.complete(replace(found.about(Kind.INTENT), evidence={"facts": [{"detail": SECRET}]}))
    found.entries.append((oid("late"), late))  # that no validator lets pass

    entries = without_notes(found.entries, {hold.seq: 90})
    ((_, judged),) = reperformed("2026", entries, found.book, {late.seq})

    assert entries[-1] == found.entries[-1]
    (held,) = [one.verdict for one in judged if isinstance(one.verdict, Waiting) and one.gate == "hold"]
    assert held.detail == hidden(90)


def test_what_a_year_carries_is_shown_without_them_although_their_entry_is_not_there() -> None:
    found = at_stage(Stage.OPEN)
    _asked(found)
    (promotion,) = found.state.promotions.values()
    found.add(found.about(Kind.REJECT, person("ada"), note=SECRET))
    found.add(found.stand(Kind.HOLD, person("dan"), note=SECRET))
    ends, hold = _last(found) - 1, _last(found)
    at = found.state.promotions[promotion.id].opened + timedelta(days=1)
    carried = carry(found.state, found.entries, at)
    genesis = _entry(hold + 1, Kind.GENESIS, carried=carried)

    ((_, partly),) = veiled([genesis], {promotion.seq: 90, hold: 90})
    ((_, shown),) = veiled([genesis], {promotion.seq: 90, ends: 91, hold: 90})

    assert repr(carried).count(SECRET) == 3
    assert repr(partly.carried).count(SECRET) == 1
    assert SECRET not in repr(shown.carried)
    assert hidden(91) in repr(shown.carried)


@pytest.mark.parametrize(
    "carried",
    [
        {"tables": "x"},
        {"tables": {"keys": "x"}},
        {"tables": {"keys": [1, ["a"], ["hold/x", 2], ["reject/x", 3]]}},
    ],
)
def test_what_cannot_be_read_is_shown_as_it_is(carried: dict[str, Json]) -> None:
    ((_, shown),) = veiled([_entry(1, Kind.GENESIS, carried=carried)], {2: 5})

    assert shown.carried == carried


def test_what_stands_instead_is_told_from_words() -> None:
    assert is_hidden(hidden(7))
    assert not is_hidden(f"{hidden(7)} ")
    assert [ended_by(one) for one in ("reject/p", "ended/p", "approve/p/1", "reject")] == ["p", "p", "", ""]
