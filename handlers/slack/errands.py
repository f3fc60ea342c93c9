"""Errands: work that begins after the acknowledgement, bounded, and never silent when it fails."""

import logging
import secrets
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from bot.errors import BotError
from handlers.slack import messages
from handlers.slack.blocks import Said
from handlers.slack.reply import Address, Replies

WORKERS = 8  # most wait for the engine's one lock; the others answer questions
WAITING = 200  # tasks taken and not done; one more is told to come back
_LOG = logging.getLogger(__name__)

Task = Callable[[], Said | None]


class Errands:
    """Does tasks in threads of its own and tells each person how theirs went."""

    def __init__(self, replies: Replies, *, workers: int = WORKERS, waiting: int = WAITING) -> None:
        self._replies = replies
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="errand")
        self._room = threading.BoundedSemaphore(waiting)

    def give(self, to: Address, task: Task) -> None:
        """Take a task, or say that there is no room for it. Returns at once."""
        if not self._room.acquire(blocking=False):
            _LOG.warning("too much is waiting, so what %s asked was not taken", to.user)
            self._replies.give(to, messages.busy())
            return
        try:
            self._pool.submit(self._do, to, task)
        except RuntimeError:  # closed meanwhile
            self._room.release()
            self._replies.give(to, messages.stopping())

    @property
    def replies(self) -> Replies:
        """How people are answered."""
        return self._replies

    def close(self) -> None:
        """Finish what was taken, and take nothing more."""
        self._pool.shutdown(wait=True)

    def _do(self, to: Address, task: Task) -> None:
        try:
            said = self._tried(task)
            if said is not None:
                self._replies.give(to, said)
        except Exception:  # noqa: BLE001  the last to hear of it: logged, and the next task goes on
            _LOG.exception("an answer to %s could not be given", to.user)
        finally:
            self._room.release()

    def _tried(self, task: Task) -> Said | None:
        try:
            return task()
        except BotError as error:
            key = secrets.token_hex(4)
            _LOG.warning("%s: %s", key, error)
            return messages.failed(str(error), key)
        except Exception:  # noqa: BLE001  whatever it is, the person is told
            key = secrets.token_hex(4)
            _LOG.exception("%s: a task after an acknowledgement failed", key)
            return messages.broken(key)
