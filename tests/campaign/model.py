"""The promotion protocol as a small machine of values: every state that it can reach is looked at, breadth first.

Two replicas, a requester, two approvers, a hand at the forge, crashes, answers that are lost. It has no code of the
bot: each rule of the protocol is a name in ``Rule``, and what happens without one is what the tests ask.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

REQUESTER, ADA, BOB = 0, 1, 2
EVIL = 9  # a head, or a content, that nobody approved
QUORUM_OF = 2
TRIES = 2  # how often an intent may be given up: production waits longer each time


class Rule(StrEnum):
    """What the protocol keeps to; the value is the sentence."""

    CAS = "a push succeeds only on the very end that was validated"
    REVALIDATE = "what lost a race is checked anew in the state that the winner left"
    KEYS = "what is there already, by key, is not written again"
    ACK = "a person is answered after the push, never before"
    QUORUM = "an intent needs every line filled"
    EXCLUDE = "who asked does not approve"
    BIND = "an approval names the change that was seen"
    VOID = "another change empties the lines"
    IN_FORCE = "an intent needs the rule and the change of this moment"
    ACCOUNT = "accounts are looked up again before the merge"
    EXPIRE = "a request that is too old is not merged"
    FREEZE = "an intent is not written under a freeze"
    BLOCK = "a version that was rolled back does not come again"
    ONE = "one promotion is open for a place"
    HEAD = "an intent names the head that was built"
    INTENT = "a merge follows a written intent"
    PIN = "the forge merges only the head that was named"
    RECONCILE = "whoever is there takes up an intent that has no outcome"
    ASK_FIRST = "an intent is given up only where the forge did not merge it"
    LOOK = "what landed is compared with what was approved"
    STANDSTILL = "a mismatch freezes the environment"
    EXTERNAL = "a move by others is written down"


class Mode(StrEnum):
    """What may be asked beside the rules."""

    STRICT = "no merge lands under a freeze, also not one that was under way"
    ATOMIC = "the merge and its entry go out in one push, without the forge"


Keeps = frozenset[Rule | Mode]
ALL: Keeps = frozenset(Rule)


class Entry(NamedTuple):
    """What somebody says: a kind, who or what it is about, and the key that it has."""

    kind: str
    about: int
    key: str


class Hand(NamedTuple):
    """What a replica is about to do: push an entry, or ask the forge for a merge."""

    entry: Entry | None = None
    is_stale: bool = False
    merge: int = -1
    seen: "Ledger | None" = None  # what it was composed on: kept only where a push may overwrite


class Ledger(NamedTuple):
    """What the entries stand for."""

    stage: str = "none"
    version: int = 0
    change: int = 0
    head: int = 0
    approvals: tuple[tuple[int, int], ...] = ()
    undone: int = 0
    intents: frozenset[int] = frozenset()
    is_frozen: bool = False
    blocked: frozenset[int] = frozenset()
    keys: frozenset[str] = frozenset()
    recorded: int = 0
    proposals: int = 0


class State(NamedTuple):
    """The ledger, the world, the replicas, and how much may still happen."""

    ledger: Ledger = Ledger()
    rule: int = 0
    branch: int = 0
    merges: tuple[tuple[int, int], ...] = ()  # head and content of each merge, by whomever
    inactive: int = -1
    is_old: bool = False
    hands: tuple[Hand | None, ...] = ()
    acked: frozenset[str] = frozenset()
    acked_early: frozenset[str] = frozenset()
    clicks: int = 0
    crashes: int = 0
    lost: int = 0
    moves: int = 0  # of rules, heads, accounts, time, hands at the forge


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much may happen, so that the states come to an end."""

    replicas: int = 2
    clicks: int = 4
    crashes: int = 1
    lost: int = 1
    moves: int = 1

    def start(self) -> State:
        """Return the first state."""
        hands: tuple[Hand | None, ...] = (None,) * self.replicas
        return State(hands=hands, clicks=self.clicks, crashes=self.crashes, lost=self.lost, moves=self.moves)


class Step(NamedTuple):
    """One thing that happens: what, the state after it, and what it breaks ('' = nothing)."""

    what: str
    after: State
    breaks: str = ""
