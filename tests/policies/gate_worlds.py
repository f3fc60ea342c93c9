"""Worlds of one service for the gates: a ledger, an environment whose keys are changed, and the case that is asked."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from policies.entries.entry import Pinned
from policies.entries.facts import Fact
from policies.gates import Case
from policies.ledger import facts as fold_facts
from policies.ledger.state import Health, Place
from policies.rules.rules import effective
from policies.times.calendar import Calendar
from tests.policies.ledger_builders import Story, oid, pinned


def case(
    found: Story,
    tag: str = "1.1.0",
    environment: str = "staging",
    *,
    image: Pinned | None = None,
    current: tuple[Pinned, ...] = (pinned("1.0.0"),),
    baseline: Mapping[Place, tuple[Pinned, ...]] | None = None,
    is_asked: bool = False,
    facts: tuple[Fact, ...] = (),
) -> Case:
    """Return what the gates are asked about web, now."""
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
        facts=facts,
    )


def ruled(found: Story, environment: str = "production", **changes: Any) -> Story:
    """Change keys of an environment, or its ``calendar``, in the rules in force, without an entry."""
    assert found.state.rules
    commit = found.state.rules.commit
    was = found.book.versions[commit]
    calendar: Calendar = changes.pop("calendar", was.calendar)
    where = replace(was.environments[environment], **changes)
    environments = {**was.environments, environment: where}
    found.book.versions[commit] = replace(was, environments=environments, calendar=calendar)
    return found


def looked(found: Story, *, is_healthy: bool, tag: str = "1.1.0", environment: str = "staging") -> Story:
    """Note that a place was seen healthy or not, now; a minute later the story goes on."""
    place, state = (environment, "web"), found.state
    state.seq += 1
    seen = Health(oid(f"health {state.seq}"), (pinned(tag),), found.at, is_healthy, state.seq)
    fold_facts.looked(state, place, seen)
    found.at += timedelta(minutes=1)
    return found


def later(found: Story, hours: float) -> Story:
    """Let time pass."""
    found.at += timedelta(hours=hours)
    return found
