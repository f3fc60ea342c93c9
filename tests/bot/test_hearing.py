"""Hearing: whatever people type is looked up or declined, and who judges a word is attested in its entry."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.ledger import AppendAnswer, Appended, NotAllowed
from bot.looking.rosters import Roster
from bot.promoting.hearing import Hearing
from bot.promoting.promoter import Declined
from policies.codes import Code
from policies.words import Alone, Approve, Hold, Resume, Review
from tests.bot.forge_worlds import app_world
from tests.bot.ledger_worlds import NINE, RULES, kustomization, said, world
from tests.repositories import Files

ALIEN = ("²", "#²", "٣", "#٣", "9" * 5_000, "#" + "9" * 5_000, "#", "")
NOBODYS = ("7", "#7", "999999999", "#999999999")


@pytest.fixture(scope="module")
def hearing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hearing]:
    """Somebody who hears, with a real forge to ask for pull requests; nothing is written, so once for all tests."""
    found = world(tmp_path_factory.mktemp("world"))
    with app_world(tmp_path_factory.mktemp("forge")) as forge:
        yield Hearing(found.desk, forge.forge(), None)


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


ELSEWHERE = "slack:@release-managers"
GROUP = RULES.replace("services:\n", "groups: {shop: [web, cart]}\nservices:\n").replace(
    "  web: {image: ghcr.io/example/web, versions: 1.x}\n",
    "  web: {image: ghcr.io/example/web, versions: 1.x}\n  cart: {image: ghcr.io/example/cart, versions: 1.x}\n",
)
SHOP: Files = {
    "promotion/rules.yaml": GROUP.replace("[ada, bob, carol]", f"'{ELSEWHERE}'"),
    **{
        f"apps/{place}/kustomization.yaml": kustomization("1.0.0")
        + "  - name: ghcr.io/example/cart\n    newTag: 1.0.0\n"
        for place in ("staging", "production")
    },
}


@pytest.mark.parametrize("environment", ["production", ""])
def test_a_hold_on_a_group_is_lifted_by_who_is_in_a_team_that_lives_elsewhere(
    tmp_path: Path, environment: str
) -> None:
    found = world(tmp_path, SHOP)
    hearing = Hearing(found.desk, None, None)

    def say(by: str, word: Hold | Resume) -> AppendAnswer:
        at = found.at + timedelta(minutes=1)  # when it is appended
        found.desk.rosters.kept[ELSEWHERE] = Roster(at, users=frozenset({"U0BOB"}))
        rules = found.desk.rules(found.desk.mirror.tips()).rules
        return found.append(hearing.composer(rules, said(by), word, at))

    assert isinstance(say("dan", Hold("shop", "a migration", environment)), Appended)
    assert {service for _, service in found.state.holds} == {"web", "cart"}

    refused, lifted = (say(name, Resume("shop", "it is done", environment)) for name in ("carol", "bob"))

    assert isinstance(refused, NotAllowed)
    assert refused.refusal.code == Code.NOT_AN_APPROVER
    assert isinstance(lifted, Appended), lifted
    assert [entry.evidence["members"] for _, entry in lifted.entries] == [{"release-managers": ["bob"]}] * 2
    assert found.state.holds == {}
