"""Two people take words out of an entry that has some; what has none is not erased, so that nothing looks hidden."""

from datetime import datetime, timedelta

import pytest

from policies.codes import Code
from policies.entries.carried import carry, restore
from policies.entries.entry import Kind, parse_time
from policies.entries.tables import Tables
from policies.ledger.repair import WORDS_DECIDE, has_words
from tests.policies.ledger_builders import Story, person, shelf, story

DECIDES = parse_time(WORDS_DECIDE)


def _story(at: datetime) -> Story:
    found = Story(shelf(), at=at)
    found.add(found.genesis())
    found.add(found.rules_at(found.book.line[0]))
    return found


def _erased(found: Story, seq: int) -> Code | None:
    refusal = found.refusal(found.both(Kind.REDACT, erases=seq))
    return Code(refusal.code) if refusal else None


def _held(found: Story) -> int:
    return found.add(found.stand(Kind.HOLD, person("ada"))).seq


@pytest.mark.parametrize("at", [DECIDES, DECIDES + timedelta(days=1)], ids=["that day", "later"])
def test_what_has_no_words_is_not_erased(at: datetime) -> None:
    found = _story(at)
    silent = found.add(found.seen("1.1.0")).seq

    assert _erased(found, silent) is Code.NOT_STANDING
    assert _erased(found, _held(found)) is None


def test_of_an_older_entry_nobody_says_that_it_has_none() -> None:
    found = story()
    silent = found.add(found.seen("1.1.0")).seq
    found.at = DECIDES
    held = _held(found)

    assert _erased(found, silent) is None
    assert _erased(found, held) is None
    assert _erased(found, found.add(found.seen("1.2.0")).seq) is Code.NOT_STANDING


def test_an_entry_by_a_clock_that_is_slow_counts_all_the_same() -> None:
    found = _story(DECIDES)
    found.at = DECIDES - timedelta(minutes=3)

    assert _erased(found, _held(found)) is None


def test_a_new_year_knows_which_entries_have_words() -> None:
    found = _story(DECIDES)
    silent, held = found.add(found.seen("1.1.0")).seq, _held(found)
    other = Tables("2027")

    restore(other, carry(found.state, found.entries, found.at))

    assert (has_words(other, silent), has_words(other, held)) == (False, True)
    assert not has_words(found.state.copy(), silent)
