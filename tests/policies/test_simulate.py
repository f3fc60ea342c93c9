"""Simulation: the same rules change nothing; each way in which changed rules would have judged otherwise is told."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.codes import Code
from policies.entries.entry import Kind, Pinned, Sighting, write_time
from policies.entries.facts import Fact, Finding, to_json
from policies.ledger.emergency import due
from policies.rules.rules import Apart, Environment, Limit, Line, OutsideGate, Rules, Trouble
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
HOOK = OutsideGate("http", "http", {"url": ("https://example.com/state",)})


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
        stood_since=lambda _rules, environment, service: found.book.stood_since.get((environment, service)),
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


def held_by_soak(hours: float = 2, **keys: Any) -> Story:
    """Ask for a version that soaks in the rules of then; Ada approves after five minutes, Bob after six."""
    then = with_keys("production", soak=timedelta(hours=hours), **keys)
    happened = Story(story().book)
    happened.book.versions[happened.book.line[0]] = then
    happened.add(happened.genesis())
    happened.add(happened.rules_at(happened.book.line[0]))
    happened.asked("1.1.0").approved("ada", "bob")
    return happened


def merged_later(happened: Story, hours: float = 3) -> Story:
    """Let time pass and the bot merge."""
    happened.at += timedelta(hours=hours)
    return happened.landed()


def test_a_shorter_soak_lets_a_version_through_when_it_was_asked_for_and_approved() -> None:
    happened = held_by_soak()
    approved = happened.at - timedelta(minutes=1)

    (difference,) = replay(merged_later(happened), rules()).differences

    assert (difference.outcome, difference.version) == (Outcome.EARLIER, "1.1.0")
    assert difference.then == approved


def test_a_shorter_soak_that_ends_after_the_approvals_counts_from_its_own_end() -> None:
    happened = merged_later(held_by_soak())

    (difference,) = replay(happened, with_keys("production", soak=timedelta(hours=1))).differences

    assert (difference.outcome, difference.then) == (
        Outcome.EARLIER,
        START + timedelta(minutes=3) + timedelta(hours=1),
    )


def test_fewer_approvals_let_a_version_through_when_enough_of_them_were_in() -> None:
    happened = story().asked("1.1.0").approved("ada")
    first = happened.at - timedelta(minutes=1)
    happened.at += timedelta(minutes=9)
    happened.approved("bob").landed()
    fewer = with_keys("production", approvals=(Line(1, ("release-managers",)),))

    found = replay(happened, fewer)

    assert [(one.outcome, one.then) for one in found.differences] == [(Outcome.EARLIER, first)]


def test_people_who_join_a_team_count_from_when_they_approved() -> None:
    then = RULES.replace("approvals: 2 of release-managers", "approvals: [1 of leads, 1 of release-managers]")
    then = then.replace("teams: {", "teams: {leads: [bob], ")
    happened = story(then).asked("1.1.0", "dan").approved("ada", "carol")
    both = happened.at - timedelta(minutes=1)
    happened.at += timedelta(minutes=9)
    happened.approved("bob").landed()

    found = replay(happened, rules(then.replace("leads: [bob]", "leads: [bob, carol]")))

    assert replay(happened, rules(then)).differences == ()
    assert [(one.outcome, one.then) for one in found.differences] == [(Outcome.EARLIER, both)]


def test_fewer_approvals_let_through_what_was_asked_for_and_turned_down() -> None:
    happened = story().asked("1.1.0").approved("ada")
    approved = happened.at - timedelta(minutes=1)
    happened.add(happened.about(Kind.REJECT, person("bob")))
    fewer = with_keys("production", approvals=(Line(1, ("release-managers",)),))

    found = replay(happened, fewer)

    assert [(one.outcome, one.version, one.then) for one in found.differences] == [
        (Outcome.ALLOWED, "1.1.0", approved)
    ]
    assert replay(happened, fewer, since=approved + timedelta(minutes=1)).differences == ()


def test_what_is_being_merged_at_the_end_did_move() -> None:
    happened = story().asked("1.1.0").approved("ada")
    happened.at += timedelta(minutes=9)
    happened.approved("bob").add(happened.about(Kind.INTENT))
    ruled(happened, gates=(HOOK,))  # the ledger alone does not say when these rules would have let it

    assert told(replay(happened, rules())) == []


def test_a_request_in_a_place_that_the_changed_rules_leave_out_is_not_weighed() -> None:
    happened = story().asked("1.1.0").approved("ada")
    text = RULES.replace("versions: 1.x}\n  cart", "versions: 1.x, environments: [staging]}\n  cart")

    assert told(replay(happened, rules(text))) == []


# --- outside gates -------------------------------------------------------------------------------------------------


def test_a_gate_that_nobody_asked_is_not_known_and_never_earlier() -> None:
    happened = merged_later(held_by_soak())

    found = replay(happened, with_keys("production", gates=(HOOK,)))

    assert told(found) == [("unknown", "production", "1.1.0", ("gate-unknown",))]
    assert found.differences[0].then is None
    assert found.unknown == ("web 1.1.0 in production: http has not been looked at yet",)


def test_a_gate_that_was_asked_when_it_moved_was_not_asked_before() -> None:
    happened = held_by_soak(gates=(HOOK,))
    happened.at += timedelta(hours=3)
    fact = Fact("http", Finding.PASSED, "", "open", happened.at)
    intent = happened.about(Kind.INTENT)
    happened.add(replace(intent, evidence={**intent.evidence, "facts": to_json([fact])}))
    happened.add(happened.about(Kind.MERGED))
    happened.add(happened.about(Kind.LANDED))

    soaked = with_keys("production", soak=timedelta(hours=2), gates=(HOOK,))
    assert told(replay(happened, soaked)) == []
    assert told(replay(happened, with_keys("production", gates=(HOOK,)))) == [
        ("unknown", "production", "1.1.0", ("gate-unknown",))
    ]
    assert told(replay(happened, with_keys("production"))) == [("earlier", "production", "1.1.0", ())]


def test_a_gate_that_nobody_asked_beside_what_stops_a_move_is_said_with_it() -> None:
    happened = story().asked("1.1.0").approved().landed()
    strict = with_keys("production", gates=(HOOK,), approvals=(Line(3, ("release-managers",)),))

    assert told(replay(happened, strict)) == [
        ("stopped", "production", "1.1.0", ("gate-unknown", "approvals-missing"))
    ]


def test_what_nobody_asks_for_hangs_on_a_gate_that_was_not_asked_too() -> None:
    happened = story().staged("1.1.0")

    found = replay(happened, with_keys("production", approvals=(), gates=(HOOK,)))

    assert told(found) == [("unknown", "production", "1.1.0", ("gate-unknown",))]
    assert found.differences[0].then is None


def test_a_team_that_nobody_looked_up_is_not_known() -> None:
    happened = story().asked("1.1.0").approved().landed()
    text = RULES.replace("[ada, bob, carol]", "github:acme/releases")

    assert told(replay(happened, rules(text))) == [("unknown", "production", "1.1.0", ("members-unknown",))]


# --- where people are asked ----------------------------------------------------------------------------------------


def test_what_nobody_asked_for_is_not_let_through_where_people_are_asked() -> None:
    happened = story()
    happened.add(happened.seen("1.1.0"))
    happened.add(happened.seen("1.2.0"))
    happened.add(happened.bump("1.2.0"))

    assert told(replay(happened, with_keys("staging", approvals=(Line(1),)))) == [
        ("stopped", "staging", "1.2.0", ("approvals-missing",))
    ]
    assert told(replay(happened, with_keys("production", soak=timedelta(hours=1)))) == []
    later = with_keys("production", after=())
    assert told(replay(happened, later)) == []


# --- versions ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("versions", "code"),
    [
        ("1.5.x", "out-of-range"),
        ("{semver: 1.x, tags: '^2'}", "tag-filtered"),
    ],
)
def test_a_version_that_the_changed_rules_do_not_take_is_stopped(versions: str, code: str) -> None:
    happened = story().asked("1.1.0").approved().landed().staged("1.5.1")
    text = RULES.replace(
        "web: {image: ghcr.io/example/web, versions: 1.x}",
        f"web: {{image: ghcr.io/example/web, versions: {versions}}}",
    )

    found = told(replay(happened, rules(text)))

    assert found[:2] == [("stopped", where, "1.1.0", (code,)) for where in ("staging", "production")]
    assert found[2:] == ([] if code == "out-of-range" else [("stopped", "staging", "1.5.1", (code,))])


def test_a_version_that_is_not_taken_is_not_let_through_either() -> None:
    happened = story().staged("1.1.0", "1.5.1")
    text = RULES.replace("approvals: 2 of release-managers", "approvals: none")
    text = text.replace(
        "web: {image: ghcr.io/example/web, versions: 1.x}",
        "web: {image: ghcr.io/example/web, versions: 1.5.x}",
    )

    assert told(replay(happened, rules(text))) == [
        ("stopped", "staging", "1.1.0", ("out-of-range",)),
        ("allowed", "production", "1.5.1", ()),
    ]


def test_a_request_for_a_version_that_is_not_taken_is_not_let_through() -> None:
    happened = story().asked("1.1.0").approved("ada")
    happened.add(happened.about(Kind.REJECT, person("bob")))
    fewer = RULES.replace("approvals: 2 of", "approvals: 1 of")

    assert told(replay(happened, rules(fewer))) == [("allowed", "production", "1.1.0", ())]
    assert told(replay(happened, rules(fewer.replace("web, versions: 1.x", "web, versions: 1.5.x")))) == [
        ("stopped", "staging", "1.1.0", ("out-of-range",))
    ]


def test_a_tag_that_is_followed_lets_no_other_tag_through() -> None:
    happened = story().staged("1.1.0")
    text = RULES.replace("web, versions: 1.x", "web, versions: {digest-of: latest}")
    text = text.replace("approvals: 2 of release-managers", "approvals: none")

    (found,) = replay(happened, rules(text)).differences

    assert (found.outcome, found.environment, found.codes) == (Outcome.STOPPED, "staging", ("tag-filtered",))
    assert found.version.startswith("1.1.0@sha256:")


def test_a_range_that_moves_its_asking_says_both() -> None:
    happened = story().staged("1.1.0")
    changed = rules(RULES.replace("web, versions: 1.x", "web, versions: 1.5.x"))
    asking = replace(changed.environments["staging"], approvals=(Line(1),))
    changed = replace(changed, environments={**changed.environments, "staging": asking})

    assert told(replay(happened, changed)) == [
        ("stopped", "staging", "1.1.0", ("out-of-range", "approvals-missing"))
    ]


def test_the_way_back_is_not_held_to_the_range() -> None:
    happened = story().staged("1.1.0", "1.5.1")
    happened.add(happened.rollback("1.1.0", environment="staging"))
    text = RULES.replace("web, versions: 1.x", "web, versions: 1.5.x")

    assert told(replay(happened, rules(text))) == [("stopped", "staging", "1.1.0", ("out-of-range",))]


def test_a_policy_that_is_missing_in_the_changed_rules_stops_with_its_code() -> None:
    happened = story().staged("1.1.0")
    base = rules()
    lost = replace(base.services["web"], trouble=Trouble(Code.FLUX_MISSING, "no ImagePolicy flux-system/web"))

    found = replay(happened, replace(base, services={**base.services, "web": lost}))

    assert told(found) == [("stopped", "staging", "1.1.0", ("flux-missing",))]


def test_what_stood_before_the_ledger_soaks_from_when_it_came() -> None:
    slow = with_keys("production", soak=timedelta(hours=2))
    happened = story()
    happened.book.versions[happened.book.line[0]] = slow
    happened.book.stood["staging", "web"] = (pinned("1.1.0"),)
    happened.book.stood_since["staging", "web"] = START - timedelta(days=1)
    happened.add(happened.seen("1.1.0"))
    happened.add(happened.propose("1.1.0"))
    happened.approved().landed()

    assert told(replay(happened, with_keys("production", soak=timedelta(hours=2)))) == []


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


def test_a_hold_of_all_environments_counts_until_the_moment_in_which_it_is_lifted() -> None:
    happened = story()
    happened.add(happened.stand(Kind.HOLD, person("ada")))
    happened.add(happened.seen("1.1.0"))
    happened.at += timedelta(hours=1)
    happened.add(happened.stand(Kind.RESUME, person("ada")))
    lifted = happened.at - timedelta(minutes=1)
    happened.at += timedelta(hours=5)

    found = replay(happened, with_keys("production", approvals=(), after=()))

    assert [(one.outcome, one.environment, one.then) for one in found.differences] == [
        (Outcome.ALLOWED, "production", lifted)
    ]


def test_a_hold_of_all_environments_that_ends_by_itself_counts_until_its_end() -> None:
    happened = story()
    ends = happened.at + timedelta(hours=2)
    happened.add(happened.stand(Kind.HOLD, person("ada"), until=write_time(ends)))
    happened.add(happened.seen("1.1.0"))

    found = replay(happened, with_keys("production", approvals=(), after=()))

    assert [(one.environment, one.then) for one in found.differences] == [("production", ends)]


# --- what would have moved later -----------------------------------------------------------------------------------


def later_by(hours: float) -> tuple[Story, Rules, datetime]:
    """Return what moved at once, rules by which it soaks so long, and when that ends."""
    happened = story().asked("1.1.0").approved().landed()
    staged = START + timedelta(minutes=3)
    return happened, with_keys("production", soak=timedelta(hours=hours)), staged + timedelta(hours=hours)


def test_what_would_have_moved_later_is_asked_again_then() -> None:
    happened, soaked, _ = later_by(2)
    happened.at += timedelta(hours=1)
    happened.add(happened.stand(Kind.FREEZE, person("dan")))

    (frozen,) = replay(happened, soaked).differences
    (free,) = replay(happened, soaked, until=happened.at).differences

    assert (frozen.outcome, frozen.then, frozen.codes) == (Outcome.STOPPED, None, (Code.FROZEN.value,))
    assert (free.outcome, free.then) == (Outcome.STOPPED, None)


def test_what_stood_in_the_way_then_counts_until_it_is_lifted() -> None:
    happened, soaked, _ = later_by(2)
    happened.at += timedelta(hours=1)
    happened.add(happened.stand(Kind.HOLD, person("dan")))
    happened.at += timedelta(hours=2)
    happened.add(happened.stand(Kind.RESUME, person("dan")))

    (found,) = replay(happened, soaked).differences

    assert (found.outcome, found.then) == (Outcome.LATER, happened.at - timedelta(minutes=1))


def test_a_hold_that_is_lifted_before_makes_nothing_later_still() -> None:
    happened, soaked, ends = later_by(2)
    happened.add(happened.stand(Kind.HOLD, person("dan")))
    happened.add(happened.stand(Kind.RESUME, person("dan")))

    (found,) = replay(happened, soaked).differences

    assert (found.outcome, found.then, found.codes) == (Outcome.LATER, ends, (Code.SOAKING.value,))


def test_what_was_approved_too_long_ago_by_then_would_have_waited_for_a_go() -> None:
    happened, soaked, _ = later_by(6)  # longer than merge-within

    (found,) = replay(happened, soaked).differences

    assert (found.outcome, found.then, found.codes) == (Outcome.STOPPED, None, (Code.WAITING_FOR_A_GO.value,))


def test_what_was_rolled_back_before_it_could_have_moved_is_stopped() -> None:
    happened, soaked, _ = later_by(2)
    happened.add(happened.rollback("1.0.0"))
    happened.approved("ada") if happened.promotion().stage.value == "open" else None
    happened.landed()

    first = replay(happened, soaked).differences[0]

    assert (first.outcome, first.version, first.codes) == (Outcome.STOPPED, "1.1.0", (Code.BLOCKED.value,))


def test_what_opens_after_the_end_is_told_as_far_as_it_is_known() -> None:
    happened, soaked, ends = later_by(2)

    (found,) = replay(happened, soaked, until=happened.at).differences

    assert (found.outcome, found.then) == (Outcome.LATER, ends)


def test_what_moved_by_itself_would_have_moved_later_and_is_no_step_back_to_itself() -> None:
    happened = story().staged("1.1.0")
    seen = next(entry.time for _, entry in happened.entries if entry.kind is Kind.SEEN)

    (found,) = replay(happened, with_keys("staging", age=timedelta(minutes=20))).differences

    assert (found.outcome, found.then) == (Outcome.LATER, seen + timedelta(minutes=20))


def test_the_move_itself_is_no_reason_of_its_limit() -> None:
    happened, soaked, ends = later_by(2)
    narrow = replace(soaked.environments["production"], limit=Limit(1, timedelta(days=1)))
    narrow_rules = replace(soaked, environments={**soaked.environments, "production": narrow})

    (found,) = replay(happened, narrow_rules).differences

    assert (found.outcome, found.then) == (Outcome.LATER, ends)


def test_what_was_looked_up_outside_stands_for_what_it_said_then() -> None:
    happened = held_by_soak(1, gates=(HOOK,))
    happened.at += timedelta(hours=1)
    fact = Fact("http", Finding.PASSED, "", "open", happened.at)
    intent = happened.about(Kind.INTENT)
    happened.add(replace(intent, evidence={**intent.evidence, "facts": to_json([fact])}))
    happened.add(happened.about(Kind.MERGED))
    happened.add(happened.about(Kind.LANDED))

    (found,) = replay(happened, with_keys("production", soak=timedelta(hours=3), gates=(HOOK,))).differences

    assert (found.outcome, found.codes) == (Outcome.LATER, (Code.SOAKING.value,))


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


FOLLOWED = RULES.replace("versions: 1.x}\n  cart", "versions: {digest-of: latest}}\n  cart")
LATEST = [pinned("latest", digest=f"sha256:{digit * 64}") for digit in "0123"]
ASKING_NOBODY = FOLLOWED.replace("approvals: 2 of release-managers", "approvals: none")


def named(happened: Story, image: Pinned) -> None:
    """Let the tag name another image, which staging takes."""
    sighting = Sighting("web", image.repository, image.tag, image.digest)
    happened.add(replace(happened.seen("latest"), seen=(sighting,)))
    happened.add(happened.bump("latest", image=(image,)))


def followed(images: int = 2, text: str = FOLLOWED) -> Story:
    """Return a story in which the tag named as many images after the first, an hour between them."""
    happened = story(text)
    for environment in ("staging", "production"):
        happened.book.stood[environment, "web"] = (LATEST[0],)
    for image in LATEST[1 : images + 1]:
        named(happened, image)
        happened.at += timedelta(hours=1)
    return happened


def versions(simulation: Simulation) -> list[tuple[str, str, str]]:
    """Return outcome, environment, and the digit of which the digest is made."""
    return [(one.outcome.value, one.environment, one.version[-1]) for one in simulation.differences]


def test_digests_of_a_tag_that_moves_are_versions_of_their_own() -> None:
    happened = followed()

    stopped = replay(happened, with_keys("staging", FOLLOWED, after=("nowhere",)))

    assert told(replay(happened, rules(FOLLOWED))) == []
    assert versions(stopped) == [("stopped", "staging", "1"), ("stopped", "staging", "2")]
    assert all(one.version.startswith("latest@sha256:") for one in stopped.differences)


def test_each_digest_that_nobody_asked_for_is_let_through_by_itself() -> None:
    happened = followed(3)

    found = replay(happened, rules(ASKING_NOBODY))

    assert versions(found) == [("allowed", "production", digit) for digit in "123"]
    assert [one.then for one in found.differences] == sorted(
        one.then for one in found.differences if one.then
    )


def test_a_digest_that_soaks_is_let_through_from_its_own_end_on() -> None:
    happened = followed(2)
    moves = [entry.time for _, entry in happened.entries if entry.kind is Kind.BUMP]

    found = replay(happened, with_keys("production", ASKING_NOBODY, soak=timedelta(minutes=30)))

    assert [one.then for one in found.differences] == [at + timedelta(minutes=30) for at in moves]


def test_a_digest_would_have_moved_later_where_it_has_an_age_to_reach() -> None:
    happened = followed(1)
    seen = next(entry.time for _, entry in happened.entries if entry.kind is Kind.SEEN)

    (found,) = replay(happened, with_keys("staging", FOLLOWED, age=timedelta(minutes=20))).differences

    assert (found.outcome, found.then) == (Outcome.LATER, seen + timedelta(minutes=20))


def test_a_digest_that_is_held_when_its_age_is_reached_is_not_let_through() -> None:
    happened = followed(1)
    happened.at -= timedelta(minutes=59)
    happened.add(happened.stand(Kind.HOLD, person("dan"), environment="staging"))

    (found,) = replay(happened, with_keys("staging", FOLLOWED, age=timedelta(minutes=20))).differences

    assert (found.outcome, found.codes) == (Outcome.STOPPED, (Code.HELD.value,))


def test_a_blocked_digest_is_passed_over_and_the_next_one_is_let_through() -> None:
    happened = followed(1)
    happened.add(happened.stand(Kind.BLOCK, person("dan"), image=(LATEST[2],), environment="production"))
    for image in LATEST[2:]:
        named(happened, image)

    found = replay(happened, rules(ASKING_NOBODY))

    assert versions(found) == [("allowed", "production", "1"), ("allowed", "production", "3")]


def test_other_rules_that_follow_another_tag_take_none_of_them() -> None:
    happened = followed(2)

    found = replay(happened, rules(FOLLOWED.replace("digest-of: latest", "digest-of: stable")))

    assert [one.codes for one in found.differences] == [("tag-filtered",)] * 2


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
