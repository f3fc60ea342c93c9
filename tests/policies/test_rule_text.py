"""The lines of a file that say a rule, as they were written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.rule_text import MAX_LINES, excerpt

TEXT = b"""\
environments:
  staging: {path: apps/staging}
  production:
    path: apps/production

    # asked of two
    approvals: 2

services:
  web:
"""


@pytest.mark.parametrize(
    ("line", "numbers"),
    [(2, [2]), (3, [3, 4, 5, 6, 7]), (1, [1, 2, 3, 4, 5, 6, 7]), (10, [10]), (0, []), (99, [])],
    ids=["one line", "a block with a comment", "a section", "the last", "before the file", "behind it"],
)
def test_a_block_is_its_line_and_what_is_indented_below(line: int, numbers: list[int]) -> None:
    found = excerpt("production", "promotion/rules.yaml", TEXT, line)

    assert [number for number, _ in found.lines] == numbers
    assert (found.about, found.file) == ("production", "promotion/rules.yaml")


def test_a_long_block_is_cut() -> None:
    text = b"a:\n" + b"  - b\n" * (MAX_LINES * 2)

    assert len(excerpt("a", "rules.yaml", text, 1).lines) == MAX_LINES


@given(st.binary(max_size=60), st.integers(-2, 9))
def test_whatever_stands_there_the_excerpt_is_of_it(content: bytes, line: int) -> None:
    text = content.decode("utf-8", "replace").split("\n")

    for number, said in excerpt("", "rules.yaml", content, line).lines:
        assert text[number - 1] == said
