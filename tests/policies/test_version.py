"""Versions as Flux reads them."""

import pytest
import semver
from hypothesis import given
from hypothesis import strategies as st

from policies.errors import PolicyError
from policies.images.version import MAX_NUMBER, Version, highest_tag, prerelease_precedence, tag_precedence

NUMBERS = st.integers(0, 3) | st.integers(0, MAX_NUMBER)
PARTS = st.sampled_from(["0", "1", "2", "10", "a", "A", "rc1", "rc10", "0a", "a-b", "-", "x"])
VERSIONS = st.builds(
    lambda numbers, parts, metadata: (
        ".".join(map(str, numbers)) + ("-" + ".".join(parts) if parts else "") + metadata
    ),
    st.tuples(NUMBERS, NUMBERS, NUMBERS),
    st.lists(PARTS, max_size=3),
    st.sampled_from(["", "+1", "+b.01"]),
)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        pytest.param("1.2.3", "1.2.3", id="three numbers"),
        pytest.param("v1", "1.0.0", id="one number"),
        pytest.param("1.2-beta.5", "1.2.0-beta.5", id="two numbers and a prerelease"),
        pytest.param("2024.01.31", "2024.1.31", id="leading zeros"),
        pytest.param("1.2.3-0abc+01", "1.2.3-0abc+01", id="zeros that are no numbers"),
        pytest.param(f"{MAX_NUMBER}.0.0", f"{MAX_NUMBER}.0.0", id="the largest number"),
    ],
)
def test_a_version_has_a_canonical_text(text: str, canonical: str) -> None:
    assert str(Version.parse(text)) == canonical
    assert Version.parse(text).original == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "V1.2.3",
        "vv1.2.3",
        "1.2.3.4",
        "1..3",
        "1.2.3-",
        "1.2.3-a..b",
        "1.2.3-01",
        "1.2.3_1",
        " 1.2.3",
        "1.2.3\n",
        "\u0661.2.3",
        f"{MAX_NUMBER + 1}.0.0",
        "1.2.3-" + "a" * 251,
        "1.2.3-" + "1" * 5000,
        "1" * 5000 + ".2.3",
    ],
)
def test_what_is_no_version_is_refused_and_named(text: str) -> None:
    with pytest.raises(PolicyError, match="is not a version; expected"):
        Version.parse(text)
    assert tag_precedence(text) is None


@pytest.mark.parametrize(
    ("tag", "is_version"),
    [
        ("1", False),
        ("1.2", False),
        ("1.2-beta5", False),
        ("1.2-beta.5", True),
        ("1.2+a.b", True),
        ("v1.2.3", True),
    ],
)
def test_a_policy_wants_two_dots_in_a_tag(tag: str, *, is_version: bool) -> None:
    Version.parse(tag)

    assert (tag_precedence(tag) is not None) is is_version
    if not is_version:
        with pytest.raises(PolicyError, match="three parts"):
            Version.parse_tag(tag)


def test_prereleases_stand_in_their_order() -> None:
    ordered = [
        *("1.0.0-0", "1.0.0-2", "1.0.0-10", "1.0.0-10.0", "1.0.0-0a"),
        *(f"1.0.0-{MAX_NUMBER + 1}", "1.0.0-99999999999999999999"),
        *("1.0.0-A", "1.0.0-a", "1.0.0-rc.1", "1.0.0-rc1", "1.0.0-rc10", "1.0.0-rc2", "1.0.0", "1.0.1-0", "1.1.0"),
    ]  # fmt: skip

    assert sorted(map(Version.parse, reversed(ordered))) == [Version.parse(text) for text in ordered]
    assert [str(version) for version in sorted(map(Version.parse, reversed(ordered)))] == ordered


def test_equal_versions_are_one_in_a_set() -> None:
    assert len({Version.parse("v1.0.0"), Version.parse("1.0.0+b"), Version.parse("1")}) == 1
    assert Version.parse("1.0.0") != "1.0.0"


def test_a_numeric_part_with_a_leading_zero_has_no_place() -> None:
    assert prerelease_precedence("rc.01") is None


@pytest.mark.parametrize(
    ("tags", "highest"),
    [
        pytest.param(["1.0.0", "v1.0.0", "1.0.0+b"], "v1.0.0", id="equal ones"),
        pytest.param(["2.0.0", "1.9.0", "1.10.0"], "1.10.0", id="not the one that is not taken"),
        pytest.param(["1.2", "9", "x", "1" * 5000, "1.1.0"], "1.1.0", id="not what is no version"),
        pytest.param([], "", id="nothing"),
    ],
)
def test_the_highest_is_found_whatever_the_order(tags: list[str], highest: str) -> None:
    for ordered in (tags, tags[::-1]):
        assert highest_tag(ordered, lambda place: place[0] < 2) == highest


@given(VERSIONS, VERSIONS)
def test_the_order_is_that_of_python_semver(one: str, other: str) -> None:
    ours = Version.parse(one), Version.parse(other)
    theirs = semver.Version.parse(one), semver.Version.parse(other)

    assert (ours[0] < ours[1]) is (theirs[0] < theirs[1])
    assert (ours[0] == ours[1]) is (theirs[0].compare(theirs[1]) == 0)


@given(VERSIONS, VERSIONS, VERSIONS)
def test_the_order_is_total(first: str, second: str, third: str) -> None:
    a, b, c = map(Version.parse, (first, second, third))

    assert (a < b) + (a == b) + (a > b) == 1
    if a <= b <= c:
        assert a <= c
    if a == b:
        assert hash(a) == hash(b)


@given(VERSIONS | st.text("v0123456789.-+ax", max_size=12) | st.text(max_size=8))
def test_the_fast_way_agrees_with_the_parser(text: str) -> None:
    try:
        place = Version.parse_tag(text).precedence
    except PolicyError:
        place = None

    assert tag_precedence(text) == place
