"""A stage: one world, somebody who acts in it, somebody who checks it; on a RAM disk where there is one."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tests.campaign.acts import Acts
from tests.campaign.office import Office, office
from tests.campaign.seen import Seen
from tests.campaign.witness import Witness

RAM = Path("/dev/shm")  # noqa: S108  folders of our own in it
TRIES = 40


@dataclass
class Stagehand:
    """One world, somebody who acts in it, and somebody who checks it."""

    office: Office
    acts: Acts
    seen: Seen

    def until(self, done: Callable[[], bool], act: Callable[[], object], tries: int = TRIES) -> None:
        """Do something, again where the process died of it, until it is done."""
        for _ in range(tries):
            if done():
                return
            act()
            if done():
                return
            self.office.clock.wind(minutes=3)
            self.office.look()
        assert done(), f"it does not come about: {self.office.left}"

    def has(self, kind: str, person: str = "", *, times: int = 1) -> bool:
        """Whether the ledger has so many entries of a kind, by a person or anybody."""
        lines = self.office.reading.ledger()
        return len([one for one in lines if one.kind == kind and person in {"", one.person}]) >= times


@contextmanager
def folder() -> Iterator[Path]:
    """Make a folder for one world."""
    at = RAM if os.access(RAM, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="countersign-", dir=at, ignore_cleanup_errors=True) as made:
        yield Path(made)


@contextmanager
def stage(*, is_apart: bool = False, at: datetime | None = None) -> Iterator[Stagehand]:
    """Open a world for one life."""
    with ExitStack() as stack:
        here = stack.enter_context(folder())
        found = stack.enter_context(office(here, is_apart=is_apart, at=at))
        witness = Witness(found.world.git.repository, here / "witness")
        yield Stagehand(found, Acts(found), Seen(found, witness))
