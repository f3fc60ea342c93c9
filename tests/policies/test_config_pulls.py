"""A change of guarded files that waits for its review knows the pull requests that brought it, as its entry attests."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from policies.canonical import Json
from policies.entries.carried import carry, restore
from policies.entries.entry import parse_time
from policies.entries.tables import Tables
from policies.ledger.facts import PULLS_TOLD
from policies.rules.rules import ConfigRule
from tests.policies.gate_worlds import ruled
from tests.policies.ledger_builders import Story, oid, shelf

PAGE = "https://github.example.com:8443/example/gitops"
DAY = parse_time(PULLS_TOLD)
BROUGHT: Json = {oid("a"): [419, 418], oid("b"): [418]}


def guarded(evidence: dict[str, Json], at: datetime = DAY) -> Story:
    found = Story(shelf(), at=at)
    found.add(found.genesis())
    found.add(found.rules_at(found.book.line[0]))
    ruled(found, config=ConfigRule.GUARD)
    found.add(replace(found.config("a", "b", why="guarded"), evidence=evidence))
    return found


def pulls(found: Story) -> tuple[tuple[int, str], ...]:
    (opened,) = found.state.open.values()
    return opened.pulls


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        ({"pulls": BROUGHT, "page": PAGE}, ((418, f"{PAGE}/pull/418"), (419, f"{PAGE}/pull/419"))),
        ({"pulls": BROUGHT}, ((418, ""), (419, ""))),
        ({"pulls": BROUGHT, "page": "javascript:x"}, ((418, ""), (419, ""))),
        ({"pulls": BROUGHT, "page": f"{PAGE}/\n"}, ((418, ""), (419, ""))),
        ({"pulls": BROUGHT, "page": 7}, ((418, ""), (419, ""))),
        ({"pulls": {oid("a"): [True, -1, "7", 3], oid("b"): 4}}, ((3, ""),)),
        ({"pulls": [418], "page": PAGE}, ()),
        ({}, ()),
    ],
    ids=["told", "no page", "no address", "two lines", "a number", "odd numbers", "a list", "nothing"],
)
def test_it_names_those_that_its_entry_attests(
    evidence: dict[str, Json], expected: tuple[tuple[int, str], ...]
) -> None:
    assert pulls(guarded(evidence)) == expected


def test_older_entries_stand_for_what_they_stood_for() -> None:
    assert pulls(guarded({"pulls": BROUGHT, "page": PAGE}, DAY - timedelta(hours=1))) == ()


def test_a_new_year_carries_them_along() -> None:
    found = guarded({"pulls": BROUGHT, "page": PAGE})
    other = Tables("2027")

    restore(other, carry(found.state, found.entries, found.at))

    assert other.open == found.state.open
