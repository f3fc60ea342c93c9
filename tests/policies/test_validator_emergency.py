"""What the holder of the ledger's own key may append of emergencies and reviews: nothing but what the rule names."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from policies.codes import Code
from policies.entries.authors import MAX_ACCOUNTS, MOVERS, Authors
from policies.entries.entry import Bot, Entry, Kind, write_time
from policies.gates import TABLE, Before, at_once, before_merge
from policies.growing import Growing
from policies.ledger.emergency import due
from policies.ledger.hands import CUT_DECIDES
from policies.ledger.state import Stage
from policies.rules.rules import Apart, ConfigRule, Line, Merges, effective
from tests.policies.gate_worlds import ruled
from tests.policies.ledger_builders import (
    RULES,
    Story,
    at_stage,
    change_rules,
    hash_of,
    oid,
    person,
    pinned,
    story,
)

Made = Callable[[], tuple[Story, Entry]]
APART = Apart((Line(1, ("release-managers",)),), review=timedelta(days=2))


def _emergency(found: Story, by: str = "ada", /, tag: str = "1.1.0", **changes: Any) -> Entry:
    """Return an emergency as it would be written."""
    environment = changes.get("environment", "production")
    rule = found.rule(environment)
    last = found.state.last_move(environment, "web")
    entry = found.propose(tag, by, environment=environment, rule=rule, key="-")
    entry = replace(
        entry,
        kind=Kind.EMERGENCY,
        key="",
        promotion="",
        previous=last.image if last else found.book.stood[environment, "web"],
        note="payments fail",
        until=write_time(due(APART, found.at)),
    )
    if environment == "staging":
        entry = replace(entry, head="", commit=oid(f"now {tag}"))
    entry = replace(entry, at=write_time(found.at))
    return found.identified(replace(entry, **changes))


def _town(skips: tuple[str, ...] = (), /, environment: str = "production", **changes: Any) -> Story:
    found = ruled(story(), environment, emergency=replace(APART, skips=skips, **changes))
    found.add(found.seen("1.1.0"))
    return found


def _called(by: str = "ada", /, **changes: Any) -> tuple[Story, Entry]:
    found = _town()
    return found, _emergency(found, by, **changes)


def _in_staging(skips: tuple[str, ...] = (), /, **changes: Any) -> tuple[Story, Entry]:
    found = _town(skips, "staging")
    return found, _emergency(found, environment="staging", **changes)


def _two_in_staging() -> tuple[Story, Entry]:
    found = _town((), "staging", approvals=(Line(2),))
    return found, _emergency(found, environment="staging")


def _held_in_staging(*skips: str) -> tuple[Story, Entry]:
    found = _town(skips, "staging")
    found.add(found.stand(Kind.HOLD, person("dan")))
    return found, _emergency(found, environment="staging")


def _blocked() -> tuple[Story, Entry]:
    found = _town(("hold", "freeze", "previous", "soak"))
    found.add(found.stand(Kind.BLOCK, person("dan"), image=(pinned("1.1.0", digest=""),)))
    return found, _emergency(found)


def _merging() -> tuple[Story, Entry]:
    found = at_stage(Stage.MERGING)
    ruled(found, emergency=APART)
    return found, _emergency(found, tag="1.2.0")


def _intent(
    *skips: str, stand: Kind | None = None, staged: bool = True, **changes: Any
) -> tuple[Story, Entry]:
    found = _town(skips, **changes)
    if staged:
        found.add(found.bump("1.1.0"))
    found.add(_emergency(found))
    if stand:
        found.add(found.stand(stand, person("dan")))
    return found, found.about(Kind.INTENT)


def _pushed() -> tuple[Story, Entry]:
    """Push what is urgent past a freeze that the rule lets it skip."""
    found = ruled(_town(("freeze",)), merges=Merges.ATOMIC)
    found.add(found.bump("1.1.0"))
    found.add(_emergency(found))
    found.add(found.stand(Kind.FREEZE, person("dan")))
    found.add(found.about(Kind.INTENT))
    return found, found.about(Kind.MERGED, evidence={"pushed": True})


def _landed(*skips: str) -> Story:
    found, intent = _intent(*skips)
    found.add(intent)
    found.add(found.about(Kind.MERGED))
    found.add(found.about(Kind.LANDED))
    return found


def _review(found: Story, by: str = "dan", **changes: Any) -> tuple[Story, Entry]:
    opened = next(iter(found.state.open), 0)
    about = {"closes": opened, "note": "the fix was right"}
    return found, found.word(Kind.REVIEW, person(by), **(about | changes))


def _review_of_two(by: str) -> tuple[Story, Entry]:
    found = _town((), approvals=(Line(2, ("release-managers",)),))
    found.add(found.bump("1.1.0"))
    found.add(_emergency(found))
    found.add(found.about(Kind.APPROVE, person("bob")))
    for kind in (Kind.INTENT, Kind.MERGED, Kind.LANDED):
        found.add(found.about(kind))
    return _review(found, by)


def _remembered() -> tuple[Story, Entry]:
    """Let the ledger know who had a part in a mismatch, and nothing else of what they did."""
    found = at_stage(Stage.MISMATCH)
    made = _review(found, "ada")
    found.state.promotions = Growing()
    return made


def _moved(by: str, *, is_cut: bool = False) -> tuple[Story, Entry]:
    """Let Bob review what Ada moved, or Bob, as one of more people than a list holds; now fewer are told."""
    found, many = story(), Authors(is_known=True, people=(by,), ids=tuple(range(1000, 1000 + MAX_ACCOUNTS)))
    found.at = CUT_DECIDES
    told = many if is_cut else Authors(is_known=True, people=(by,))
    found.add(found.external("1.1.0", evidence={MOVERS: told.as_json()}))
    found, entry = _review(found, "bob")
    few = {MOVERS: Authors(is_known=True).as_json()} if is_cut else {}
    return found, replace(entry, evidence={**entry.evidence, **few})


def _files(by: str, *, is_readable: bool = True) -> tuple[Story, Entry]:
    """Let somebody review a change of guarded files."""
    found = ruled(story(), config=ConfigRule.GUARD)
    found.add(found.config("a", why="guarded"))
    if not is_readable:
        found.book.versions.clear()
    return _review(found, by)


def _overdue() -> Story:
    found = _landed()
    found.at += timedelta(days=3)
    return found


def _bump_while_overdue(environment: str, /, **changes: Any) -> tuple[Story, Entry]:
    found = _town((), "staging")
    found.add(_emergency(found, environment="staging"))
    found.at += timedelta(days=3)
    found.add(found.seen("1.2.0"))
    return found, found.bump("1.2.0", environment=environment, **changes)


FORBIDDEN: list[tuple[str, Made, Code]] = [
    ("an emergency where the rule knows none", lambda: (f := story(), _emergency(f)), Code.NO_EMERGENCY),
    ("an emergency by somebody whom its rule does not name", lambda: _called("dan"), Code.NOT_AN_APPROVER),
    ("an emergency by the bot", lambda: _called(by=Bot()), Code.UNKNOWN_PERSON),
    ("an emergency by somebody unknown", lambda: _called(by=person("eve")), Code.UNKNOWN_PERSON),
    ("an emergency without a reason", lambda: _called(note=""), Code.NOTE_MISSING),
    (
        "an emergency without a digest",
        lambda: _called(image=(pinned("1.1.0", digest=""),)),
        Code.DIGEST_UNKNOWN,
    ),
    (
        "an emergency with another digest",
        lambda: _called(image=(pinned("1.1.0", digest=pinned("x").digest),)),
        Code.DIGEST_MOVED,
    ),
    (
        "an emergency of another's image",
        lambda: _called(image=(pinned("1.1.0", repository="ghcr.io/example/cart"),)),
        Code.NO_RULE,
    ),
    (
        "an emergency under another rule",
        lambda: _called(rule=replace(story().rule("production"), hash=hash_of("x"))),
        Code.RULE_MOVED,
    ),
    (
        "an emergency where it is only observed",
        lambda: (f := ruled(_town(), "production", is_observed=True), _emergency(f)),
        Code.OBSERVED,
    ),
    ("an emergency where no rule is", lambda: _called(service="nothing"), Code.NO_RULE),
    (
        "an emergency whose review is due later",
        lambda: _called(until="2027-01-01T00:00:00Z"),
        Code.OUT_OF_LINE,
    ),
    (
        "an emergency that goes back",
        lambda: _called(tag="1.0.0", previous=(pinned("1.1.0"),)),
        Code.DOWNGRADE,
    ),
    ("an emergency of a blocked version", _blocked, Code.BLOCKED),
    ("an emergency with another's id", lambda: _called(promotion="0" * 12), Code.OUT_OF_LINE),
    ("an emergency in a guarded place by commit", lambda: _called(commit=oid("x")), Code.OUT_OF_LINE),
    ("an emergency in a guarded place without a head", lambda: _called(head=""), Code.OUT_OF_LINE),
    ("an emergency beside a merge", _merging, Code.OPEN_ELSEWHERE),
    ("an emergency by one where two are asked, by commit", _two_in_staging, Code.APPROVALS_MISSING),
    ("an emergency past a hold that it does not name", _held_in_staging, Code.HELD),
    ("an emergency past a hold by naming a freeze", lambda: _held_in_staging("freeze"), Code.HELD),
    ("a merge past the environment before", lambda: _intent(staged=False), Code.NOT_IN_PREVIOUS),
    ("a merge past a freeze", lambda: _intent(stand=Kind.FREEZE), Code.FROZEN),
    ("a merge past a freeze by naming a hold", lambda: _intent("hold", stand=Kind.FREEZE), Code.FROZEN),
    ("a merge past a hold", lambda: _intent("freeze", stand=Kind.HOLD), Code.HELD),
    (
        "a merge without its second person",
        lambda: _intent(approvals=(Line(2, ("release-managers",)),)),
        Code.APPROVALS_MISSING,
    ),
    ("a review by who called it", lambda: _review(_landed(), "ada"), Code.REQUESTER),
    ("a review by who approved it", lambda: _review_of_two("bob"), Code.REQUESTER),
    ("a review before it landed", lambda: _review(_intent()[0]), Code.NOT_OVER),
    (
        "a review by the bot",
        lambda: (f := _landed(), f.word(Kind.REVIEW, Bot(), closes=next(iter(f.state.open)), note="x")),
        Code.UNKNOWN_PERSON,
    ),
    ("a review without a word", lambda: _review(_landed(), note=""), Code.NOTE_MISSING),
    ("a review of nothing", lambda: _review(_landed(), closes=1), Code.NOT_STANDING),
    ("a review by who is remembered to have asked", _remembered, Code.REQUESTER),
    ("a review by who moved it", lambda: _moved("bob"), Code.MOVER),
    ("a review by who may have moved it", lambda: _moved("dan", is_cut=True), Code.MOVER),
    ("a review by who moved it, where now fewer are told", lambda: _moved("bob", is_cut=True), Code.MOVER),
    (
        "a review of files under rules that cannot be read",
        lambda: _files("ada", is_readable=False),
        Code.UNKNOWN_PERSON,
    ),
    ("a move while a review is overdue", lambda: _bump_while_overdue("staging"), Code.REVIEW_OVERDUE),
]


@pytest.mark.parametrize(
    ("made", "code"), [(made, code) for _, made, code in FORBIDDEN], ids=[name for name, _, _ in FORBIDDEN]
)
def test_nobody_may_append(made: Made, code: Code) -> None:
    found, entry = made()

    refusal = found.refusal(entry)

    assert refusal is not None
    assert refusal.code is code


def _over_an_approved_one() -> tuple[Story, Entry]:
    found = story().asked().approved()
    ruled(found, emergency=APART)
    return found, _emergency(found, tag="1.1.0")


def _rollback_while_overdue() -> tuple[Story, Entry]:
    found = _overdue()
    return found, found.rollback("1.0.0")


ALLOWED: list[tuple[str, Made]] = [
    ("an emergency", _called),
    ("an emergency in staging, at once", _in_staging),
    ("an emergency in staging past a hold that it names", lambda: _held_in_staging("hold")),
    ("an emergency in the place of what is approved", _over_an_approved_one),
    ("a merge of an emergency", _intent),
    ("a merge past the environment before that it names", lambda: _intent("previous", staged=False)),
    ("a merge past a freeze that it names", lambda: _intent("freeze", stand=Kind.FREEZE)),
    ("a push past a freeze that it names", _pushed),
    ("a review by a bystander", lambda: _review(_landed())),
    ("a review by another bystander", lambda: _review_of_two("carol")),
    ("a review of files", lambda: _files("ada")),
    ("a review that is late", lambda: _review(_overdue())),
    ("a rollback while a review is overdue", _rollback_while_overdue),
]


@pytest.mark.parametrize("made", [made for _, made in ALLOWED], ids=[name for name, _ in ALLOWED])
def test_the_rule_lets_through(made: Made) -> None:
    found, entry = made()

    found.add(entry)


def test_what_was_open_is_superseded_and_blocks_nothing() -> None:
    found = at_stage(Stage.LANDED)
    ruled(found, emergency=APART)
    before = found.add(found.rollback("1.0.0"))
    assert found.state.blocks

    found.add(_emergency(found, tag="1.2.0"))

    assert found.state.promotions[before.promotion].stage is Stage.SUPERSEDED
    assert not found.state.blocks
    live = found.state.live_at("production", "web")
    assert live is not None
    assert (live.is_emergency, live.image) == (True, (pinned("1.2.0"),))
    assert [one.by.person for one in live.approvals] == ["ada"]


def test_what_did_not_happen_needs_no_review() -> None:
    found = _town()
    found.add(_emergency(found))
    assert found.state.open

    found.add(found.about(Kind.CANCEL, person("ada")))

    assert not found.state.open


def test_a_review_closes_it_for_good() -> None:
    found, entry = _review(_overdue())
    assert found.state.overdue("production", found.at)
    found.add(entry)

    assert not found.state.overdue("production", found.at)
    assert not found.state.open
    assert not found.state.overdue("staging", found.at)


def test_where_the_rule_does_not_say_a_review_is_due_in_two_days() -> None:
    at = story().at
    assert due(replace(APART, review=None), at) == at + timedelta(days=2)
    assert due(replace(APART, review=timedelta(hours=1)), at) == at + timedelta(hours=1)


@pytest.mark.parametrize("skip", sorted({row.skip for row in TABLE if row.skip}))
def test_an_emergency_skips_only_what_it_names(skip: str) -> None:
    found = _town((skip,))
    found.add(_emergency(found))
    found.add(found.about(Kind.CANCEL, person("ada")))
    rule = found.book.versions[found.book.line[0]].environments["production"]
    assert rule.emergency

    asked = set(at_once(rule.emergency))

    kept = {row.gate for row in TABLE if Before.ALONE in row.before and row.skip != skip}
    assert {row.gate for row in TABLE if row.name in {"jump", "known-before"}} == kept - asked
    assert asked <= kept


def test_an_emergency_whose_rule_is_gone_is_judged_as_any_other() -> None:
    found = _town()
    found.add(found.bump("1.1.0"))
    found.add(_emergency(found))
    change_rules(found, RULES)

    now = found.promotion()

    in_force = found.book.versions[found.book.line[-1]]
    rule = in_force.environments["production"]
    assert rule.emergency is None
    judged = effective(in_force, "production", "web")
    assert judged
    assert before_merge(judged, now) == before_merge(judged, replace(now, kind=Kind.PROPOSE))
    refusal = found.refusal(found.about(Kind.INTENT))
    assert refusal is not None


@pytest.mark.parametrize("made", [made for _, made, _ in FORBIDDEN], ids=[name for name, _, _ in FORBIDDEN])
def test_all_that_speaks_against_an_entry_can_be_told(made: Made) -> None:
    found, entry = made()

    reasons = found.reasons(entry)

    assert reasons
    assert reasons[0] == found.refusal(entry)
