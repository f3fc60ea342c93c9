"""Tag filters: RE2 patterns and Go's templates."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.errors import PolicyError
from policies.images.tag_filter import TagFilter


@pytest.mark.parametrize(
    ("pattern", "extract", "tag", "value"),
    [
        pytest.param("^main-", "", "main-1", "main-1", id="no template: the tag itself"),
        pytest.param("b", "", "abc", "abc", id="found anywhere"),
        pytest.param("^b", "", "abc", None, id="not found"),
        pytest.param(r"^main-[a-f0-9]+-(?P<ts>\d+)$", "$ts", "main-ab12-99", "99", id="a named group"),
        pytest.param(r"(?<ts>\d+)", "${ts}x", "a1", "1x", id="braces end a name"),
        pytest.param(r"(\w)(\d)", "$2-$1", "a1", "1-a", id="numbered groups"),
        pytest.param(r"(\w)(\d)", "$2_$1", "a1", "a", id="a name goes on with an underscore"),
        pytest.param(r"(\w)(\d)", "$1x", "a1", "", id="an unknown name"),
        pytest.param(r"(\w)(\d)", "$9$0$01", "a1", "a1", id="an unknown number, and one with a zero"),
        pytest.param(r"(\w)(\d)", "$$1$$", "a1", "$1$", id="doubled dollars"),
        pytest.param(r"(\w)(\d)", "${1", "a1", "${1", id="an open brace"),
        pytest.param(r"(\w)(\d)", "${}$ $", "a1", "${}$ $", id="dollars before no name"),
        pytest.param(r"(\w)(\d)", r"\1", "a1", r"\1", id="a backslash is text"),
        pytest.param(r"(x)?a", "<$1>", "a", "<>", id="a group that took no part"),
        pytest.param("(a)", "$\u0661$1", "a", "a", id="a digit of another script is part of a name"),
        pytest.param("(a)", "$\u00b2$1", "a", "$\u00b2a", id="a raised two is not"),
        pytest.param("", "x", "a", "x", id="an empty pattern is found in all"),
        pytest.param(r"^\d$", "", "\u0661", None, id="digits are ASCII"),
        pytest.param("^.$", "", "\u00e9", "\u00e9", id="a character is not a byte"),
        pytest.param("", "", "\ud800", None, id="half a character"),
    ],
)
def test_a_filter_extracts(pattern: str, extract: str, tag: str, value: str | None) -> None:
    assert TagFilter.parse(pattern, extract).value(tag) == value


@pytest.mark.parametrize(
    "pattern",
    [
        "^(?!main)",
        r"(a)\1",
        "a++",
        r"a\Z",
        "a{1001}",
        "[=",
        "^test-(.*",
        r"\C",
        r"\Qa\E\C",
        "(?P<\u00e9>a)",
        "\ud800",
    ],
)
def test_what_go_does_not_compile_is_refused(pattern: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(PolicyError, match=r"is not a pattern: .*expected"):
        TagFilter.parse(pattern)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("pattern", [r"\Q\C\E", r"\\C", r"a\z", "[[:alpha:]]", r"(?i)\pL", "a{1000}"])
def test_what_go_compiles_is_taken(pattern: str) -> None:
    assert TagFilter.parse(pattern) == TagFilter(pattern)


def test_a_hostile_pattern_takes_linear_time() -> None:
    assert TagFilter.parse("^(a+)+$").value("a" * 120 + "!") is None


def test_of_two_tags_with_one_value_the_smaller_stays() -> None:
    tags = TagFilter.parse(r"^main-(\d+)-", "$1")

    assert tags.values(["main-1-b", "main-1-a", "main-1-c", "main-2-z", "dev"]) == {
        "1": "main-1-a",
        "2": "main-2-z",
    }


@given(st.permutations(["a-1", "b-1", "c-2", "d-2", "e"]))
def test_the_order_of_the_tags_does_not_matter(tags: list[str]) -> None:
    assert TagFilter.parse(r"-(\d)", "$1").values(tags) == {"1": "a-1", "2": "c-2"}


@given(
    st.text(max_size=10) | st.text("()[]{}?*+|\\$^.aPQCE<>:", max_size=10),
    st.text("${}1_aé\\", max_size=8),
    st.text(),
)
def test_any_pattern_answers_or_is_refused(pattern: str, extract: str, tag: str) -> None:
    try:
        tags = TagFilter.parse(pattern, extract)
    except PolicyError:
        return
    value = tags.value(tag)

    assert value is None or extract or value == tag


@given(st.text(), st.text(max_size=5).filter(lambda text: "$" not in text))
def test_text_without_a_dollar_is_literal(tag: str, extract: str) -> None:
    value = TagFilter.parse("", extract).value(tag)

    assert value == (extract or tag)
