"""The list of ``/promote all`` as values: what is in it, what one press carries, what it says of the rest."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.answers import PROBLEMS, Answer, NotRecorded, Recorded
from handlers.slack import everything, reports
from handlers.slack.blocks import MAX_BUTTON_VALUE, Said, message_of
from handlers.slack.bundles import HOLDS_FOR_ALL, MAX_ALL
from handlers.slack.everything import words_of
from handlers.slack.questions import Everything
from handlers.slack.spans import line
from handlers.slack.speaking import candidate_of
from policies.codes import Code
from policies.decide import Candidate, Decision, Standing
from policies.entries.entry import Kind
from policies.verdict import Failed, NotYet, Waiting
from policies.words import Propose
from tests.handlers.samples import AT, DIGEST, PROMOTION, RULES, EngineOfValues, LookOfValues, row, service

ASKED = Waiting(Code.NOT_REQUESTED, "")
BEFORE = Waiting(Code.KNOWN_BEFORE, "")


def candidate(version: str, *reasons: NotYet, promotion: str = "") -> Candidate:
    return Candidate(version, DIGEST, Standing.WAITING, reasons, promotion)


def look(candidates: dict[str, tuple[Candidate, ...]], *, is_checked: bool = True) -> LookOfValues:
    """Return a look at services with these candidates in production."""
    rules = replace(RULES, services={name: service(name) for name in candidates})
    rows = tuple(row("production", name, "1.0.0", *found) for name, found in candidates.items())
    return LookOfValues(rules=rules, decision=Decision(AT, "f" * 40, rows), is_checked=is_checked)


def press(said: Said) -> tuple[str, str]:
    """Return the label and the value of the answer's one button."""
    (button,) = message_of(said).blocks[-1]["elements"]
    return button["text"]["text"], button["value"]


def test_the_newest_that_may_be_asked_for_is_in_it_and_the_rest_is_counted() -> None:
    frozen = Waiting(Code.FROZEN, "audit", AT + timedelta(days=1))
    found = look(
        {
            "cart": (candidate("1.3.0", Failed(Code.BLOCKED), ASKED), candidate("1.2.0", BEFORE, ASKED)),
            "web": (candidate("2.0.0", ASKED, promotion=PROMOTION),),
            "queue": (candidate("3.0.0", frozen, ASKED),),
            "mail": (),
        }
    )

    said = everything.said(found, Everything("production", "it is time"))

    assert said.text.splitlines() == [
        "1 version may be asked for in production; nothing is asked for yet:",
        "• production: cart 1.0.0 → 1.2.0",
        "• 1 place is under way: /promote pending",
        "• 1 other waits: /promote why queue says for what",
    ]
    label, value = press(said)
    assert label == "Ask for this one"
    assert words_of(value) == (Propose("cart", "1.2.0", "production", "it is time"),)


def test_who_would_not_be_heard_sees_the_list_and_what_to_do_and_no_button() -> None:
    found = look({"cart": (candidate("1.2.0", ASKED),)})

    said = everything.said(found, Everything(), (line("Link yourself."),))

    assert said.text.splitlines() == [
        "1 version may be asked for; nothing is asked for yet:",
        "• production: cart 1.0.0 → 1.2.0",
        "• Link yourself.",
    ]
    assert said.buttons == ()


@pytest.mark.parametrize(
    ("user", "team", "expected"),
    [
        ("U0CAROL", "T0", ""),
        ("U0NEW", "T0", "The rules link nobody to your Slack account"),
        ("U0GUEST", "", "As far as can be seen your account is a guest's"),
    ],
)
def test_the_button_is_for_whose_word_counts(user: str, team: str, expected: str) -> None:
    engine = EngineOfValues(view=look({"cart": (candidate("1.2.0", ASKED),)}))

    said = reports.reply(engine, Everything(), user=user, team=team)

    assert "production: cart 1.0.0 → 1.2.0" in said.text
    assert bool(said.buttons) is not bool(expected)
    assert expected in said.text
    assert ("/promote link" in said.text) is (user == "U0NEW")


def test_a_bot_that_only_observes_offers_no_button() -> None:
    found = replace(look({"cart": (candidate("1.2.0", ASKED),)}), is_observing=True)

    said = everything.said(found, Everything())

    assert said.text.endswith("• This bot only observes: it takes no requests.")
    assert said.buttons == ()


def test_in_an_environment_that_is_only_observed_nothing_is_moved() -> None:
    found = look({"cart": (candidate("1.2.0"),)})
    lab = replace(found.rules.environments["staging"], name="lab", is_observed=True)
    rules = replace(found.rules, environments={**found.rules.environments, "lab": lab})

    said = everything.said(replace(found, rules=rules), Everything("lab"))

    assert said.text == "lab is only observed: nothing is moved there."


def test_where_all_wait_the_places_are_counted() -> None:
    frozen = Waiting(Code.FROZEN, "audit")
    found = look({name: (candidate("3.0.0", frozen, ASKED),) for name in ("mail", "queue")})

    assert everything.said(found, Everything()).text.splitlines() == [
        "Nothing may be asked for now.",
        "• 2 places wait: /promote why SERVICE says for what",
    ]


def test_one_press_carries_no_more_than_a_bound_and_says_so() -> None:
    found = look({f"s{n}": (candidate(f"1.{n}.1", ASKED),) for n in range(MAX_ALL + 3)})

    said = everything.said(found, Everything())

    label, value = press(said)
    assert label == f"Ask for all {MAX_ALL}"
    assert [one.service for one in words_of(value)] == [f"s{n}" for n in range(MAX_ALL)]
    assert f"One press asks for the first {MAX_ALL}; say it again for the others." in said.text


def test_long_names_and_a_long_reason_fit_into_the_button() -> None:
    names = [f"{'x' * 60}-{n}" for n in range(MAX_ALL)]
    found = look({name: (candidate("1." + "9" * 120, ASKED),) for name in names})

    _, value = press(everything.said(found, Everything(note="\N{GRINNING FACE}" * 280)))

    assert len(value) <= MAX_BUTTON_VALUE
    assert 0 < len(words_of(value)) < MAX_ALL


def test_nothing_can_be_pressed_before_the_ledger_is_checked() -> None:
    found = look({"cart": (candidate("1.2.0", ASKED),)}, is_checked=False)

    assert everything.said(found, Everything()).buttons == ()


def test_an_environment_that_is_gone_has_nothing_to_ask_for() -> None:
    said = everything.said(look({"cart": (candidate("1.2.0", ASKED),)}), Everything("gone"))

    assert said.text == "Nothing may be asked for in gone now."


def test_what_came_of_each_is_told() -> None:
    words = [Propose(name, "1.0", "production") for name in ("cart", "web", "mail", "queue")]
    other = NotRecorded(code=Code.OPEN_ELSEWHERE, detail="1.0 is under way as 7f3a9c2e41d0")
    told: list[tuple[Propose, Answer, Said]] = [
        (words[0], Recorded(kind=Kind.PROPOSE), Said(line("You asked for cart."), (line("pull request"),))),
        (words[1], other, Said(line("Another version is under way."))),
        (words[2], NotRecorded(code="observing"), Said(line("Observing."))),
    ]

    assert everything.outcome(told, words).text.splitlines() == [
        "Asked for 1 of 4:",
        "• production: cart: You asked for cart. pull request",
        "• production: web: not asked for: 1.0 is under way as 7f3a9c2e41d0",
        "• production: mail: Observing.",
        "• 1 other not tried, for the same reason",
    ]


def test_a_press_on_a_list_that_is_old_is_told_what_to_do() -> None:
    word = Propose("web", "1.0", "production")
    other = NotRecorded(code=Code.OPEN_ELSEWHERE, detail="1.0 is under way as 7f3a9c2e41d0")

    said = everything.outcome([(word, other, Said(line("Another version is under way.")))], [word])

    assert said.text.splitlines() == [
        "Asked for 0 of 1:",
        "• production: web: not asked for: 1.0 is under way as 7f3a9c2e41d0",
        "• /promote all lists what may be asked for now, /promote pending what is under way",
    ]


def test_the_button_of_a_followed_tags_version_asks_for_that_digest() -> None:
    word = candidate_of("web|production|latest@sha256:9b1c2d3e4f5a")

    assert word == Propose("web", "latest@sha256:9b1c2d3e4f5a", "production")


def test_what_ends_a_press_for_all_are_codes_that_are_given() -> None:
    assert {*HOLDS_FOR_ALL} <= {*PROBLEMS, *Code}
