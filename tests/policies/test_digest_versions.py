"""A tag that moves: how its versions are called, and what tells them apart for gates, guards and decisions."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from policies import guards
from policies.codes import Code
from policies.decide import Row, Standing, decide_row, why
from policies.entries.entry import Entry, Kind, Pinned, Sighting
from policies.errors import PolicyError
from policies.gates import Case, age, blocked, digest, downgrade, previous, soak, went_back
from policies.gates.sightings import was_before
from policies.images.evidence import Silence, Silent, TagList
from policies.images.image import Digest, Repository, Tag
from policies.images.selection import Fate, SelectionPolicy, best, newer, select
from policies.ledger.digest_versions import called, is_digest, is_meant, tag_in, told_apart
from policies.proposing.versions import of_policy
from policies.rulebook.findings import RulesError
from policies.rules.rules import Service, effective
from policies.verdict import PASSED, Failed
from policies.world import Pin, World
from tests.policies.ledger_builders import IMAGE, RULES, Story, hash_of, person, rules, story

WEB = Repository(IMAGE)
TEXT = RULES.replace(
    "ghcr.io/example/web, versions: 1.x", "ghcr.io/example/web, versions: {digest-of: latest}"
)
SERVICE = rules(TEXT).services["web"]
PLAIN = rules(RULES).services["web"]


def _latest(what: str) -> Pinned:
    return Pinned(IMAGE, "latest", f"sha256:{hash_of(what)}")


def test_a_version_is_called_by_its_short_digest_where_the_tag_is_followed() -> None:
    assert called(SERVICE, (_latest("a"),)) == f"latest@sha256:{hash_of('a')[:12]}"
    assert called(PLAIN, (_latest("a"),)) == called(None, (_latest("a"),)) == "latest"
    assert called(SERVICE, (Pinned(IMAGE, "latest"),)) == "latest"
    assert called(SERVICE, ()) == ""
    assert tag_in("latest@sha256:1234") == tag_in("latest") == "latest"


SAYINGS: dict[str, tuple[Service | None, str, bool]] = {
    "as it is called": (SERVICE, f"latest@sha256:{hash_of('a')[:12]}", True),
    "four digits": (SERVICE, f"sha256:{hash_of('a')[:4]}", True),
    "all of it": (SERVICE, f"sha256:{hash_of('a')}", True),
    "with its tag": (SERVICE, f"latest@sha256:{hash_of('a')[:6]}", True),
    "another tag": (SERVICE, f"stable@sha256:{hash_of('a')[:6]}", False),
    "another digest": (SERVICE, "sha256:0000", False),
    "the tag alone": (SERVICE, "latest", False),
    "where tags are versions": (PLAIN, f"sha256:{hash_of('a')[:4]}", False),
    "of nothing known": (None, f"sha256:{hash_of('a')[:4]}", False),
}


@pytest.mark.parametrize(("service", "said", "expected"), SAYINGS.values(), ids=SAYINGS)
def test_which_version_somebody_means(service: Service | None, said: str, expected: bool) -> None:  # noqa: FBT001  a table's column
    assert is_meant(service, (_latest("a"),), said) is expected
    assert is_meant(service, (), said) is False


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("sha256:9b1c", True),
        ("latest@sha256:9b1c", True),
        ("sha256:9b", False),
        ("latest", False),
        ("a b@sha256:9b1c", False),
    ],
)
def test_what_a_digest_looks_like(word: str, expected: bool) -> None:  # noqa: FBT001  a table's column
    assert is_digest(word) is expected


def test_two_images_of_one_tag_are_told_apart_by_their_digests() -> None:
    short = [f"latest@sha256:{hash_of(what)[:12]}" for what in ("a", "b")]

    assert list(told_apart((_latest("a"),), (_latest("b"),))) == short
    assert told_apart((Pinned(IMAGE, "latest"),), (_latest("b"),)) == ("latest", short[1])
    assert told_apart((Pinned(IMAGE, "1.0"),), (_latest("b"),)) == ("1.0", "latest")
    assert told_apart((), (_latest("b"),)) == ("", "latest")


def test_the_policy_takes_its_tag_and_nothing_else() -> None:
    policy = SelectionPolicy.digest_of("latest")

    assert select(policy, ["1.0", "latest"]).fates == {"1.0": Fate.FILTERED, "latest": Fate.SELECTED}
    assert select(policy, ["1.0"]).best is best(policy, ["1.0"]) is None
    assert best(policy, ["latest"]) == "latest"
    assert newer(policy, "latest", "1.0") is None
    assert of_policy(policy).text == "{digest-of: latest}"
    for text, pattern, extract in (("latest", "x", ""), ("latest", None, "$x"), ("no tag", None, "")):
        with pytest.raises(PolicyError):
            SelectionPolicy.digest_of(text, pattern, extract)


def test_several_images_have_no_one_tag_to_follow() -> None:
    with pytest.raises(RulesError, match="digest-of follows one image, not several"):
        rules(
            TEXT.replace("image: ghcr.io/example/web,", "images: [ghcr.io/example/web, ghcr.io/example/x],")
        )


def test_a_group_has_nobody_who_follows_a_tag() -> None:
    with pytest.raises(RulesError, match="web of group shop follows a tag that moves"):
        rules(f"{TEXT}groups: {{shop: [web, cart]}}\n")


# --- sightings and gates --------------------------------------------------------------------------------------


def _seen(found: Story, what: str, *, before: bool = False) -> Entry:
    one = _latest(what)
    return Entry(kind=Kind.SEEN, at="", key="", seen=(Sighting("web", IMAGE, one.tag, one.digest, before),))


def _bump(found: Story, what: str) -> Entry:
    return found.bump(what, image=(_latest(what),))


def _moved(*names: str) -> Story:
    """A story in which staging moved to each of these in turn; the first was there at the first look."""
    found = story(TEXT)
    found.book.stood["staging", "web"] = (_latest("first"),)
    found.add(_seen(found, "first", before=True))
    for name in names:
        found.add(_seen(found, name))
        found.add(_bump(found, name))
    return found


def _case(
    found: Story, what: str, environment: str = "staging", *, stands: str = "", text: str = TEXT
) -> Case:
    in_force = rules(text)
    rule = effective(in_force, environment, "web")
    assert rule
    current = (_latest(stands),) if stands else ()
    return Case(in_force, rule, found.state, (_latest(what),), current, found.at, baseline=found.book.stood)


def test_each_digest_has_a_sighting_of_its_own() -> None:
    found = _moved("second")
    again = _seen(found, "second").seen + _seen(found, "fourth").seen
    found.add(replace(_seen(found, "second"), seen=again))  # what was seen before stays what it was

    first, second = (found.state.sighting("web", _latest(what), exact=True) for what in ("first", "second"))
    assert first
    assert second
    assert second.at > first.at
    assert found.state.sighting("web", _latest("third"), exact=True) is None
    assert found.state.sighting("web", _latest("third"), exact=False) == first
    assert was_before(SERVICE, found.state, (_latest("first"),)) == "latest"
    assert was_before(SERVICE, found.state, (_latest("second"),)) == ""


def test_what_was_never_sighted_or_was_there_before_does_not_move() -> None:
    found = _moved("second")

    for what, code in (("third", Code.NOT_SEEN), ("first", Code.KNOWN_BEFORE)):
        assert code in {one.code for one in found.reasons(_bump(found, what))}


def test_a_digest_that_moved_is_no_bad_evidence_there() -> None:
    found = _moved("second")
    digests = {(WEB, Tag("latest")): Digest(_latest("third").digest)}

    assert digest(_case(found, "third")) == PASSED
    assert list(guards.moved(rules(TEXT), found.state, digests)) == []
    assert [one.code for one in guards.moved(rules(RULES), found.state, digests)] == [Code.DIGEST_MOVED]


def test_age_soak_and_what_ran_before_are_of_the_very_digest() -> None:
    text = TEXT.replace("    after: staging\n", "    after: staging\n    soak: 1h\n    age: 1h\n")
    found = _moved("second")
    found.at += timedelta(hours=2)
    found.add(_seen(found, "third"))

    gates = (previous, soak, age)
    assert [gate(_case(found, "second", "production", text=text)) for gate in gates] == [PASSED] * 3
    assert all(gate(_case(found, "third", "production", text=text)) != PASSED for gate in gates)
    assert previous(_case(found, "first", "production", text=text)) == PASSED


def test_a_baseline_without_a_digest_is_no_version() -> None:
    found = story(TEXT)
    found.book.stood["staging", "web"] = (Pinned(IMAGE, "latest"),)

    assert previous(_case(found, "first", "production")) != PASSED
    assert (
        previous(_case(found, "first", "production", text=TEXT.replace("{digest-of: latest}", "'>=0'")))
        == PASSED
    )


@pytest.mark.parametrize("gate", [downgrade, went_back])
def test_what_ran_there_and_was_left_is_a_step_back(gate: Callable[[Case], object]) -> None:
    found = _moved("second", "third")

    assert gate(_case(found, "third", stands="third")) == PASSED
    assert gate(_case(found, "fourth", stands="third")) == PASSED
    assert getattr(gate(_case(found, "second", stands="third")), "code", None) is Code.DOWNGRADE


def test_a_step_back_says_which_digest_it_is() -> None:
    found = _moved("second", "third")

    told = downgrade(_case(found, "second", stands="third"))

    assert told == Failed(
        Code.DOWNGRADE, f"latest names {_latest('second').digest[:19]} again, which ran here before"
    )


@pytest.mark.parametrize(
    ("service", "what", "is_lifted"),
    [("web", "second", True), ("web", "third", False), ("cart", "second", False)],
)
def test_whose_block_was_lifted_may_come_again_and_no_other(
    service: str, what: str, *, is_lifted: bool
) -> None:
    found = _moved("second", "third")
    found.state.unblocked["staging", service, _latest(what)] = found.at

    assert (downgrade(_case(found, "second", stands="third")) == PASSED) is is_lifted


@pytest.mark.parametrize(("answered", "is_enough"), [("third", True), ("fourth", True), ("fifth", False)])
def test_an_answer_for_the_step_from_one_of_what_stands_there_is_enough(
    answered: str, *, is_enough: bool
) -> None:
    found = _moved("second", "third")
    found.state.answered["staging", "web", Code.DOWNGRADE, _latest("second"), _latest(answered)] = 1
    about = _case(found, "second", stands="third")
    about = replace(about, current=(*about.current, _latest("fourth")))

    assert (downgrade(about) == PASSED) is is_enough


def test_who_unblocked_it_said_that_it_may_come_again() -> None:
    found = _moved("second", "third")
    image = (_latest("second"),)
    for kind in (Kind.BLOCK, Kind.UNBLOCK):
        found.add(found.stand(kind, person("ada"), image=image))

    assert downgrade(_case(found, "second", stands="third")) == PASSED
    assert blocked(_case(found, "second", stands="third")) == PASSED


def test_who_answered_for_the_step_said_so_too() -> None:
    found = _moved("second", "third")
    finding = guards.step_back("web", "staging", (_latest("second"),), (_latest("third"),), "it came again")
    found.add(guards.entry_of(finding, at=found.at, first=found.at))
    found.add(found.stand(Kind.RESUME, person("ada"), environment="staging"))

    assert downgrade(_case(found, "second", stands="third")) == PASSED
    assert downgrade(_case(found, "second", stands="fourth")) != PASSED
    assert found.state.holds == {}


# --- decisions ------------------------------------------------------------------------------------------------


def _world(found: Story, what: str, *, stands: str = "third", is_listed: bool = True) -> World:
    return World(
        rules=rules(TEXT),
        commit=found.book.line[-1],
        state=found.state,
        pins={(name, "web"): Pin((_latest(stands),)) for name in ("staging", "production")},
        tags={WEB: TagList(("latest",) if is_listed else ("1.0",))},
        digests={
            (WEB, Tag("latest")): Digest(_latest(what).digest) if what else Silence(Silent.SLOW, "slow")
        },
        baseline=found.book.stood,
    )


def _row(world: World, found: Story, environment: str = "staging") -> Row:
    row = decide_row(world, environment, "web", found.at)
    assert row
    return row


def test_what_the_tag_named_since_are_candidates_newest_first() -> None:
    found = _moved("second", "third")
    for name in ("fourth", "fifth"):
        found.add(_seen(found, name))
    world = _world(found, "fifth")

    row = _row(world, found)

    assert row.current == called(SERVICE, (_latest("third"),))
    assert [(one.digest, one.verdict) for one in row.candidates] == [
        (_latest("fifth").digest, Standing.READY),
        (_latest("fourth").digest, Standing.REFUSED),
    ]
    assert row.candidates[1].codes == ("newer-available",)
    named = why(world, "staging", "web", f"sha256:{hash_of('fourth')[:6]}", found.at)
    assert named == row.candidates[1]
    stands = why(world, "staging", "web", f"sha256:{hash_of('third')[:6]}", found.at)
    assert stands
    assert stands.verdict is Standing.CURRENT


def test_a_tag_that_is_gone_offers_nothing() -> None:
    found = _moved("second", "third")

    gone = _world(found, "", is_listed=False)
    assert _row(gone, found).candidates == ()
    stands = why(gone, "staging", "web", f"sha256:{hash_of('third')[:6]}", found.at)
    assert stands
    assert stands.verdict is Standing.CURRENT
    assert _row(_world(found, ""), found).candidates[0].codes == ("digest-unknown",)


def test_what_is_under_way_stays_beside_what_the_tag_names_now() -> None:
    found = _moved("second", "third")
    stood = (_latest("first"),)
    found.book.stood["production", "web"] = stood
    found.add(found.propose("second", image=(_latest("second"),), previous=stood))
    found.add(_seen(found, "fourth"))
    world = _world(found, "fourth", stands="third")
    gone = replace(world, tags={WEB: TagList(("1.0",))})

    for one in (world, gone):
        row = _row(one, found, "production")
        assert row.candidates[0].digest == _latest("second").digest
        assert row.candidates[0].promotion
    assert [one.digest for one in _row(world, found, "production").candidates][1:] == [
        _latest("fourth").digest
    ]
    assert "other-promotion-open" in _row(world, found, "production").candidates[1].codes
