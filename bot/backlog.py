"""The backlog of a first start, as people are told of it: what moved in one commit is one notice in each channel."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from bot.looking.survey import Survey
from bot.looking.troubles import SEPARATOR, Trouble, Wrong
from policies.entries.entry import Kind
from policies.ledger.digest_versions import called
from policies.ledger.state import Move, Place

_Batch = tuple[str, int]  # an environment, and the number of the entry that moved several services there


def batches(look: Survey, span: timedelta) -> dict[_Batch, list[tuple[str, Move]]]:
    """Return what moved with others in one commit within this span, and not as a group: services in their order."""
    found: dict[_Batch, list[tuple[str, Move]]] = {}
    for (environment, service), moves in look.state.moves.items():
        for move in reversed(moves):
            if look.at - move.at > span:
                break
            if move.kind is Kind.BUMP and not move.group:
                found.setdefault((environment, move.seq), []).append((service, move))
    return {batch: sorted(made, key=_by_name) for batch, made in found.items() if len(made) > 1}


def taken(made: Mapping[_Batch, Sequence[tuple[str, Move]]]) -> frozenset[tuple[Place, int]]:
    """Return the moves that a notice tells, each by its place and its entry's number."""
    return frozenset(
        ((environment, service), seq) for (environment, seq), all_ in made.items() for service, _ in all_
    )


def caught_up(look: Survey, made: Mapping[_Batch, Sequence[tuple[str, Move]]]) -> tuple[Trouble, ...]:
    """Return a notice for each channel and pass: the services of one environment that caught up, and their commits.

    A backlog that did not fit into one commit is still one notice.
    """
    told: dict[tuple[str, str, str], list[tuple[str, Move]]] = {}
    for (environment, _), moves in sorted(made.items()):
        for service, move in moves:
            channel = look.world.rules.channel_for(environment, service)
            if environment in look.world.rules.environments:
                told.setdefault((environment, channel, move.at.isoformat()), []).append((service, move))
    return tuple(
        _caught_up(look, environment, channel, sorted(moves, key=_by_name))
        for (environment, channel, _), moves in told.items()
    )


def _caught_up(look: Survey, environment: str, channel: str, moves: Sequence[tuple[str, Move]]) -> Trouble:
    commits = list(dict.fromkeys(move.commit for _, move in sorted(moves, key=lambda one: one[1].seq)))
    services = look.world.rules.services
    facts = {
        "count": str(len(moves)),
        "commits": SEPARATOR.join(one[:12] for one in commits),
        "services": SEPARATOR.join(
            f"{name} {called(services.get(name), move.previous)} -> {called(services.get(name), move.image)}"
            for name, move in moves
        ),
    }
    is_elsewhere = channel != look.world.rules.environments[environment].channel
    subject = commits[0][:12] + (f"-{channel}" if is_elsewhere else "")
    return Trouble(Wrong.CAUGHT_UP, environment, "", facts, subject, channel)


def _by_name(moved: tuple[str, Move]) -> str:
    return moved[0]
