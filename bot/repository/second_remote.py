"""A second remote: each end of the ledger is kept there, too. Nobody waits for it, and nothing there is lost.

What two people gave up by a `fork` is set aside there, under a name of its own; the branch goes on from the new end.
"""

import logging
import threading
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from bot.errors import BotError
from bot.measures import MEASURES, Measure
from bot.repository import clone
from bot.repository.objects import Oid, oid_of
from bot.repository.remote import Remote
from policies.errors import PolicyError

_PREFIX = f"refs/heads/{clone.LEDGER}"
_ASIDE = "refs/heads/given-up/"  # and the year and the end, where two people gave an end up
_NAMED = 12  # digits of that end
_TIMEOUT_SECONDS = 120.0
_PUSH = ("push", "--atomic", "--porcelain", "--no-signed")
_log = logging.getLogger(__name__)


class SecondRemote:
    """Another repository to which the ledger's branches are pushed, from the bare clone, by one thread."""

    def __init__(self, address: str, directory: Path) -> None:
        """Use this address (https, ssh or a path); ``directory`` is the bare clone. Raises: SettingsError."""
        self._remote = Remote.parse(address)
        self._git = clone.git_of(self._remote, directory, _TIMEOUT_SECONDS)
        self._changed = threading.Condition()
        self._wanted: Mapping[str, Oid] = {}
        self._given_up: frozenset[str] = frozenset()
        self._ends: Mapping[str, Oid] = {}
        self._problem = ""
        self._is_busy = self._is_closed = False
        self._thread: threading.Thread | None = None

    # --- keeping --------------------------------------------------------------------------------------------

    def send(self, ledgers: Mapping[str, Oid], given_up: Collection[str] = ()) -> None:
        """Let these ends be kept, by year, as soon as may be; returns at once. ``given_up``: ends that a fork names."""
        with self._changed:
            self._wanted = {**self._wanted, **ledgers}
            self._given_up = self._given_up | frozenset(given_up)
            if self._thread is None and not self._is_closed:
                self._thread = threading.Thread(target=self._work, name="second-remote", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def close(self, seconds: float = 5.0) -> None:
        """Finish what is under way, or leave it: the next start sends it again."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(seconds)

    def settle(self, seconds: float) -> bool:
        """Wait until nothing is under way; for tests and for one pass."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._is_busy and not self._wanted, seconds)

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._wanted or self._is_closed)
                if not self._wanted:
                    return
                wanted, self._wanted, self._is_busy = self._wanted, {}, True
            try:
                self._push(wanted)
                problem = ""
            except (BotError, PolicyError) as error:
                problem = str(error)
            MEASURES.count(Measure.SECOND_REMOTE, "failed" if problem else "ok")
            with self._changed:
                if problem and problem != self._problem:
                    _log.warning("the second remote was not reached: %s", problem)
                self._problem, self._is_busy = problem, False
                self._changed.notify_all()

    def _push(self, wanted: Mapping[str, Oid]) -> None:
        """Push without force: what is there and is not contained in ours stays, and is told.

        But for what two people gave up: that goes aside in the same push in which the branch goes on.
        """
        moves = [f"{oid_of(oid)}:{_PREFIX}{year}" for year, oid in sorted(wanted.items())]
        try:
            self._git.run([*_PUSH, "--", "origin", *moves])
        except (BotError, PolicyError):
            aside = self._to_set_aside(wanted)
            if not aside:
                raise
            self._set_aside(aside, moves)

    def _to_set_aside(self, wanted: Mapping[str, Oid]) -> Mapping[str, Oid]:
        """Return the ends there, by year, that two people gave up and that stand in the way."""
        with self._changed:
            given_up = self._given_up
        return {year: oid for year, oid in self.ask().items() if year in wanted and oid in given_up}

    def _set_aside(self, aside: Mapping[str, Oid], moves: Sequence[str]) -> None:
        """Give these ends another name there, and let their branches go on, if they still end so."""
        names = [f"{_PREFIX}{year}" for year in aside]
        self._git.run(["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--", "origin", *names])
        conditions = [f"--force-with-lease={_PREFIX}{year}:{oid}" for year, oid in aside.items()]
        kept = [f"{oid}:{_ASIDE}{year}-{oid[:_NAMED]}" for year, oid in aside.items()]
        self._git.run([*_PUSH, *conditions, "--", "origin", *kept, *moves])

    # --- asking ---------------------------------------------------------------------------------------------

    def ask(self) -> Mapping[str, Oid]:
        """Look where the ledger ends there, by year. Raises: BotError."""
        said = self._git.run(["ls-remote", "--", "origin", f"{_PREFIX}*"]).out.decode("utf-8", "replace")
        lines = (line.partition("\t") for line in said.splitlines())
        self._ends = {name.removeprefix(_PREFIX): oid_of(oid) for oid, _, name in lines}
        return self._ends

    def ends(self) -> Mapping[str, Oid]:
        """Return where it ended when it was asked last."""
        return self._ends

    def problem(self) -> str:
        """Return what went wrong last, '' where nothing did."""
        with self._changed:
            return self._problem
