"""Selections and filters, held against what image-reflector-controller answered."""

import math
from typing import Any

from policies.errors import PolicyError
from policies.number import parse_number
from policies.selection import Numerical, SelectionPolicy, newer, select
from policies.tag_filter import TagFilter
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


def test_no_case_is_out_of_scope(file: str, cases: list[dict[str, Any]], conformance: Conformance) -> None:
    outside = [case for case in cases if not in_scope(case)]
    conformance.out_of_scope(file, len(outside))

    assert not outside


def _answer(case: dict[str, Any]) -> Any:
    """Answer a case, with ``error`` where we refuse or nothing is selected."""
    try:
        if case["kind"] == "filter":
            return sorted(TagFilter.parse(case["pattern"], case["extract"]).values(case["tags"]))
        policy = _policy(case)
        if "tags" not in case and "tag_store" not in case:
            return "ok" if policy else "error"
        return select(policy, case.get("tags", ())).best or "error"
    except PolicyError:
        return "error"


def _policy(case: dict[str, Any]) -> SelectionPolicy:
    """Build the policy of a case."""
    choice = case.get("policy", {})
    written = {name: value.get("range", value.get("order", "")) for name, value in choice.items()}
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
