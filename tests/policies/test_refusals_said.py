"""What a refusal says of each entry that nobody may append: people read it in chat, auditors in a report.

Each is a line of ``refusals.txt``; ``python -m tests.policies.test_refusals_said`` writes them anew, to be read.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from policies.entries.entry import Entry
from tests.policies import (
    test_allowed_by_commit,
    test_allowed_by_hand,
    test_validator,
    test_validator_edges,
    test_validator_emergency,
    test_validator_kinds,
)
from tests.policies.ledger_builders import Story

PAGE = Path(__file__).with_name("refusals.txt")
TABLES = {
    "": test_validator.FORBIDDEN,
    "other kinds": test_validator_kinds.FORBIDDEN,
    "emergency": test_validator_emergency.FORBIDDEN,
    "by commit": test_allowed_by_commit.FORBIDDEN,
    "by hand": test_allowed_by_hand.FORBIDDEN,
    "edges": [(name, make, code) for name, (make, code) in test_validator_edges.CASES.items()],
}
CASES: dict[str, Callable[[], tuple[Story, Entry]]] = {
    f"{table}: {name}" if table else name: made for table, rows in TABLES.items() for name, made, _ in rows
}


def said(made: Callable[[], tuple[Story, Entry]]) -> str:
    """Return all that the validator has against an entry, as it says it."""
    found, entry = made()
    return " | ".join(map(str, found.reasons(entry)))


def page() -> dict[str, str]:
    lines = PAGE.read_text().splitlines()
    return dict(line.split(" -> ", maxsplit=1) for line in lines)


@pytest.mark.parametrize("name", CASES)
def test_a_refusal_says_what_it_said(name: str) -> None:
    assert said(CASES[name]) == page()[name]


def test_the_page_has_no_other_lines() -> None:
    assert list(page()) == list(CASES)


if __name__ == "__main__":
    sys.stdout.writelines(f"{name} -> {said(made)}\n" for name, made in CASES.items())
