"""The form that asks for a version: what it begins with, and what it makes of an answer."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.slack.promote_form import MAX_OPTIONS, Guess, guess, promote_form, read
from policies.words import Propose
from sandbox.slack.block_kit import problems_of_view
from tests.handlers.samples import RULES, service


def answered(**given_: str) -> dict[str, Any]:
    """Return a form that was sent, as Slack sends it."""
    chosen = {"service", "environment"}
    values = {
        name: {name: {"selected_option": {"value": text}} if name in chosen else {"value": text}}
        for name, text in given_.items()
    }
    return {"state": {"values": values}}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("checkout-api 1.4.2 can be asked for in production, which runs 1.4.1.",
                     Guess("checkout-api", "1.4.2", "production"), id="card"),
        pytest.param("please look at ghcr.io/example/checkout-api:1.4.2", Guess("checkout-api", "1.4.2"), id="image"),
        pytest.param("checkout-api v2.0.0.", Guess("checkout-api", "v2.0.0"), id="end of a sentence"),
        pytest.param("1.4.2 of checkout-api", Guess("checkout-api"), id="version before"),
        pytest.param("nothing of ours 1.2.3", Guess(), id="no service"),
        pytest.param("", Guess(), id="empty"),
    ],
)  # fmt: skip
def test_a_message_is_guessed_from(text: str, expected: Guess) -> None:
    assert guess(text, RULES) == expected


@given(text=st.text(max_size=2000))
def test_whatever_a_message_says_the_form_is_one_that_slack_takes(text: str) -> None:
    view = promote_form(RULES, "C0DEPLOYS", guess(f"checkout-api {text}", RULES))

    assert problems_of_view(view) == []


def test_more_services_than_a_menu_holds_are_typed() -> None:
    many = {f"service-{n}": service(f"service-{n}") for n in range(MAX_OPTIONS + 1)}
    rules = type(RULES)(environments=RULES.environments, services=many)

    view = promote_form(rules, "", Guess())

    assert problems_of_view(view) == []
    assert view["blocks"][0]["element"]["type"] == "plain_text_input"
    sent = {"state": {"values": {
        "service": {"service": {"value": "service-7 "}}, "environment": {"environment": {"value": "production"}},
        "why": {"why": {"value": "it is time"}},
    }}}  # fmt: skip
    assert read(sent, rules) == Propose("service-7", "", "production", "it is time")


def test_the_only_guarded_environment_is_chosen_already() -> None:
    view = promote_form(RULES, "", Guess())

    assert view["blocks"][2]["element"]["initial_option"]["value"] == "production"


def test_an_answer_becomes_the_word_that_the_command_would_be() -> None:
    sent = answered(service="checkout-api", version=" 1.4.2 ", environment="production", why="it is “time”")

    assert read(sent, RULES) == Propose("checkout-api", "1.4.2", "production", 'it is "time"')


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"service": "shop"}, "service"),
        ({"service": ""}, "service"),
        ({"version": "1.4.2; rm"}, "version"),
        ({"version": "@" + "x" * 200}, "version"),
        ({"environment": "moon"}, "environment"),
        ({"why": "   "}, "why"),
        ({"why": "one\ntwo"}, "why"),
    ],
)
def test_what_cannot_be_read_is_said_at_its_field(more: dict[str, str], field: str) -> None:
    good = {"service": "checkout-api", "version": "1.4.2", "environment": "production", "why": "it is time"}

    wrong = read(answered(**{**good, **more}), RULES)

    assert isinstance(wrong, dict)
    assert list(wrong) == [field]


def test_an_empty_answer_is_wrong_everywhere_and_breaks_nothing() -> None:
    assert set(read({}, RULES)) == {"service", "environment", "why"}  # type: ignore[arg-type]
