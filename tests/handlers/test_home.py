"""The App Home: what each person finds there, within Slack's limits, whatever the look holds."""

import json
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.slack.home import MAX_DECISIONS, MAX_REVIEWS, home
from handlers.slack.messages import CHECKING
from policies.entries.entry import Kind
from policies.ledger.state import Open, Standing, State
from policies.rules.rules import Evidence, Team
from sandbox.slack.block_kit import problems_of_view
from tests.handlers.samples import (
    AT,
    DECISION,
    PROMOTION,
    RULES,
    LookOfValues,
    by,
    environment,
    promotion,
    row,
    state,
)


def said(view: dict[str, object]) -> str:
    """Return all texts of a view."""
    return json.dumps(view, ensure_ascii=False)


def texts(view: dict[str, object]) -> str:
    """Return what a view says, without its form."""
    return "".join(re.findall(r'"text": "([^"]*)"', said(view)))


def buttons(view: dict[str, object]) -> list[str]:
    rows = [one["elements"] for one in view["blocks"] if one["type"] == "actions"]  # type: ignore[attr-defined]
    return [element["text"]["text"] for found in rows for element in found]


def test_an_approver_finds_what_waits_for_them_with_its_buttons() -> None:
    view = home(LookOfValues(state=state(promotion())), "ada", "U0ADA")

    assert problems_of_view(view) == []
    assert buttons(view) == ["Promote an image...", "Approve", "Reject..."]
    assert f'"value": "{PROMOTION}|' in said(view)
    assert "of release-managers" in said(view)


def test_what_a_review_alone_approves_has_no_button_for_it() -> None:
    guarded = replace(RULES.environments["production"], evidence=Evidence.REVIEW)
    asked = replace(RULES, environments={**RULES.environments, "production": guarded})

    view = home(LookOfValues(rules=asked, state=state(promotion())), "ada", "U0ADA")

    assert buttons(view) == ["Promote an image...", "Reject..."]
    assert "It is approved by a review of the pull request, in GitHub." in said(view)


def test_a_member_of_a_team_that_lives_elsewhere_finds_what_waits() -> None:
    elsewhere = {**RULES.teams, "release-managers": Team("release-managers", (), "github:acme/release")}
    look = LookOfValues(
        rules=replace(RULES, teams=elsewhere),
        state=state(promotion()),
        members={"release-managers": frozenset({"ada"})},
    )

    assert "Approve" in buttons(home(look, "ada", "U0ADA"))
    assert "Approve" not in buttons(home(look, "bob", "U0BOB"))
    assert "of release-managers" in said(home(look, "ada", "U0ADA"))


@pytest.mark.parametrize(
    ("person", "found"),
    [
        pytest.param("carol", promotion(), id="who asked"),
        pytest.param(
            "ada", replace(promotion(), approvals=promotion(promotion().stage, "ada").approvals), id="spoke"
        ),
        pytest.param("", promotion(), id="not linked"),
    ],
)
def test_nothing_waits_for_whom_the_rule_does_not_ask(person: str, found: object) -> None:
    view = home(LookOfValues(state=state(found)), person, "U0X")  # type: ignore[arg-type]

    assert buttons(view) == ["Promote an image..."]
    assert "Nothing waits for your approval." in said(view)


def test_who_asked_finds_their_request() -> None:
    view = home(LookOfValues(state=state(promotion())), "carol", "U0CAROL")

    assert "You have asked for nothing." not in said(view)
    assert "0 of 2 approvals" in said(view)


def test_somebody_whom_the_rules_do_not_know_is_told_what_to_add() -> None:
    view = home(LookOfValues(), "", "U0EVE")

    assert "slack: U0EVE" in said(view)


def test_what_waits_for_a_review_is_there_and_what_is_more_is_counted() -> None:
    found = state()
    assert "Open reviews" not in said(home(LookOfValues(state=found), "ada", "U0ADA"))

    found.open |= {
        number: Open(Kind.EXTERNAL, "production", "checkout-api", "e" * 40, AT)
        for number in range(MAX_REVIEWS + 2)
    }
    view = home(LookOfValues(state=found), "ada", "U0ADA")

    assert problems_of_view(view) == []
    assert "move by others" in said(view)
    assert "and 2 more: " in said(view)


def test_what_stands_still_and_what_moved_is_there() -> None:
    view = home(LookOfValues(), "bob", "U0BOB")

    assert "is frozen" in said(view)
    assert "audit" in said(view)
    assert "1.4.2" in said(view)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [("production", "web in production is held: it leaks"), ("", "web is held: it leaks")],
)
def test_what_is_held_is_named_with_where(environment: str, expected: str) -> None:
    found = state()
    found.holds[environment, "web"] = Standing(by("ada"), AT, "it leaks", "")

    view = home(LookOfValues(state=found), "bob", "U0BOB")

    assert expected in texts(view)


@given(
    environments=st.integers(0, 40),
    services=st.integers(0, 60),
    live=st.integers(0, 30),
    note=st.text(max_size=400),
)
def test_a_home_is_always_one_that_slack_takes(
    environments: int, services: int, live: int, note: str
) -> None:
    names = [f"env-{n}" for n in range(environments)]
    rows = tuple(row(where, f"service-{n}", "1.0.0") for where in names for n in range(services))
    found = State("2026")
    for n in range(live):
        one = replace(promotion(), id=f"{n:012x}", seq=n, by=by("carol"), note=note)
        found.promotions[one.id] = one
        found.live["production", f"s{n}"] = one.id
    rules = LookOfValues().rules
    rules = replace(rules, environments={**rules.environments, **{one: environment(one) for one in names}})
    look = LookOfValues(rules, replace(DECISION, at=AT, rows=rows), found, note)

    view = home(look, "ada", "U0ADA")

    assert problems_of_view(view) == []
    assert buttons(view).count("Approve") == min(live, MAX_DECISIONS)


def test_what_is_not_checked_yet_says_so_and_has_no_buttons_that_decide() -> None:
    view = home(LookOfValues(state=state(promotion()), is_checked=False), "ada", "U0ADA")

    assert problems_of_view(view) == []
    assert CHECKING in said(view)
    assert buttons(view) == ["Promote an image..."]
    assert CHECKING not in said(home(LookOfValues(state=state(promotion())), "ada", "U0ADA"))
