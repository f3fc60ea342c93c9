"""Rollouts: what people approved in one region goes on to the next by itself; and versions that the bot asks for."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.answers import NotRecorded, Recorded
from bot.verify import verify
from policies.entries.entry import Bot
from policies.entries.promotion import Promotion
from policies.ledger.state import Stage
from policies.words import Approve, Propose, Reject, Rollback
from sandbox.gitops import CHECKOUT
from tests.scenarios.offices import Office, office_in

US = "production-us"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with office_in(tmp_path) as made:
        yield made


def with_us(office: Office, keys: str = "approvals: as production") -> None:
    """Add a second region, whose files are those of the first."""
    git = office.world.git
    names = git.text("ls-tree", "-r", "--name-only", "main", "apps/production").split()
    files: dict[str, str | None] = {
        name.replace("production", US, 1): git.text("show", f"main:{name}") for name in names
    }
    rules = git.text("show", "main:promotion/rules.yaml")
    region = f"  {US}: {{path: apps/{US}, after: production, channel: deploys, interval: 1s, {keys}}}\n"
    files["promotion/rules.yaml"] = rules.replace("services:\n", f"{region}services:\n")
    office.world.forge.push_to_branch("main", files, "Add a region\n", login="bob")
    office.look()


def approved(office: Office, version: str = "1.4.2") -> str:
    """Bring a version to production on the word of Ada and Bob; return its promotion."""
    promotion = office.asked(version)
    office.say("ada", Approve(promotion))
    office.say("bob", Approve(promotion))
    for _ in range(8):  # until it has soaked
        if office.stage(promotion) is not Stage.LANDED:
            office.look()
    assert office.stage(promotion) is Stage.LANDED
    return promotion


def in_us(office: Office) -> Promotion | None:
    """Return the newest promotion in the second region."""
    found = [one for one in office.engine.look().state.promotions.values() if one.environment == US]
    return found[-1] if found else None


def looks(office: Office, times: int = 6) -> None:
    for _ in range(times):
        office.look()


def findings(office: Office) -> list[str]:
    desk = office.engine.desk
    return [str(one) for one in verify(desk.mirror, desk.book, folder="promotion").findings]


def test_what_was_approved_in_one_region_goes_on_to_the_next_by_itself(office: Office) -> None:
    with_us(office)
    first = approved(office)
    looks(office)

    second = in_us(office)
    assert second
    assert second.stage is Stage.LANDED
    assert isinstance(second.by, Bot)
    assert [one.by.person for one in second.approvals] == ["ada", "bob"]
    assert [entry.promotion for entry in office.entries("approve")] == [first, first], (
        "nobody was asked twice"
    )
    message = office.world.git.text("show", "--no-patch", "--format=%B", second.commit)
    assert message.count("Approved-By: ") == 2
    assert f"Promotion: {second.id}" in message
    assert findings(office) == []


def test_approvals_that_waited_too_long_are_asked_for_again(office: Office) -> None:
    with_us(office, "approvals: as production, soak: 6h")
    approved(office)
    looks(office, 3)
    assert in_us(office) is None, "it still soaks in production"

    office.clock.wind(hours=7)
    looks(office)
    second = in_us(office)
    assert second
    assert second.stage is Stage.OPEN
    row = office.engine.look().decision.row(US, CHECKOUT)
    assert row
    assert row.codes == ("waiting-for-a-go",)

    assert isinstance(office.say("ada", Approve(second.id)), Recorded)
    looks(office, 3)
    assert office.stage(second.id) is Stage.LANDED
    assert findings(office) == []


def test_what_a_person_ended_is_not_asked_for_by_the_bot_again(office: Office) -> None:
    with_us(office, "approvals: as production, merge-within: 0s")
    approved(office)
    looks(office)
    second = in_us(office)
    assert second
    assert isinstance(office.say("ada", Reject(second.id, "the region is down")), Recorded)
    looks(office, 4)

    assert in_us(office) == office.engine.look().state.promotions[second.id]
    assert isinstance(office.say("carol", Propose(CHECKOUT, "1.4.2", US, "it is up again")), Recorded)
    again = in_us(office)
    assert again
    assert again.approvals == (), "who asks again asks everybody"


def test_a_version_that_was_rolled_back_does_not_go_on(office: Office) -> None:
    with_us(office, "approvals: as production, soak: 1h")
    approved(office)
    assert isinstance(office.say("ada", Rollback(CHECKOUT, "errors", "", ("production",))), Recorded)
    looks(office)
    office.clock.wind(hours=2)
    looks(office)

    assert in_us(office) is None


def test_the_bot_asks_at_once_where_the_rules_want_it_and_people_decide(office: Office) -> None:
    office.change_rules("rules.yaml", "    after: staging\n", "    after: staging\n    opens: at-once\n")
    office.world.push(CHECKOUT, "1.4.2")
    looks(office)

    (promotion,) = office.engine.look().state.promotions.values()
    assert isinstance(promotion.by, Bot)
    assert promotion.stage is Stage.OPEN
    office.say("carol", Approve(promotion.id))
    office.say("bob", Approve(promotion.id))
    assert office.stage(promotion.id) is Stage.LANDED
    assert findings(office) == []


def test_a_newer_version_takes_the_place_of_one_that_nobody_approved(office: Office) -> None:
    office.change_rules("rules.yaml", "    after: staging\n", "    after: staging\n    opens: at-once\n")
    office.world.push(CHECKOUT, "1.4.2")
    looks(office)
    office.world.push(CHECKOUT, "1.4.3")
    looks(office)

    stages = {one.image[0].tag: one.stage for one in office.engine.look().state.promotions.values()}
    assert stages == {"1.4.2": Stage.SUPERSEDED, "1.4.3": Stage.OPEN}


def test_nobody_asks_by_the_bot_where_people_ask(office: Office) -> None:
    office.world.push(CHECKOUT, "1.4.2")
    looks(office)

    assert office.engine.look().state.promotions == {}
    assert isinstance(office.say("carol", Approve("nothing")), NotRecorded)
