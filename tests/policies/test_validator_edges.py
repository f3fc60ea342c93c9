"""What only a hand-made ledger holds: each entry is answered with all that speaks against it, and never by a fault."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from policies.allowed.asked import Asked
from policies.allowed.cases import cases_of
from policies.codes import Code
from policies.entries.entry import Bot, Entry, Kind
from policies.ledger.state import Stage, State
from policies.rules.rules import ConfigRule, Evidence, effective
from policies.validator import every_refusal
from tests.policies.gate_worlds import ruled
from tests.policies.ledger_builders import (
    RULES,
    Story,
    at_stage,
    oid,
    person,
    story,
)
from tests.policies.test_allowed_reviews import BOB, reviewed

Made = Callable[[], tuple[Story, Entry]]


def _reviewed_by_who_may_not_approve() -> tuple[Story, Entry]:
    found = ruled(story(), config=ConfigRule.GUARD)
    entry = found.add(found.config("a", why="guarded"))
    return found, found.word(Kind.REVIEW, person("dan"), closes=entry.seq, note="seen")


def _observed() -> tuple[Story, Entry]:
    found = story(RULES.replace("approvals: 2 of release-managers", "approvals: observe"))
    return found, found.external("1.1.0", why="guarded")


def _by_the_bot() -> tuple[Story, Entry]:
    found = story().asked()
    return found, replace(reviewed(found), by=Bot())


def _of_nothing(kind: Kind = Kind.APPROVE) -> tuple[Story, Entry]:
    found = story().asked()
    return found, replace(reviewed(found, BOB, kind), promotion="f" * 12)


def _taken_back() -> tuple[Story, Entry]:
    found = story().asked()
    return found, reviewed(found, BOB, Kind.UNAPPROVE, review_state="DISMISSED")


def _pressed_where_reviews_count() -> tuple[Story, Entry]:
    found = ruled(story(), evidence=Evidence.REVIEW).asked()
    return found, found.about(Kind.APPROVE, person("ada"))


def _of_no_promotion(kind: Kind, **changes: object) -> tuple[Story, Entry]:
    found = story().asked()
    return found, found.about(kind, **changes, promotion="f" * 12)


CASES: dict[str, tuple[Made, Code]] = {
    "a configuration reviewed by who may not approve": (
        _reviewed_by_who_may_not_approve,
        Code.NOT_AN_APPROVER,
    ),
    "a move in what is only observed, as if it were guarded": (_observed, Code.OUT_OF_LINE),
    "a review by the bot": (_by_the_bot, Code.UNKNOWN_PERSON),
    "a review of no promotion": (_of_nothing, Code.CLOSED),
    "a review taken back that never stood": (_taken_back, Code.NOT_ATTESTED),
    "a press where reviews alone count": (_pressed_where_reviews_count, Code.REVIEW_MISSING),
    "an intent of no promotion": (lambda: _of_no_promotion(Kind.INTENT), Code.CLOSED),
    "a void of no promotion": (lambda: _of_no_promotion(Kind.VOID), Code.CLOSED),
    "an end of no promotion": (lambda: _of_no_promotion(Kind.ENDED), Code.CLOSED),
}


@pytest.mark.parametrize(("make", "code"), CASES.values(), ids=CASES)
def test_it_is_refused(make: Made, code: Code) -> None:
    found, entry = make()

    assert code in {one.code for one in found.reasons(entry)}


def test_before_the_rules_nobody_links_and_nobody_reviews() -> None:
    whole = at_stage(Stage.OPEN)
    bare = State("2026")
    bare.apply(whole.entries[0][1], oid("genesis"))

    for entry in (whole.linked("dan"), reviewed(whole), whole.external("1.1.0")):
        told = every_refusal(bare, whole.complete(entry), whole.book)
        assert Code.NO_RULE in {one.code for one in told} or isinstance(entry.by, type(BOB))


def test_without_a_genesis_nothing_stood_anywhere() -> None:
    found = story().asked()
    assert found.state.rules
    rules = found.book.versions[found.state.rules.commit]
    rule = effective(rules, "production", "web")
    assert rule
    found.state.genesis = None
    entry = found.complete(found.about(Kind.APPROVE, person("ada")))

    (case,) = cases_of(Asked(found.state, entry, found.book, rules), rule)

    assert set(case.baseline.values()) == {()}


@pytest.mark.parametrize(
    ("carried", "code"),
    [
        ({"year": "2025", "tip": "a" * 40, "seq": 3, "tables": {}}, None),
        ({"year": "2026", "tip": "a" * 40, "tables": {}}, Code.OUT_OF_LINE),
        ({"year": 2025, "tip": "a" * 40, "tables": {}}, Code.OUT_OF_LINE),
        ({"year": "2025", "tip": "a" * 40, "tables": {"unknown": []}}, Code.OUT_OF_LINE),
        ({"year": "2025", "tip": "a" * 40, "tables": []}, Code.OUT_OF_LINE),
        ({"year": "2025", "tip": "a" * 40, "tables": {"configured": [1]}}, Code.OUT_OF_LINE),
        ({"year": "2025", "tip": "a" * 40, "tables": {}, "rules": "no entry"}, Code.OUT_OF_LINE),
        ({"year": "2025", "tip": "a" * 40, "tables": {}, "rules": 1}, Code.OUT_OF_LINE),
    ],
    ids=[
        "nothing",
        "its own year",
        "no year",
        "a table more",
        "no tables",
        "no rows",
        "no rules",
        "a number",
    ],
)
def test_a_new_year_carries_what_can_be_read(carried: dict[str, object], code: Code | None) -> None:
    found = Story(story().book)
    entry = replace(found.genesis(), carried=carried)  # type: ignore[arg-type]  # as anybody may write it
    complete = replace(found.complete(entry), seq=4 if carried.get("seq") else 1)

    refusals = [one.code for one in every_refusal(found.state, complete, found.book)]

    assert (code in refusals) if code else refusals == []
    found.state.apply(complete, oid("genesis"))
    assert found.state.genesis == complete


def test_a_guarded_configuration_waits_for_a_review() -> None:
    found = ruled(story(), config=ConfigRule.GUARD)
    entry = found.add(found.config("a", why="guarded"))

    assert found.state.open[entry.seq].environment == "production"
