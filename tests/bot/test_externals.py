"""Moves by others are looked for where they can be: not in what the ledger has."""

from pathlib import Path

import pytest

from bot.promoting.poller import externals
from bot.repository.mirror import Mirror
from bot.repository.objects import Oid
from tests.bot.ledger_worlds import world


def test_git_is_not_asked_about_every_move_that_was_written_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = world(tmp_path)
    for number in range(1, 5):
        found.stage(f"1.{number}.0")
    asked: list[Oid] = []
    parents = Mirror.parents

    def counted(mirror: Mirror, oid: Oid) -> tuple[Oid, ...]:
        asked.append(oid)
        return parents(mirror, oid)

    monkeypatch.setattr(Mirror, "parents", counted)
    look = found.desk.view(found.at)

    assert externals(look, found.desk.mirror, found.desk.book, set()) == []
    assert asked == []
