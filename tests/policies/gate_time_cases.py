"""Cases of the gates that look at environments before, at time, and outside: gate, world, the code that it says."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from policies import gates
from policies.codes import Code
from policies.entries.entry import Kind, write_time
from policies.entries.facts import Fact, Finding
from policies.gates import Case
from policies.ledger.state import Stage
from policies.rules.rules import Limit, OutsideGate, Takes
from policies.times.calendar import Calendar
from policies.times.windows import parse_dates, parse_window, parse_working
from tests.policies.gate_worlds import case, later, looked, ruled
from tests.policies.ledger_builders import Story, at_stage, person, pinned, story

TWO_HOURS = timedelta(hours=2)
HEALTH = ("kustomization/apps/staging",)
THREE = """\
environments:
  east: {path: apps/east, channel: deploys, approvals: none}
  west: {path: apps/west, channel: deploys, approvals: none}
  production: {path: apps/production, channel: deploys, after: [east, west], approvals: 1}
services:
  web: {image: ghcr.io/example/web, versions: 1.x}
people: {ada: {slack: U0ADA}}
"""
KINDS = {
    "checks": (gates.checks, Code.CHECKS_PENDING, Code.CHECKS_FAILED),
    "http": (gates.http, Code.CONDITION_NOT_MET, Code.GATE_UNKNOWN),
    "prometheus": (gates.prometheus, Code.CONDITION_NOT_MET, Code.GATE_UNKNOWN),
    "signature": (gates.signature, Code.SIGNATURE_MISSING, Code.SIGNATURE_INVALID),
    "labels": (gates.labels, Code.GATE_UNKNOWN, Code.LABEL_DIFFERS),
}


def _soaking(hours: float, **changes: Any) -> Case:
    """1.1.0 has run in staging for so long; production wants two hours."""
    return case(
        later(ruled(story().staged("1.1.0"), soak=TWO_HOURS, **changes), hours), "1.1.0", "production"
    )


def _watched(*events: str, hours: float = 0) -> Story:
    """1.1.0 runs in staging, whose health is watched; then what is named happens, half an hour after each other."""
    found = ruled(ruled(story().staged("1.1.0"), soak=TWO_HOURS), "staging", health=HEALTH)
    for what in events:
        later(found, 0.5)
        match what:
            case "healthy" | "unhealthy":
                looked(found, is_healthy=what == "healthy")
            case "newer":
                found.staged("1.2.0")
            case "back":
                found.add(found.rollback("1.0.0", environment="staging"))
            case _:
                for kind in (Kind.BLOCK, Kind.UNBLOCK):
                    found.add(found.stand(kind, person("ada"), image=(pinned("1.1.0"),)))
    return later(found, hours)


def _there(found: Story) -> Case:
    return case(found, "1.1.0", "production")


def _back_and_again(hours: float) -> Story:
    """It ran in staging, was rolled back there, unblocked, and moved there again."""
    found = ruled(story().staged("1.1.0"), soak=TWO_HOURS)
    later(found, 5)
    found.add(found.rollback("1.0.0", environment="staging"))
    found.add(found.stand(Kind.UNBLOCK, person("bob"), environment="staging", image=(pinned("1.1.0"),)))
    found.add(found.bump("1.1.0"))
    return later(found, hours)


def _two(*places: str, hours: float, any_is_enough: bool = False) -> Case:
    """Two environments come before: 1.1.0 moves in these, an hour after each other, then so many hours pass."""
    found = story(THREE)
    found.add(found.seen("1.1.0"))
    for where in places:
        later(found, 1).add(found.bump("1.1.0", environment=where, rule=found.rule(where)))
    return case(later(ruled(found, soak=TWO_HOURS, after_any=any_is_enough), hours), "1.1.0", "production")


def _aged(hours: float, *, is_seen: bool = True) -> Case:
    found = ruled(story(), age=TWO_HOURS)
    if is_seen:
        found.add(found.seen("1.1.0"))
    return case(later(found, hours), "1.1.0", "production")


def _limited(*tags: str, count: int = 2, hours: float = 0) -> Case:
    found = ruled(story().staged(*tags), "staging", limit=Limit(count, timedelta(hours=1)))
    return case(later(found, hours), "1.9.0")


def _limited_back() -> Case:
    found = ruled(story().staged("1.1.0"), "staging", limit=Limit(2, timedelta(hours=1)))
    found.add(found.rollback("1.0.0", environment="staging"))
    found.add(found.external("1.0.5", "staging"))
    return case(found, "1.9.0")


def _frozen(window: str, **changes: Any) -> Case:
    """It is Monday, 2026-11-23, 09:02 UTC."""
    return case(ruled(story(), "staging", freeze=(parse_window(window),), **changes))


def _approved(hours: float, **changes: Any) -> Story:
    return later(ruled(at_stage(Stage.OPEN), **changes), hours)


def _asked(found: Story) -> Case:
    return case(found, "1.1.0", "production", is_asked=True)


def _frozen_since(*, is_lifted: bool, until: float = 0) -> Story:
    found = at_stage(Stage.OPEN)
    ends = {"until": write_time(found.at + timedelta(hours=until))} if until else {}
    found.add(found.stand(Kind.FREEZE, person("ada"), **ends))
    if is_lifted:
        found.add(found.stand(Kind.UNFREEZE, person("ada")))
    return later(found, 1)


def _frozen_before() -> Story:
    found = story().asked()
    found.add(found.stand(Kind.FREEZE, person("ada")))
    found.add(found.stand(Kind.UNFREEZE, person("ada")))
    return later(found.approved(), 1)


def _fact(kind: str, verdict: Finding | None, code: str = "", *, minutes: float = 0) -> Case:
    found = ruled(story(), "staging", gates=(OutsideGate(kind, f"my-{kind}"), OutsideGate(kind, "second")))
    good = Fact("second", Finding.PASSED, "", "", found.at)
    mine = Fact(f"my-{kind}", verdict, code, "", found.at - timedelta(minutes=minutes)) if verdict else good
    return case(found, facts=(good, mine) if verdict else (good,))


def _for_platforms(verdict: Finding | None, code: str = "") -> Case:
    about = case(story())
    service = replace(about.rule.service, platforms=("linux/arm64",))
    facts = (Fact(gates.PLATFORMS, verdict, code, "", about.at),) if verdict else ()
    return replace(about, rule=replace(about.rule, service=service), facts=facts)


OFFICE = Calendar("", (parse_working("Mon-Fri 08:00-18:00"),), (parse_dates("2026-11-24"),))

CASES: dict[str, tuple[gates.Gate, Callable[[], Case], Code | None]] = {
    # which version is taken
    "takes whatever has run": (gates.takes, lambda: case(_watched("newer"), "1.1.0", "production"), None),
    "takes what runs there now": (
        gates.takes,
        lambda: _there(ruled(story().staged("1.1.0"), takes=Takes.SAME)),
        None,
    ),
    "takes what ran there": (
        gates.takes,
        lambda: _there(ruled(story().staged("1.1.0", "1.2.0"), takes=Takes.SAME)),
        Code.NOT_THERE_NOW,
    ),
    "takes what was there at genesis": (
        gates.takes,
        lambda: case(ruled(story(), takes=Takes.SAME), "1.0.0", "production"),
        None,
    ),
    "takes from an environment of which nothing is known": (
        gates.takes,
        lambda: case(ruled(story(), takes=Takes.SAME), "1.0.0", "production", baseline={}),
        Code.NOT_THERE_NOW,
    ),
    # healthy
    "health that nobody declares": (gates.healthy, lambda: _there(story().staged("1.1.0")), None),
    "not reported yet": (gates.healthy, lambda: _there(_watched()), Code.NOT_HEALTHY),
    "reported healthy": (gates.healthy, lambda: _there(_watched("healthy")), None),
    "reported unhealthy": (gates.healthy, lambda: _there(_watched("healthy", "unhealthy")), Code.UNHEALTHY),
    "healthy again": (gates.healthy, lambda: _there(_watched("healthy", "unhealthy", "healthy")), None),
    "healthy, then a newer one came": (gates.healthy, lambda: _there(_watched("healthy", "newer")), None),
    "another version is healthy": (
        gates.healthy,
        lambda: _there(looked(_watched(), is_healthy=True, tag="1.2.0")),
        Code.NOT_HEALTHY,
    ),
    # soak
    "no soak is asked": (gates.soak, lambda: _there(story().staged("1.1.0")), None),
    "soaking": (gates.soak, lambda: _soaking(1.9), Code.SOAKING),
    "soaked": (gates.soak, lambda: _soaking(2), None),
    "has not run, so it does not soak": (
        gates.soak,
        lambda: _there(ruled(story(), soak=TWO_HOURS)),
        Code.SOAKING,
    ),
    "only one of two images has run": (
        gates.soak,
        lambda: replace(
            _soaking(9), image=(pinned("1.1.0"), pinned("1.1.0", repository="ghcr.io/example/worker"))
        ),
        Code.SOAKING,
    ),
    "ran since before the ledger": (
        gates.soak,
        lambda: case(later(ruled(story(), soak=TWO_HOURS), 2), "1.0.0", "production"),
        None,
    ),
    "waits for the first healthy": (gates.soak, lambda: _there(_watched(hours=9)), Code.SOAKING),
    "soaks from the first healthy": (
        gates.soak,
        lambda: _there(_watched("healthy", hours=1.9)),
        Code.SOAKING,
    ),
    "soaked from the first healthy": (gates.soak, lambda: _there(_watched("healthy", hours=2)), None),
    "a newer one does not stop the clock": (
        gates.soak,
        lambda: _there(_watched("healthy", "newer", hours=1.5)),
        None,
    ),
    "healthy twice does not start it anew": (
        gates.soak,
        lambda: _there(_watched("healthy", "healthy", hours=1.5)),
        None,
    ),
    "unhealthy stops it": (
        gates.soak,
        lambda: _there(_watched("healthy", "unhealthy", hours=9)),
        Code.SOAKING,
    ),
    "healthy again starts it anew": (
        gates.soak,
        lambda: _there(_watched("healthy", "unhealthy", "healthy", hours=1.9)),
        Code.SOAKING,
    ),
    "a rollback stops it": (gates.soak, lambda: _there(_watched("healthy", "back", hours=9)), Code.SOAKING),
    "moved again after a rollback it soaks anew": (
        gates.soak,
        lambda: _there(_back_and_again(1.9)),
        Code.SOAKING,
    ),
    "moved again and soaked": (gates.soak, lambda: _there(_back_and_again(2)), None),
    "a block starts it anew when it is lifted": (
        gates.soak,
        lambda: _there(_watched("healthy", "unblocked", hours=1.9)),
        Code.SOAKING,
    ),
    "lifted and soaked": (gates.soak, lambda: _there(_watched("healthy", "unblocked", hours=2)), None),
    "another version's block was lifted": (gates.soak, lambda: _there(_other_lifted()), None),
    "soaked in one of two": (gates.soak, lambda: _two("east", "west", hours=1.5), Code.SOAKING),
    "soaked in both": (gates.soak, lambda: _two("east", "west", hours=2), None),
    "soaked in any": (gates.soak, lambda: _two("east", "west", hours=1.5, any_is_enough=True), None),
    "soaked in none of any": (
        gates.soak,
        lambda: _two("east", "west", hours=0.5, any_is_enough=True),
        Code.SOAKING,
    ),
    "ran in one of two": (gates.previous, lambda: _two("west", hours=9), Code.NOT_IN_PREVIOUS),
    "ran in any": (gates.previous, lambda: _two("west", hours=9, any_is_enough=True), None),
    # age
    "no age is asked": (gates.age, lambda: case(story()), None),
    "too young": (gates.age, lambda: _aged(1.9), Code.TOO_YOUNG),
    "old enough": (gates.age, lambda: _aged(2), None),
    "of unknown age": (gates.age, lambda: _aged(99, is_seen=False), Code.AGE_UNKNOWN),
    # limit
    "no limit": (gates.limit, lambda: case(story().staged("1.1.0", "1.2.0"), "1.9.0"), None),
    "below the limit": (gates.limit, lambda: _limited("1.1.0"), None),
    "at the limit": (gates.limit, lambda: _limited("1.1.0", "1.2.0"), Code.LIMIT_REACHED),
    "the first move is long ago": (gates.limit, lambda: _limited("1.1.0", "1.2.0", hours=1), None),
    "rollbacks and moves by hand do not count": (gates.limit, _limited_back, None),
    # freeze
    "no window": (gates.freeze, lambda: case(story()), None),
    "within a window": (gates.freeze, lambda: _frozen("Mon 08:00-10:00"), Code.FREEZE_WINDOW),
    "outside of the window": (gates.freeze, lambda: _frozen("Mon 10:00-12:00"), None),
    "within it in its own zone": (
        gates.freeze,
        lambda: _frozen("Mon 10:00-12:00", zone="Europe/Berlin"),
        Code.FREEZE_WINDOW,
    ),
    "within it in the calendar's zone": (
        gates.freeze,
        lambda: _frozen("Mon 10:00-12:00", calendar=Calendar("Europe/Berlin")),
        Code.FREEZE_WINDOW,
    ),
    "on a closed day": (
        gates.freeze,
        lambda: _frozen("closed", calendar=Calendar(closed=(parse_dates("2026-11-23"),))),
        Code.FREEZE_WINDOW,
    ),
    # outside
    **{
        f"{kind} {what}": (gate, lambda kind=kind, row=row: _fact(kind, *row), code)  # type: ignore[misc]  # a row each
        for kind, (gate, waiting, failed) in KINDS.items()
        for what, row, code in (
            ("passed", (Finding.PASSED,), None),
            ("waits", (Finding.WAITING, waiting.value), waiting),
            ("failed", (Finding.FAILED, failed.value), failed),
            ("is not looked at", (None,), Code.GATE_UNKNOWN),
        )
    },
    "checks looked at too long ago": (
        gates.checks,
        lambda: _fact("checks", Finding.PASSED, minutes=11),
        Code.GATE_UNKNOWN,
    ),
    "signature without its trust root": (
        gates.signature,
        lambda: _fact("signature", Finding.WAITING, "trust-root-missing"),
        Code.TRUST_ROOT_MISSING,
    ),
    "signature that cannot be read here": (
        gates.signature,
        lambda: _fact("signature", Finding.WAITING, "sigstore-missing"),
        Code.SIGSTORE_MISSING,
    ),
    "a gate of another kind": (gates.http, lambda: _fact("checks", Finding.FAILED, "checks-failed"), None),
    "platforms that nobody names": (gates.platforms, lambda: case(story()), None),
    "platforms not looked at": (gates.platforms, lambda: _for_platforms(None), Code.GATE_UNKNOWN),
    "all platforms": (gates.platforms, lambda: _for_platforms(Finding.PASSED), None),
    "a platform is missing": (
        gates.platforms,
        lambda: _for_platforms(Finding.FAILED, "platform-missing"),
        Code.PLATFORM_MISSING,
    ),
    # a freeze in between asks again
    "frozen since, and still": (gates.merge_within, lambda: _asked(_frozen_since(is_lifted=False)), None),
    "within a window, and still": (
        gates.merge_within,
        lambda: _asked(_approved(1, freeze=(parse_window("Mon 09:00-18:00"),))),
        None,
    ),
    "frozen and lifted since": (
        gates.merge_within,
        lambda: _asked(_frozen_since(is_lifted=True)),
        Code.WAITING_FOR_A_GO,
    ),
    "frozen since, until an end that has come": (
        gates.merge_within,
        lambda: _asked(_frozen_since(is_lifted=False, until=0.5)),
        Code.WAITING_FOR_A_GO,
    ),
    "frozen and lifted before": (gates.merge_within, lambda: _asked(_frozen_before()), None),
    "a window has opened since": (
        gates.merge_within,
        lambda: _asked(_approved(1, freeze=(parse_window("Mon 09:00-09:30"),))),
        Code.WAITING_FOR_A_GO,
    ),
    "a window was over before": (
        gates.merge_within,
        lambda: _asked(_approved(1, freeze=(parse_window("Mon 08:00-09:01"),))),
        None,
    ),
    # expiry in working time
    "young in working time": (gates.expired, lambda: _asked(_approved(70, calendar=OFFICE)), None),
    "too old in working time": (gates.expired, lambda: _asked(_approved(98, calendar=OFFICE)), Code.EXPIRED),
}


def _other_lifted() -> Story:
    found = _watched("healthy", hours=1)
    for kind in (Kind.BLOCK, Kind.UNBLOCK):
        found.add(found.stand(kind, person("ada")))
    return later(found, 1)
