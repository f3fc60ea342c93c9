"""The protocol's rules are enough, and each is needed: without it the model finds the way to a broken promise."""

from collections.abc import Callable

import pytest

from tests.campaign.length import LENGTH
from tests.campaign.model import ALL, Bounds, Mode, Rule
from tests.campaign.model_search import LONG, NEEDS, SHORT, search

pytestmark = pytest.mark.timeout(3600)


@pytest.mark.parametrize("bounds", LONG if LENGTH.is_long else SHORT, ids=str)
def test_with_all_rules_no_state_breaks_a_promise(bounds: Bounds) -> None:
    found = search(bounds, limit=LENGTH.model_states)

    assert not found.breaks, f"\n{found}"
    assert found.is_whole, f"{found.states} states are not all"


@pytest.mark.parametrize("rule", Rule, ids=lambda rule: rule.name.lower())
def test_without_a_rule_the_way_to_a_broken_promise_is_found(
    rule: Rule, record_property: Callable[[str, object], None]
) -> None:
    found = search(NEEDS.get(rule, Bounds()), ALL - {rule}, limit=LENGTH.model_states)

    record_property("counterexample", f"without: {rule.value}\n{found}")
    assert found.breaks, f"nothing shows that {rule.name} is needed: {rule.value}"
    assert str(found).endswith(f"{len(found.trace)}. {found.trace[-1]}\n=> {found.breaks}")


def test_a_merge_that_is_under_way_lands_under_a_freeze_unless_it_is_one_push() -> None:
    bounds = Bounds(2, 4, 0, 0, 0)

    at_the_forge = search(bounds, ALL | {Mode.STRICT}, limit=LENGTH.model_states)
    in_one_push = search(bounds, ALL | {Mode.STRICT, Mode.ATOMIC}, limit=LENGTH.model_states)

    assert at_the_forge.breaks == "a merge landed under a freeze"
    assert (in_one_push.breaks, in_one_push.is_whole) == ("", True)
