"""The examples of docs/rules.md are rules: each parses, and together they say every key."""

import re
from pathlib import Path

import pytest

from policies.rulebook.document import SECTIONS
from policies.rulebook.keys import (
    CALENDAR,
    DEFAULTS,
    DISCOVER,
    EMERGENCY,
    ENVIRONMENT_KEYS,
    PERSON,
    REGISTRY,
    SERVICE,
    VERSIONS,
    Keys,
)
from policies.rulebook.parse import parse

PAPER = (Path(__file__).parents[2] / "docs" / "rules.md").read_text("utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAPER, re.DOTALL)
TABLES = (ENVIRONMENT_KEYS, SERVICE, DEFAULTS, VERSIONS, PERSON, REGISTRY, CALENDAR, DISCOVER, EMERGENCY)


@pytest.mark.parametrize("text", EXAMPLES)
def test_an_example_parses(text: str) -> None:
    parse({"promotion/rules.yaml": text.encode()})


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.what)
def test_every_key_that_works_has_an_example(table: Keys) -> None:
    shown = " ".join(EXAMPLES)

    assert [name for name in table.known if not re.search(rf"\b{name}:", shown)] == []


def test_every_section_that_works_has_an_example() -> None:
    shown = "\n".join(EXAMPLES)

    assert [name for name in SECTIONS if f"\n{name}:" not in f"\n{shown}"] == []
