"""Who has an App Home open: published when they look, and again when what it shows has changed."""

import hashlib
import json
import logging
import threading
from collections import OrderedDict

from slack_sdk import WebClient

from bot import faults
from bot.errors import BotError
from handlers.engine import Engine
from handlers.slack.blocks import COMMAND
from handlers.slack.called import called_in
from handlers.slack.errors import translated
from handlers.slack.home import home
from handlers.slack.spans import Json

MAX_KNOWN = 50  # people who are kept up to date: Slack takes a hundred calls a minute and more
_log = logging.getLogger(__name__)


class Homes:
    """Publishes App Homes. Thread-safe; a home that could not be published is published when its person looks again."""

    def __init__(self, engine: Engine, client: WebClient, command: str = COMMAND) -> None:
        """Know nobody yet."""
        self._engine = engine
        self._client = client
        self._command = command
        self._lock = threading.Lock()
        self._known: OrderedDict[str, str] = OrderedDict()  # user -> what was published last

    def opened(self, user: str) -> None:
        """Publish somebody's home, as they look at it now. Raises: BotError."""
        with self._lock:
            self._known.setdefault(user, "")  # what changes while it is on its way is published again
        self._publish(user, self._drawn(user))

    def refresh(self, only: str = "") -> None:
        """Publish again what has changed, for one person or all; what fails is logged, for nobody waits for it."""
        with self._lock:
            known = {user: last for user, last in self._known.items() if only in {"", user}}
        for user, last in known.items():
            try:
                view = self._drawn(user)
                if _hash(view) != last:
                    self._publish(user, view)
            except BotError as error:
                _log.warning("the App Home of %s is not up to date: %s", user, error)
                with self._lock:
                    self._known.pop(user, None)

    def _drawn(self, user: str) -> Json:
        view = home(self._engine.look(), self._engine.person_of(user), user)
        return called_in(view, self._command)

    def _publish(self, user: str, view: Json) -> None:
        with translated("views.publish"):
            faults.point("before-view")
            self._client.views_publish(user_id=user, view=view)
            faults.point("after-view")
        with self._lock:
            self._known[user] = _hash(view)
            self._known.move_to_end(user)
            while len(self._known) > MAX_KNOWN:
                self._known.popitem(last=False)


def _hash(view: Json) -> str:
    """Return what tells two homes apart: the time of the look, which stands last, is no news."""
    return hashlib.sha256(json.dumps(view["blocks"][:-1], sort_keys=True).encode()).hexdigest()
