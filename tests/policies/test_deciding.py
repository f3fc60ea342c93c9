"""The decision again: keeping rows never changes an answer, and saves the work where nothing has changed."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies import decide as decide_module
from policies import deciding
from policies.codes import Code
from policies.decide import decide
from policies.deciding import Decider
from policies.entries.entry import Kind
from policies.images.evidence import Silence, Silent, TagList
from policies.images.image import Digest, Repository, Tag
from policies.ledger.state import State
from policies.rules.rules import Rules
from policies.times.windows import parse_window
from policies.verdict import Waiting
from policies.world import Pin, World
from tests.policies.ledger_builders import IMAGE, RULES, Story, person, pinned, rules, story

WEB, CART = Repository(IMAGE), Repository("ghcr.io/example/cart")


def waiting(base: Rules) -> Rules:
    """Let production soak and freeze."""
    where = replace(
        base.environments["production"],
        soak=timedelta(hours=2),
        age=timedelta(hours=1),
        freeze=(parse_window("Mon 12:00 - Mon 14:00"), parse_window("2026-11-24")),
    )
    return replace(base, environments={**base.environments, "production": where})


RULED = waiting(rules(RULES))


def world(found: Story, tags: tuple[str, ...], in_force: Rules = RULED) -> World:
    """What is known when the registry has these tags of web; the pins are where the ledger moved them."""
    pins = {}
    for place in (("staging", "web"), ("production", "web")):
        move = found.state.last_move(*place)
        pins[place] = Pin(move.image if move else found.book.stood[place])
    return World(
        rules=in_force,
        commit=found.book.line[-1],
        state=found.state.copy(),
        pins=pins,
        tags={WEB: TagList(tags)},
        digests={(WEB, Tag(tag)): Digest(pinned(tag).digest) for tag in tags},
        baseline=dict(found.book.stood),
    )


def is_held(found: Story) -> bool:
    return found.state.hold_on("staging", "web", found.at + timedelta(minutes=1)) is not None


def staged(found: Story, number: int) -> None:
    if not is_held(found):
        found.staged(f"1.{number}.0")


def frozen(found: Story, _number: int) -> None:
    if found.state.freeze_on("production", found.at) is None:
        found.add(found.stand(Kind.FREEZE, person("ada")))


def held(found: Story, _number: int) -> None:
    if found.state.hold_on("", "web", found.at) is None:
        found.add(found.stand(Kind.HOLD, person("ada"), until=f"{found.at + timedelta(hours=1):%FT%TZ}"))


def asked(found: Story, number: int) -> None:
    if (
        found.state.live_at("production", "web") is None
        and found.state.freeze_on("production", found.at) is None
        and not is_held(found)
    ):
        found.asked(f"1.{number}.0")


def landed(found: Story, _number: int) -> None:
    if found.state.live_at("production", "web"):
        found.add(found.about(Kind.CANCEL, person("carol")))


def nothing(_found: Story, _number: int) -> None:
    pass


def later(found: Story, _number: int) -> None:
    found.at += timedelta(minutes=50)


STEPS: tuple[Callable[[Story, int], None], ...] = (staged, frozen, held, asked, landed, nothing, later)


@settings(max_examples=30)
@given(st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 400)), max_size=10))
def test_it_answers_as_if_it_had_kept_nothing(steps: list[tuple[Callable[[Story, int], None], int]]) -> None:
    found, decider = story(), Decider()
    tags: list[str] = ["1.0.0"]
    for number, (step, minutes) in enumerate(steps, start=1):
        step(found, number)
        tags.append(f"1.{number}.0")
        found.at += timedelta(minutes=minutes)
        known = world(found, tuple(tags))
        for _ in range(2):
            assert decider.decide(known, found.at) == decide(known, found.at)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Count the rows that are decided anew."""
    rows: list[str] = []
    plain = decide_module.row_of

    def counting(*given: object) -> object:
        row = plain(*given)  # type: ignore[arg-type]  # handed on as they came
        rows.append(f"{row.environment}/{row.service}")
        return row

    monkeypatch.setattr(deciding, "row_of", counting)
    return rows


def test_nothing_is_decided_twice_while_nothing_changes(counted: list[str]) -> None:
    found, decider = story().staged("1.1.0"), Decider()

    decider.decide(world(found, ("1.0.0", "1.1.0")), found.at)
    decider.decide(world(found, ("1.0.0", "1.1.0")), found.at + timedelta(minutes=1))

    assert sorted(counted) == ["production/cart", "production/web", "staging/cart", "staging/web"]


CHANGES: dict[str, Callable[[Story, World], World]] = {
    "another list": lambda _, known: replace(known, tags={WEB: TagList(("1.0.0", "1.1.0", "1.2.0"))}),
    "a silence": lambda _, known: replace(known, tags={WEB: Silence(Silent.SLOW, "no answer")}),
    "another pin": lambda _, known: replace(
        known, pins={**known.pins, ("production", "web"): Pin((pinned("1.1.0"),))}
    ),
    "another digest": lambda _, known: replace(
        known, digests={**known.digests, (WEB, Tag("1.1.0")): Digest(pinned("moved").digest)}
    ),
    "another beginning": lambda _, known: replace(
        known, baseline={**known.baseline, ("staging", "web"): (pinned("1.1.0"),)}
    ),
    "suspicion": lambda _, known: replace(known, suspected={"web": (Waiting(Code.HELD, "tags are gone"),)}),
    "an entry about it": lambda found, known: replace(known, state=_after(found, Kind.BLOCK)),
    "an entry about all": lambda found, known: replace(known, state=_after(found, Kind.FREEZE)),
    "other rules": lambda _, known: replace(known, rules=waiting(rules(RULES))),
}


def _after(found: Story, kind: Kind) -> State:
    image = {"image": (pinned("1.1.0", digest=""),)} if kind is Kind.BLOCK else {}
    found.add(found.stand(kind, person("ada"), **image))
    return found.state.copy()


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_a_row_rests_on_makes_it_be_decided_anew(
    change: Callable[[Story, World], World], counted: list[str]
) -> None:
    found, decider = story().staged("1.1.0"), Decider()
    known = world(found, ("1.0.0", "1.1.0"))
    decider.decide(known, found.at)
    counted.clear()

    changed = change(found, known)
    decision = decider.decide(changed, found.at)

    assert "production/web" in counted
    assert decision == decide(changed, found.at)


def test_another_service_is_left_alone(counted: list[str]) -> None:
    found, decider = story().staged("1.1.0"), Decider()
    decider.decide(world(found, ("1.0.0", "1.1.0")), found.at)
    counted.clear()

    decider.decide(world(found.staged("1.2.0"), ("1.0.0", "1.1.0", "1.2.0")), found.at)

    assert sorted(counted) == ["production/web", "staging/web"]


def test_what_is_asked_outside_or_under_way_is_always_decided_anew(counted: list[str]) -> None:
    found, decider = story().asked("1.1.0"), Decider()
    known = world(found, ("1.0.0", "1.1.0"), rules(RULES))

    decider.decide(known, found.at)
    decider.decide(known, found.at)

    assert counted.count("production/web") == 2
    assert counted.count("production/cart") == 1
