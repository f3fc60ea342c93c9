"""Laws of the gates: one question for everybody, time only opens, others' services do not matter, unknown waits."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies import gates
from policies.decide import Standing, decide_row
from policies.entries.entry import Kind
from policies.entries.facts import Fact, Finding, to_json
from policies.gates import Before, ask, outside
from policies.growing import Trail
from policies.images.evidence import TagList
from policies.images.image import Digest, Repository, Tag
from policies.ledger.state import Stage
from policies.rules.rules import Apart, Environment, Limit, Line, OutsideGate
from policies.times.windows import parse_window
from policies.verdict import Failed, Passed, Waiting
from policies.world import Pin, World
from tests.policies.gate_stops import FAR, STOPS, alone, approved
from tests.policies.gate_time_cases import CASES
from tests.policies.gate_worlds import case, later, ruled
from tests.policies.ledger_builders import IMAGE, Story, at_stage, person, pinned, story
from tests.policies.test_gates import ALL

KINDS = ("checks", "http", "prometheus", "signature", "labels")
OPENED_BY_TIME = {gates.soak, gates.age, gates.limit}
WINDOWS = ["Mon 08:00-09:30", "Mon 10:00-12:00", "Tue", "closed"]
FINDINGS = st.none() | st.sampled_from(Finding)


def _facts(findings: dict[str, Finding | None], at: datetime, *, minutes: int = 0) -> tuple[Fact, ...]:
    looked = at - timedelta(minutes=minutes)
    return tuple(
        Fact(kind, found, "" if found is Finding.PASSED else "gate-unknown", "", looked)
        for kind, found in findings.items()
        if found
    )


def _world(found: Story, facts: tuple[Fact, ...]) -> World:
    assert found.state.rules
    pins = {}
    for place, stood in found.book.stood.items():
        move = found.state.last_move(*place)
        pins[place] = Pin(move.image if move else stood)
    repository, tag = Repository(IMAGE), Tag("1.9.0")
    return World(
        rules=found.book.versions[found.state.rules.commit],
        commit=found.book.line[-1],
        state=found.state,
        pins=pins,
        tags={repository: TagList(("1.0.0", "1.1.0", "1.9.0"))},
        digests={(repository, tag): Digest(pinned("1.9.0").digest)},
        baseline=found.book.stood,
        facts={
            (environment, "web", (pinned(version).digest,)): facts
            for environment, version in (("staging", "1.9.0"), ("production", "1.1.0"))
        },
    )


@settings(deadline=None, max_examples=60)
@given(
    findings=st.dictionaries(st.sampled_from(KINDS), FINDINGS),
    asked=st.sets(st.sampled_from(KINDS)),
    windows=st.sets(st.sampled_from(WINDOWS)),
    count=st.integers(1, 3),
    minutes=st.integers(0, 12),
)
def test_the_bot_moves_alone_only_what_all_gates_let_through_and_the_validator_asks_the_same(
    findings: dict[str, Finding | None],
    asked: set[str],
    windows: set[str],
    count: int,
    minutes: int,
) -> None:
    found = story().staged("1.1.0")
    found.add(found.seen("1.9.0"))
    ruled(
        found,
        "staging",
        gates=tuple(OutsideGate(kind, kind) for kind in sorted(asked)),
        freeze=tuple(parse_window(one) for one in sorted(windows)),
        limit=Limit(count, timedelta(hours=1)),
    )
    facts = _facts(findings, found.at, minutes=minutes)
    row = decide_row(_world(found, facts), "staging", "web", found.at)
    evidence = {"facts": to_json(facts)} if facts else {}

    refusal = found.refusal(found.bump("1.9.0", evidence=evidence))

    about = case(found, "1.9.0", current=(pinned("1.1.0"),), facts=facts)
    passes = all(isinstance(verdict, Passed) for verdict in ask(gates.ALONE, about))
    assert row
    assert (row.candidates[0].verdict is Standing.READY) is passes
    assert (refusal is None) is passes


@settings(deadline=None, max_examples=40)
@given(
    findings=st.dictionaries(st.sampled_from(KINDS), FINDINGS),
    asked=st.sets(st.sampled_from(KINDS)),
    windows=st.sets(st.sampled_from(WINDOWS)),
    soak=st.integers(0, 180),
    hours=st.integers(0, 5),
)
def test_what_is_approved_merges_only_when_all_gates_let_it_and_the_validator_asks_the_same(
    findings: dict[str, Finding | None], asked: set[str], windows: set[str], soak: int, hours: int
) -> None:
    named = tuple(OutsideGate(kind, kind) for kind in sorted(asked))
    frozen = tuple(parse_window(one) for one in sorted(windows))
    found = ruled(story().staged("1.1.0"), gates=named, freeze=frozen, soak=timedelta(minutes=soak))
    found.add(found.propose("1.1.0"))
    later(found.approved(), hours)
    facts = _facts(findings, found.at)
    row = decide_row(_world(found, facts), "production", "web", found.at)
    assert row
    mine = next(one for one in row.candidates if one.promotion)
    intent = found.about(Kind.INTENT)
    intent = replace(intent, evidence={**intent.evidence, "facts": to_json(facts)})

    refusal = found.refusal(intent)

    assert (mine.verdict is Standing.READY) is (refusal is None)


@pytest.mark.parametrize("name", [name for name, one in CASES.items() if one[0] in OPENED_BY_TIME])
@pytest.mark.parametrize("hours", [0.1, 1, 2, 30, 9000])
def test_time_only_opens_soak_age_and_limit(name: str, hours: float) -> None:
    gate, make, _ = CASES[name]
    about = make()
    now, then = gate(about), gate(replace(about, at=about.at + timedelta(hours=hours)))

    assert isinstance(then, Passed) or not isinstance(now, Passed)
    if isinstance(now, Waiting) and now.until:
        assert isinstance(gate(replace(about, at=now.until)), Passed)
        assert not isinstance(gate(replace(about, at=now.until - timedelta(seconds=1))), Passed)


@pytest.mark.parametrize("row", gates.TABLE, ids=lambda row: row.name)
def test_what_other_services_do_changes_no_verdict(row: gates.Row) -> None:
    found = at_stage(Stage.OPEN)
    ruled(found, soak=timedelta(hours=1), age=timedelta(hours=1), limit=Limit(1, timedelta(hours=9)))
    about = case(found, "1.1.0", "production", is_asked=True)
    before = row.gate(about)
    other = {"service": "cart", "image": (pinned("1.1.0", repository="ghcr.io/example/cart"),)}
    state = found.state
    move = state.moves["staging", "web"][0]
    state.moves["production", "cart"] = Trail((replace(move, image=other["image"]),) * 3)  # type: ignore[arg-type]  # images
    found.add(found.seen("1.1.0", before=True, service="cart"))
    for kind in (Kind.HOLD, Kind.BLOCK):
        changes = other if kind is Kind.BLOCK else {"service": "cart"}
        found.add(found.stand(kind, person("ada"), **changes))

    assert row.gate(about) == before


@given(
    st.sampled_from(KINDS), st.lists(st.tuples(st.sampled_from(["mine", "other"]), st.sampled_from(Finding)))
)
def test_an_outside_gate_passes_only_by_a_fact_that_says_so(
    kind: str, said: list[tuple[str, Finding]]
) -> None:
    found = ruled(story(), "staging", gates=(OutsideGate(kind, "mine"),))
    facts = tuple(Fact(name, one, "", "", found.at) for name, one in said)
    gate = next(row.gate for row in gates.TABLE if row.name == kind)

    verdict = gate(case(found, facts=facts))

    mine = [one for name, one in said if name == "mine"]
    assert isinstance(verdict, Passed) is (mine[:1] == [Finding.PASSED])
    assert isinstance(verdict, Failed) is (mine[:1] == [Finding.FAILED])


def test_each_gate_asks_a_question() -> None:
    assert all(row.question.endswith("?") or "?" in row.question for row in gates.TABLE)
    assert len({row.name for row in gates.TABLE}) == len(gates.TABLE)


def test_neither_digest_nor_signature_nor_a_block_can_be_skipped() -> None:
    kept = {
        "downgrade",
        "went-back",
        "digest",
        "jump",
        "blocked",
        "known-before",
        "platforms",
        "signature",
        "expired",
        "approvals",
    }

    assert {row.name for row in gates.TABLE if not row.skip} == kept


@pytest.mark.parametrize("word", gates.SKIPPABLE)
def test_an_emergency_passes_what_its_rule_names_and_nothing_else(word: str) -> None:
    found = ruled(at_stage(Stage.OPEN), emergency=Apart((Line(1),), skips=(word, "signature", "digest")))
    about = case(found, "1.1.0", "production", is_asked=True)
    assert about.promotion
    urgent = replace(about.promotion, kind=Kind.EMERGENCY)

    asked = gates.before_merge(about.rule, urgent)

    passed = {row.gate for row in gates.TABLE if row.skip == word}
    assert set(asked) == set(gates.MERGED) - passed
    assert gates.before_merge(about.rule, about.promotion) == gates.MERGED
    assert gates.before_merge(replace(about.rule, environment=_plain(about)), urgent) == gates.MERGED


def test_a_rollback_passes_everything_or_what_its_rule_names() -> None:
    skips = tuple(set(gates.SKIPPABLE) - {"hold"})
    about = case(
        ruled(at_stage(Stage.OPEN), rollback=Apart((Line(1),), skips=skips)),
        "1.1.0",
        "production",
        is_asked=True,
    )
    assert about.promotion
    back = replace(about.promotion, kind=Kind.ROLLBACK)

    assert gates.before_merge(about.rule, back) == (gates.held, *gates.ROLLED_BACK)
    assert gates.before_merge(replace(about.rule, environment=_plain(about)), back) == gates.ROLLED_BACK


def _plain(about: gates.Case) -> Environment:
    return replace(about.rule.environment, emergency=None, rollback=Apart((Line(1),)))


# --- every gate of the table ------------------------------------------------------------------------------------


def _rows(stand: Before) -> list[gates.Row]:
    return [row for row in gates.TABLE if stand in row.before]


def _alone(found: Story) -> set[str]:
    """Return what the validator has against a move in production by the bot alone."""
    tag = FAR if ("web", IMAGE, FAR) in found.state.seen else "1.1.0"
    entry = found.bump(tag, environment="production", previous=found.book.stood["production", "web"])
    return {one.code.value for one in found.reasons(entry)}


def _merge(found: Story) -> set[str]:
    return {one.code.value for one in found.reasons(found.about(Kind.INTENT))}


@pytest.mark.parametrize("row", _rows(Before.ALONE), ids=lambda row: row.name)
def test_nothing_moves_alone_with_a_gate_that_has_not_passed(row: gates.Row) -> None:
    assert _alone(alone()) == set()

    found = alone()
    STOPS[row.name](found)

    assert _alone(found) & {code.value for code in row.codes}


@pytest.mark.parametrize("row", _rows(Before.MERGED), ids=lambda row: row.name)
def test_nothing_merges_with_a_gate_that_has_not_passed(row: gates.Row) -> None:
    assert _merge(approved()) == set()

    found = approved()
    STOPS[row.name](found)

    assert _merge(found) & {code.value for code in row.codes}


def test_what_stands_before_a_merge_stands_before_a_move_alone_and_before_an_offer() -> None:
    of_requests = {"expired", "approvals", "merge-within"}

    for row in _rows(Before.MERGED):
        assert row.name in of_requests or Before.ALONE | Before.OFFERED in row.before


def test_every_gate_that_asks_outside_is_known_as_one() -> None:
    asks = {row.gate for row in gates.TABLE if row.gate.__module__ == outside.__name__}

    assert asks == outside.GATES
    assert {row.name for row in gates.TABLE if row.gate in asks} == {*KINDS, "platforms"}
    assert {*KINDS, gates.PLATFORMS} > outside.OF_CONTENT


def test_every_gate_has_something_that_puts_it_in_the_way() -> None:
    assert STOPS.keys() == {row.name for row in gates.TABLE}


@pytest.mark.parametrize("name", [name for name, one in ALL.items() if one[2]])
def test_a_gate_that_has_not_passed_stands_before_all_that_its_row_names(name: str) -> None:
    gate, make, code = ALL[name]
    (row,) = (one for one in gates.TABLE if one.gate is gate)
    about = make()
    stands = dict(
        zip(Before, (gates.ALONE, gates.ASKED, gates.OFFERED, gates.MERGED, gates.ROLLED_BACK), strict=True)
    )

    for stand, asked in stands.items():
        said = {one.code for one in ask(asked, about) if not isinstance(one, Passed)}
        assert stand not in row.before or code in said


# What each gate is asked of that may not be known: of an image, of an environment before, of answers, of teams.
# The rest asks the ledger and the rules, in which nothing is unknown; an old tag without a place in the order is none.
UNKNOWN = {
    "digest": ("no digest",),
    "previous": ("nothing stood there", "has not run"),
    "takes": ("takes from an environment of which nothing is known",),
    "health": ("not reported yet", "another version is healthy"),
    "soak": ("has not run, so it does not soak", "waits for the first healthy"),
    "age": ("of unknown age",),
    "checks": ("checks is not looked at", "checks looked at too long ago"),
    "http": ("http is not looked at",),
    "prometheus": ("prometheus is not looked at",),
    "signature": (
        "signature is not looked at",
        "signature without its trust root",
        "signature that cannot be read here",
    ),
    "labels": ("labels is not looked at",),
    "platforms": ("platforms not looked at",),
    "approvals": ("nobody asked", "by a team that was not looked up"),
}
BY_LEDGER = {
    "downgrade", "went-back", "jump", "blocked", "known-before", "hold", "freeze", "config", "window", "limit",
    "expired", "merge-within",
}  # fmt: skip


def test_of_every_gate_it_is_said_what_it_is_asked_of_that_may_not_be_known() -> None:
    assert UNKNOWN.keys() | BY_LEDGER == {row.name for row in gates.TABLE}
    assert not UNKNOWN.keys() & BY_LEDGER


@pytest.mark.parametrize(("row", "name"), [(row, name) for row, names in UNKNOWN.items() for name in names])
def test_what_is_not_known_waits_and_never_passes(row: str, name: str) -> None:
    gate, make, _ = ALL[name]
    about = make()

    assert gate is next(one.gate for one in gates.TABLE if one.name == row)
    assert isinstance(gate(about), Waiting)
    assert isinstance(gate(replace(about, at=about.at + timedelta(days=999))), Waiting)


@pytest.mark.parametrize("finding", Finding)
@pytest.mark.parametrize("row", [row for row in gates.TABLE if row.name in KINDS], ids=lambda row: row.name)
def test_an_answer_of_too_long_ago_or_of_the_future_is_not_known(row: gates.Row, finding: Finding) -> None:
    found = ruled(story(), "staging", gates=(OutsideGate(row.name, "mine"),))
    for looked in (found.at - timedelta(days=2), found.at + timedelta(hours=1)):
        for is_offer in (False, True):
            about = case(found, facts=(Fact("mine", finding, "", "", looked),))
            verdict = row.gate(replace(about, is_offer=is_offer))
            assert isinstance(verdict, Waiting)
            assert verdict.code == "gate-unknown"


@pytest.mark.parametrize("name", [name for name, one in ALL.items() if one[2]])
@pytest.mark.parametrize("hours", [2, 9000])
def test_time_alone_opens_only_what_says_when(name: str, hours: float) -> None:
    gate, make, _ = ALL[name]
    about = make()
    now, then = gate(about), gate(replace(about, at=about.at + timedelta(hours=hours)))

    until = now.until if isinstance(now, Waiting) else None
    assert isinstance(then, Passed) <= (until is not None)
    assert until is None or gate in OPENED_BY_TIME | {gates.freeze}
