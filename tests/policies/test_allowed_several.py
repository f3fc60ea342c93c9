"""Several at once: services in one entry, members of a group of which each has its own rule."""

from dataclasses import replace

import pytest

from policies.canonical import Json
from policies.codes import Code
from policies.entries.entry import Entry, Kind
from tests.policies import group_worlds as group
from tests.policies.ledger_builders import Story, person, story
from tests.policies.test_group_emergency import CALM
from tests.policies.test_rollout import ROLLOUT, asks
from tests.policies.test_several_services import _both, _ready
from tests.policies.test_validator_groups import BOTH

OPENED = "approvals: 1, opens: at-once"
ON_HEAD = "gates: [checks: {names: ci, 'on': head}]"


def codes(found: Story, entry: Entry) -> list[str]:
    return [str(one.code) for one in found.reasons(entry)]


def test_several_services_stand_each_once_and_in_order() -> None:
    found = _ready()
    entry = _both(found)
    (web,) = entry.also
    assert entry.rule
    cart = replace(web, service="cart", image=entry.image, previous=entry.previous, rule=entry.rule)
    turned = replace(
        entry, service="web", image=web.image, previous=web.previous, rule=web.rule, also=(cart,)
    )

    assert codes(found, entry) == []
    assert codes(found, turned) == [Code.OUT_OF_LINE]
    assert codes(found, replace(entry, also=(web, web))) == [Code.OUT_OF_LINE]


@pytest.mark.parametrize("evidence", [{"facts": []}, {}], ids=["looked up", "by the ledger"])
def test_what_is_checked_on_the_head_is_not_asked_before_there_is_one(evidence: dict[str, Json]) -> None:
    found = story(ROLLOUT.replace(OPENED, f"{OPENED}, {ON_HEAD}"))
    found.book.stood["at-once", "web"] = (group.image("1.0.0", "web"),)
    found.staged("1.1.0")

    assert codes(found, asks(found, where="at-once", evidence=evidence)) == []


def test_whom_one_members_rule_excludes_approves_nothing_of_the_group() -> None:
    lenient = f"{CALM}\n    exclude: []\n    exceptions: {{cart: {{exclude: [requester]}}}}"
    found = group.asked(group.shop(group.TEXT.replace(CALM, lenient)), BOTH)

    assert codes(found, group.about(found, Kind.APPROVE, person("carol"))) == [Code.REQUESTER]
    assert codes(found, group.about(found, Kind.APPROVE, person("ada"))) == []
