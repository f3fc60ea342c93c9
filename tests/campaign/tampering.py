"""A ledger is tampered with in many ways: who notices, a bot that runs, one with an empty disk, and an auditor."""

import gc
import math
import os
import shutil
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from multiprocessing import Pipe
from pathlib import Path
from typing import TypeVar

from bot.ledger import NotWritten, Proposal
from bot.repository.objects import BOT, EMPTY_TREE, Oid, write_commit
from bot.signing import Signer
from policies.entries.entry import Entry, Kind, Sighting, write_time
from policies.words import Reject
from tests.bot.ledger_worlds import FLAGS, NINE, WEB, World, bot, digest, person, world
from tests.campaign.read_once import read_once
from tests.repositories import commit_to, git, tip

LEDGER = "refs/heads/ledger/2026"
BATCH = 500
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Tampering:
    """One way to tamper. ``young``: no move names what was lost, so only who saw it can notice."""

    name: str
    act: Callable[[World], None]
    is_young: bool = False


@dataclass(frozen=True, slots=True)
class Noticed:
    """Who noticed one tampering."""

    name: str
    by_bot: bool
    by_new_bot: bool
    by_verify: bool
    named: bool
    is_young: bool

    @property
    def is_enough(self) -> bool:
        """Whether everybody noticed who could."""
        return self.by_bot and (self.is_young or (self.by_new_bot and self.by_verify and self.named))


def day(folder: Path, size: int) -> World:
    """Make a ledger of so many entries: moves, a promotion, a rejection, sightings in between."""
    found = world(folder)
    found.stage("1.1.0")
    _fill(found, size // 2)
    found.promote("1.1.0")
    found.stage("1.2.0")
    _fill(found, size // 2)
    found.stage("1.3.0")
    found.ask("1.3.0")
    found.say("ada", Reject(found.promotion.id, "too late in the day"))
    found.ask("1.2.0")
    return found


def _fill(found: World, count: int) -> None:
    """Add sightings, many in a push."""
    for first in range(0, count, BATCH):
        there = len(found.entries)
        tags = [f"0.{there}.{number}" for number in range(first, min(first + BATCH, count))]
        found.sneak(*(_sighting(found, tag) for tag in tags))


def _sighting(found: World, tag: str) -> Entry:
    seen = Sighting("web", WEB, tag, digest(tag))
    return Entry(kind=Kind.SEEN, at=write_time(found.at), key="", seen=(seen,))


# --- twelve ways, and four more -------------------------------------------------------------------------------


def _cut(found: World) -> None:
    anchored = next(index for index, (_, one) in enumerate(found.entries) if one.kind is Kind.BUMP)
    found.rewrite(found.entries[anchored - 1][0])


def _cut_young(found: World) -> None:
    found.rewrite(found.entries[-2][0])


def _cut_and_grown(found: World) -> None:
    _cut(found)
    found.sneak(_freeze(found))


def _cut_young_and_grown(found: World) -> None:
    _cut_young(found)
    found.sneak(_freeze(found))


def _resigned(found: World) -> None:
    """Write another reason into an early entry, and everything after it anew, with the ledger's own key."""
    entries = found.entries
    first = next(index for index, (_, one) in enumerate(entries) if one.kind is Kind.SEEN)
    end: Oid | None = entries[first - 1][0] if first else None
    for index, (_, one) in enumerate(entries[first:]):
        changed = replace(one, prev=end or "", note="it was otherwise" if not index else one.note)
        end = found.desk.mirror.entry_commit(
            end, message=changed.message(), at=changed.time, signer=found.signer
        )
    _pushed(found, str(end))


def _new_root(found: World) -> None:
    """Begin the ledger anew, as if there had been none."""
    genesis = replace(found.entries[0][1], commit=tip(found.remote))
    end = found.desk.mirror.entry_commit(
        None, message=genesis.message(), at=genesis.time, signer=found.signer
    )
    _pushed(found, str(end))


def _unsigned_change(found: World) -> None:
    text = git(found.remote, "cat-file", "commit", found.entries[-2][0])
    _raw(found, text.replace('"kind":', '"note":"otherwise","kind":', 1) + "\n")


def _wrong_number(found: World) -> None:
    _made(found, seq=len(found.entries) + 7)


def _wrong_parent(found: World) -> None:
    _made(found, prev=str(found.entries[0][0]))


def _key_again(found: World) -> None:
    bump = next(one for _, one in found.entries if one.kind is Kind.SEEN)
    found.sneak(bump)


def _other_key(found: World) -> None:
    found.sneak(_freeze(found), signer=Signer.generate())


def _no_signature(found: World) -> None:
    entry = replace(_keyed(found), seq=len(found.entries) + 1, prev=found.ledger_tip)
    raw = write_commit(EMPTY_TREE, [found.ledger_tip], BOT, entry.time, entry.message())
    _raw(found, raw.decode())


def _a_tree(found: World) -> None:
    _made(found, tree=git(found.remote, "rev-parse", "main^{tree}"))


def _two_parents(found: World) -> None:
    _made(found, parents=[str(found.ledger_tip), tip(found.remote)])


def _not_allowed(found: World) -> None:
    found.sneak(found.approval("carol"))


def _gone(found: World) -> None:
    found.rewrite("")


def _junk(found: World) -> None:
    commit_to(found.remote, {"a": "b"}, branch="ledger/2026", message="hello\n")


TAMPERINGS: tuple[Tampering, ...] = (
    Tampering("cut back past a move", _cut),
    Tampering("cut back and grown again", _cut_and_grown),
    Tampering("cut back by one", _cut_young, is_young=True),
    Tampering("cut back by one and grown again", _cut_young_and_grown, is_young=True),
    Tampering("rewritten and signed anew with its own key", _resigned),
    Tampering("begun anew", _new_root),
    Tampering("an entry changed", _unsigned_change),
    Tampering("a wrong number", _wrong_number),
    Tampering("another parent named", _wrong_parent),
    Tampering("a key twice", _key_again),
    Tampering("another key's signature", _other_key),
    Tampering("no signature", _no_signature),
    Tampering("a tree", _a_tree),
    Tampering("two parents", _two_parents),
    Tampering("a decision that no rule allows, with its own key", _not_allowed),
    Tampering("gone", _gone),
    Tampering("junk", _junk),
)


def _freeze(found: World) -> Entry:
    by, evidence = person("ada"), {"account": dict(FLAGS)}
    base = Entry(kind=Kind.FREEZE, at=write_time(found.at), key="", by=by, environment="production")
    return replace(base, trigger="click-9", note="an incident", evidence=evidence)


def _keyed(found: World) -> Entry:
    return replace(_freeze(found), key="freeze/production/click-9")


def _made(
    found: World, *, tree: str = EMPTY_TREE, parents: list[str] | None = None, **changes: object
) -> None:
    """Sign an entry that is well but for one thing, with the ledger's own key."""
    right: dict[str, object] = {"seq": len(found.entries) + 1, "prev": str(found.ledger_tip), **changes}
    entry = replace(_keyed(found), **right)  # type: ignore[arg-type]  # a test's choice
    line = [Oid(one) for one in parents or [str(found.ledger_tip)]]
    payload = write_commit(Oid(tree), line, BOT, entry.time, entry.message())
    signature = found.signer.sign(payload)
    raw = write_commit(Oid(tree), line, BOT, entry.time, entry.message(), signature=signature)
    _raw(found, raw.decode())


def _raw(found: World, text: str) -> None:
    found.rewrite(git(found.remote, "hash-object", "-t", "commit", "-w", "--stdin", stdin=text.encode()))


def _pushed(found: World, oid: str) -> None:
    """Let the ledger end at a commit of the clone, as a force push would."""
    git(found.remote, "fetch", "--quiet", str(found.desk.mirror._directory), f"+{oid}:{LEDGER}")


# --- who notices ----------------------------------------------------------------------------------------------


@dataclass
class Ground:
    """A copy of a day, a bot that runs there, and a hand that tampers: both have read everything.

    Each tampering is noticed or not in a forked process, and the repository is put back: nothing is read twice.
    """

    base: World
    folder: Path

    def __post_init__(self) -> None:
        """Copy, and read."""
        self.remote = self.folder / "gitops.git"
        shutil.copytree(self.base.remote, self.remote)
        git(self.remote, "repack", "-a", "-d", "--quiet")  # as hosts do
        self.running, self.hand = self._bot("running"), self._bot("hand")
        self.running.look()
        assert self.running.desk.ledger.read_only_because(self.running.desk.mirror.fetch()) == ""
        self.hand.desk.ledger.read(self.hand.desk.mirror.fetch())
        self._refs = self._ends()

    def _bot(self, name: str) -> World:
        base = self.base
        at = self.folder / name
        return World(self.remote, bot(self.remote, at, base.signer), base.signer, base.at, list(base.tags))

    def _ends(self) -> dict[str, str]:
        lines = git(self.remote, "for-each-ref", "--format=%(refname) %(objectname)").splitlines()
        return dict(line.split(" ") for line in lines)

    def notice(self, tampering: Tampering) -> Noticed:
        """Tamper, and ask a bot that was running, one with an empty disk, and an auditor."""
        found = forked(lambda: self._noticed(tampering))
        for name in self._ends().keys() - self._refs.keys():
            git(self.remote, "update-ref", "-d", name)
        for name, oid in self._refs.items():
            git(self.remote, "update-ref", name, oid)
        for name in ("new", "audit"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
        return found

    def _noticed(self, tampering: Tampering) -> Noticed:
        running, hand = self.running, self.hand
        before = hand.ledger_tip
        tampering.act(hand)
        after = tip(self.remote, "ledger/2026")
        assert after != before, f"{tampering.name}: nothing was tampered with"
        by_bot = isinstance(running.append(lambda _look, _tip: Proposal()), NotWritten)
        new = self._bot("new")
        new.look()
        by_new = isinstance(new.append(lambda _look, _tip: Proposal()), NotWritten)
        report = running.audit(self.folder / "audit")
        findings = [one for one in report.findings if one.what != "review-missing"]
        is_left = tip(self.remote, "ledger/2026") == after
        assert is_left or tampering.is_young, f"{tampering.name}: somebody wrote on"
        named = any(len(one.oid) == 40 for one in findings)
        return Noticed(tampering.name, by_bot, by_new, bool(findings), named, tampering.is_young)


def forked(act: Callable[[], Found]) -> Found:
    """Do something in a copy of this process, and return what it came to. Raises: AssertionError."""
    ours, theirs = Pipe(duplex=False)
    process = os.fork()
    if process == 0:
        try:
            theirs.send((True, act()))
        except BaseException:  # noqa: BLE001  whoever waits hears of it
            theirs.send((False, traceback.format_exc()))
        os._exit(0)
    theirs.close()
    is_done, value = ours.recv()
    os.waitpid(process, 0)
    assert is_done, value
    found: Found = value
    return found


def campaign(folder: Path, size: int, ends: float = math.inf) -> list[Noticed]:
    """Tamper in every way with a ledger of so many entries, until ``ends`` by the monotonic clock."""
    with read_once():
        base = day(folder / "base", size)
        assert base.at - NINE < timedelta(days=1)
        ground = Ground(base, folder / "ground")
        gc.freeze()  # what was read stays, and is not looked through again in each process that is forked
        try:
            return [ground.notice(one) for one in TAMPERINGS if time.monotonic() < ends]
        finally:
            gc.unfreeze()
