"""Selections and filters, held against what image-reflector-controller answered."""

import math
from typing import Any

import pytest

from policies.errors import PolicyError
from policies.images.number import parse_number
from policies.images.selection import Numerical, SelectionPolicy, newer, select
from policies.images.tag_filter import TagFilter
from tests.conformance_data import Conformance

FILES = ("policy_cases.json", "policy_observed.json")

# Where we differ on purpose, and why. Applied by the nature of a case, never by its name.
RULES = {
    "random-tie": "behind a filter Flux walks a map, whose order is random: of equal values it takes any one",
    "unstored-tie": "of equal values Flux takes one by its place in the list; no store holds this list's order",
    "not-comparable": "beside a NaN Flux takes what stands behind it in the list; we take NaN only when alone",
}


def in_scope(case: dict[str, Any]) -> bool:
    """Judge all: each is an ImagePolicy."""
    return bool(case)


def test_the_answer_is_that_of_the_original(
    file: str, case: dict[str, Any], conformance: Conformance
) -> None:
    conformance.case(file)

    answer = _answer(case)

    if answer != case["want"] and "tags" in case:
        rule = _rule(case, answer)
        assert rule in RULES
        conformance.different(rule)
    else:
        assert answer == case["want"]


def test_what_a_filter_extracts_belongs_to_the_tag_of_the_original(
    file: str, cases: list[dict[str, Any]]
) -> None:
    filters = [case for case in cases if case["kind"] == "filter" and "originals" in case]

    for case in filters:
        assert TagFilter(case["pattern"], case["extract"]).values(case["tags"]) == case["originals"]


def test_the_order_of_the_tags_does_not_matter(file: str, cases: list[dict[str, Any]]) -> None:
    selections = [case for case in cases if case["kind"] not in {"filter", "none"} and case.get("tags")]

    for case in selections:
        assert _answer(case | {"tags": case["tags"][::-1]}) == _answer(case)
        assert _answer(case | {"tags": sorted(case["tags"])}) == _answer(case)


@pytest.mark.parametrize(
    ("tags", "wanted", "rule"),
    [
        pytest.param(["a-1.0", "a-1"], "a-1.0", "random-tie", id="equal behind a filter"),
        pytest.param(["a-2", "a-1"], "a-1", None, id="a worse one behind a filter"),
        pytest.param(["a-1"], "error", None, id="nothing at all"),
        pytest.param(["a-nan", "a-1"], "a-nan", "not-comparable", id="beside a NaN"),
    ],
)
def test_a_rule_is_narrow(tags: list[str], wanted: str, rule: str | None) -> None:
    case = {"kind": "numerical", "order": "asc", "pattern": "^a-(.*)$", "extract": "$1", "tags": tags}

    answer = _answer(case)

    assert answer != wanted
    assert _rule(case | {"want": wanted}, answer) == rule


@pytest.mark.parametrize(
    ("tags", "rule"),
    [
        pytest.param(["1.0.0", "v1.0.0"], "unstored-tie", id="a list that no store holds"),
        pytest.param(["v1.0.0", "1.0.0"], None, id="a stored list"),
    ],
)
def test_a_tie_without_a_filter_is_forgiven_in_unstored_lists_only(tags: list[str], rule: str | None) -> None:
    case = {"kind": "semver", "range": "*", "tags": tags, "want": "1.0.0"}

    assert _rule(case, _answer(case)) == rule


def test_no_case_is_out_of_scope(file: str, cases: list[dict[str, Any]], conformance: Conformance) -> None:
    outside = [case for case in cases if not in_scope(case)]
    conformance.out_of_scope(file, len(outside))

    assert not outside


def _answer(case: dict[str, Any]) -> Any:
    """Answer a case, with ``error`` where we refuse or nothing is selected."""
    try:
        if case["kind"] == "filter":
            return sorted(TagFilter.parse(case["pattern"], case["extract"]).values(case["tags"]))
        selection = select(_policy(case), case.get("tags", ()))
    except PolicyError:
        return "error"
    is_constructor = "tags" not in case and "tag_store" not in case
    return "ok" if is_constructor else selection.best or "error"


def _policy(case: dict[str, Any]) -> SelectionPolicy:
    """Build the policy of a case."""
    choice = case.get("policy", {})
    written = {
        name: value.get("range", value.get("order", ""))
        for name, value in choice.items()
        if value is not None
    }
    if case["kind"] in {"semver", "alphabetical", "numerical"}:
        written = {case["kind"]: case["range"] if case["kind"] == "semver" else case["order"]}
    return SelectionPolicy.of(**written, pattern=case.get("pattern"), extract=case.get("extract", ""))


def _rule(case: dict[str, Any], answer: str) -> str | None:
    """Name the rule by which we may differ: Flux's choice and ours stand at the same place in the order."""
    policy, wanted = _policy(case), case["want"]
    if "error" in {answer, wanted}:
        return None
    if isinstance(policy.choose, Numerical) and any(_is_nan(policy, tag) for tag in case["tags"]):
        return "not-comparable"
    if newer(policy, answer, wanted) is False and newer(policy, wanted, answer) is False:
        if policy.tags:
            return "random-tie"
        return "unstored-tie" if case["tags"] != sorted(case["tags"], reverse=True) else None
    return None


def _is_nan(policy: SelectionPolicy, tag: str) -> bool:
    """Say whether the tag's value is not comparable."""
    number = parse_number((policy.tags.value(tag) if policy.tags else tag) or "")
    return number is not None and math.isnan(number)
