"""Scans, exclusion lists and digests, held against what image-reflector-controller answered."""

from typing import Any

from policies.errors import PolicyError
from policies.images.digest_reflection import (
    DigestReflection,
    Latest,
    Reflected,
    asks_again,
    asks_registry,
    reflect,
)
from policies.images.selection import SelectionPolicy, select
from policies.images.tag_list import checksum, is_same_exclusion_list, latest_tags, scan, without_excluded
from tests.conformance_data import Conformance

FILES = ("reflector_cases.json",)

_KINDS = {"exclusion", "scan", "latest_tags", "same_exclusion_list", "digest_reflection"}

_OUTSIDE = {"access", "ready_message", "should_scan", "notify"}


def in_scope(case: dict[str, Any]) -> bool:
    """Leave out what concerns a cluster only: access, schedule, events."""
    return case["kind"] in _KINDS


def test_the_answer_is_that_of_the_original(
    file: str, case: dict[str, Any], conformance: Conformance
) -> None:
    conformance.case(file)

    if case["kind"] == "digest_reflection":
        first = _pass(case, "pass1", number=1, before=None)
        _pass(case, "pass2", number=2, before=first)
    else:
        assert _answer(case) == case["want"]


def test_what_a_scan_reports_is_that_of_the_original(file: str, cases: list[dict[str, Any]]) -> None:
    scans = [case for case in cases if case["kind"] == "scan" and case["want"] != "error"]

    for case in scans:
        stored = scan(case["tags"], case["exclusion_list"])
        if "want_latest_tags" in case:
            assert list(latest_tags(stored)) == case["want_latest_tags"]
        assert len(stored) == case.get("want_tag_count", len(stored))
        assert checksum(stored) == case.get("want_checksum_adler32_of_comma_join", checksum(stored))


def test_cases_out_of_scope_are_counted(
    file: str, cases: list[dict[str, Any]], conformance: Conformance
) -> None:
    outside = [case for case in cases if not in_scope(case)]
    conformance.out_of_scope(file, len(outside))

    assert {case["kind"] for case in outside} <= _OUTSIDE


def _answer(case: dict[str, Any]) -> Any:
    """Answer a case, with ``error`` where we refuse."""
    try:
        match case["kind"]:
            case "exclusion":
                return without_excluded(case["tags"], case["exclusion_list"])
            case "scan":
                # The registry of the Go tests knows no repository without tags and answers 404.
                return list(scan(case["tags"], case["exclusion_list"])) if case["tags"] else "error"
            case "latest_tags":
                return list(latest_tags(scan(case["tags"])))
            case _:
                return is_same_exclusion_list(case["a"], case["b"])
    except PolicyError:
        return "error"


def _pass(case: dict[str, Any], name: str, *, number: int, before: Reflected | None) -> Reflected:
    """Run one reconciliation; the registry of the Go tests has another digest for each tag in each pass."""
    wanted = case[name]
    policy = DigestReflection.parse(wanted["policy"])
    tag = select(SelectionPolicy.semver(wanted["range"]), case["tags"]).best
    assert tag is not None
    answer = f"d{number}:{tag}" if asks_registry(policy, "app", tag, before) else ""

    after = reflect(policy, "app", tag, before=before, answer=answer)

    previous = wanted["want_previous"]
    assert after.latest.digest == wanted["want_digest"]
    assert after.previous == (previous and Latest("app", previous["tag"], previous["digest"]))
    assert (case["interval"] if asks_again(policy) else "0") == wanted["want_requeue"]
    return after
