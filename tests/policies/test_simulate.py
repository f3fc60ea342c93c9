"""Simulation: the same rules change nothing; each way in which changed rules would have judged otherwise is told."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.codes import Code
from policies.emergency import due
from policies.entry import Kind, Sighting, write_time
from policies.rules import Apart, Environment, Line, Rules
from policies.simulate import Difference, Outcome, Simulation, simulate
from tests.policies.gate_worlds import ruled
from tests.policies.ledger_builders import (
    RULES,
    START,
    Story,
    change_rules,
    oid,
    person,
    pinned,
    rules,
    story,
)

LATE = START + timedelta(days=30)


def replay(found: Story, changed: Rules, *, since: datetime = START, until: datetime = LATE) -> Simulation:
    """Simulate what happened in a story under changed rules."""
    return simulate(
        "2026",
        found.entries,
        old=found.book.rules,
        new=changed,
        baseline=lambda _rules, environment, service: found.book.stood.get((environment, service), ()),
        since=since,
        until=until,
    )


def with_keys(environment: str, text: str = RULES, **keys: Any) -> Rules:
    """Return rules in which one environment has other keys."""
    base = rules(text)
    changed: Environment = replace(base.environments[environment], **keys)
    return replace(base, environments={**base.environments, environment: changed})


def told(simulation: Simulation) -> list[tuple[str, str, str, tuple[str, ...]]]:
    """Return what a reader looks at first."""
    return [(one.outcome.value, one.environment, one.version, one.codes) for one in simulation.differences]


def a_week() -> Story:
    """Two versions reach production, one is rolled back, one is refused by nobody and never asked for."""
    found = story().asked("1.1.0").approved().landed()
    found.at += timedelta(hours=3)
    found.asked("1.2.0").approved().landed()
    found.add(found.rollback("1.1.0", "bob"))
    found.approved("ada") if found.promotion().stage.value == "open" else None
    found.landed()
    return found.staged("1.3.0")


def test_the_rules_that_were_in_force_change_nothing() -> None:
    found = replay(a_week(), rules())

    assert found.differences == ()
    assert found.unknown == ()
    assert found.moves == 6


def test_rules_that_changed_on_the_way_change_nothing_where_they_end() -> None:
    happened = story().asked("1.1.0").approved().landed()
    change_rules(happened, RULES.replace("2 of release-managers", "1 of release-managers"))
    happened.asked("1.2.0").approved("ada").landed()

    assert told(replay(happened, rules())) == [("stopped", "production", "1.2.0", ("approvals-missing",))]


def test_a_longer_soak_makes_a_move_later_and_says_when() -> None:
    happened = story().asked("1.1.0").approved().landed()

    (difference,) = replay(happened, with_keys("production", soak=timedelta(hours=2))).differences

    assert difference.outcome is Outcome.LATER
    assert difference.codes == (Code.SOAKING.value,)
    assert difference.then == happened.at - timedelta(minutes=7) + timedelta(hours=2)


def test_a_shorter_soak_lets_a_version_through_earlier() -> None:
    slow = with_keys("production", soak=timedelta(hours=2))
    happened = story()
    happened.book.versions[happened.book.line[0]] = slow
    happened = Story(happened.book)
    happened.add(happened.genesis())
    happened.add(happened.rules_at(happened.book.line[0]))
    happened.staged("1.1.0")
    happened.at += timedelta(hours=3)
    happened.add(happened.propose("1.1.0"))
    happened.approved().landed()

    (difference,) = replay(happened, rules()).differences

    assert (difference.outcome, difference.version) == (Outcome.EARLIER, "1.1.0")
    assert difference.then == START + timedelta(minutes=3)


@pytest.mark.parametrize(
    ("keys", "codes"),
    [
        ({"approvals": (Line(3, ("release-managers",)),)}, (Code.APPROVALS_MISSING.value,)),
        ({"approvals": (Line(1, ("dan",)),)}, (Code.APPROVALS_MISSING.value,)),
        ({"after": ("nowhere",)}, (Code.NOT_IN_PREVIOUS.value,)),
    ],
    ids=["more-people", "other-people", "another-environment-before"],
)
def test_a_stricter_rule_stops_what_was_merged(keys: dict[str, Any], codes: tuple[str, ...]) -> None:
    happened = story().asked("1.1.0").approved().landed()

    assert told(replay(happened, with_keys("production", **keys))) == [
        ("stopped", "production", "1.1.0", codes)
    ]


def test_asking_for_approvals_stops_what_moved_by_itself() -> None:
    happened = story().staged("1.1.0")

    found = replay(happened, with_keys("staging", approvals=(Line(1),)))

    assert told(found) == [("stopped", "staging", "1.1.0", ("approvals-missing",))]


def test_an_environment_that_is_not_covered_any_more_stops_its_moves() -> None:
    happened = story().staged("1.1.0")
    text = RULES.replace("  web: {image: ghcr.io/example/web, versions: 1.x}\n", "")

    assert told(replay(happened, rules(text))) == [("stopped", "staging", "1.1.0", ("no-rule",))]


def test_asking_nobody_lets_through_what_nobody_asked_for() -> None:
    happened = story().staged("1.1.0", "1.2.0")

    found = replay(happened, with_keys("production", approvals=()))

    assert told(found) == [
        ("allowed", "production", "1.1.0", ()),
        ("allowed", "production", "1.2.0", ()),
    ]


def test_time_alone_lets_a_version_through_after_the_last_entry() -> None:
    happened = story().staged("1.1.0")
    stood = happened.at

    found = replay(happened, with_keys("production", approvals=(), soak=timedelta(hours=5)))

    assert [(one.outcome, one.then) for one in found.differences] == [
        (Outcome.ALLOWED, stood - timedelta(minutes=1) + timedelta(hours=5))
    ]
    assert replay(happened, with_keys("production", approvals=(), soak=timedelta(days=60))).differences == ()


def test_a_freeze_counts_for_the_changed_rules_too() -> None:
    happened = story().staged("1.1.0")
    happened.add(happened.stand(Kind.FREEZE, person("ada")))
    happened.at += timedelta(hours=1)
    happened.add(happened.stand(Kind.UNFREEZE, person("ada")))

    found = replay(happened, with_keys("production", approvals=(), soak=timedelta(minutes=10)))

    assert [one.then for one in found.differences] == [happened.at - timedelta(minutes=1)]


def test_other_versions_are_known_only_as_far_as_they_were_selected() -> None:
    happened = story().staged("1.1.0")
    text = RULES.replace(
        "web: {image: ghcr.io/example/web, versions: 1.x}", "web: {image: ghcr.io/example/web, versions: 2.x}"
    )

    found = replay(happened, rules(text))

    assert any("of other versions only those are known" in line for line in found.unknown)


def test_only_moves_since_then_are_judged() -> None:
    happened = story().staged("1.1.0")

    found = replay(happened, with_keys("staging", approvals=(Line(1),)), since=happened.at)

    assert (found.moves, found.differences) == (0, ())


def test_a_digest_that_a_person_moved_is_judged_as_it_was() -> None:
    happened = story().asked("1.1.0").approved().landed()

    (difference,) = replay(happened, with_keys("production", approvals=(Line(4),))).differences

    assert difference == Difference(
        Outcome.STOPPED, "production", "web", pinned("1.1.0").tag, difference.at, None, difference.reasons
    )


def test_digests_of_a_tag_that_moves_are_versions_of_their_own() -> None:
    text = RULES.replace("versions: 1.x}\n  cart", "versions: {digest-of: latest}}\n  cart")
    happened = story(text)
    latest = [pinned("latest", digest=f"sha256:{digit * 64}") for digit in "012"]
    for environment in ("staging", "production"):
        happened.book.stood[environment, "web"] = (latest[0],)
    for image in latest[1:]:
        sighting = Sighting("web", image.repository, image.tag, image.digest)
        happened.add(replace(happened.seen("latest"), seen=(sighting,)))
        happened.add(happened.bump("latest", image=(image,)))

    stopped = told(replay(happened, with_keys("staging", text, after=("nowhere",))))

    assert told(replay(happened, rules(text))) == []
    assert [(outcome, environment) for outcome, environment, _, _ in stopped] == [("stopped", "staging")] * 2


@given(st.lists(st.sampled_from(["stage", "land", "freeze", "wait"]), max_size=8))
def test_whatever_happened_today_s_rules_reproduce_it(steps: list[str]) -> None:
    found = story()
    for number, step in enumerate(steps, start=1):
        match step:
            case "stage":
                found.staged(f"1.{number}.0")
            case "land":
                if found.state.freeze_on("production", found.at) is None:
                    found.asked(f"1.{number}.0").approved().landed()
            case "freeze":
                if found.state.freeze_on("production", found.at) is None:
                    found.add(found.stand(Kind.FREEZE, person("ada")))
            case _:
                found.at += timedelta(hours=7)

    assert replay(found, rules()).differences == ()


def test_a_way_back_by_commit_asks_no_gate() -> None:
    happened = story().staged("1.1.0", "1.2.0")
    happened.add(happened.rollback("1.1.0", environment="staging"))

    assert told(replay(happened, with_keys("staging", soak=timedelta(days=9)))) == []


def test_an_emergency_by_commit_asks_what_its_rule_does_not_skip() -> None:
    apart = Apart((Line(1, ("release-managers",)),), review=timedelta(days=2))
    happened = ruled(story(), "staging", emergency=apart)
    happened.add(happened.seen("1.1.0"))
    entry = happened.propose("1.1.0", "ada", environment="staging", rule=happened.rule("staging"), key="-")
    entry = replace(
        entry,
        kind=Kind.EMERGENCY,
        key="",
        promotion="",
        previous=happened.book.stood["staging", "web"],
        note="payments fail",
        until=write_time(due(apart, happened.at)),
        head="",
        commit=oid("now"),
        at=write_time(happened.at),
    )
    happened.add(happened.identified(entry))

    found = replay(happened, with_keys("staging", emergency=apart))

    assert found.moves == 1
