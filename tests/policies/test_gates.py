"""Each gate passes or says why not; the table says which gates stand before what."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from policies import gates
from policies.codes import Code
from policies.entry import Bot, Kind, Pinned, write_time
from policies.gates import Case, ask
from policies.rules import effective
from policies.state import Place, Stage
from policies.verdict import PASSED, Failed, Verdict, Waiting, not_yet
from tests.policies.ledger_builders import RULES, Story, at_stage, change_rules, person, pinned, rules, story


def _case(
    found: Story,
    tag: str = "1.1.0",
    environment: str = "staging",
    *,
    image: Pinned | None = None,
    current: tuple[Pinned, ...] = (pinned("1.0.0"),),
    baseline: Mapping[Place, tuple[Pinned, ...]] | None = None,
    is_asked: bool = False,
) -> Case:
    assert found.state.rules
    in_force = found.book.versions[found.state.rules.commit]
    rule = effective(in_force, environment, "web")
    assert rule
    return Case(
        rules=in_force,
        rule=rule,
        state=found.state,
        image=(image or pinned(tag),),
        current=current,
        at=found.at,
        baseline=found.book.stood if baseline is None else baseline,
        promotion=found.promotion() if is_asked else None,
    )


def _code(verdict: Verdict) -> Code | None:
    return None if verdict == PASSED else Code(verdict.code)  # type: ignore[union-attr]  # not passed


def _seen(*tags: str, before: bool = False) -> Story:
    found = story()
    found.add(found.seen(*tags, before=before))
    return found


def _stood(kind: Kind, **changes: object) -> Story:
    found = story()
    found.add(found.stand(kind, person("ada"), **changes))
    return found


def _rolled_back() -> Story:
    found = at_stage(Stage.LANDED)
    found.add(found.rollback("1.0.0"))
    return found


def _later(found: Story, hours: float) -> Story:
    found.at += timedelta(hours=hours)
    return found


def _voided(hours: float) -> Story:
    found = _later(at_stage(Stage.OPEN), 23)
    found.add(found.about(Kind.VOID))
    return _later(found, hours)


MOVED = pinned("1.1.0", digest=pinned("other").digest)
OLD_DIGEST = pinned("1.0.0", digest="")
CASES: dict[str, tuple[gates.Gate, Callable[[], Case], Code | None]] = {
    # downgrade
    "a newer version": (gates.downgrade, lambda: _case(story()), None),
    "an older version": (
        gates.downgrade,
        lambda: _case(story(), "1.0.0", current=(pinned("1.1.0"),)),
        Code.DOWNGRADE,
    ),
    "the same version": (gates.downgrade, lambda: _case(story(), "1.0.0"), None),
    "from a tag out of order": (gates.downgrade, lambda: _case(story(), current=(pinned("latest"),)), None),
    "from nothing known": (gates.downgrade, lambda: _case(story(), current=(pinned(""),)), None),
    "another repository": (
        gates.downgrade,
        lambda: _case(story(), "1.0.0", current=(pinned("1.1.0", repository="a"),)),
        None,
    ),
    # what the ledger moved there
    "past the last move": (gates.went_back, lambda: _case(story().staged("1.1.0"), "1.2.0"), None),
    "behind the last move": (
        gates.went_back,
        lambda: _case(story().staged("1.5.0"), "1.2.0"),
        Code.DOWNGRADE,
    ),
    "behind the baseline": (gates.went_back, lambda: _case(story(), "1.0.0-a"), Code.DOWNGRADE),
    "no baseline": (gates.went_back, lambda: _case(story(), "0.1.0", baseline={}), None),
    "behind a move by hand": (gates.went_back, lambda: _case(_by_hand("1.9.0"), "1.2.0"), Code.DOWNGRADE),
    "past a move back by hand": (gates.went_back, lambda: _case(_by_hand("0.9.0"), "1.0.0"), None),
    # digest
    "the digest first seen": (gates.digest, lambda: _case(_seen("1.1.0")), None),
    "never seen": (gates.digest, lambda: _case(story()), None),
    "another digest": (gates.digest, lambda: _case(_seen("1.1.0"), image=MOVED), Code.DIGEST_MOVED),
    "no digest": (
        gates.digest,
        lambda: _case(story(), image=pinned("1.1.0", digest="")),
        Code.DIGEST_UNKNOWN,
    ),
    # blocked
    "free": (gates.blocked, lambda: _case(story()), None),
    "blocked": (gates.blocked, lambda: _case(_stood(Kind.BLOCK), "1.2.0"), Code.BLOCKED),
    "another version is blocked": (gates.blocked, lambda: _case(_stood(Kind.BLOCK)), None),
    "rolled back there": (gates.blocked, lambda: _case(_rolled_back(), "1.1.0", "production"), Code.BLOCKED),
    "rolled back after": (gates.blocked, lambda: _case(_rolled_back(), "1.1.0"), None),
    "blocked before": (
        gates.blocked,
        lambda: _case(_stood(Kind.BLOCK, environment="staging"), "1.2.0", "production"),
        Code.BLOCKED,
    ),
    # the environment before
    "nothing before": (gates.previous, lambda: _case(story()), None),
    "ran before": (gates.previous, lambda: _case(story().staged("1.1.0"), "1.1.0", "production"), None),
    "has not run": (gates.previous, lambda: _case(story(), "1.1.0", "production"), Code.NOT_IN_PREVIOUS),
    "ran since before the ledger": (gates.previous, lambda: _case(story(), "1.0.0", "production"), None),
    "ran as another digest": (
        gates.previous,
        lambda: _case(story().staged("1.1.0"), "1.1.0", "production", image=MOVED),
        Code.NOT_IN_PREVIOUS,
    ),
    "ran as a tag alone": (
        gates.previous,
        lambda: _case(story(), "1.0.0", "production", baseline={("staging", "web"): (OLD_DIGEST,)}),
        None,
    ),
    "nothing stood there": (
        gates.previous,
        lambda: _case(story(), "1.0.0", "production", baseline={}),
        Code.NOT_IN_PREVIOUS,
    ),
    # what was there before
    "new": (gates.known_before, lambda: _case(_seen("1.0.0", before=True)), None),
    "there before": (gates.known_before, lambda: _case(_seen("1.1.0", before=True)), Code.KNOWN_BEFORE),
    "older than what was there before": (
        gates.known_before,
        lambda: _case(_seen("1.5.0", before=True)),
        Code.KNOWN_BEFORE,
    ),
    "seen later": (gates.known_before, lambda: _case(_seen("1.1.0")), None),
    "another service's": (gates.known_before, lambda: _case(_other_service()), None),
    "caught up": (gates.known_before, lambda: _case(_catching_up()), None),
    # held, frozen
    "not held": (gates.held, lambda: _case(story()), None),
    "held": (gates.held, lambda: _case(_stood(Kind.HOLD)), Code.HELD),
    "held elsewhere": (gates.held, lambda: _case(_stood(Kind.HOLD, environment="production")), None),
    "not frozen": (gates.frozen, lambda: _case(_stood(Kind.FREEZE)), None),
    "frozen": (gates.frozen, lambda: _case(_stood(Kind.FREEZE), "1.1.0", "production"), Code.FROZEN),
    # approvals
    "nobody asked": (gates.approvals, lambda: _case(story(), "1.1.0", "production"), Code.NOT_REQUESTED),
    "one is missing": (
        gates.approvals,
        lambda: _asked(story().asked().approved("ada")),
        Code.APPROVALS_MISSING,
    ),
    "filled": (gates.approvals, lambda: _asked(at_stage(Stage.OPEN)), None),
    "somebody left the rules": (gates.approvals, lambda: _asked(_without_bob()), Code.APPROVALS_MISSING),
    "a rollback by one": (gates.approvals, lambda: _asked(_rolled_back()), None),
    # merge-within
    "just approved": (gates.merge_within, lambda: _asked(_later(at_stage(Stage.OPEN), 3.9)), None),
    "approved long ago": (
        gates.merge_within,
        lambda: _asked(_later(at_stage(Stage.OPEN), 4.1)),
        Code.WAITING_FOR_A_GO,
    ),
    "approved by nobody": (gates.merge_within, lambda: _asked(_later(story().asked(), 9)), None),
    "a rollback long ago": (gates.merge_within, lambda: _asked(_later(_rolled_back(), 9)), None),
    "not asked": (gates.merge_within, lambda: _case(story()), None),
    # expire
    "young": (gates.expired, lambda: _asked(_later(story().asked(), 23.9)), None),
    "too old": (gates.expired, lambda: _asked(_later(story().asked(), 24.1)), Code.EXPIRED),
    "young again after a void": (gates.expired, lambda: _asked(_voided(23)), None),
    "too old after a void": (gates.expired, lambda: _asked(_voided(25)), Code.EXPIRED),
    "not asked for": (gates.expired, lambda: _case(story()), None),
}


def _by_hand(tag: str) -> Story:
    found = story()
    found.add(found.external(tag, "staging"))
    return found


def _asked(found: Story) -> Case:
    return _case(found, "1.1.0", "production", is_asked=True)


def _other_service() -> Story:
    found = story()
    found.add(found.seen("1.1.0", before=True, service="cart"))
    return found


def _catching_up() -> Story:
    found = _seen("1.1.0", before=True)
    commit = found.book.line[-1]
    was = found.book.versions[commit]
    staging = replace(was.environments["staging"], catch_up=True)
    found.book.versions[commit] = replace(was, environments={**was.environments, "staging": staging})
    return found


def _without_bob() -> Story:
    found = at_stage(Stage.OPEN)
    text = RULES.replace("  bob: {slack: U0BOB, github: bob}\n", "").replace(
        "[ada, bob, carol]", "[ada, carol]"
    )
    change_rules(found, text)
    return found


@pytest.mark.parametrize(("gate", "make", "code"), CASES.values(), ids=CASES)
def test_a_gate_says_whether_and_why_not(
    gate: gates.Gate, make: Callable[[], Case], code: Code | None
) -> None:
    assert _code(gate(make())) is code


def test_every_gate_of_the_tables_has_its_cases() -> None:
    tables = {*gates.ALONE, *gates.ASKED, *gates.MERGED, *gates.ROLLED_BACK}

    assert tables == {gate for gate, _, _ in CASES.values()}


def test_a_rollback_asks_neither_freeze_nor_soak_nor_order() -> None:
    assert (gates.expired, gates.approvals) == gates.ROLLED_BACK


def test_what_merges_asks_all_that_may_change_while_people_think() -> None:
    wanted = {gates.digest, gates.blocked, gates.previous, gates.held, gates.frozen, gates.approvals}

    assert wanted <= set(gates.MERGED)


def test_verdicts_come_in_the_order_of_the_gates() -> None:
    found = _stood(Kind.FREEZE)
    case = _case(found, "1.0.0", "production", current=(pinned("1.1.0"),), baseline={})
    asked = (gates.frozen, gates.downgrade, gates.digest)

    assert [one.code for one in not_yet(ask(asked, case))] == [Code.FROZEN, Code.DOWNGRADE]


def test_a_wait_says_until_when() -> None:
    found = story()
    until = found.at + timedelta(hours=1)
    found.add(found.stand(Kind.FREEZE, person("ada"), until=write_time(until)))

    verdict = gates.frozen(_case(found, "1.1.0", "production"))

    assert verdict == Waiting(Code.FROZEN, "an incident", until)


def test_what_the_bot_set_is_told_by_its_code() -> None:
    found = story()
    found.add(found.stand(Kind.BLOCK, Bot(), why="evidence"))

    assert gates.blocked(_case(found, "1.2.0")) == Failed(Code.BLOCKED, "evidence")


@pytest.mark.parametrize(
    ("by", "exclude", "is_barred"),
    [("carol", ("requester",), True), ("ada", ("requester",), False), ("carol", (), False)],
    ids=["who asked", "another", "not excluded"],
)
def test_who_asked_is_barred_where_the_rule_says_so(
    by: str,
    exclude: tuple[str, ...],
    is_barred: bool,  # noqa: FBT001  a table's column
) -> None:
    found = rules()
    rule = effective(found, "production", "web")
    assert rule
    rule = replace(rule, environment=replace(rule.environment, exclude=exclude))
    now = at_stage(Stage.OPEN).promotion()

    assert gates.is_excluded(rule, now, by) is is_barred
    assert not gates.is_excluded(rule, replace(now, kind=Kind.ROLLBACK), by)
    assert not gates.is_excluded(rule, replace(now, by=Bot()), by)


def test_who_asked_does_not_count_even_where_the_ledger_has_the_approval() -> None:
    found = at_stage(Stage.OPEN)
    now = found.promotion()
    carols = replace(now.approvals[0], by=person("carol"))
    rule = effective(rules(), "production", "web")
    assert rule

    count = gates.count_approvals(rules(), rule, replace(now, approvals=(now.approvals[0], carols)))

    assert (count.given, count.is_complete) == (1, False)
