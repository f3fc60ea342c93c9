"""Versions and ranges, held against what Masterminds semver and fluxcd/pkg version answered."""

import operator
from collections.abc import Callable
from typing import Any

from policies.errors import PolicyError
from policies.images.version import Version, tag_precedence
from policies.images.version_range import Range, _rewrite_hyphens, _terms
from tests.conformance_data import Conformance

FILES = ("semver_constraints.json", "semver_observed.json")

_COMPARISONS: dict[str, Callable[[Version, Version], bool]] = {
    "less_than": operator.lt,
    "less_than_equal": operator.le,
    "greater_than": operator.gt,
    "greater_than_equal": operator.ge,
    "equal": operator.eq,
}

# Parts of the parser that no ImagePolicy reaches; of checks and versions some modes are not reached either.
_OUTSIDE = {"message", "constraint_string", "constraint_single", "rewrite_range", "wildcard_token"} | {
    "prerelease_id",
    "metadata_id",
    "check",
    "version",
}


def in_scope(case: dict[str, Any]) -> bool:
    """Say whether a policy can reach it: not parts of the parser, nor modes that Flux never sets."""
    match case["kind"]:
        case "check":
            return case.get("api") != "single" and not case.get("include_prerelease")
        case "version":
            return case["mode"] in {"loose", "flux"}
        case kind:
            return kind in _ANSWERS


def test_the_answer_is_that_of_the_original(
    file: str, case: dict[str, Any], conformance: Conformance
) -> None:
    conformance.case(file)

    assert _answer(case) == case["want"]


def test_cases_out_of_scope_are_counted(
    file: str, cases: list[dict[str, Any]], conformance: Conformance
) -> None:
    outside = [case for case in cases if not in_scope(case)]
    conformance.out_of_scope(file, len(outside))

    assert {case["kind"] for case in outside} <= _OUTSIDE


def test_a_range_has_the_groups_and_terms_of_the_original(file: str, cases: list[dict[str, Any]]) -> None:
    sized = [case for case in cases if case["kind"] == "constraint" and "or_groups" in case]

    for case in sized:
        text = case["constraint"]
        first = _rewrite_hyphens(text).split("||")[0]
        assert len(Range.parse(text).groups) == case["or_groups"]
        assert len(_terms(first, text)) == case["first_group_size"]


def _answer(case: dict[str, Any]) -> Any:
    """Answer a case, with ``error`` where we refuse."""
    try:
        return _ANSWERS[case["kind"]](case)
    except PolicyError:
        return "error"


def _check(case: dict[str, Any]) -> bool:
    """Say whether the range takes the version."""
    return Range.parse(case["constraint"]).admits(Version.parse(case["version"]))


def _constraint(case: dict[str, Any]) -> str:
    """Say whether the range parses."""
    return "ok" if Range.parse(case["constraint"]).groups else "empty"


def _original(case: dict[str, Any]) -> str:
    """Return what a version keeps of its text."""
    return Version.parse(case["version"]).original


def _compare(case: dict[str, Any]) -> int | bool:
    """Compare two versions by the operator that the case names, or in three ways."""
    one, other = Version.parse(case["a"]), Version.parse(case["b"])
    compare = _COMPARISONS.get(case["kind"])
    return compare(one, other) if compare else (one > other) - (one < other)


def _canonical(case: dict[str, Any]) -> str:
    """Return the canonical text; for tags the fast way must agree with the parser."""
    text = case["version"]
    if case["mode"] == "loose":
        return str(Version.parse(text))
    place = tag_precedence(text)
    assert [version.precedence for version in _parsed(Version.parse_tag, text)] == ([place] if place else [])
    return str(Version.parse_tag(text))


def _sorted(case: dict[str, Any]) -> list[str]:
    """Sort the versions that parse, and that the range of the case takes."""
    parse = Version.parse_tag if case.get("parser") == "flux" else Version.parse
    versions = [version for text in case["input"] for version in _parsed(parse, text)]
    if "constraint" in case:
        range_ = Range.parse(case["constraint"])
        versions = [version for version in versions if range_.admits(version)]
    versions.sort(reverse=case["order"] == "desc")
    return [version.original if case["want_form"] == "original" else str(version) for version in versions]


def _parsed(parse: Callable[[str], Version], text: str) -> list[Version]:
    """Return the version, or nothing."""
    try:
        return [parse(text)]
    except PolicyError:
        return []


_ANSWERS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "check": _check,
    "constraint": _constraint,
    "version": _canonical,
    "original": _original,
    "compare": _compare,
    "sort": _sorted,
} | dict.fromkeys(_COMPARISONS, _compare)
