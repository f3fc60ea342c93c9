"""The forge's one repository with its people and pull requests, held still while somebody acts."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sandbox.forge.apps import Apps
from sandbox.forge.pulls import Pulls, stamp
from sandbox.forge.repository import ForgeRepository
from sandbox.forge.sign_in import SignIns
from sandbox.forge.state import Pull, StateFile, User
from sandbox.git import Git


class ForgeError(Exception):
    """A lever was pulled on something that is not there."""


def now() -> datetime:
    """Return the time of this machine, UTC."""
    return datetime.fromtimestamp(time.time(), UTC)


class World:
    """What levers and requests act upon."""

    def __init__(
        self,
        bare_repository: Path,
        *,
        owner: str,
        name: str,
        users: Sequence[User],
        state: Path | None,
        clock: Callable[[], datetime],
    ) -> None:
        """Read what is kept. Raises: StateError."""
        self.lock = threading.RLock()
        self.owner = owner
        self.name = name
        self.users = {user.login: user for user in users}
        self.apps = Apps(clock)
        self.sign_ins = SignIns(clock)
        self.repository = ForgeRepository(Git(bare_repository))
        self._file = StateFile(state)
        self.pulls = Pulls(owner, self.repository, self._file.load(), self.users, clock)

    @contextmanager
    def acting(self) -> Iterator[None]:
        """Hold the world still; pull requests follow their branches before and after, and the file is kept."""
        with self.lock:
            self.pulls.refresh()
            try:
                yield
                self.pulls.refresh()
            finally:
                self._file.save(self.pulls.state)

    @contextmanager
    def pushing(self, login: str) -> Iterator[None]:
        """Act as somebody who pushes: what branches do meanwhile is their activity."""
        with self.acting():
            before = self.repository.heads()
            yield
            for branch, tip in self.repository.heads().items():
                if before.get(branch) != tip:
                    self.pulls.note(branch, before.get(branch, "0" * 40), tip, login, "push")

    @property
    def default_branch(self) -> str:
        """The branch that HEAD names."""
        return self.repository.default_branch()

    def now(self) -> str:
        """Return the time as GitHub writes it."""
        return stamp(self.pulls.clock())

    def pull(self, number: int) -> Pull:
        """Find a pull request. Raises: ForgeError."""
        pull = self.pulls.state.pull(number)
        if pull is None:
            raise ForgeError(f"there is no pull request {number}")
        return pull

    def commit(self, ref: str) -> str:
        """Find the commit that a branch or object name means. Raises: ForgeError."""
        commit = self.repository.resolve(ref)
        if commit is None:
            raise ForgeError(f"there is no commit or branch {ref}")
        return commit

    def user(self, login: str) -> User:
        """Find a person. Raises: ForgeError."""
        if login not in self.users:
            raise ForgeError(f"there is no user {login}; known are {', '.join(self.users)}")
        return self.users[login]
