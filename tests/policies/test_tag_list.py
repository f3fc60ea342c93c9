"""What a scan keeps of a list of tags."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.errors import PolicyError
from policies.images.tag_list import (
    MAX_EXCLUSIONS,
    checksum,
    exclusions_of,
    is_same_exclusion_list,
    latest_tags,
    scan,
    without_excluded,
)

TAGS = ["1.0.0", "1.0.0.sig", "1.0.0-alpha", "Z", "_"]


@pytest.mark.parametrize(
    ("exclusions", "stored"),
    [
        pytest.param(None, ("_", "Z", "1.0.0-alpha", "1.0.0"), id="signatures by default"),
        pytest.param([], ("_", "Z", "1.0.0-alpha", "1.0.0"), id="an empty list is the default"),
        pytest.param(["-alpha$"], ("_", "Z", "1.0.0.sig", "1.0.0"), id="an own list replaces it"),
        pytest.param(["^[0-9]", "Z"], ("_",), id="several, found anywhere"),
        pytest.param([""], (), id="an empty pattern is found in all"),
    ],
)
def test_a_scan_stores_what_is_not_excluded(exclusions: list[str] | None, stored: tuple[str, ...]) -> None:
    assert scan(TAGS, exclusions) == stored


def test_a_broken_exclusion_is_refused_though_there_is_no_tag() -> None:
    with pytest.raises(PolicyError, match="is not a pattern"):
        scan([], ["[="])


def test_too_many_exclusions_are_refused() -> None:
    with pytest.raises(PolicyError, match="26 patterns; expected at most 25"):
        scan(TAGS, ["x"] * (MAX_EXCLUSIONS + 1))


def test_half_a_character_is_no_tag() -> None:
    assert without_excluded(["\ud800", "a"], exclusions_of(None)) == ["a"]


def test_a_status_shows_ten_tags() -> None:
    assert latest_tags(scan(map(str, range(20)))) == ("9", "8", "7", "6", "5", "4", "3", "2", "19", "18")


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ([], [], True),
        (["a", "b"], ["b", "a"], True),
        (["a"], ["b"], False),
        (["a"], ["a", "b"], False),
        (["a", "a"], ["a", "b"], True),
    ],
)
def test_exclusion_lists_are_compared_as_flux_does(
    one: list[str], other: list[str], *, is_same: bool
) -> None:
    assert is_same_exclusion_list(one, other) is is_same


@given(st.permutations(TAGS))
def test_the_order_of_the_registry_does_not_matter(tags: list[str]) -> None:
    assert scan(tags) == scan(TAGS)
    assert checksum(scan(tags)) == checksum(scan(TAGS))


@given(st.lists(st.text(), max_size=6))
def test_what_is_stored_stands_in_the_order_of_its_bytes(tags: list[str]) -> None:
    stored = scan(tags, ["^never$"])

    assert list(stored) == sorted(stored, key=str.encode, reverse=True)


@given(st.lists(st.text(".sig\na", max_size=8)))
def test_the_quick_way_for_signatures_is_that_of_the_pattern(tags: list[str]) -> None:
    assert without_excluded(tags, exclusions_of(None)) == without_excluded(tags, [r"(?:^.*\.sig$)"])
