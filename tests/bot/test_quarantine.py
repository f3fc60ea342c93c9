"""Junk is kept by what is wrong with it, a little of it, and never by what it says."""

from pathlib import Path

from bot.errors import PermanentError, UnreadableError
from bot.looking.quarantine import MAX_KEPT, Jar, quarantines
from policies.allowed.repair import MAX_QUARANTINES
from tests.bot.ledger_worlds import World, world


def _written(found: World, jar: Jar) -> list[tuple[str, str]]:
    look = found.desk.view(found.at)
    return [(one.why, str(one.evidence["about"])) for one in quarantines(look, found.desk.answers, jar)]


def test_only_what_could_not_be_read_is_noted_and_the_same_once(tmp_path: Path) -> None:
    found, jar = world(tmp_path), Jar()
    jar.hear("forge", "promotion", PermanentError("it is refused"))
    for _ in range(3):
        jar.hear("forge", "promotion", UnreadableError("no list: \x1b[31m"))
    jar.put("slack", "/slack/events", "the body is not JSON")

    assert _written(found, jar) == [("forge", "promotion"), ("slack", "/slack/events")]


def test_a_flood_is_kept_in_part_and_written_in_a_smaller_part(tmp_path: Path) -> None:
    found, jar = world(tmp_path), Jar()
    for number in range(10 * MAX_KEPT):
        jar.put("forge", f"promotion {number}", "no list")

    assert len(jar.kept(found.desk.view(found.at))) == MAX_KEPT
    assert len(_written(found, jar)) == MAX_QUARANTINES
