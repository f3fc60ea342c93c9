"""What a new year carries, as docs/ledger.md lists it: the tables, and the fields of what stands in them."""

import re
from dataclasses import MISSING, fields
from pathlib import Path

import pytest

from policies.entries import remembered
from policies.entries.authors import Authors
from policies.entries.carried import KEPT, KEPT_MOVES, carry
from policies.entries.entry import By, Link, Member, Pinned, Placed, RuleAt, Sighting
from policies.entries.promotion import Approval, Promotion, Stage
from policies.entries.tables import Tables
from tests.policies.ledger_builders import at_stage

PAGE = (Path(__file__).parents[2] / "docs" / "ledger.md").read_text("utf-8")
TABLES = re.findall(
    r"^\| `([a-z_]+)` \|",
    PAGE.split("| table | key | value | which rows |\n", 1)[1].split("\n\n", 1)[0],
    re.MULTILINE,
)
ROWS = PAGE.split("| object | fields |\n", 1)[1].split("\n\n", 1)[0].splitlines()[1:]
OBJECTS: dict[str, tuple[str, str]] = {}
for row in ROWS:
    _, name, told, _ = (cell.strip() for cell in row.split("|"))
    OBJECTS[name] = (
        " ".join(re.findall(r"`([^`]+)`", told.partition("[")[0])),
        " ".join(re.findall(r"`([^`]+)`", told.partition("[")[2])),
    )
TYPES: dict[str, type] = {
    "promotion": Promotion,
    "approval": Approval,
    "by": By,
    "rule": RuleAt,
    "member": Member,
    "pinned": Pinned,
    "authors": Authors,
    "seen": remembered.Seen,
    "sighting": Sighting,
    "placed": Placed,
    "move": remembered.Move,
    "event": remembered.Event,
    "standing": remembered.Standing,
    "span": remembered.Span,
    "open": remembered.Open,
    "health": remembered.Health,
    "link": Link,
    "forge id": remembered.ForgeId,
}
# what follows from others, or stands beside the tables
BESIDE = {"year", "seq", "tip", "genesis", "rules", "signer", "at", "sighted", "before", "marks"}


def test_the_page_lists_every_table_that_is_carried() -> None:
    assert [one.name for one in fields(Tables) if one.name not in BESIDE] == TABLES
    assert f"the last {KEPT_MOVES} of each" in PAGE
    assert f"at most {KEPT.days} days before" in PAGE


def test_what_a_year_carries_is_in_tables_that_the_page_lists() -> None:
    found = at_stage(Stage.MERGING)

    tables = carry(found.state, found.entries, found.at)["tables"]

    assert isinstance(tables, dict)
    assert {"keys", "promotions", "live", "moves", "seen"} <= tables.keys() <= set(TABLES)


def test_the_page_has_every_object() -> None:
    assert OBJECTS.keys() == TYPES.keys()


@pytest.mark.parametrize("name", TYPES)
def test_the_page_has_the_fields_of_each_object_and_says_which_may_be_left_out(name: str) -> None:
    always = [one.name for one in fields(TYPES[name]) if one.default is MISSING]
    rest = [one.name for one in fields(TYPES[name]) if one.default is not MISSING]

    assert (" ".join(always), " ".join(rest)) == OBJECTS[name]
