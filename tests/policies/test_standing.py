"""The best tag, kept while its list changes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.images.evidence import TagList
from policies.images.selection import SelectionPolicy, select
from policies.images.standing import advance, stand

POLICIES = [
    SelectionPolicy.semver("1.x || >=2.0.0-0"),
    SelectionPolicy.semver("*", r"^v?([0-9.]+)", "$1"),
    SelectionPolicy.semver("*", r"^([0-9v.]+)", "$1"),
    SelectionPolicy.alphabetical("desc"),
    SelectionPolicy.alphabetical("asc", r"(\d)", "$1"),
    SelectionPolicy.numerical("asc"),
    SelectionPolicy.numerical("desc", r"^main-(.*)-", "$1"),
]
TAGS = st.sampled_from(
    [
        *(
            "1.0.0",
            "v1.0.0",
            "1.0.0-a",
            "v1.0.0-b",
            "1.2.0",
            "1.2.0-x",
            "01.2.0",
            "2.0.0-a",
            "latest",
            "",
            "a\n1",
        ),
        *(
            "main-1-a",
            "main-1-b",
            "main-1.0-a",
            "main-02-c",
            "main-x-a",
            "main-nan-a",
            "7",
            "07",
            "7.0",
            "nan",
            "inf",
        ),
    ]
)
LISTS = st.lists(TAGS, max_size=6)


@given(st.sampled_from(POLICIES), st.lists(LISTS, min_size=2, max_size=4))
def test_step_by_step_is_the_same_as_at_once(policy: SelectionPolicy, lists: list[list[str]]) -> None:
    standing = stand(policy, TagList(tuple(lists[0])))
    for tags in lists[1:]:
        standing = advance(standing, TagList(tuple(tags)))
        selection = select(policy, tags)

        assert standing.best == selection.best
        assert bool(standing.error) is bool(selection.error)


@pytest.mark.parametrize(
    ("then", "best"),
    [
        pytest.param(["1.0.0", "1.1.0"], "1.1.0", id="nothing new"),
        pytest.param(["1.0.0", "1.1.0", "1.2.0", "0.1.0"], "1.2.0", id="a better one"),
        pytest.param(["1.0.0"], "1.0.0", id="the best one is gone"),
        pytest.param([], None, id="all are gone"),
    ],
)
def test_a_standing_follows_its_list(then: list[str], best: str | None) -> None:
    standing = advance(stand(SelectionPolicy.semver("*"), TagList(("1.0.0", "1.1.0"))), TagList(tuple(then)))

    assert standing.best == best
    assert standing.tags == frozenset(then)


def test_a_spoiled_policy_recovers_when_the_spoiler_goes() -> None:
    standing = stand(SelectionPolicy.numerical(), TagList(("1", "2")))
    spoiled = advance(standing, TagList(("1", "2", "latest")))

    assert spoiled.best is None
    assert "'latest' is not a number" in spoiled.error
    assert advance(spoiled, TagList(("1", "2"))) == standing
