"""Bad evidence stops one service, after a second sighting, until a person answers; and never opens anything."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies import guards
from policies.codes import Code
from policies.entries.entry import Bot, Entry, Kind
from policies.guards import Finding
from policies.images.evidence import Silence, Silent, TagList
from policies.images.image import Digest, Repository, Tag
from policies.ledger.state import State
from tests.policies.ledger_builders import (
    IMAGE,
    RULES,
    START,
    Story,
    change_rules,
    person,
    pinned,
    rules,
    story,
)

TEN = tuple(f"1.{number}.0" for number in range(10))
HOUR = timedelta(hours=1)
TAGS = st.sets(st.integers(0, 12).map(str), max_size=13)


@pytest.mark.parametrize(
    ("before", "now", "told", "gone"),
    [
        (TEN, TEN, (), 0),
        (TEN, (*TEN, "2.0.0"), (), 0),
        (TEN, TEN[3:], (), 0),
        (TEN, TEN[4:], (), 4),
        (TEN[:9], TEN[3:9], (), 0),
        (TEN, (), (), 10),
        (TEN[:2], (), (), 0),
        (TEN[:3], (), (), 3),
        (TEN, TEN[4:], TEN[:4], 0),
        (TEN, TEN[5:], TEN[:4], 0),
        (TEN, (), TEN[:4], 6),
        ((), TEN, (), 0),
    ],
    ids=[
        "the same", "more", "a third less", "more than a third less", "just a third less", "nothing left",
        "two of two", "three of three", "what was told", "one more than was told", "all that was not told",
        "nothing known before",
    ],
)  # fmt: skip
def test_a_list_that_lost_too_much_is_found(
    before: tuple[str, ...], now: tuple[str, ...], told: tuple[str, ...], gone: int
) -> None:
    found = guards.lost("web", before, TagList(now), told)

    assert (len(found.lost) if found else 0) == gone
    assert found is None or (found.code, found.image, found.environment) == (Code.TAGS_LOST, (), "")


@given(TAGS, TAGS, TAGS)
def test_what_grows_is_never_found_and_the_order_does_not_matter(
    before: set[str], now: set[str], told: set[str]
) -> None:
    assert guards.lost("web", before, TagList(tuple(before | now)), told) is None
    one = guards.lost("web", sorted(before), TagList(tuple(now)), told)
    assert one == guards.lost("web", sorted(before, reverse=True), TagList(tuple(now)), told)


def test_a_list_that_was_cut_short_is_found() -> None:
    assert guards.cut_short("web", TagList(TEN)) is None
    found = guards.cut_short("web", TagList(TEN, whole=False))
    assert found is not None
    assert found.waiting.code is Code.TAGS_CUT_SHORT


def _moved(state: State, answer: Digest | Silence) -> list[Finding]:
    return list(guards.moved(rules(), state, {(Repository(IMAGE), Tag("1.1.0")): answer}))


OTHER = Digest(pinned("x").digest)


def test_a_tag_that_names_another_image_is_found_until_somebody_takes_it_on() -> None:
    found = story()
    assert not _moved(found.state, OTHER)  # nobody looked before
    found.add(found.seen("1.1.0"))
    assert not _moved(found.state, Digest(pinned("1.1.0").digest))
    assert not _moved(found.state, Silence(Silent.SLOW, "slow"))

    (bad,) = _moved(found.state, OTHER)

    assert bad.image == (pinned("1.1.0", digest=OTHER),)
    found.add(guards.entry_of(bad, at=found.at, first=found.at - HOUR))
    assert _moved(found.state, OTHER) == [bad]
    assert not guards.still_open(found.state, [bad])
    found.add(found.stand(Kind.UNBLOCK, person("ada"), image=(pinned("1.1.0", digest=""),)))
    assert not _moved(found.state, OTHER)


def _lost() -> Finding:
    found = guards.lost("web", TEN, TagList(()), ())
    assert found
    return found


def _jump() -> Finding:
    return guards.jumped("web", "staging", (pinned("3.0.0"),), "two above")


@pytest.mark.parametrize("made", [_lost, _jump], ids=["a hold", "a block"])
def test_what_was_answered_stops_nothing_again(made: Callable[[], Finding]) -> None:
    found, bad = story(), made()
    entry = found.add(guards.entry_of(bad, at=found.at, first=found.at - HOUR))
    assert isinstance(entry.by, Bot)
    assert entry.why == bad.code

    lift = Kind.RESUME if entry.kind is Kind.HOLD else Kind.UNBLOCK
    found.add(found.stand(lift, person("ada"), image=entry.image, trigger="click"))

    assert not guards.still_open(found.state, [bad])
    assert found.refusal(guards.entry_of(bad, at=found.at, first=found.at)) is not None


def test_tags_whose_loss_was_told_are_remembered() -> None:
    found = story()
    found.add(guards.entry_of(_lost(), at=found.at, first=found.at))

    assert found.state.lost["web"] == frozenset(TEN)


@pytest.mark.parametrize("told", ["1.0.0", [7, ["x"]], {"a": "b"}], ids=["a text", "numbers", "an object"])
def test_a_hold_that_tells_nonsense_of_tags_is_folded(told: object) -> None:
    found = story()
    found.add(found.stand(Kind.HOLD, Bot(), evidence={"lost": told}))

    assert not found.state.lost.get("web")


def test_what_a_person_says_of_tags_is_no_finding() -> None:
    found = story()
    entry = found.stand(Kind.HOLD, person("ada"))
    found.add(replace(entry, evidence={**entry.evidence, "lost": ["1.0.0"]}))

    assert not found.state.lost


@pytest.mark.parametrize(
    ("looks", "is_confirmed"),
    [((0,), False), ((0, 0.5), False), ((0, 1), True), ((0, 0.5, 1), True), ((0, 3), True)],
    ids=["once", "too soon", "an interval apart", "three times", "long apart"],
)
def test_evidence_is_sighted_twice_before_it_counts(looks: tuple[float, ...], *, is_confirmed: bool) -> None:
    first: dict[guards.Sight, object] = {}
    bad = (_lost(),)
    for hours in looks:
        looked = {"web": START + hours * HOUR}
        first = guards.sighted(bad, first, looked)  # type: ignore[arg-type, assignment]  # instants
        found = guards.confirmed(bad, first, looked, HOUR)  # type: ignore[arg-type]

    assert found == (bad if is_confirmed else ())


def test_what_is_not_sighted_again_is_forgotten() -> None:
    bad = (_lost(),)
    first = guards.sighted(bad, {}, {"web": START})

    assert guards.sighted((), first, {"web": START + HOUR}) == {}
    assert guards.sighted(bad, first, {}) == {}


def _to(tag: str, current: str = "1.0.0", jump: str = "") -> tuple[Story, Entry]:
    text = RULES.replace("versions: 1.x}\n  cart", 'versions: ">=0"}\n  cart')
    found = story(text.replace("approvals: none}", f"approvals: none, jump: {jump}}}") if jump else text)
    found.book.stood["staging", "web"] = (pinned(current),)
    found.add(found.seen(tag))
    return found, found.bump(tag, previous=(pinned(current),))


@pytest.mark.parametrize(
    ("tag", "current", "code"),
    [
        ("2.0.0", "1.9.0", None),
        ("1.9.0", "1.0.0", None),
        ("3.0.0", "1.9.0", Code.MAJOR_JUMP),
        ("5.1.0", "3.9.0", Code.MAJOR_JUMP),
        ("3.0.0", "latest", None),
    ],
    ids=["the next", "the same", "the one after the next", "further on", "from no version"],
)
def test_a_step_over_a_major_version_is_a_persons_word(tag: str, current: str, code: Code | None) -> None:
    found, entry = _to(tag, current)

    refusal = found.refusal(entry)

    assert (refusal.code if refusal else None) is code


@pytest.mark.parametrize(
    ("jump", "tag", "code"),
    [
        ("0", "1.9.0", None),
        ("0", "2.0.0", Code.MAJOR_JUMP),
        ("2", "3.0.0", None),
        ("2", "4.0.0", Code.MAJOR_JUMP),
        ("any", "99.0.0", None),
    ],
)
def test_how_far_it_may_climb_is_the_rules_word(jump: str, tag: str, code: Code | None) -> None:
    found, entry = _to(tag, "1.0.0", jump)

    refusal = found.refusal(entry)

    assert (refusal.code if refusal else None) is code


def test_where_the_rules_say_what_is_built_in_the_hash_is_that_of_silence() -> None:
    silent, said = (_to("1.1.0", jump=jump)[1].rule for jump in ("", "1"))

    assert silent
    assert said
    assert silent.hash == said.hash


def test_a_step_over_a_major_version_is_taken_once_somebody_says_so() -> None:
    found, entry = _to("3.0.0")
    found.add(guards.entry_of(_jump(), at=found.at, first=found.at))
    assert found.refusal(entry) is not None

    found.add(found.stand(Kind.UNBLOCK, person("ada"), image=(pinned("3.0.0", digest=""),), trigger="click"))

    assert found.refusal(found.bump("3.0.0", previous=(pinned("1.0.0"),))) is None


def test_lifting_a_persons_block_takes_nothing_on() -> None:
    found, entry = _to("3.0.0")
    found.add(found.stand(Kind.BLOCK, person("ada"), image=(pinned("3.0.0"),)))
    found.add(found.stand(Kind.UNBLOCK, person("ada"), image=(pinned("3.0.0"),), trigger="click"))

    assert found.refusal(entry) is not None
    assert not found.state.accepted


def test_an_image_that_was_taken_on_may_move_as_it_is_now() -> None:
    found = story()
    found.add(found.seen("1.1.0"))
    (bad,) = _moved(found.state, OTHER)
    entry = found.bump("1.1.0", image=bad.image)
    refusal = found.refusal(entry)
    assert refusal
    assert refusal.code is Code.DIGEST_MOVED

    found.add(guards.entry_of(bad, at=found.at, first=found.at))
    found.add(found.stand(Kind.UNBLOCK, person("ada"), image=(pinned("1.1.0", digest=""),)))

    assert found.refusal(found.bump("1.1.0", image=bad.image)) is None
    change_rules(found, RULES + "# other rules\n")
    assert found.refusal(found.bump("1.1.0", image=(pinned("1.1.0", digest=pinned("y").digest),))) is not None
