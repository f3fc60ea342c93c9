"""Anything that may happen, in any order, to the real code over real Git: every invariant holds after each step."""

from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from bot.faults import POINTS
from tests.campaign.acts import ENVIRONMENTS, PEOPLE, RULES_OF, SERVICES
from tests.campaign.invariants import broken
from tests.campaign.length import LENGTH
from tests.campaign.office import REPLICAS
from tests.campaign.shapes import SHAPES, shape, window
from tests.campaign.stage import stage

pytestmark = pytest.mark.timeout(3600)
SERVICE, ENVIRONMENT, PERSON = map(st.sampled_from, (SERVICES, ENVIRONMENTS, PEOPLE))
REPLICA = st.sampled_from([0, 0, 0, *range(1, REPLICAS)])
ABOUT_A_PROMOTION = st.sampled_from(
    ["approve", "approve", "approve", "approve another", "unapprove", "reject", "cancel"]
)
STANDING = st.sampled_from(
    [
        "freeze",
        "freeze all",
        "freeze for a while",
        "unfreeze",
        "hold",
        "hold for a while",
        "resume",
        "block",
        "unblock",
    ]
)
EVE = datetime(2026, 12, 31, 21, 0, tzinfo=UTC)
POINT = st.sampled_from(sorted(POINTS))
TALLY: Counter[str] = Counter()  # what the runs together came to


class Machine(RuleBasedStateMachine):
    """One world, two replicas, four people, and everything that may go wrong."""

    def __init__(self) -> None:
        super().__init__()
        self._stack = ExitStack()

    @initialize(
        name=st.sampled_from(list(SHAPES)),
        is_eve=st.sampled_from([False, False, True]),
        is_new=st.sampled_from([False, True]),
    )
    def born(self, name: str, *, is_eve: bool, is_new: bool) -> None:
        self.shape = name
        self.window = self._stack.enter_context(window())
        hand = self._stack.enter_context(stage(is_apart=True, at=EVE if is_eve else None))
        self.office, self.acts, self.seen = hand.office, hand.acts, hand.seen
        shape(name, self.acts, self.window)
        self.office.look()
        if not is_new:
            self._goes_all_the_way(SERVICES[0])

    def _check(self) -> None:
        TALLY["steps"] += 1
        if self.office.trap.is_set:
            return  # in the middle of a life that is about to end
        found = broken(self.seen)
        assert found == [], "\n".join(found)

    def teardown(self) -> None:
        """Let everything come to rest: nothing is in the middle, and verify finds what it has to find."""
        try:
            self.office.world.forge.heal()
            self.office.world.slack.levers.clear()
            self.office.rest()
            found = broken(self.seen, at_rest=True)
            assert found == [], "\n".join(found)
            report = self.seen.witness.verify()
            assert {(one.what, one.oid) for one in report.findings} == self.acts.owed(), report.findings
            TALLY.update(line.kind for line in self.seen.ledger)
            TALLY.update(
                f"{self.shape}: {kind}" for kind in {line.kind for line in self.seen.ledger} & {"landed"}
            )
            TALLY["years"] += sum(line.kind == "genesis" for line in self.seen.ledger)
            TALLY["kills"] += self.office.kills
            TALLY["runs"] += 1
            TALLY["messages"] += len(self.office.said)
        finally:
            self._stack.close()

    # --- the registry and time ------------------------------------------------------------------------------

    @rule(service=SERVICE, is_bare=st.sampled_from([False, False, True]))
    def a_version_is_published(self, service: str, *, is_bare: bool) -> None:
        self.acts.publish(service, is_bare=is_bare)
        self.office.look()
        self._check()

    @rule(service=SERVICE)
    def a_tag_is_moved(self, service: str) -> None:
        self.acts.move_tag(service)
        self.office.look()
        self._check()

    @rule(minutes=st.sampled_from([1, 10, 61, 60 * 5, 60 * 25, -3]))
    def time_passes(self, minutes: int) -> None:
        self.office.clock.wind(minutes=minutes)
        self.office.look()
        self._check()

    @rule()
    def the_soak_is_over(self) -> None:
        for _ in range(3):
            self.office.clock.wind(minutes=61)
            self.office.look()
        self._check()

    @precondition(lambda self: self.office.clock.at.year == EVE.year)
    @rule()
    def the_year_ends(self) -> None:
        at = self.office.clock.at
        self.office.clock.at = max(at, datetime(EVE.year + 1, 1, 1, 0, 1, tzinfo=UTC))
        for _ in range(2):
            self.office.look()
        self._check()

    @precondition(lambda self: self.shape == "waits")
    @rule(state=st.sampled_from(["open", "open", "closed"]))
    def the_window_changes(self, state: str) -> None:
        self.window.state = state
        self.office.clock.wind(minutes=2)
        self.office.look()
        self._check()

    @rule(replica=REPLICA)
    def a_pass_is_made(self, replica: int) -> None:
        self.office.look(replica)
        self._check()

    # --- words ----------------------------------------------------------------------------------------------

    @rule(person=PERSON, service=SERVICE, kind=st.sampled_from(["propose", "propose it"]), replica=REPLICA)
    def somebody_asks(self, person: str, service: str, kind: str, replica: int) -> None:
        self.acts.say(person, kind, service=service, replica=str(replica))
        self._check()

    @precondition(lambda self: self.acts.promotions())
    @rule(person=PERSON, kind=ABOUT_A_PROMOTION, which=st.integers(0, 3), replica=REPLICA)
    def somebody_judges(self, person: str, kind: str, which: int, replica: int) -> None:
        live = self.acts.promotions()
        self.acts.say(person, kind, promotion=live[which % len(live)], replica=str(replica))
        self._check()

    @precondition(lambda self: self.acts.promotions())
    @rule()
    def two_approve(self) -> None:
        newest = self.acts.promotions()[-1]
        for person in ("ada", "bob"):
            self.acts.say(person, "approve", promotion=newest)
        self._check()

    @rule(service=SERVICE)
    def one_goes_all_the_way(self, service: str) -> None:
        self._goes_all_the_way(service)

    def _goes_all_the_way(self, service: str) -> None:
        self.acts.publish(service)
        for _ in range(2 if self.acts.group else 1):
            self.office.look()
        self.acts.say("carol", "propose it", service=service)
        if live := self.acts.promotions():
            self.acts.say("ada", "approve", promotion=live[-1])
            self.acts.say("bob", "approve", promotion=live[-1])
        if self.shape == "by hand":
            self.office.look()
            self.acts.at_forge("merge")
            self.office.look()
        self._check()

    @precondition(lambda self: self.acts.promotions(live=False))
    @rule(person=PERSON, kind=ABOUT_A_PROMOTION)
    def somebody_judges_what_may_be_over(self, person: str, kind: str) -> None:
        self.acts.say(person, kind, promotion=self.acts.promotions(live=False)[0])
        self._check()

    @rule(person=PERSON, kind=STANDING, service=SERVICE, environment=ENVIRONMENT)
    def somebody_makes_something_stand(self, person: str, kind: str, service: str, environment: str) -> None:
        self.acts.say(person, kind, service=service, environment=environment)
        self._check()

    @rule(person=PERSON, service=SERVICE, environment=ENVIRONMENT)
    def somebody_calls_an_emergency(self, person: str, service: str, environment: str) -> None:
        self.acts.say(person, "emergency", service=service, environment=environment)
        self._check()

    @rule(person=PERSON)
    def somebody_reviews(self, person: str) -> None:
        self.acts.say(person, "review")
        self._check()

    @rule(person=PERSON, service=SERVICE, environment=ENVIRONMENT)
    def somebody_goes_back(self, person: str, service: str, environment: str) -> None:
        self.acts.say(person, "rollback", service=service, environment=environment)
        self._check()

    @precondition(lambda self: self.acts.promotions())
    @rule()
    def a_stranger_approves_by_the_id_of_a_member(self) -> None:
        self.acts.say("ada", "approve", promotion=self.acts.promotions()[-1], team="TSTRANGER")
        self._check()

    # --- by hand ----------------------------------------------------------------------------------------------

    @rule(approvals=st.sampled_from(RULES_OF))
    def the_rules_change(self, approvals: str) -> None:
        if approvals != self.acts.rule:
            self.acts.change_rules(approvals)
        self.office.look()
        self._check()

    @rule(service=SERVICE, environment=ENVIRONMENT, is_dressed=st.booleans())
    def somebody_moves_an_image_by_hand(self, service: str, environment: str, *, is_dressed: bool) -> None:
        ours = [one for one in self.office.reading.main() if one.is_ours]
        self.acts.move_by_hand(service, environment, ours[-1].message if is_dressed and ours else "Move it\n")
        self.office.look()
        self._check()

    @rule()
    def somebody_commits_something_else(self) -> None:
        self.acts.touch()
        self._check()

    @rule(what=st.sampled_from(["close", "merge", "push", "delete"]))
    def somebody_acts_at_the_forge(self, what: str) -> None:
        self.acts.at_forge(what)
        self.office.look()
        self._check()

    # --- faults ---------------------------------------------------------------------------------------------

    @rule(is_empty=st.booleans(), replica=REPLICA)
    def a_process_ends(self, *, is_empty: bool, replica: int) -> None:
        self.office.die(replica) if is_empty else self.office.restart(replica)
        self.office.look(replica)
        self._check()

    @rule(point=POINT, count=st.sampled_from([1, 1, 2]))
    def it_will_be_killed(self, point: str, count: int) -> None:
        self.office.trap.set(point, count)

    @precondition(lambda self: self.acts.promotions())
    @rule(
        point=st.sampled_from(["before-ledger-push", "before-branch-push", "before-merge", "after-merge"]),
        kind=ABOUT_A_PROMOTION,
    )
    def another_replica_is_faster(self, point: str, kind: str) -> None:
        live = self.acts.promotions()
        self.office.trap.set(point, 1, lambda: self.acts.say("bob", kind, promotion=live[-1], replica="1"))
        self.acts.say("ada", "approve", promotion=live[-1])
        self.office.trap.set("")
        self._check()

    @rule(status=st.sampled_from([405, 409, 502]), is_done=st.booleans())
    def the_forge_will_fail_a_merge(self, status: int, *, is_done: bool) -> None:
        self.office.world.forge.refuse_merges(status, after_merging=is_done and status == 502)

    @rule(
        status=st.sampled_from([401, 403, 422, 500, 502]),
        method=st.sampled_from(["POST", "PATCH", "GET", None]),
    )
    def the_forge_will_fail(self, status: int, method: str | None) -> None:
        self.office.world.forge.fail(status, method=method, after=status == 502)

    @rule(
        method=st.sampled_from(["chat.update", "chat.postMessage", "users.info", "*"]), is_after=st.booleans()
    )
    def slack_will_fail(self, method: str, *, is_after: bool) -> None:
        self.office.world.slack.levers.drop(method, after=is_after)


def run(runs: int, number: int | None = None) -> Counter[str]:
    """Make so many runs, by a seed or always the same; return what they came to. Raises: AssertionError."""
    TALLY.clear()
    machine = type("Seeded", (Machine,), {})
    run_state_machine_as_test(
        machine if number is None else seed(number)(machine),
        settings=settings(
            max_examples=runs,
            stateful_step_count=LENGTH.machine_steps,
            deadline=None,
            database=None,
            derandomize=number is None,
            phases=(Phase.explicit, Phase.generate),  # a run takes seconds: shrinking one would take an hour
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )
    return Counter(TALLY)


RUNS = 5  # under one seed


def seeded(number: int) -> Counter[str]:
    """Make some runs under a seed."""
    return run(RUNS, number)


def test_every_invariant_holds_whatever_happens(record_property: Callable[[str, object], None]) -> None:
    found = run(LENGTH.machine_runs)

    for name, count in found.items():
        record_property(name, count)
    assert {name for name in ("bump", "propose", "approve", "intent", "landed") if not found[name]} == set()
