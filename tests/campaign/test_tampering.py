"""Whoever tampers with the ledger is noticed: by the bot that runs, by one with an empty disk, by an auditor."""

from pathlib import Path

import pytest

from tests.bot.ledger_worlds import World
from tests.campaign.length import LENGTH
from tests.campaign.tampering import TAMPERINGS, Ground, Tampering, day

pytestmark = pytest.mark.timeout(3600)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> World:
    return day(tmp_path_factory.mktemp("base"), LENGTH.tampered_entries)


def test_a_day_that_nobody_tampered_with_is_well(base: World, tmp_path: Path) -> None:
    assert base.audit(tmp_path / "audit").findings == []
    assert base.desk.ledger.read_only_because(base.desk.mirror.fetch()) == ""


@pytest.fixture(scope="module")
def ground(base: World, tmp_path_factory: pytest.TempPathFactory) -> Ground:
    return Ground(base, tmp_path_factory.mktemp("ground"))


@pytest.mark.parametrize("tampering", TAMPERINGS, ids=lambda one: one.name)
def test_tampering_is_noticed(ground: Ground, tampering: Tampering) -> None:
    found = ground.notice(tampering)

    assert found.is_enough, found
