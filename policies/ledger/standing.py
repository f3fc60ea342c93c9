"""Add up holds, blocks and freezes, and what lifts them."""

from collections.abc import Mapping

from policies.codes import Code
from policies.entries import stood
from policies.entries.entry import Bot, Entry, Kind, parse_time
from policies.entries.remembered import Standing
from policies.entries.tables import Apply, Tables, lifted_blocks, lifted_holds


def _standing(entry: Entry) -> Standing:
    until = parse_time(entry.until) if entry.until else None
    image, previous = (entry.image, entry.previous) if entry.kind is Kind.HOLD else ((), ())
    return Standing(
        entry.speaker, entry.time, entry.note, entry.why, until, entry.seq, image=image, previous=previous
    )


def _hold(state: Tables, entry: Entry, _oid: str) -> None:
    place = (entry.environment, entry.service)
    stood.note(state, (*place, None), state.holds.get(place), entry.time)
    state.holds[place] = _standing(entry)
    if lost := _lost(entry):
        state.lost[entry.service] = state.lost.get(entry.service, frozenset()) | lost


def _lost(entry: Entry) -> frozenset[str]:
    """Return the tags whose loss a guard's hold tells."""
    told = entry.evidence.get("lost") if isinstance(entry.by, Bot) else None
    named = told if isinstance(told, list) else ()
    return frozenset(one for one in named if isinstance(one, str))


def _resume(state: Tables, entry: Entry, _oid: str) -> None:
    for place in lifted_holds(state, entry):
        standing = state.holds.pop(place)
        if isinstance(standing.by, Bot) and standing.why in DOUBTED and standing.is_on(entry.time):
            before = standing.previous or standing.image
            for image, previous in zip(standing.image, before, strict=False):
                state.answered[*place, standing.why, image, previous] = entry.seq


def _block(state: Tables, entry: Entry, _oid: str) -> None:
    for image in entry.image:
        place = (entry.environment, entry.service, image)
        stood.note(state, place, state.blocks.get(place), entry.time)
        state.blocks[place] = _standing(entry)


def _unblock(state: Tables, entry: Entry, _oid: str) -> None:
    for place in lifted_blocks(state, entry):
        standing = state.blocks.pop(place)
        if isinstance(standing.by, Bot) and standing.why in GUARDED:
            state.accepted[place[1], place[2]] = entry.seq
        state.unblocked[place] = entry.time


def _freeze(state: Tables, entry: Entry, _oid: str) -> None:
    stood.note(state, (entry.environment, "", None), state.freezes.get(entry.environment), entry.time)
    state.freezes[entry.environment] = _standing(entry)


def _unfreeze(state: Tables, entry: Entry, _oid: str) -> None:
    stood.note(state, (entry.environment, "", None), state.freezes.pop(entry.environment, None), entry.time)
    state.unfrozen[entry.environment] = entry.time


# why of a hold by the bot that a person answers for by lifting it
DOUBTED = frozenset({Code.DOWNGRADE.value, Code.AGE_UNKNOWN.value})
# why of a block by the bot that a person may take on by lifting it
GUARDED = frozenset({Code.DIGEST_MOVED.value, Code.MAJOR_JUMP.value})

APPLY: Mapping[Kind, Apply] = {
    Kind.HOLD: _hold,
    Kind.RESUME: _resume,
    Kind.BLOCK: _block,
    Kind.UNBLOCK: _unblock,
    Kind.FREEZE: _freeze,
    Kind.UNFREEZE: _unfreeze,
}
