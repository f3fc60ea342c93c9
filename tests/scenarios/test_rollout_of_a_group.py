"""A group that people moved in one region, with a service that had been behind all along, goes on to the next whole."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.answers import Recorded
from policies.entries.entry import Bot
from policies.entries.promotion import Promotion
from policies.ledger.state import Stage
from policies.words import Approve, Hold, Propose
from sandbox.gitops import CHECKOUT, PRODUCTION, WEB
from tests.scenarios.offices import Office, office_in
from tests.scenarios.test_rollout import US, in_us, looks, with_us

SHOP = "shop"
BOTH = f"{CHECKOUT} 1.4.2, {WEB} 2.4.0"  # the second was there before the first look


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """Let staging run what had been there before the first look, too."""
    with office_in(tmp_path) as made:
        alone = "    approvals: none\n"
        made.change_rules("rules.yaml", alone, f"{alone}    catch-up: true\n")
        yield made


def regions(office: Office, keys: str = "approvals: as production") -> None:
    """Add a second region, and let both services move as one."""
    with_us(office, keys)
    office.change_rules("rules.yaml", "services:\n", f"groups: {{{SHOP}: [{CHECKOUT}, {WEB}]}}\nservices:\n")


def landed(office: Office) -> Promotion:
    """Let people move both services in the first region."""
    office.world.push(CHECKOUT, "1.4.2")
    office.look()
    answer = office.say("carol", Propose(SHOP, environment=PRODUCTION))
    assert isinstance(answer, Recorded), answer
    for name in ("ada", "bob"):
        office.say(name, Approve(answer.promotion))
    looks(office)
    found = office.engine.look().state.promotions[answer.promotion]
    assert (found.stage, found.version) == (Stage.LANDED, BOTH)
    return found


def test_all_that_was_approved_goes_on_with_its_approvals(office: Office) -> None:
    regions(office)
    first = landed(office)
    looks(office)

    second = in_us(office)
    assert second
    assert isinstance(second.by, Bot)
    assert (second.version, second.members, second.stage) == (BOTH, first.members, Stage.LANDED)
    assert [one.by.person for one in second.approvals] == ["ada", "bob"]
    assert [entry.promotion for entry in office.entries("approve")] == [first.id] * 2, (
        "nobody was asked twice"
    )
    assert office.findings() == []


def test_what_soaks_apart_is_waited_for(office: Office) -> None:
    regions(office, "approvals: as production, soak: 1h")
    landed(office)
    looks(office)
    assert in_us(office) is None

    office.clock.wind(hours=2)
    looks(office)

    second = in_us(office)
    assert second
    assert (second.version, second.stage) == (BOTH, Stage.LANDED)


def test_something_else_than_what_was_approved_is_asked_for_anew(office: Office) -> None:
    regions(office)
    office.say("ada", Hold(WEB, "not here yet", US))
    landed(office)
    looks(office)

    second = in_us(office)
    assert second
    assert (second.version, second.stage, second.approvals) == (f"{CHECKOUT} 1.4.2", Stage.OPEN, ())
    assert office.findings() == []
