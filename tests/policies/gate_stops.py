"""What puts each gate in the way of 1.1.0 in production, where it would move, or merge, without it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from policies.entries.entry import Kind
from policies.growing import Trail
from policies.ledger.state import Open, Stage
from policies.rules.rules import Limit, OutsideGate, Takes
from policies.times.windows import parse_window
from tests.policies.gate_worlds import later, ruled
from tests.policies.ledger_builders import IMAGE, Story, at_stage, oid, person, pinned, story

Stop = Callable[[Story], object]
PLACE = ("production", "web")
SEEN = ("web", IMAGE, "1.1.0")
FAR = "3.0.0"  # what moves where it was seen
OUTSIDE = ("checks", "http", "prometheus", "signature", "labels")


def alone() -> Story:
    """1.1.0 runs in staging, and nobody is asked in production."""
    return ruled(story().staged("1.1.0"), approvals=())


def approved() -> Story:
    """1.1.0 runs in staging, and is approved for production."""
    return at_stage(Stage.OPEN)


def _ran(found: Story, tag: str) -> None:
    """Let a version have moved in production before, whatever stands there."""
    move = found.state.moves["staging", "web"][0]
    found.state.moves[PLACE] = Trail((replace(move, image=(pinned(tag),)),))


def _moved_tag(found: Story) -> None:
    seen = found.state.seen[SEEN]
    other = replace(seen.sighting, digest=pinned("other").digest)
    found.state.seen[SEEN] = replace(seen, sighting=other)


def _known_before(found: Story) -> None:
    found.state.before["web"] = ("1.5.0",)


def _unreviewed(found: Story) -> None:
    found.state.open[2] = Open(Kind.CONFIG, "production", "", oid("c"), found.at)


def _for_platforms(found: Story) -> None:
    assert found.state.rules
    was = found.book.versions[found.state.rules.commit]
    services = {**was.services, "web": replace(was.services["web"], platforms=("linux/arm64",))}
    found.book.versions[found.state.rules.commit] = replace(was, services=services)


def _limited(found: Story) -> None:
    _ran(found, "1.0.5")
    ruled(found, limit=Limit(1, timedelta(days=9)))


def _newer_there(found: Story) -> None:
    ruled(found, takes=Takes.SAME).staged("1.2.0")


def _stands(kind: Kind) -> Stop:
    what = {"image": (pinned("1.1.0"),)} if kind is Kind.BLOCK else {}
    where = {} if kind is Kind.FREEZE else {"environment": "production"}
    return lambda found: found.add(found.stand(kind, person("ada"), **what, **where))


STOPS: dict[str, Stop] = {
    "downgrade": lambda found: found.book.stood.update({PLACE: (pinned("1.9.0"),)}),
    "went-back": lambda found: _ran(found, "1.9.0"),
    "digest": _moved_tag,
    "jump": lambda found: found.add(found.seen(FAR)),
    "blocked": _stands(Kind.BLOCK),
    "previous": lambda found: ruled(found, after=("staging", "nowhere")),
    "takes": _newer_there,
    "health": lambda found: ruled(found, "staging", health=("kustomization/apps",)),
    "soak": lambda found: ruled(found, soak=timedelta(days=9)),
    "age": lambda found: ruled(found, age=timedelta(days=9)),
    "known-before": _known_before,
    "hold": _stands(Kind.HOLD),
    "freeze": _stands(Kind.FREEZE),
    "config": _unreviewed,
    "window": lambda found: ruled(found, freeze=(parse_window("Mon 00:00 - Sun 23:59"),)),
    "limit": _limited,
    **{
        kind: lambda found, kind=kind: ruled(found, gates=(OutsideGate(kind, kind),))  # type: ignore[misc]  # a kind each
        for kind in OUTSIDE
    },
    "platforms": _for_platforms,
    "expired": lambda found: later(found, 25),
    "approvals": lambda found: found.add(found.about(Kind.UNAPPROVE, person("ada"))),
    "merge-within": lambda found: later(found, 4.1),
}
