"""What people moved in one region with a service that had been behind all along, in the next: exactly that, or less."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from policies.codes import Code
from policies.decide import Candidate, rows_of
from policies.entries.entry import Bot, Entry, Kind, shares
from policies.group_rows import taken_along
from policies.ledger.rollout import evidence_of, last_by_people
from policies.rules.rules import EffectiveRule, moving_rule
from policies.validator import every_refusal
from policies.world import World
from tests.policies.group_worlds import SERVICES, about, image, propose, seen, shared, world
from tests.policies.ledger_builders import Story, oid, person
from tests.policies.test_group_before import BOTH, CART, CAUGHT_UP, WEB, behind, known_of

US = "  us: {path: apps/us, channel: deploys, after: production, approvals: as production}\n"
REGIONS = CAUGHT_UP.replace("groups:", f"{US}groups:")


def landed(text: str = REGIONS, versions: Mapping[str, str] = BOTH) -> Story:
    """Let people move these in production: of both the first came, and the second was there before."""
    found = behind(text, WEB, CART)
    found.add(propose(found, versions))
    for name in ("ada", "bob"):
        found.add(about(found, Kind.APPROVE, person(name)))
    for kind in (Kind.INTENT, Kind.MERGED, Kind.LANDED):
        found.add(about(found, kind))
    return found


def rule_of(known: World, environment: str = "us") -> EffectiveRule:
    rule = moving_rule(known.rules, environment, "shop")
    assert rule
    return rule


def along(found: Story) -> tuple[Candidate | None, bool]:
    """Return what the bot takes along to the next region, and whether that comes later."""
    known = known_of(found)
    rule = rule_of(known)
    last = last_by_people(found.state, rule)
    assert last
    return taken_along(known, rule, rows_of(known, rule, found.at), last)


def asks(found: Story, versions: Mapping[str, str], *, lends: bool = True) -> Entry:
    """Let the bot ask for versions in the next region, with the approvals of production."""
    evidence = evidence_of(found.promotion("production", "shop")) if lends else {}
    fields = {**shared(found, "us", versions), "head": oid("in us"), "evidence": evidence, "why": "at-once"}
    return found.identified(replace(found.word(Kind.PROPOSE, Bot()), **fields))


def refusals(found: Story, entry: Entry) -> set[str]:
    return {str(one.code) for one in every_refusal(found.state, found.complete(entry), found.book)}


def test_exactly_what_was_approved_is_taken_along_and_the_ledger_lets_it() -> None:
    found = landed()

    candidate, is_coming = along(found)

    assert candidate
    assert not is_coming
    moves = shares("shop", candidate.members, candidate.together, ())
    assert {one.service: one.image[0].tag for one in moves} == BOTH
    assert candidate.codes == (Code.NOT_REQUESTED,)
    assert refusals(found, asks(found, BOTH)) == set()
    found.add(asks(found, BOTH))
    assert [one.by.person for one in found.promotion("us", "shop").approvals] == ["ada", "bob"]
    assert along(found) == (None, False), "it is under way"


@pytest.mark.parametrize(
    ("versions", "lends", "code"),
    [
        (BOTH, False, Code.KNOWN_BEFORE),
        (CART, True, Code.CHANGE_MOVED),
        (WEB, True, Code.CHANGE_MOVED),
    ],
    ids=["no approvals", "only what was there", "less than was approved"],
)
def test_anything_else_is_not_taken_along(versions: Mapping[str, str], lends: bool, code: Code) -> None:  # noqa: FBT001
    found = landed()

    assert code in refusals(found, asks(found, versions, lends=lends))


def test_another_digest_under_the_same_tags_is_not_taken_along() -> None:
    found = landed()
    entry = asks(found, BOTH)
    other = (replace(entry.image[0], digest=image("9.9.9", "web").digest), entry.image[1])

    assert refusals(found, replace(entry, image=other)) >= {Code.CHANGE_MOVED, Code.KNOWN_BEFORE}


def test_what_the_bot_asked_for_takes_nothing_along() -> None:
    text = REGIONS.replace("    approvals: 2", "    opens: at-once\n    approvals: 2")
    found = behind(text, WEB, CART)
    found.add(propose(found, WEB, Bot(), why="at-once"))
    for name in ("ada", "bob"):
        found.add(about(found, Kind.APPROVE, person(name)))
    for kind in (Kind.INTENT, Kind.MERGED, Kind.LANDED):
        found.add(about(found, kind))

    assert last_by_people(found.state, rule_of(known_of(found))) is None
    assert refusals(found, asks(found, WEB)) == set()


def test_where_nothing_landed_nothing_is_taken_along() -> None:
    found = behind(REGIONS, WEB, CART)

    assert last_by_people(found.state, rule_of(known_of(found))) is None


def test_what_still_soaks_is_waited_for() -> None:
    found = landed(REGIONS.replace("approvals: as production}", "approvals: as production, soak: 1h}"))

    assert along(found) == (None, False), "nothing may be asked for yet"
    known = known_of(found)
    rule = rule_of(known)
    last = last_by_people(found.state, rule)
    assert last
    web, cart = rows_of(known, rule, found.at)
    ready = [replace(one, reasons=()) for one in web.candidates]
    assert taken_along(known, rule, (replace(web, candidates=tuple(ready)), cart), last) == (None, True)


def test_one_that_is_held_is_not_waited_for() -> None:
    found = landed()
    found.add(found.stand(Kind.HOLD, person("ada"), environment="us", service="cart"))

    assert along(found) == (None, False)


def test_where_only_old_versions_moved_the_bot_asks_for_nothing() -> None:
    found = behind(REGIONS, {}, BOTH)
    found.add(propose(found, BOTH))
    for name in ("ada", "bob"):
        found.add(about(found, Kind.APPROVE, person(name)))
    for kind in (Kind.INTENT, Kind.MERGED, Kind.LANDED):
        found.add(about(found, kind))

    assert along(found) == (None, False)


def test_a_newer_version_that_came_since_is_not_what_was_approved() -> None:
    found = landed()
    seen(found, {"web": "1.2.0"})
    known = world(found, dict.fromkeys(SERVICES, ("1.0.0", "1.1.0", "1.2.0")))
    rule = rule_of(known)
    last = last_by_people(found.state, rule)
    assert last
    web, cart = rows_of(known, rule, found.at)
    newer = tuple(replace(one, reasons=()) for one in web.candidates)

    assert taken_along(known, rule, (replace(web, candidates=newer), cart), last) == (None, False)


def test_a_service_that_stands_there_already_makes_it_less_than_was_approved() -> None:
    found = landed()
    known = known_of(found)
    rule = rule_of(known)
    last = last_by_people(found.state, rule)
    assert last
    web, cart = rows_of(known, rule, found.at)

    assert taken_along(known, rule, (web, replace(cart, candidates=())), last) == (None, False)


def test_what_the_region_before_has_no_more_is_not_waited_for() -> None:
    found = landed(REGIONS.replace("approvals: as production}", "approvals: as production, takes: same}"))
    assert along(found)[0] is not None
    moved = found.external("1.0.0")
    found.add(
        replace(moved, service="cart", image=(image("1.1.0", "cart"),), previous=(image("1.2.0", "cart"),))
    )

    assert along(found) == (None, False)
