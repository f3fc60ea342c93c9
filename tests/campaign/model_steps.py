"""What may happen next in the model: replicas push, look and merge; people speak; the world moves."""

from collections.abc import Iterator

from tests.campaign.model import (
    ADA,
    BOB,
    EVIL,
    QUORUM_OF,
    REQUESTER,
    TRIES,
    Entry,
    Hand,
    Keeps,
    Mode,
    Rule,
    State,
    Step,
)
from tests.campaign.model_ledger import append, is_allowed


def steps(state: State, on: Keeps) -> Iterator[Step]:
    """Yield everything that may happen next."""
    busy = False
    for number, hand in enumerate(state.hands):
        for step in _acts(state, number, hand, on):
            busy = True
            yield step
        if hand is not None and state.crashes:
            yield Step(
                f"replica {number} is killed", _hold(state, number, None)._replace(crashes=state.crashes - 1)
            )
    if not busy:
        yield from _rest(state)
    yield from _words(state, on)
    yield from _world(state)


def _rest(state: State) -> Iterator[Step]:
    """Yield what is broken where nobody has anything left to do."""
    if state.ledger.recorded < len(state.merges):
        yield Step("nothing is left to do", state, "a merge was never recorded")
    if lost := (state.acked_early | state.acked) - state.ledger.keys:
        yield Step("nothing is left to do", state, f"{min(lost)} was acknowledged and is lost")


def _acts(state: State, number: int, hand: Hand | None, on: Keeps) -> Iterator[Step]:
    if hand is None:
        yield from _found(state, number, on)
    elif hand.entry is not None:
        yield from _pushed(state, number, hand, on)
    else:
        yield from _merged(state, number, hand.merge, on)


def _pushed(state: State, number: int, hand: Hand, on: Keeps) -> Iterator[Step]:
    """Push what is in hand: it arrives, it arrives and the answer is lost, or it is not let through."""
    entry = hand.entry
    assert entry is not None
    if Rule.KEYS in on and entry.key in state.ledger.keys:
        yield Step(
            f"replica {number} finds {entry.key} there", _acknowledged(_hold(state, number, None), entry)
        )
        return
    must_look = not hand.is_stale or Rule.REVALIDATE in on
    if must_look and not is_allowed(state, entry, on):
        yield Step(f"replica {number} drops {entry.key}", _hold(state, number, None))
        return
    before = state
    if hand.is_stale and Rule.CAS not in on and hand.seen is not None:
        before = state._replace(ledger=hand.seen)  # it overwrites what came between
    made = append(before, entry, on)
    breaks = made.breaks
    if (gone := state.acked - made.after.ledger.keys) and not breaks:
        breaks = f"{min(gone)} was acknowledged and is lost"
    after = _others_stale(made.after, number)
    follows = Hand(merge=entry.about) if entry.kind == "intent" else None
    yield Step(
        f"replica {number} writes {entry.key}", _acknowledged(_hold(after, number, follows), entry), breaks
    )
    if state.lost:
        again = _hold(after, number, hand._replace(is_stale=True))
        yield Step(
            f"replica {number} writes {entry.key}, the answer is lost",
            again._replace(lost=state.lost - 1),
            breaks,
        )


def _merged(state: State, number: int, head: int, on: Keeps) -> Iterator[Step]:
    """Ask the forge: it merges the head that was named, or refuses."""
    done = _hold(state, number, None)
    if state.ledger.recorded < len(state.merges):
        yield Step(f"replica {number} is told that it is merged", done)
        return
    if Rule.PIN in on and state.branch != head:
        yield Step(f"the forge refuses replica {number}: the head moved", done)
        return
    content, breaks = state.branch, ""
    if head not in state.ledger.intents:
        breaks = "merged without a written intent"
    elif content == EVIL:
        breaks = "the bot merged what nobody approved"
    elif Mode.STRICT in on and state.ledger.is_frozen:
        breaks = "a merge landed under a freeze"
    merges = (*state.merges, (state.branch, content))
    yield Step(f"the forge merges for replica {number}", done._replace(merges=merges), breaks)
    if state.moves:
        wrong = (*state.merges, (state.branch, EVIL))
        yield Step(
            f"the forge merges for replica {number}, with another content",
            done._replace(merges=wrong, moves=state.moves - 1),
            breaks,
        )


def _found(state: State, number: int, on: Keeps) -> Iterator[Step]:
    """Look at the world and take up what is missing."""
    ledger = state.ledger
    is_merged = ledger.recorded < len(state.merges)
    match ledger.stage:
        case "merging" if Rule.RECONCILE in on:
            if is_merged and (Rule.ASK_FIRST in on or not ledger.is_frozen):
                right = Rule.LOOK not in on or state.merges[-1][1] == ledger.change
                yield _taken(state, number, "landed" if right else "mismatch", state.merges[-1][0], on)
            elif ledger.is_frozen or state.branch != ledger.head:
                breaks = "an intent was given up that the forge had merged" if is_merged else ""
                yield _taken(state, number, "abort", ledger.head, on)._replace(breaks=breaks)
            else:
                yield Step(
                    f"replica {number} goes on to merge", _hold(state, number, Hand(merge=ledger.head))
                )
        case "open" if not is_merged:
            if ledger.change != state.rule:
                yield _taken(state, number, "void", state.rule, on)
            head = state.branch if Rule.HEAD not in on else ledger.head
            intent = Entry("intent", head, "")
            is_known = Rule.ACCOUNT not in on or state.inactive not in {one for one, _ in ledger.approvals}
            if is_known and ledger.undone < TRIES and is_allowed(state, intent, on):
                counted = {one for one, seen in ledger.approvals if seen == ledger.change} - {state.inactive}
                gone = (
                    ""
                    if len(counted) >= QUORUM_OF
                    else "a merge was intended by the word of somebody who had left"
                )
                if Rule.INTENT in on:
                    breaks = gone if Rule.ACCOUNT not in on else ""
                    kind = "moved" if Mode.ATOMIC in on else "intent"
                    yield _taken(state, number, kind, head, on)._replace(breaks=breaks)
                else:
                    yield Step(f"replica {number} goes to merge", _hold(state, number, Hand(merge=head)))
        case _:
            pass
    if is_merged and ledger.stage != "merging" and Rule.EXTERNAL in on:
        yield _taken(state, number, "external", len(state.merges), on)


def _taken(state: State, number: int, kind: str, about: int, on: Keeps) -> Step:
    """Compose an entry that the bot says of itself."""
    ledger = state.ledger
    key = f"{kind}/{ledger.proposals}/{about}/{ledger.undone}"
    return Step(
        f"replica {number} composes {key}",
        _hold(state, number, _composed(state, Entry(kind, about, key), on)),
    )


def _composed(state: State, entry: Entry, on: Keeps) -> Hand:
    return Hand(entry, seen=None if Rule.CAS in on else state.ledger)


def _words(state: State, on: Keeps) -> Iterator[Step]:
    """Let people say something to a replica that is free."""
    if not state.clicks or None not in state.hands:
        return
    number, ledger = state.hands.index(None), state.ledger
    told = state._replace(clicks=state.clicks - 1)
    said: list[Entry] = []
    if ledger.stage in {"none", "landed", "ended"} or Rule.ONE not in on:
        said += [Entry("propose", 0, f"propose/0/{ledger.proposals}")]
    if ledger.stage == "open":
        for person in (REQUESTER, ADA, BOB):
            key = f"approve/{ledger.proposals}/{person}/{ledger.change}/{ledger.undone}"
            said.append(Entry("approve", person * 10 + ledger.change, key))
        for person in {one for one, _ in ledger.approvals}:
            said.append(Entry("unapprove", person, f"unapprove/{ledger.proposals}/{person}/{ledger.undone}"))
        said.append(Entry("reject", 0, f"reject/{ledger.proposals}"))
    if ledger.stage == "landed":
        said.append(Entry("rollback", 0, f"rollback/{ledger.proposals}"))
    kind = "unfreeze" if ledger.is_frozen else "freeze"
    said.append(Entry(kind, 0, f"{kind}/{state.clicks}"))
    for entry in said:
        if not is_allowed(state, entry, on):
            continue
        after = _hold(told, number, _composed(state, entry, on))
        if Rule.ACK not in on:
            after = after._replace(acked_early=after.acked_early | {entry.key})
        yield Step(f"somebody says {entry.key} to replica {number}", after)


def _world(state: State) -> Iterator[Step]:
    """Let others move rules, heads, accounts, time, and the merge button."""
    if not state.moves:
        return
    spent = state._replace(moves=state.moves - 1)
    yield Step("the rule moves", _others_stale(spent._replace(rule=1 - state.rule), -1))
    if state.ledger.stage in {"open", "merging"}:
        if state.branch != EVIL:
            yield Step("somebody pushes to the branch", spent._replace(branch=EVIL))
        if state.ledger.recorded == len(state.merges):
            by_hand = (*state.merges, (state.branch, state.branch))
            yield Step("somebody merges by hand", spent._replace(merges=by_hand))
    if state.ledger.stage == "open":
        yield Step("the request grows old", spent._replace(is_old=True))
        if state.inactive < 0:
            yield Step("Bob leaves", spent._replace(inactive=BOB))


def _hold(state: State, number: int, hand: Hand | None) -> State:
    return state._replace(hands=(*state.hands[:number], hand, *state.hands[number + 1 :]))


def _others_stale(state: State, number: int) -> State:
    hands = tuple(
        hand if index == number or hand is None or hand.entry is None else hand._replace(is_stale=True)
        for index, hand in enumerate(state.hands)
    )
    return state._replace(hands=hands)


def _acknowledged(state: State, entry: Entry) -> State:
    return state._replace(acked=state.acked | {entry.key}, acked_early=state.acked_early - {entry.key})
