"""For every version, service and environment: what may happen, and why not."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.codes import Code
from policies.decide import Candidate, Decision, Row, Standing, decide, decide_row, tried_again_at, why
from policies.entries.entry import Bot, Kind, Pinned, write_time
from policies.gates import ALONE, MERGED, ROLLED_BACK, Case, ask
from policies.images.evidence import Silence, Silent, TagList
from policies.images.image import Digest, Repository, Tag
from policies.ledger.state import Stage
from policies.rules.rules import Trouble, effective
from policies.verdict import PASSED, Failed, Waiting
from policies.world import Pin, World
from tests.policies.ledger_builders import (
    IMAGE,
    RULES,
    Story,
    at_stage,
    change_rules,
    hash_of,
    person,
    pinned,
    rules,
    story,
)

WEB = Repository(IMAGE)
CART = Repository("ghcr.io/example/cart")
TAGS = ("1.0.0", "1.1.0", "1.2.0")


def _world(found: Story, tags: tuple[str, ...] = TAGS, *, text: str = RULES) -> World:
    """What is known when the registry has these tags; the pins are where the ledger moved them."""
    in_force = rules(text)
    pins = {}
    for place in (("staging", "web"), ("production", "web")):
        move = found.state.last_move(*place)
        pins[place] = Pin(move.image if move else found.book.stood[place])
    digests = {(WEB, Tag(tag)): Digest(pinned(tag).digest) for tag in tags}
    return World(
        rules=in_force,
        commit=found.book.line[-1],
        state=found.state,
        pins=pins,
        tags={WEB: TagList(tags)},
        digests=dict(digests),
        baseline=found.book.stood,
    )


def _row(found: Story, environment: str = "production", tags: tuple[str, ...] = TAGS) -> Row:
    row = decide_row(_world(found, tags), environment, "web", found.at)
    assert row
    return row


def _candidate(found: Story, version: str, environment: str = "production") -> Candidate:
    return next(one for one in _row(found, environment).candidates if one.version == version)


def _stand(kind: Kind, **changes: object) -> Story:
    found = story()
    found.add(found.stand(kind, person("ada"), **changes))
    return found


def test_the_newest_goes_first_where_nobody_is_asked() -> None:
    row = _row(story(), "staging")

    assert (row.verdict, row.codes) == (Standing.READY, ("ready",))
    assert row.best
    assert row.best.version == "1.2.0"
    assert [(one.version, one.codes) for one in row.candidates] == [
        ("1.2.0", ()),
        ("1.1.0", ("newer-available",)),
    ]


def test_the_next_one_goes_where_the_newest_may_not() -> None:
    row = _row(_stand(Kind.BLOCK), "staging")

    assert row.best
    assert (row.best.version, row.verdict) == ("1.1.0", Standing.READY)
    assert row.candidates[0].codes == ("blocked",)


CODES: dict[str, tuple[Callable[[], Story], str, tuple[str, ...]]] = {
    "not in staging, not asked for": (story, "1.2.0", ("not-in-previous", "not-requested")),
    "in staging, not asked for": (lambda: story().staged("1.2.0"), "1.2.0", ("not-requested",)),
    "frozen": (lambda: _frozen(), "1.2.0", ("frozen", "not-requested")),  # noqa: PLW0108  below
    "asked for": (lambda: story().asked("1.2.0"), "1.2.0", ("approvals-missing",)),
    "another is under way": (
        lambda: story().asked("1.1.0"),
        "1.2.0",
        ("not-in-previous", "not-requested", "other-promotion-open"),
    ),
    "approved": (lambda: at_stage(Stage.OPEN), "1.1.0", ()),
    "being merged": (lambda: at_stage(Stage.MERGING), "1.1.0", ("merging",)),
    "merged": (lambda: at_stage(Stage.MERGED), "1.1.0", ("merging",)),
    "cleared for people to merge": (lambda: _cleared(), "1.1.0", ("merges-by-hand",)),  # noqa: PLW0108  below
    "approved too long ago": (lambda: _later(at_stage(Stage.OPEN), 5), "1.1.0", ("waiting-for-a-go",)),
    "asked for too long ago": (
        lambda: _later(story().asked("1.1.0"), 25),
        "1.1.0",
        ("expired", "approvals-missing"),
    ),
    "not merged by the forge": (lambda: _aborted(), "1.1.0", ("forge-refused",)),  # noqa: PLW0108  below
}


def _frozen() -> Story:
    found = story().staged("1.2.0")
    found.add(found.stand(Kind.FREEZE, person("ada")))
    return found


def _cleared() -> Story:
    found = at_stage(Stage.MERGING)
    now = found.promotion()
    found.state.promotions[now.id] = replace(now, cleared=found.at)
    return found


def _later(found: Story, hours: int) -> Story:
    found.at += timedelta(hours=hours)
    return found


def _aborted() -> Story:
    found = at_stage(Stage.MERGING)
    found.at += timedelta(seconds=30)
    found.add(found.about(Kind.ABORT))
    found.at -= timedelta(seconds=30)
    return found


@pytest.mark.parametrize(("make", "version", "codes"), CODES.values(), ids=CODES)
def test_a_version_in_production_waits_with_codes(
    make: Callable[[], Story], version: str, codes: tuple[str, ...]
) -> None:
    found = _candidate(make(), version)

    assert found.codes == codes
    assert (found.verdict is Standing.READY) is (not codes)


def test_a_head_that_was_not_merged_is_tried_again_later_each_time() -> None:
    now = _aborted().promotion()
    assert now.attempted
    waits = [tried_again_at(replace(now, attempts=count)) for count in (1, 2, 3, 6, 7, 50)]

    assert [(at - now.attempted).total_seconds() / 60 for at in waits if at] == [1, 2, 4, 32, 60, 60]
    assert tried_again_at(replace(now, attempts=0)) is None
    assert tried_again_at(at_stage(Stage.OPEN).promotion()) is None


def test_what_a_last_look_found_waits_with_the_promotion_that_it_is_of() -> None:
    found = at_stage(Stage.OPEN)
    waits = Waiting(Code.LOOKED_AGAIN, "the account of ada may not approve any more")
    world = _world(found)

    mine, other = (
        decide_row(replace(world, looked_again={name: waits}), "production", "web", found.at)
        for name in (found.promotion().id, "another")
    )

    assert mine
    assert other
    assert [waits in one.reasons for one in mine.candidates if one.promotion] == [True]
    assert not [one for one in other.candidates if waits in one.reasons]


def test_a_rollback_waits_for_nothing_but_its_approvals() -> None:
    found = at_stage(Stage.LANDED)
    found.add(found.stand(Kind.FREEZE, person("ada")))
    found.add(found.rollback("1.0.0"))

    back = _candidate(found, "1.0.0")

    assert (back.verdict, back.promotion) == (Standing.READY, found.promotion().id)


def test_a_candidate_is_judged_by_the_digest_that_was_asked_for() -> None:
    found = story().asked("1.1.0")
    world = _world(found)
    world = replace(world, digests={(WEB, Tag("1.1.0")): Digest(pinned("moved").digest)})

    row = decide_row(world, "production", "web", found.at)

    assert row
    assert next(one for one in row.candidates if one.version == "1.1.0").digest == pinned("1.1.0").digest


def test_a_digest_that_moved_is_refused() -> None:
    found = story()
    found.add(found.seen("1.2.0"))
    world = replace(_world(found), digests={(WEB, Tag("1.2.0")): Digest(pinned("moved").digest)})

    assert _of(world, found, "staging").candidates[0].codes == ("digest-moved",)


def test_a_digest_that_nobody_said_is_waited_for() -> None:
    found = story()
    silent = Silence(Silent.SLOW, "no answer in 10 s")
    world = replace(_world(found), digests={(WEB, Tag("1.2.0")): silent})

    assert _of(world, found, "staging").candidates[0].codes == ("digest-unknown",)


def test_a_digest_that_was_seen_stands_for_one_that_was_not_asked() -> None:
    found = story()
    found.add(found.seen("1.2.0"))
    world = replace(_world(found), digests={})

    assert _of(world, found, "staging").candidates[0].digest == pinned("1.2.0").digest


def _of(world: World, found: Story, environment: str) -> Row:
    row = decide_row(world, environment, "web", found.at)
    assert row
    return row


def test_a_silent_registry_is_a_row_with_its_code() -> None:
    found = story()
    world = replace(_world(found), tags={WEB: Silence(Silent.DENIED, "log in")})

    row = _of(world, found, "staging")

    assert (row.verdict, row.codes, row.detail, row.current) == (
        Standing.WAITING,
        ("registry-denied",),
        "log in",
        "1.0.0",
    )


def test_a_registry_that_was_not_asked_is_a_row_with_its_code() -> None:
    found = story()

    assert _of(replace(_world(found), tags={}), found, "staging").codes == ("registry-unreachable",)


@pytest.mark.parametrize("problem", [Code.NO_REFERENCE, Code.AMBIGUOUS, Code.UNREADABLE], ids=str)
def test_a_place_that_cannot_be_used_is_a_row_with_its_code(problem: Code) -> None:
    found = story()
    world = replace(_world(found), pins={("staging", "web"): Pin((), problem, "apps/staging/a.yaml:3")})

    row = _of(world, found, "staging")

    assert (row.verdict, row.codes, row.detail) == (
        Standing.WAITING,
        (problem.value,),
        "apps/staging/a.yaml:3",
    )
    assert _of(world, found, "production").codes == ("no-reference",)


def test_what_runs_there_and_nothing_newer_is_current() -> None:
    row = _row(story(), "staging", ("1.0.0",))

    assert (row.verdict, row.codes, row.best) == (Standing.CURRENT, ("current",), None)


def test_a_selection_that_fails_says_so() -> None:
    text = RULES.replace("cart, versions: 1.x}", "cart, versions: {numerical: asc}}")
    found = story(text)
    world = _world(found, text=text)
    pins = {**world.pins, ("staging", "cart"): Pin((Pinned(CART, "1"),))}
    world = replace(world, tags={CART: TagList(("one", "two"))}, pins=pins)

    row = decide_row(world, "staging", "cart", found.at)

    assert row
    assert (row.verdict, row.codes) == (Standing.WAITING, ("selection-failed",))
    assert row.detail


def test_a_decision_has_a_row_for_each_place_in_the_order_of_the_rules() -> None:
    found = story()
    decision = decide(_world(found), found.at)

    places = [(row.environment, row.service) for row in decision.rows]
    assert places == [("staging", "web"), ("staging", "cart"), ("production", "web"), ("production", "cart")]
    assert decision.row("production", "web") == _row(found)
    assert decision.row("production", "nothing") is None
    assert (decision.at, decision.commit) == (found.at, found.book.line[-1])


def test_a_place_that_the_rules_do_not_have_has_no_row() -> None:
    found = story()

    assert decide_row(_world(found), "qa", "web", found.at) is None
    assert decide_row(_world(found), "staging", "nothing", found.at) is None
    assert why(_world(found), "qa", "web", "1.0.0", found.at) is None


@pytest.mark.parametrize(
    ("version", "verdict", "codes"),
    [
        ("1.2.0", Standing.READY, ()),
        ("1.1.0", Standing.REFUSED, ("newer-available",)),
        ("1.0.0", Standing.CURRENT, ()),
        ("0.9.0", Standing.REFUSED, ("out-of-range",)),
        ("7.7.7", Standing.REFUSED, ("tag-unknown",)),
        ("latest", Standing.REFUSED, ("not-a-version",)),
    ],
)
def test_why_answers_for_every_version(version: str, verdict: Standing, codes: tuple[str, ...]) -> None:
    found = story()
    world = _world(found, (*TAGS, "0.9.0", "latest"))

    answer = why(world, "staging", "web", version, found.at)

    assert answer
    assert (answer.version, answer.verdict) == (version, verdict)
    assert answer.codes == codes


def test_why_says_of_an_older_version_that_it_is_older() -> None:
    found = story().staged("1.2.0")

    answer = why(_world(found), "staging", "web", "1.1.0", found.at)

    assert answer
    assert answer.reasons == (Failed(Code.OLDER),)


def test_why_says_that_the_registry_is_silent() -> None:
    found = story()
    world = replace(_world(found), tags={WEB: Silence(Silent.SLOW, "10 s")})

    answer = why(world, "staging", "web", "1.9.0", found.at)

    assert answer
    assert answer.reasons == (Waiting(Silent.SLOW, "10 s"),)


def test_what_time_alone_opens_says_when() -> None:
    found = story()
    soon, late = (found.at + timedelta(hours=hours) for hours in (1, 2))
    found.add(found.stand(Kind.HOLD, person("ada"), until=write_time(soon)))
    found.add(found.stand(Kind.FREEZE, person("ada"), environment="staging", until=write_time(late)))

    assert _candidate(found, "1.2.0", "staging").until == late
    assert _candidate(found, "1.2.0").until is None
    assert Candidate("1", "", Standing.READY).until is None


def test_a_candidate_names_what_would_stand_there() -> None:
    rule = effective(rules(), "staging", "web")
    assert rule

    assert _candidate(story(), "1.2.0", "staging").images(rule) == (pinned("1.2.0"),)


def test_what_is_under_way_is_shown_though_the_registry_has_it_no_more() -> None:
    row = _row(story().asked("1.1.0"), tags=("1.0.0",))

    assert [(one.version, one.codes) for one in row.candidates] == [("1.1.0", ("approvals-missing",))]


# --- laws ----------------------------------------------------------------------------------------------------

DEEDS = st.lists(
    st.sampled_from(["hold", "freeze", "block", "stage", "ask", "approve", "before", "hand", "wait"]),
    max_size=7,
)


def _do(found: Story, deed: str) -> None:  # noqa: C901  one row a deed: a table
    match deed:
        case "hold":
            entry = found.stand(Kind.HOLD, person("ada"))
        case "freeze":
            entry = found.stand(Kind.FREEZE, person("ada"))
        case "block":
            entry = found.stand(Kind.BLOCK, person("ada"), image=(pinned("1.1.0", digest=""),))
        case "before":
            entry = found.seen("1.1.0", before=True)
        case "hand":
            entry = found.external("1.1.0", "staging")
        case "ask":
            entry = found.propose("1.1.0")
        case "approve" if found.state.promotions:
            waiting = [
                one for one in ("ada", "bob") if found.refusal(found.about(Kind.APPROVE, person(one))) is None
            ]
            if not waiting:
                return
            entry = found.about(Kind.APPROVE, person(waiting[0]))
        case "stage":
            if found.refusal(found.seen("1.1.0")) is None:
                found.add(found.seen("1.1.0"))
            entry = found.bump("1.1.0")
        case _:
            found.at += timedelta(hours=3)
            return
    if found.refusal(entry) is None:
        found.add(entry)


def _lived(deeds: list[str]) -> Story:
    found = story()
    for deed in deeds:
        _do(found, deed)
    return found


def _gates_of(row: Row, world: World, candidate: Candidate, found: Story) -> bool:
    """Ask the gates again, without what decides."""
    rule = effective(world.rules, row.environment, row.service)
    assert rule
    mine = world.state.promotions.get(candidate.promotion)
    alone = MERGED if rule.environment.is_guarded else ALONE
    case = Case(
        rules=world.rules,
        rule=rule,
        state=world.state,
        image=(Pinned(IMAGE, candidate.version, candidate.digest),),
        current=world.pin(row.environment, row.service).image,
        at=found.at,
        baseline=world.baseline,
        promotion=mine,
    )
    return all(
        verdict == PASSED for verdict in ask(ROLLED_BACK if mine and mine.is_rollback else alone, case)
    )


@given(DEEDS)
def test_nothing_is_ready_with_a_gate_not_passed(deeds: list[str]) -> None:
    found = _lived(deeds)
    world = _world(found)

    for row in decide(world, found.at).rows:
        for candidate in row.candidates:
            if candidate.verdict is Standing.READY:
                assert _gates_of(row, world, candidate, found)
                assert not candidate.reasons


@given(DEEDS)
def test_what_is_ready_is_what_the_validator_lets_through(deeds: list[str]) -> None:
    """One door: what the decision offers is what may be appended."""
    found = _lived(deeds)
    for candidate in _row(found, "staging").candidates:
        if candidate.verdict is Standing.READY:
            if (("web", IMAGE, candidate.version)) not in found.state.seen:
                found.add(found.seen(candidate.version))
            assert found.refusal(found.bump(candidate.version)) is None
    for candidate in _row(found).candidates:
        if candidate.verdict is Standing.READY:
            assert found.refusal(found.about(Kind.INTENT)) is None


@given(DEEDS)
def test_adding_a_service_never_changes_anothers_verdict(deeds: list[str]) -> None:
    found = _lived(deeds)
    more = RULES.replace("services:\n", "services:\n  api: {image: ghcr.io/example/api, versions: 1.x}\n")
    before, after = _world(found), _world(found, text=more)
    after = replace(
        after, tags={**after.tags, Repository("ghcr.io/example/api"): TagList(("1.0.0", "1.9.0"))}
    )

    one, two = decide(before, found.at), decide(after, found.at)

    assert all(two.row(row.environment, row.service) == row for row in one.rows)
    assert len(two.rows) == len(one.rows) + 2


@given(DEEDS)
def test_the_same_world_has_the_same_answer(deeds: list[str]) -> None:
    one, two = _lived(deeds), _lived(deeds)

    first: Decision = decide(_world(one), one.at)

    assert first == decide(_world(two), two.at)


@given(DEEDS)
def test_why_says_what_the_row_says(deeds: list[str]) -> None:
    found = _lived(deeds)
    world = _world(found)

    for row in decide(world, found.at).rows:
        for candidate in row.candidates:
            assert why(world, row.environment, row.service, candidate.version, found.at) == candidate


def test_rules_that_moved_are_judged_as_they_are_now() -> None:
    found = story().asked("1.1.0").approved("ada")
    text = RULES.replace("2 of release-managers", "1 of release-managers")
    change_rules(found, text)

    row = decide_row(_world(found, text=text), "production", "web", found.at)

    assert row
    assert next(one for one in row.candidates if one.version == "1.1.0").verdict is Standing.READY
    refusal = found.refusal(found.about(Kind.INTENT))
    assert refusal
    assert refusal.code is Code.RULE_MOVED  # it is voided first
    assert hash_of("x") != found.promotion().change
    assert found.refusal(found.stand(Kind.FREEZE, Bot())) is None


def test_a_place_whose_policy_says_nothing_waits_and_the_others_go_on() -> None:
    found = story()
    world = _world(found)
    trouble = Trouble(Code.FLUX_SUSPENDED, "ImagePolicy shop/web is suspended")
    web = world.rules.services["web"]
    there = {("staging", "web"): replace(web, trouble=trouble)}
    world = replace(world, rules=replace(world.rules, there=there))

    decision = decide(world, found.at)
    row = decision.row("staging", "web")
    asked = why(world, "staging", "web", "1.2.0", found.at)

    assert row
    assert (row.verdict, row.codes, row.detail) == (Standing.WAITING, ("flux-suspended",), trouble.detail)
    assert row.current
    assert asked
    assert asked.codes == ("flux-suspended",)
    assert decision.row("production", "web") == decide(_world(found), found.at).row("production", "web")


def test_each_environment_has_its_own_versions_where_they_differ() -> None:
    found = story()
    world = _world(found)
    narrow = replace(world.rules.services["web"], exclusions=("^1[.]2",))
    world = replace(world, rules=replace(world.rules, there={("staging", "web"): narrow}))

    decision = decide(world, found.at)

    best = {
        row.environment: row.selection.best for row in decision.rows if row.selection and row.service == "web"
    }
    assert best == {"staging": "1.1.0", "production": "1.2.0"}
    excluded = why(world, "staging", "web", "1.2.0", found.at)
    assert excluded
    assert excluded.codes == ("tag-filtered",)
