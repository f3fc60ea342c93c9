"""Where people approve and the bot pushes: what the holder of the ledger's own key may append of it."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from policies.codes import Code
from policies.entries.entry import Entry, Kind
from policies.ledger.by_hand import is_for_people
from policies.rules.rules import Merges, effective
from tests.policies.ledger_builders import RULES, Story, change_rules, oid, person, rules, story

BY = "approvals: 2 of release-managers"
BY_COMMIT = RULES.replace(BY, f"{BY}\n    via: commit")
PUSHED = {"pushed": True}
Made = Callable[[], tuple[Story, Entry]]


def _merging(text: str = BY_COMMIT, *, is_frozen: bool = False) -> Story:
    found = story(text).asked().approved()
    found.add(found.about(Kind.INTENT))
    if is_frozen:
        found.add(found.stand(Kind.FREEZE, person("dan")))
    return found


def _rollback(text: str = BY_COMMIT) -> Story:
    found = _merging(text)
    found.add(found.about(Kind.MERGED, evidence=PUSHED))
    found.add(found.about(Kind.LANDED))
    return found


FORBIDDEN: list[tuple[str, Made, Code]] = [
    (
        "a bump",
        lambda: (f := story(BY_COMMIT), f.add(f.seen("1.1.0")), f.bump("1.1.0", environment="production"))[
            ::2
        ],
        Code.GUARDED,
    ),
    (
        "a push that nobody approved",
        lambda: (f := story(BY_COMMIT).asked().approved("ada"), f.about(Kind.INTENT)),
        Code.APPROVALS_MISSING,
    ),
    (
        "a push without its intent",
        lambda: (f := story(BY_COMMIT).asked().approved(), f.about(Kind.MERGED, evidence=PUSHED)),
        Code.CLOSED,
    ),
    (
        "a push under a freeze",
        lambda: (f := _merging(is_frozen=True), f.about(Kind.MERGED, evidence=PUSHED)),
        Code.FROZEN,
    ),
    (
        "a merge by a forge that has no part in it",
        lambda: (f := _merging(), f.about(Kind.MERGED)),
        Code.OUT_OF_LINE,
    ),
    (
        "a merge by a forge under a freeze",
        lambda: (f := _merging(is_frozen=True), f.about(Kind.MERGED)),
        Code.OUT_OF_LINE,
    ),
    (
        "a push of another head",
        lambda: (f := _merging(), f.about(Kind.MERGED, evidence=PUSHED, head=oid("x"))),
        Code.HEAD_MOVED,
    ),
    (
        "a way back by a commit at once",
        lambda: (f := _rollback(), f.rollback("1.0.0", head="", commit=oid("x"))),
        Code.OUT_OF_LINE,
    ),
    (
        "a push where there is a pull request",
        lambda: (f := _merging(RULES), f.about(Kind.MERGED, evidence=PUSHED)),
        Code.NO_RULE,
    ),
]


@pytest.mark.parametrize(
    ("made", "code"), [(made, code) for _, made, code in FORBIDDEN], ids=[name for name, _, _ in FORBIDDEN]
)
def test_nobody_may_append(made: Made, code: Code) -> None:
    found, entry = made()

    assert code in {one.code for one in found.reasons(entry)}


def _frozen_rollback() -> tuple[Story, Entry]:
    found = _rollback()
    found.add(found.stand(Kind.FREEZE, person("dan")))
    found.add(found.rollback("1.0.0"))
    found.add(found.about(Kind.INTENT))
    return found, found.about(Kind.MERGED, evidence=PUSHED)


def _rules_after() -> tuple[Story, Entry]:
    """Let the forge merge, and the rules do without it before anybody wrote that down."""
    found = _merging(RULES)
    change_rules(found, BY_COMMIT)
    return found, found.about(Kind.MERGED)


ALLOWED: list[tuple[str, Made]] = [
    ("a request", lambda: (f := story(BY_COMMIT).staged("1.1.0"), f.propose("1.1.0"))),
    ("a push", lambda: (f := _merging(), f.about(Kind.MERGED, evidence=PUSHED))),
    ("a way back past a freeze", _frozen_rollback),
    ("a merge by the forge before the rules did without it", _rules_after),
]


@pytest.mark.parametrize("made", [made for _, made in ALLOWED], ids=[name for name, _ in ALLOWED])
def test_the_rule_lets_through(made: Made) -> None:
    found, entry = made()

    found.add(entry)


@pytest.mark.parametrize("is_gone", [True, False], ids=["not to be read", "without the service"])
def test_a_merge_without_the_rules_that_it_was_judged_by_is_refused(*, is_gone: bool) -> None:
    found = _merging()
    entry, commit = found.about(Kind.MERGED), found.promotion().rule.commit
    if is_gone:
        del found.book.versions[commit]
    else:
        found.book.versions[commit] = replace(found.book.versions[commit], services={})

    assert [one.code for one in found.reasons(entry)] == [Code.NO_RULE]


def test_people_merge_nothing_where_there_is_no_pull_request() -> None:
    rule = effective(rules(BY_COMMIT), "production", "web")
    assert rule
    theirs = replace(rule, environment=replace(rule.environment, merges=Merges.BY_HAND))

    assert not is_for_people(theirs, _merging().promotion())
