"""Words of others in Markdown: as they are where they mean nothing, else in code."""

import pytest

from policies.rulebook.markdown import in_code, inert


@pytest.mark.parametrize(
    "text",
    ["who may approve everything in production", "staging: web 1.4.2-rc.1 would (still) move, it's new"],
)
def test_plain_words_stay_as_they_are(text: str) -> None:
    assert inert(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "team @acme/owners",
        "see #12",
        "see GH-12",
        "[a](b)",
        "![a](b)",
        "<!-- a -->",
        "<img src=x>",
        "*a*",
        "_a_",
        "a | b",
        "a \\ b",
        "https://evil.example",
        "www.evil.example",
        "mailto:a",
        "\N{CYRILLIC SMALL LETTER A}",
    ],
)
def test_what_means_something_stands_in_code(text: str) -> None:
    said = inert(text)

    assert said.startswith("`")
    assert said.endswith("`")
    assert said.count("`") == 2


def test_code_cannot_be_left() -> None:
    assert in_code("a` @acme\n\n`b") == "`a' @acme 'b`"
    assert "`" not in inert("a`b")
