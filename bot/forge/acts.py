"""How a write to the forge is done: asked for once, then looked at, whatever was answered."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from bot.errors import TransientError
from bot.forge.client import Json, UnsureError
from bot.forge.wire import RefusalError, Wire

LOOKS = 3  # a read after a write may be stale
PULLS = "Pull requests: write"

T = TypeVar("T")


@dataclass(slots=True)
class Acts:
    """Writes by one wire; between looks it waits so many seconds."""

    wire: Wire
    between_looks: float
    sleep: Callable[[float], None]

    def looked_for(self, look: Callable[[], T | None]) -> T | None:
        """Look up to three times before concluding that something is not there."""
        for turn in range(LOOKS):
            if turn:
                self.sleep(self.between_looks)
            found = look()
            if found is not None:
                return found
        return None

    def change(
        self,
        path: str,
        wanted: Json,
        what: str,
        stands: Callable[[], bool | None],
        *,
        verb: str = "PATCH",
        permission: str = PULLS,
    ) -> None:
        """Ask once for a change that can be seen afterwards. Raises: BotError."""
        try:
            self.wire.write(verb, path, wanted, permission=permission)
        except RefusalError as refusal:
            if not stands():
                raise refusal.foreseen from refusal
        except UnsureError as unsure:
            self.seen_or_later(stands, what, unsure)

    def seen_or_later(self, look: Callable[[], T | None], what: str, unsure: UnsureError) -> T:
        """Return what a look finds after a write of which nothing is certain. Raises: TransientError."""
        found = self.looked_for(look)
        if found is None:
            raise TransientError(f"{what} is not to be seen at the forge yet: {unsure}") from unsure
        return found
