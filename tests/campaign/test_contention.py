"""Eight processes write to one ledger at once; a fifth of the answers is destroyed, some pushes are killed."""

from pathlib import Path

import pytest

from tests.campaign.contention import contend
from tests.campaign.length import LENGTH


@pytest.mark.timeout(600)
def test_nothing_is_lost_and_nothing_stands_twice_whoever_writes_at_once(tmp_path: Path) -> None:
    found = contend(tmp_path, writers=LENGTH.contention_writers, entries=LENGTH.contention_entries)

    assert (found.lost, found.doubled, found.faults) == (0, 0, ())
    assert found.is_one_line
    assert found.told == found.wanted
    assert found.strays == 0
