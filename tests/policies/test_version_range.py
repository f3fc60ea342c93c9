"""Ranges in the dialect of Flux."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.errors import PolicyError
from policies.images.version import Version
from policies.images.version_range import Entry, Range

VERSIONS = [
    *("0.0.0", "0.0.3", "0.0.4", "0.2.9", "0.3.0", "1.0.0-rc1", "1.0.0", "1.2.2"),
    *("1.2.3", "1.3.0-a", "1.3.0", "2.0.0-rc1", "2.0.0", "11.1.1", "11.2.0"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("range_text", "admitted"),
    [
        ("*", "0.0.0 0.0.3 0.0.4 0.2.9 0.3.0 1.0.0 1.2.2 1.2.3 1.3.0 2.0.0 11.1.1 11.2.0"),
        ("1", "1.0.0 1.2.2 1.2.3 1.3.0"),
        ("1.*.9x", "1.0.0 1.2.2 1.2.3 1.3.0"),
        ("=1.2.x", "1.2.2 1.2.3"),
        ("v1.2.3", "1.2.3"),
        (">1", "2.0.0 11.1.1 11.2.0"),
        (">11.1", "11.2.0"),
        (">1.2.2 <= 1.3.0", "1.2.3 1.3.0"),
        ("<=1", "0.0.0 0.0.3 0.0.4 0.2.9 0.3.0 1.0.0 1.2.2 1.2.3 1.3.0"),
        ("<=1.2", "0.0.0 0.0.3 0.0.4 0.2.9 0.3.0 1.0.0 1.2.2 1.2.3"),
        ("<=*", "0.0.0 0.0.3 0.0.4"),
        ("<0.2", "0.0.0 0.0.3 0.0.4"),
        ("=>2,=<11.1", "2.0.0 11.1.1"),
        ("~1.2.3", "1.2.3"),
        ("~> 1", "1.0.0 1.2.2 1.2.3 1.3.0"),
        ("~0.0.0 >1", "2.0.0 11.1.1 11.2.0"),
        ("^1.2.3", "1.2.3 1.3.0"),
        ("^0.2", "0.2.9"),
        ("^0.0.3", "0.0.3"),
        ("^0.0", "0.0.0 0.0.3 0.0.4"),
        ("^0", "0.0.0 0.0.3 0.0.4 0.2.9 0.3.0"),
        ("^*", "0.0.0"),
        ("!=1, >=1", "2.0.0 11.1.1 11.2.0"),
        ("!=1.2 !=1.0.0 1.x", "1.3.0"),
        ("!=* <0.2", "0.0.3 0.0.4"),
        ("1.2 - 1.3.0", "1.2.2 1.2.3 1.3.0"),
        ("1.2.2 || 2.x", "1.2.2 2.0.0"),
        (">=1.3.0-0 <2.0.0", "1.3.0-a 1.3.0 2.0.0-rc1"),
        (">=2 || ~1.0.0-0", "1.0.0-rc1 1.0.0 2.0.0 11.1.1 11.2.0"),
        ("!=1.3-a, ^1.2.3-0", "1.2.3 1.3.0"),
    ],
)  # fmt: skip
def test_a_range_lets_in(range_text: str, admitted: str) -> None:
    range_ = Range.parse(range_text)

    assert [text for text in VERSIONS if range_.admits(Version.parse(text))] == admitted.split()
    assert str(range_) == range_text


@pytest.mark.parametrize(
    "text",
    [
        *("", "  ", "1.0.0 || ", "==1.0.0", "V1.x", "1.0.0|2.0.0", "1.2.3.4", ">=1 and <2", "~=1.0", "!1.0.0"),
        *(">=1.0.0;<2", "1.0.0p", ">=1<2", "1,,2", "1,", ",1", "xx", "1.0.0-01", "*-*", "1\u00a0", "1\v", "latest"),
        *("1.0.0 - 2.0.0||3.0.0", "!=1.5 1.0 - 2.0", ">1 - 2", "18446744073709551616", "1" * 513, "1||" * 32 + "1"),
    ],
)  # fmt: skip
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(PolicyError, match="expected"):
        Range.parse(text)


def test_a_refusal_names_what_was_found() -> None:
    with pytest.raises(
        PolicyError, match=r"'>=1.0 <<2' is not a version range; found '<<2' in it, expected terms"
    ):
        Range.parse(">=1.0 <<2")


@pytest.mark.parametrize(
    ("version", "entry"),
    [("1.2.0", Entry.IN), ("1.2.0-rc1", Entry.PRERELEASE), ("2.0.1-rc1", Entry.OUT), ("3.1.0-a", Entry.IN)],
)
def test_a_range_says_what_is_missing_for_a_prerelease(version: str, entry: Entry) -> None:
    assert Range.parse("1.x || >=3-0").entry(Version.parse(version).precedence) is entry


@given(st.text() | st.text("0123456789.xX*v|&=<>~^!,- \t+ab", max_size=40) | st.text(" 1-,", max_size=600))
def test_any_text_is_a_range_or_a_refusal(text: str) -> None:
    try:
        range_ = Range.parse(text)
    except PolicyError:
        return
    assert range_.text == text
    assert range_.groups


OPERATORS = ["", "=", "!=", ">", "<", ">=", "<=", "~", "^"]
TERMS = st.builds(
    "{}{}".format, st.sampled_from(OPERATORS), st.sampled_from([*VERSIONS, "1", "1.2", "*", "0.x"])
)


@given(st.lists(TERMS, min_size=1, max_size=4), st.sampled_from(VERSIONS))
def test_a_release_is_in_a_group_if_it_is_in_each_term_and_in_a_range_if_it_is_in_a_group(
    terms: list[str], text: str
) -> None:
    version = Version.parse(text.partition("-")[0])
    answers = [Range.parse(term).admits(version) for term in terms]

    assert Range.parse(" ".join(terms)).admits(version) is all(answers)
    assert Range.parse(", ".join(terms)).admits(version) is all(answers)
    assert Range.parse(" || ".join(terms)).admits(version) is any(answers)
