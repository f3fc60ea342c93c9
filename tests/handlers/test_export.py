"""What an auditor reads of the review of an exception: of one that is under way nobody says that it is missing."""

from typing import Any

import pytest

from handlers.shell.export import export_json
from policies.entries.entry import Entry, Kind
from policies.ledger.keys import promotion_id
from policies.ledger.population import population
from tests.bot.ledger_builders import Story, by, pinned

UNTIL = "2026-11-25T09:00:00Z"


def _asked(told: Story, kind: Kind, **fields: Any) -> Entry:
    return told.add(
        kind, by=by("ada"), environment="production", service="checkout-api", image=pinned("1.4.0"),
        previous=pinned("1.4.1"), change="a" * 64, rule=told.rule("production"), note="payments fail",
        promotion=promotion_id("2026", "1.4.0"), head="e1" * 20, **fields,
    )  # fmt: skip


def _row(told: Story) -> dict[str, Any]:
    changes = population(told.state, told.chain.entries)
    found: dict[str, Any] = export_json("2026", told.state.tip, changes, findings=0)["rows"][-1]
    return found


@pytest.mark.parametrize(
    ("kind", "fields", "sort", "reviews"),
    [
        (Kind.EMERGENCY, {"until": UNTIL}, "emergency", ("under way", "missing")),
        (Kind.ROLLBACK, {"until": UNTIL}, "normal", ("under way", "missing")),
        (Kind.ROLLBACK, {}, "normal", ("not asked", "not asked")),
    ],
    ids=["an emergency", "a rollback with a review", "a rollback without one"],
)
def test_while_it_is_under_way_no_review_is_missing(
    kind: Kind, fields: dict[str, str], sort: str, reviews: tuple[str, str]
) -> None:
    told = Story()
    asked = _asked(told, kind, **fields)
    row = _row(told)
    assert (row["kind"], row["sort"], row["outcome"], row["review"]) == (kind, sort, "open", reviews[0])

    told.intend(asked.promotion)
    assert (_row(told)["outcome"], _row(told)["review"]) == ("merging", reviews[0])
    told.land(asked.promotion)

    assert (_row(told)["outcome"], _row(told)["review"]) == ("landed", reviews[1])


def test_what_came_to_nothing_needs_no_review() -> None:
    told = Story()
    asked = _asked(told, Kind.EMERGENCY, until=UNTIL)
    told.say(Kind.CANCEL, asked.promotion, "ada")

    assert (_row(told)["outcome"], _row(told)["review"]) == ("cancelled", "not asked")
