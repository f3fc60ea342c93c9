"""Which texts need quotes, held against YAML 1.1 (PyYAML) and the YAML 1.2 core schema."""

import re

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from policies.errors import PolicyError
from policies.texts.quoting import needs_quotes, written

# YAML 1.2.2, section 10.3.2: what the core schema does not take as a string.
CORE = re.compile(
    r"null|Null|NULL|~||true|True|TRUE|false|False|FALSE|[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+"
    r"|[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
)
TAGS = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,20}", fullmatch=True)
NUMBERS = st.from_regex(
    r"[-+]?[0-9a-fox_]{1,8}(\.[0-9_]{0,4})?([eE][-+]?[0-9]{1,3})?(:[0-9]{1,2})?", fullmatch=True
)


@pytest.mark.parametrize(
    "value",
    [
        *(
            "1.10",
            "10",
            "1e3",
            "1.5e3",
            "0123",
            "0o7",
            "0x1F4",
            "20240131",
            "1_000",
            ".5",
            "5.",
            "12345e7",
            "123e456",
        ),
        *(
            "on",
            "OFF",
            "y",
            "N",
            "yes",
            "No",
            "true",
            "null",
            "~",
            "",
            "2021-01-01",
            "2024-01-31T10:00:00Z",
            "089",
        ),
        *(
            "190:20:30",
            "0b1010",
            ".inf",
            "-.INF",
            ".nan",
            "=",
            "<<",
            "a: b",
            "a #b",
            "-a",
            "a:",
            "*a",
            "{a}",
        ),
        *("...", "---", " a", "a ", "@a", "`a", "%a", "!a", "&a", "? a", "0x1p-2", "1234567e8", "infinity"),
        *("0_X1", "0b-1", "0o-7", "3e_-5", "8_e_-4"),  # Go's libraries alone take these for numbers
    ],
)
def test_what_some_reader_takes_for_something_else_is_quoted(value: str) -> None:
    assert needs_quotes(value)


@pytest.mark.parametrize(
    "value",
    [
        *(
            "1.2.3",
            "v1.10",
            "latest",
            "a1b2c3d",
            "main-a1b2c3d-1700000000",
            "1.0.0-rc.1",
            "ghcr.io/x/app:1.0.1",
        ),
        *(
            "localhost:5000/x:1.10",
            "repo@sha256:abc",
            "1.10-alpine",
            "2024-01-31-a",
            "v1",
            "e5",
            "0xg",
            "once",
        ),
    ],
)
def test_what_every_reader_takes_for_text_stays_plain(value: str) -> None:
    assert not needs_quotes(value)


@given(TAGS | NUMBERS)
@example("1e5")
@example("1:0")
def test_what_stays_plain_is_text_for_both_versions_of_yaml(value: str) -> None:
    if not needs_quotes(value):
        assert yaml.safe_load(f"[{value}]") == [value]
        assert CORE.fullmatch(value) is None


@given(
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30), st.sampled_from(["", "'", '"'])
)
def test_every_line_of_ascii_is_read_back_as_it_was(value: str, style: str) -> None:
    assert yaml.safe_load(f"- {written(value, style)} # x\n") == [value]


@pytest.mark.parametrize("value", ["a\nb", "a\tb", "é", "\x00", "a\x7f", "\N{LINE SEPARATOR}"])
def test_what_is_not_a_line_of_ascii_is_not_written(value: str) -> None:
    with pytest.raises(PolicyError, match="printable ASCII"):
        written(value, '"')
