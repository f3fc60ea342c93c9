"""What is reported on commits, and whether a place is healthy by it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.entries.reports import Report, ReportState, is_healthy, is_named, newest

OK, BAD, WAIT = ReportState.SUCCESS, ReportState.FAILURE, ReportState.PENDING
NAME = "kustomization/apps"


def _on(commit: str, **states: ReportState) -> list[Report]:
    return [Report(commit, name.replace("_", "/"), state) for name, state in states.items()]


@pytest.mark.parametrize(
    ("name", "is_it"),
    [
        (NAME, True),
        (f"{NAME}/0a1b2c3d", True),
        (f"{NAME}/staging", False),
        (f"{NAME}/0a1b2c3", False),
        (f"{NAME}/0a1b2c3d/x", False),
        (f"{NAME}-web", False),
        ("apps", False),
    ],
)
def test_a_report_is_known_by_its_name_or_with_flux_suffix(name: str, *, is_it: bool) -> None:
    assert is_named(NAME, name) is is_it


@pytest.mark.parametrize(
    ("declared", "commits", "verdict"),
    [
        (("a",), [], None),
        (("a",), [_on("2"), _on("1")], None),
        (("a",), [_on("2", a=OK)], True),
        (("a",), [_on("2", a=BAD)], False),
        (("a",), [_on("2", a=WAIT)], None),
        (("a",), [_on("2", a=WAIT), _on("1", a=OK)], True),
        (("a",), [_on("2"), _on("1", a=OK)], True),
        (("a",), [_on("2", a=OK), _on("1", a=BAD)], True),
        (("a",), [_on("2", a=BAD), _on("1", a=OK)], False),
        (("a", "b"), [_on("2", a=OK)], None),
        (("a", "b"), [_on("2", a=OK), _on("1", b=OK)], True),
        (("a", "b"), [_on("2", a=BAD)], False),
        (("a",), [_on("2", a_00000001=OK), _on("1", a_00000002=BAD)], False),
        (("a",), [_on("2", b=BAD, a=OK)], True),
        ((), [_on("2", a=OK)], None),
    ],
    ids=[
        "no commit",
        "nothing reported",
        "succeeded",
        "failed",
        "under way",
        "under way on a newer commit",
        "skipped by Flux",
        "mended on a newer commit",
        "broken on a newer commit",
        "one of two",
        "two on two commits",
        "one failed, one missing",
        "two clusters",
        "somebody else's failure",
        "nothing is declared",
    ],
)
def test_the_newest_report_of_each_name_counts(
    declared: tuple[str, ...],
    commits: list[list[Report]],
    verdict: bool | None,  # noqa: FBT001  a table's column
) -> None:
    assert is_healthy(declared, commits)[0] is verdict


def test_it_is_said_by_which_reports() -> None:
    commits = [_on("2", a=OK), _on("1", a=BAD, b=OK)]

    assert is_healthy(("a", "b"), commits)[1] == (commits[0][0], commits[1][1])
    assert commits[0][0].to_json() == {"commit": "2", "name": "a", "state": "success", "at": ""}


REPORTS = st.builds(Report, st.just("c"), st.sampled_from(["a", "b"]), st.sampled_from(ReportState))


@given(st.lists(st.lists(REPORTS, max_size=2, unique_by=lambda one: one.name)))
def test_what_is_not_reported_is_never_healthy(commits: list[list[Report]]) -> None:
    verdict, counted = is_healthy(("a", "b"), commits)

    assert verdict is not True or {one.name for one in counted} == {"a", "b"}
    assert all(one.state is not ReportState.PENDING for one in counted)
    assert newest("a", commits) == tuple(one for one in counted if one.name == "a")
