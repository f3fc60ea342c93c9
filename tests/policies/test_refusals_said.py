"""What a refusal says of each entry that nobody may append: people read it in chat, auditors in a report.

Each is a line of ``refusals.txt``; ``python -m tests.policies.test_refusals_said`` writes them anew, to be read.
"""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from policies.entries.entry import Entry
from tests.policies import (
    test_allowed_by_commit,
    test_allowed_by_hand,
    test_allowed_reviews,
    test_told_rightly,
    test_validator,
    test_validator_edges,
    test_validator_emergency,
    test_validator_groups,
    test_validator_kinds,
    test_validator_said_a,
    test_validator_said_b,
)
from tests.policies.ledger_builders import Story, story

PAGE = Path(__file__).with_name("refusals.txt")
TABLES = {
    "": test_validator.FORBIDDEN,
    "other kinds": test_validator_kinds.FORBIDDEN,
    "emergency": test_validator_emergency.FORBIDDEN,
    "by commit": test_allowed_by_commit.FORBIDDEN,
    "by hand": test_allowed_by_hand.FORBIDDEN,
    "told": test_told_rightly.FORBIDDEN,
    "edges": [(name, make, code) for name, (make, code) in test_validator_edges.CASES.items()],
    "more": test_validator_said_a.FORBIDDEN,
    "still more": test_validator_said_b.FORBIDDEN,
}
GROUPS = {f"group: {name}": make for name, (make, _) in test_validator_groups.PARTS.items()}
REVIEWS = {f"review: {changed}": changed for changed, _ in test_allowed_reviews.UNSHOWN}


def _of_a_group(make: Callable[[Story], Entry]) -> tuple[Story, Entry]:
    found = test_validator_groups.ready()
    return found, make(found)


def _of_a_review(changed: dict[str, Any]) -> tuple[Story, Entry]:
    found = story().asked()
    return found, test_allowed_reviews.reviewed(found, **changed)


CASES: dict[str, Callable[[], tuple[Story, Entry]]] = {
    f"{table}: {name}" if table else name: made for table, rows in TABLES.items() for name, made, _ in rows
}
CASES |= {name: partial(_of_a_group, make) for name, make in GROUPS.items()}
CASES |= {name: partial(_of_a_review, changed) for name, changed in REVIEWS.items()}


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
