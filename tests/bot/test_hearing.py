"""Hearing: whatever people type is looked up or declined, and who judges a word is attested in its entry."""

from collections.abc import Iterator

import pytest

from bot.hearing import Hearing
from bot.promoter import Declined
from bot.registry import PycurlRegistry
from bot.registry_login import Logins
from policies.words import Alone, Approve, Review
from tests.bot.forge_worlds import app_world
from tests.bot.ledger_worlds import NINE, said, world

ALIEN = ("²", "#²", "٣", "#٣", "9" * 5_000, "#" + "9" * 5_000, "#", "")
NOBODYS = ("7", "#7", "999999999", "#999999999")


@pytest.fixture(scope="module")
def hearing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hearing]:
    """Somebody who hears, with a real forge to ask for pull requests; nothing is written, so once for all tests."""
    found = world(tmp_path_factory.mktemp("world"))
    registry = PycurlRegistry(Logins(None))
    with app_world(tmp_path_factory.mktemp("forge")) as forge:
        yield Hearing(found.desk, registry, forge.forge(), None)
    registry.close()


@pytest.mark.parametrize("named", [*ALIEN, *NOBODYS], ids=lambda named: ascii(named[:12]))
def test_what_names_nothing_is_declined_whatever_its_digits_are(hearing: Hearing, named: str) -> None:
    rules = hearing.desk.rules(hearing.desk.mirror.tips()).rules
    words: list[tuple[Alone, str]] = [
        (Review(named, "seen"), "unknown-review"),
        (Approve(named), "unknown-promotion"),
    ]

    for word, code in words:
        with pytest.raises(Declined) as declined:
            hearing.composer(rules, said("ada"), word, NINE)

        assert declined.value.answer.code == code
