"""A delivery tool, as Flux would be: after each commit on the target branch it says how each environment fares."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from sandbox.forge.twin import ForgeError, ForgeTwin
from sandbox.git import Git, GitError

LOOKED_EVERY_SECONDS = 0.3
_LOGIN = "ada-l"  # whose token it uses


@dataclass(frozen=True, slots=True)
class Health:
    """What was said of an environment, on which commit."""

    commit: str
    environment: str
    state: str


class Delivery:
    """Reports on the newest commit alone, which is what Flux does. Every method may be called from any thread."""

    def __init__(self, git: Git, forge: ForgeTwin, *, branch: str, environments: Sequence[str]) -> None:
        self._git = git
        self._forge = forge
        self._branch = branch
        self._environments = tuple(environments)
        self._broken: set[str] = set()
        self._said: list[Health] = []
        self._lock = threading.RLock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="delivery", daemon=True)

    def start(self) -> None:
        """Begin to look; what is there already is said to run."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()

    def say(self, environment: str, *, is_healthy: bool) -> str:
        """Break or mend an environment, say so on the newest commit, and return that. Raises: ForgeError, GitError."""
        with self._lock:
            (self._broken.discard if is_healthy else self._broken.add)(environment)
            tip = self._tip()
            self._report(tip, environment)
            return tip

    def said(self) -> tuple[Health, ...]:
        """Return what was said, oldest first."""
        with self._lock:
            return tuple(self._said)

    def _run(self) -> None:
        last = ""
        while not self._ended.wait(LOOKED_EVERY_SECONDS):
            try:
                with self._lock:
                    tip = self._tip()
                    if tip != last:
                        for environment in self._environments:
                            self._report(tip, environment)
                    last = tip
            except (GitError, ForgeError):
                continue  # the branch moves, or the world ends: there is another look

    def _tip(self) -> str:
        return self._git.text("rev-parse", "--verify", f"refs/heads/{self._branch}").strip()

    def _report(self, tip: str, environment: str) -> None:
        is_broken = environment in self._broken
        state, words = ("failure", "pods do not become ready") if is_broken else ("success", "it runs")
        context = f"kustomization/apps/{environment}"
        self._forge.set_status(tip, context, state, login=_LOGIN, description=words)
        self._said.append(Health(tip, environment, state))
