"""Each gate passes or says why not; the table says which gates stand before what."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from types import ModuleType
from typing import Any

import pytest

from policies import gates
from policies.codes import Code
from policies.entries.entry import Bot, Kind, write_time
from policies.gates import Case, ask
from policies.gates.waits import _window
from policies.ledger.people import ACCOUNTS_DECIDE
from policies.ledger.state import Open, Stage
from policies.rules.rules import Evidence, Line, Team, effective
from policies.times.windows import parse_window
from policies.verdict import PASSED, Failed, Verdict, Waiting, not_yet
from tests.policies.gate_time_cases import CASES as TIMED
from tests.policies.gate_worlds import case, later, ruled
from tests.policies.ledger_builders import (
    RULES,
    Story,
    at_stage,
    change_rules,
    oid,
    person,
    pinned,
    rules,
    story,
)


def _code(verdict: Verdict) -> Code | None:
    return None if verdict == PASSED else Code(verdict.code)  # type: ignore[union-attr]  # not passed


def _of_a_team() -> Case:
    about = _asked(ruled(story(), approvals=(Line(1, ("east",)),)).asked())
    return replace(about, rules=replace(about.rules, teams={"east": Team("east", (), "github:acme/east")}))


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


def _overdue() -> Story:
    found = story()
    where, at = "staging", found.at
    found.state.open[2] = Open(Kind.EMERGENCY, where, "web", "", at, due=at - timedelta(hours=1))
    return found


def _changed(environment: str) -> Story:
    found = story()
    found.state.open[2] = Open(Kind.CONFIG, environment, "", oid("c"), found.at)
    return found


def _voided(hours: float) -> Story:
    found = later(at_stage(Stage.OPEN), 23)
    found.add(found.about(Kind.VOID))
    return later(found, hours)


MOVED = pinned("1.1.0", digest=pinned("other").digest)
OLD_DIGEST = pinned("1.0.0", digest="")
CASES: dict[str, tuple[gates.Gate, Callable[[], Case], Code | None]] = {
    # downgrade
    "a newer version": (gates.downgrade, lambda: case(story()), None),
    "an older version": (
        gates.downgrade,
        lambda: case(story(), "1.0.0", current=(pinned("1.1.0"),)),
        Code.DOWNGRADE,
    ),
    "the same version": (gates.downgrade, lambda: case(story(), "1.0.0"), None),
    "from a tag out of order": (gates.downgrade, lambda: case(story(), current=(pinned("latest"),)), None),
    "from nothing known": (gates.downgrade, lambda: case(story(), current=(pinned(""),)), None),
    "another repository": (
        gates.downgrade,
        lambda: case(story(), "1.0.0", current=(pinned("1.1.0", repository="a"),)),
        None,
    ),
    # what the ledger moved there
    "past the last move": (gates.went_back, lambda: case(story().staged("1.1.0"), "1.2.0"), None),
    "behind the last move": (
        gates.went_back,
        lambda: case(story().staged("1.5.0"), "1.2.0"),
        Code.DOWNGRADE,
    ),
    "behind the baseline": (gates.went_back, lambda: case(story(), "1.0.0-a"), Code.DOWNGRADE),
    "no baseline": (gates.went_back, lambda: case(story(), "0.1.0", baseline={}), None),
    "behind a move by hand": (gates.went_back, lambda: case(_by_hand("1.9.0"), "1.2.0"), Code.DOWNGRADE),
    "past a move back by hand": (gates.went_back, lambda: case(_by_hand("0.9.0"), "1.0.0"), None),
    # digest
    "the digest first seen": (gates.digest, lambda: case(_seen("1.1.0")), None),
    "never seen": (gates.digest, lambda: case(story()), None),
    "another digest": (gates.digest, lambda: case(_seen("1.1.0"), image=MOVED), Code.DIGEST_MOVED),
    "no digest": (
        gates.digest,
        lambda: case(story(), image=pinned("1.1.0", digest="")),
        Code.DIGEST_UNKNOWN,
    ),
    # jump
    "the next major version": (gates.jump, lambda: case(story(), "2.0.0"), None),
    "a major version further": (gates.jump, lambda: case(story(), "3.0.0"), Code.MAJOR_JUMP),
    "a major version further where people are asked": (
        gates.jump,
        lambda: case(story(), "3.0.0", "production"),
        None,
    ),
    "a major version further of another image": (
        gates.jump,
        lambda: case(story(), "3.0.0", current=(pinned("1.0.0", repository="ghcr.io/example/cart"),)),
        None,
    ),
    "from no version at all": (gates.jump, lambda: case(story(), "3.0.0", current=(pinned("latest"),)), None),
    # config
    "no change of files": (gates.reviewed, lambda: case(story()), None),
    "a change of files there": (gates.reviewed, lambda: case(_changed("staging")), Code.CONFIG_UNREVIEWED),
    "a change of files elsewhere": (gates.reviewed, lambda: case(_changed("production")), None),
    # frozen
    "a review that is overdue": (gates.frozen, lambda: case(_overdue()), Code.REVIEW_OVERDUE),
    # blocked
    "free": (gates.blocked, lambda: case(story()), None),
    "blocked": (gates.blocked, lambda: case(_stood(Kind.BLOCK), "1.2.0"), Code.BLOCKED),
    "another version is blocked": (gates.blocked, lambda: case(_stood(Kind.BLOCK)), None),
    "rolled back there": (gates.blocked, lambda: case(_rolled_back(), "1.1.0", "production"), Code.BLOCKED),
    "rolled back after": (gates.blocked, lambda: case(_rolled_back(), "1.1.0"), None),
    "blocked before": (
        gates.blocked,
        lambda: case(_stood(Kind.BLOCK, environment="staging"), "1.2.0", "production"),
        Code.BLOCKED,
    ),
    # the environment before
    "nothing before": (gates.previous, lambda: case(story()), None),
    "ran before": (gates.previous, lambda: case(story().staged("1.1.0"), "1.1.0", "production"), None),
    "has not run": (gates.previous, lambda: case(story(), "1.1.0", "production"), Code.NOT_IN_PREVIOUS),
    "ran since before the ledger": (gates.previous, lambda: case(story(), "1.0.0", "production"), None),
    "ran as another digest": (
        gates.previous,
        lambda: case(story().staged("1.1.0"), "1.1.0", "production", image=MOVED),
        Code.NOT_IN_PREVIOUS,
    ),
    "ran as a tag alone": (
        gates.previous,
        lambda: case(story(), "1.0.0", "production", baseline={("staging", "web"): (OLD_DIGEST,)}),
        None,
    ),
    "nothing stood there": (
        gates.previous,
        lambda: case(story(), "1.0.0", "production", baseline={}),
        Code.NOT_IN_PREVIOUS,
    ),
    # what was there before
    "new": (gates.known_before, lambda: case(_seen("1.0.0", before=True)), None),
    "there before": (gates.known_before, lambda: case(_seen("1.1.0", before=True)), Code.KNOWN_BEFORE),
    "there before where people are asked": (
        gates.known_before,
        lambda: case(_seen("1.1.0", before=True), environment="production"),
        Code.KNOWN_BEFORE,
    ),
    "older than what was there before": (
        gates.known_before,
        lambda: case(_seen("1.5.0", before=True)),
        Code.KNOWN_BEFORE,
    ),
    "seen later": (gates.known_before, lambda: case(_seen("1.1.0")), None),
    "another service's": (gates.known_before, lambda: case(_other_service()), None),
    "caught up": (gates.known_before, lambda: case(_catching_up()), None),
    # held, frozen
    "not held": (gates.held, lambda: case(story()), None),
    "held": (gates.held, lambda: case(_stood(Kind.HOLD)), Code.HELD),
    "held elsewhere": (gates.held, lambda: case(_stood(Kind.HOLD, environment="production")), None),
    "not frozen": (gates.frozen, lambda: case(_stood(Kind.FREEZE)), None),
    "frozen": (gates.frozen, lambda: case(_stood(Kind.FREEZE), "1.1.0", "production"), Code.FROZEN),
    # approvals
    "nobody asked": (gates.approvals, lambda: case(story(), "1.1.0", "production"), Code.NOT_REQUESTED),
    "one is missing": (
        gates.approvals,
        lambda: _asked(story().asked().approved("ada")),
        Code.APPROVALS_MISSING,
    ),
    "filled": (gates.approvals, lambda: _asked(at_stage(Stage.OPEN)), None),
    "somebody left the rules": (gates.approvals, lambda: _asked(_without_bob()), Code.APPROVALS_MISSING),
    "pressed where one has to be a review": (
        gates.approvals,
        lambda: _asked(ruled(at_stage(Stage.OPEN), evidence=Evidence.ONE_REVIEW)),
        Code.REVIEW_MISSING,
    ),
    "by a team that was not looked up": (gates.approvals, _of_a_team, Code.MEMBERS_UNKNOWN),
    "a rollback by one": (gates.approvals, lambda: _asked(_rolled_back()), None),
    # merge-within
    "just approved": (gates.merge_within, lambda: _asked(later(at_stage(Stage.OPEN), 3.9)), None),
    "approved long ago": (
        gates.merge_within,
        lambda: _asked(later(at_stage(Stage.OPEN), 4.1)),
        Code.WAITING_FOR_A_GO,
    ),
    "approved by nobody": (gates.merge_within, lambda: _asked(later(story().asked(), 9)), None),
    "a rollback long ago": (gates.merge_within, lambda: _asked(later(_rolled_back(), 9)), None),
    "not asked": (gates.merge_within, lambda: case(story()), None),
    # expire
    "young": (gates.expired, lambda: _asked(later(story().asked(), 23.9)), None),
    "too old": (gates.expired, lambda: _asked(later(story().asked(), 24.1)), Code.EXPIRED),
    "young again after a void": (gates.expired, lambda: _asked(_voided(23)), None),
    "too old after a void": (gates.expired, lambda: _asked(_voided(25)), Code.EXPIRED),
    "not asked for": (gates.expired, lambda: case(story()), None),
}


def _by_hand(tag: str) -> Story:
    found = story()
    found.add(found.external(tag, "staging"))
    return found


def _asked(found: Story) -> Case:
    return case(found, "1.1.0", "production", is_asked=True)


def _other_service() -> Story:
    found = story()
    found.add(found.seen("1.1.0", before=True, service="cart"))
    return found


def _catching_up() -> Story:
    return ruled(_seen("1.1.0", before=True), "staging", catch_up=True)


def _without_bob() -> Story:
    found = at_stage(Stage.OPEN)
    text = RULES.replace("  bob: {slack: U0BOB, github: bob}\n", "").replace(
        "[ada, bob, carol]", "[ada, carol]"
    )
    change_rules(found, text)
    return found


ALL = CASES | TIMED


@pytest.mark.parametrize(("gate", "make", "code"), ALL.values(), ids=ALL)
def test_a_gate_says_whether_and_why_not(
    gate: gates.Gate, make: Callable[[], Case], code: Code | None
) -> None:
    assert _code(gate(make())) is code


def test_every_gate_of_the_tables_has_its_cases() -> None:
    tables = {*gates.ALONE, *gates.ASKED, *gates.MERGED, *gates.ROLLED_BACK}

    assert tables == {gate for gate, _, _ in ALL.values()}


def test_each_code_that_a_gate_gives_stands_in_its_row() -> None:
    rows = {row.gate: set(row.codes) for row in gates.TABLE}

    for gate, _, code in ALL.values():
        assert code is None or code in rows[gate]
    assert {code for row in gates.TABLE for code in row.codes} == {
        code for _, _, code in ALL.values() if code
    }


def test_a_rollback_asks_neither_freeze_nor_soak_nor_order() -> None:
    assert (gates.expired, gates.approvals) == gates.ROLLED_BACK


def test_what_merges_asks_all_that_may_change_while_people_think() -> None:
    free = {
        gates.downgrade,
        gates.went_back,
        gates.jump,
        gates.known_before,
    }  # these a person has answered by asking

    assert {row.gate for row in gates.TABLE} - free == set(gates.MERGED)


def test_verdicts_come_in_the_order_of_the_gates() -> None:
    found = _stood(Kind.FREEZE)
    asked = (gates.frozen, gates.downgrade, gates.digest)
    about = case(found, "1.0.0", "production", current=(pinned("1.1.0"),), baseline={})

    assert [one.code for one in not_yet(ask(asked, about))] == [Code.FROZEN, Code.DOWNGRADE]


def test_a_wait_says_until_when() -> None:
    found = story()
    until = found.at + timedelta(hours=1)
    found.add(found.stand(Kind.FREEZE, person("ada"), until=write_time(until)))

    verdict = gates.frozen(case(found, "1.1.0", "production"))

    assert verdict == Waiting(Code.FROZEN, "an incident", until)


def test_what_the_bot_set_is_told_by_its_code() -> None:
    found = story()
    found.add(found.stand(Kind.BLOCK, Bot(), why="evidence"))

    assert gates.blocked(case(found, "1.2.0")) == Failed(Code.BLOCKED, "evidence")


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

    assert gates.is_excluded(rule, now, person(by)) is is_barred
    assert not gates.is_excluded(rule, replace(now, kind=Kind.ROLLBACK), person(by))
    assert not gates.is_excluded(rule, replace(now, by=Bot()), person(by))


def test_who_asked_does_not_count_even_where_the_ledger_has_the_approval() -> None:
    found = at_stage(Stage.OPEN)
    now = found.promotion()
    carols = replace(now.approvals[0], by=person("carol"))
    rule = effective(rules(), "production", "web")
    assert rule

    count = gates.count_approvals(rules(), rule, replace(now, approvals=(now.approvals[0], carols)))

    assert (count.given, count.is_complete) == (1, False)


@pytest.mark.parametrize(
    ("opened", "account", "given"),
    [
        (ACCOUNTS_DECIDE, {"slack_user": "U0ADA"}, 1),
        (ACCOUNTS_DECIDE, {"forge_id": 583, "forge_login": "ada-new"}, 1),
        (ACCOUNTS_DECIDE, {}, 2),
        (ACCOUNTS_DECIDE - timedelta(seconds=1), {"slack_user": "U0ADA"}, 2),
        (ACCOUNTS_DECIDE - timedelta(seconds=1), {"forge_id": 583, "forge_login": "ada-new"}, 2),
    ],
    ids=["one in Slack", "one at the forge", "two people", "an old ledger", "an old ledger, at the forge"],
)
def test_an_account_with_two_names_fills_one_line(
    opened: datetime, account: dict[str, Any], given: int
) -> None:
    now = at_stage(Stage.OPEN).promotion()
    (ada, bob) = now.approvals
    rule = effective(rules(), "production", "web")
    assert rule
    now = replace(now, opened=opened, approvals=(ada, replace(bob, by=replace(bob.by, **account))))

    assert gates.count_approvals(rules(), rule, now).given == given


def test_who_fills_no_line_takes_none_from_the_name_that_does() -> None:
    now = at_stage(Stage.OPEN).promotion()
    (ada, bob) = now.approvals
    formerly = replace(ada, by=replace(ada.by, person="ada-l"))
    rule = effective(rules(), "production", "web")
    assert rule
    now = replace(now, opened=ACCOUNTS_DECIDE, approvals=(formerly, ada, bob))

    assert gates.count_approvals(rules(), rule, now).is_complete


def test_people_are_reminded_when_half_of_a_requests_time_is_over() -> None:
    about = case(at_stage(Stage.OPEN), "1.1.0", "production", is_asked=True)
    assert about.promotion

    due = gates.reminds(about.rules.calendar, about.rule, about.promotion)

    assert due - about.promotion.opened == about.rule.environment.expire / 2


def test_an_environment_says_in_which_of_its_windows_an_instant_is() -> None:
    found = ruled(story(), "staging", freeze=(parse_window("Tue"), parse_window("Mon 08:00-10:00")))
    about = case(found)
    where, calendar = about.rule.environment, about.rules.calendar

    assert _window(where.freeze, calendar, "", about.at) == where.freeze[1]
    assert _window(where.freeze, calendar, "", about.at + timedelta(hours=2)) is None


def test_what_the_gates_offer_is_named_once_and_is_there() -> None:
    offered = {
        name
        for name, what in vars(gates).items()
        if not name.startswith("_") and not isinstance(what, ModuleType)
    }

    assert sorted(gates.__all__) == sorted(offered)
