"""Whether an entry moves a whole group: all of its services that have something to move, as the rule names them."""

from collections.abc import Collection, Sequence

from policies.allowed.asked import Asked, No, Refusal
from policies.allowed.cases import stood_at_first
from policies.codes import Code
from policies.entries.entry import Kind
from policies.group_rows import seen_ahead
from policies.ledger.state import State
from policies.rules.rules import EffectiveRule, Rules, moving_rule

# images, and so members
BRINGS = frozenset({Kind.BUMP, Kind.PROPOSE, Kind.VOID, Kind.ROLLBACK, Kind.EMERGENCY})


def named(asked: Asked) -> No:
    """Is it said to be about a group where it is about one, and nowhere else?"""
    entry, promotion = asked.entry, asked.promotion
    if entry.group and entry.group != entry.service:
        yield Refusal(Code.OUT_OF_LINE, f"{entry.service} is not the group {entry.group}")
    if entry.group and entry.also:
        yield Refusal(Code.NOT_WHOLE, "a group moves by itself")
    if bool(entry.members) != (bool(entry.group) and entry.kind in BRINGS):
        yield Refusal(Code.NOT_WHOLE, "members are named of a group whose images are named, and only then")
    if promotion and entry.kind not in _BEGINS and entry.group != promotion.group:
        yield Refusal(Code.OUT_OF_LINE, "the promotion is about another group, or about none")


_BEGINS = frozenset({Kind.PROPOSE, Kind.ROLLBACK, Kind.EMERGENCY})


def members(asked: Asked, rule: EffectiveRule) -> No:
    """Are the members those of the rule, in its order, each with its images?"""
    entry = asked.entry
    moving = rule.moving([one.service for one in entry.members])
    if not moving or [one.service.name for one in moving] != [one.service for one in entry.members]:
        order = ", ".join(one.service.name for one in rule.parts)
        yield Refusal(Code.NOT_WHOLE, f"the services of {entry.group} are {order}, in this order")
        return
    if not sum(one.images for one in entry.members) == len(entry.image) == len(entry.previous):
        yield Refusal(Code.NOT_WHOLE, "each image is one of a member's, and takes the place of one")
    for part, share in zip(moving, entry.shares, strict=True):
        if [one.repository for one in share.image] != list(part.service.images):
            yield Refusal(Code.NO_RULE, f"{share.service} is {' and '.join(part.service.images)}")


def everybody(asked: Asked) -> No:
    """Have the members that stay nothing newer to move, as far as the ledger has seen?"""
    yield from _ahead(asked, {one.service for one in asked.entry.members})


def joined(asked: Asked) -> No:
    """Have the services that joined the group since it was asked for nothing to move?

    Whoever was in it then was asked at that time. A way back leaves out what the last move left out.
    """
    promotion = asked.promotion
    if promotion is None or promotion.is_rollback:
        return
    before = asked.book.rules(promotion.rule.commit) or Rules({}, {})
    then = moving_rule(before, promotion.environment, promotion.service)
    known = [one.service.name for one in then.parts] if then else []
    yield from _ahead(asked, {*known, *(one.service for one in promotion.members)})


def _ahead(asked: Asked, without: Collection[str]) -> No:
    """Yield what services of the group have to move; of those in ``without`` it is known."""
    rule, entry = asked.rule, asked.entry
    for part in rule.parts if rule else ():
        name = part.service.name
        if name in without:
            continue
        move = asked.state.last_move(entry.environment, name)
        stands = move.image if move else stood_at_first(asked, entry.environment, name)
        if ahead := seen_ahead(asked.state, part, stands):
            yield Refusal(Code.NOT_WHOLE, f"{name} has {ahead} to move")
        if part.service.trouble:
            yield Refusal(Code.NOT_WHOLE, f"what {name} has to move is not known")


def undone(asked: Asked) -> No:
    """Does a rollback put back exactly the services that the group's last move there moved?"""
    rule, entry = asked.rule, asked.entry
    names = [one.service.name for one in rule.parts] if rule else []
    last = last_moved(asked.state, entry.environment, names)
    if last != tuple(one.service for one in entry.members):
        yield Refusal(Code.NOT_WHOLE, f"the last move there was of {', '.join(last) or 'nobody'}")


def last_moved(state: State, environment: str, services: Sequence[str]) -> tuple[str, ...]:
    """Return the members that a group's last move in an environment moved, in their order; none = it never moved."""
    seqs = {one: move.seq for one in services if (move := state.last_move(environment, one))}
    return tuple(one for one, seq in seqs.items() if seq == max(seqs.values()))
