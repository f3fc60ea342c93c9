"""What the rules say about a service is on its cards: whom to ping, links, its own channel."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.cards import Card, CardStage, Notice, Who
from bot.looking.troubles import Trouble, Wrong
from bot.showing.furnishing import furnished, pings
from policies.rulebook.parse import parse
from policies.rules.rules import Team
from tests.bot.ledger_builders import RULES, Story
from tests.bot.test_cardfile import PRODUCTION, drawn, ready
from tests.bot.test_cardfile import card as drawn_card
from tests.bot.test_cardfile import notice as drawn_notice

SERVICE = b"  checkout-api: {"
SAID = (
    b"  checkout-api: {channel: '#checkout', source: acme/checkout, "
    b"links: {dashboard: 'https://grafana.example.com/d/<service>'}, "
)


def _told(text: bytes) -> Story:
    """Return a story in which a version may be asked for, under these rules."""
    assert text != RULES
    story = ready()
    story.text = text
    return story


def test_a_service_is_said_in_its_own_channel_with_its_links() -> None:
    card = drawn_card(_told(RULES.replace(SERVICE, SAID)), f"{PRODUCTION}/1.4.2")

    assert card.channel == "checkout"
    assert card.links == (
        ("source", "https://github.com/acme/checkout"),
        ("dashboard", "https://grafana.example.com/d/checkout-api"),
    )


def test_what_is_wrong_with_a_service_is_said_in_its_own_channel() -> None:
    story = _told(RULES.replace(SERVICE, SAID))
    trouble = Trouble(Wrong.DIGEST_MOVED, "production", "checkout-api", {"was": "a", "now": "b"}, "1.4.2")

    found = drawn_notice(story, trouble.what, troubles=[trouble])

    assert isinstance(found, Notice)
    assert found.channel == "checkout"


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("ada", (Who("ada", "U0ADA"),)),
        ("[release-managers, bob]", None),
        ("'@here'", (Who("@here", "here"),)),
        ("S0ONCALL", (Who("S0ONCALL", "S0ONCALL"),)),
        ("[U0EVE, U0EVE2]", (Who("U0EVE", "U0EVE"), Who("U0EVE2", "U0EVE2"))),
    ],
    ids=["a person", "a team and one of it", "a channel", "a user group", "ids"],
)
def test_who_is_to_be_told_is_pinged_once(word: str, expected: tuple[Who, ...] | None) -> None:
    text = RULES.replace(b"after: staging}", f"after: staging, notify: {word}}}".encode())
    rules = parse({"promotion/rules.yaml": text})
    members = tuple(Who(name, rules.people[name].slack) for name in rules.teams["release-managers"].people)

    assert pings(rules, "production", "checkout-api") == (expected or members)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("slack:S0NIGHT", Who("night", "S0NIGHT")),
        ("slack:@night", Who("night")),
        ("github:acme/night", Who("night")),
    ],
)
def test_a_team_that_lives_elsewhere_is_pinged_as_far_as_it_has_an_id(source: str, expected: Who) -> None:
    rules = parse({"promotion/rules.yaml": RULES})
    where = replace(rules.environments["production"], notify=("night",))
    told = replace(rules, environments={"production": where}, teams={"night": Team("night", source=source)})

    assert pings(told, "production", "checkout-api") == (expected,)


def test_a_card_of_what_left_the_rules_stays_as_it_is() -> None:
    rules = parse({"promotion/rules.yaml": RULES})
    card = Card(
        what="w",
        channel="c",
        environment="gone",
        service="checkout-api",
        version="1",
        previous="",
        digest="",
        stage=CardStage.GONE,
    )

    assert furnished(card, rules) is card


def test_a_rollback_is_told_where_the_rule_says_and_stays_told() -> None:
    text = RULES.replace(b"after: staging}", b"after: staging, rollback: {tell: incidents}}")
    story = ready()
    story.rollback("1.4.1", "staging")
    promotion = story.rollback("1.4.1", "production", "bob", "it is slow")
    story.text = text
    name = f"notice/rolled-back/production/checkout-api/{promotion}"

    told = drawn_notice(story, name)

    assert (told.channel, told.code, told.is_over) == ("incidents", "rolled-back", False)
    assert told.facts["version"] == "1.4.1"
    assert (told.facts["by"], told.facts["note"]) == ("bob", "it is slow")
    story.at += timedelta(days=2)
    assert name not in drawn(story, (name,))
