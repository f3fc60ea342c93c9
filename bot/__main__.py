"""The one door where the floors meet: the command line, and the bot that serves."""

import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime, timedelta
from functools import partial

from bot import assembly
from bot.engine import Engine
from bot.errors import TransientError
from bot.looking.quarantine import SLACK
from bot.pacing import Pace
from bot.ports import Chat
from bot.rounds import Rounds
from bot.scheduler import Ticker
from bot.settings import Settings
from handlers.http import web
from handlers.metrics import Standing, metrics
from handlers.serving import listen, run
from handlers.shell import cli
from handlers.shell.terminal import tell
from handlers.slack.app import slack_app
from handlers.slack.chat import SlackChat, web_client
from handlers.slack.errands import Errands
from handlers.slack.homes import Homes
from handlers.slack.reply import Replies
from handlers.slack.socket_mode import SocketMode
from handlers.webhooks import Doorbell, webhooks

RETRY_SECONDS = 5.0  # while the repository cannot be reached at the start
STOP_SECONDS = (
    6.0  # for a pass or a word that is under way; what is cut off then, the next start goes on with
)
SWITCHES = ("COUNTERSIGN_LOG", "COUNTERSIGN_DEBUG")
_log = logging.getLogger("bot")


def serve(settings: Settings, *, is_observing: bool) -> None:
    """Run the bot until it is asked to stop. Raises: BotError where it cannot start."""
    if is_observing:
        settings.need_repository()
        settings.need_chat()
    else:
        settings.need_all()
    listener = listen(settings.port)
    with ExitStack() as house:
        house.callback(listener.close)
        client = web_client(settings.slack_bot_token.get_secret_value(), settings.slack_api_url)
        engine = _opened(settings, SlackChat(client, settings.command), house, is_observing=is_observing)
        if not is_observing:
            assembly.need_forge(settings, engine)
        engine.look_early()
        secret = settings.slack_signing_secret.get_secret_value()
        errands, ticker = Errands(Replies(client, settings.command)), Ticker(engine.clock)
        every = timedelta(seconds=settings.tick_seconds)
        rounds = Rounds(engine, every=every, wake=ticker.now, pace=engine.desk.pace)
        homes = Homes(engine, client, settings.command)
        app = slack_app(
            engine, client, errands, engine.clock, secret=secret, command=settings.command, homes=homes
        )
        app_token = settings.slack_app_token.get_secret_value()
        mode = SocketMode(app, client, app_token) if app_token else None
        bell = Doorbell(lambda is_package: _woken(ticker, rounds, is_package=is_package))
        more = [metrics(lambda: _standing(rounds))]
        if hook := settings.github_webhook_secret.get_secret_value():
            more.append(webhooks(hook, bell))
        odd = partial(engine.unreadable, SLACK, "/slack/events")
        ticker.start(lambda at: _looked(rounds, homes, at), every_seconds=settings.tick_seconds)
        if mode is not None:
            mode.start()
        try:  # Slack comes by one way only
            run(
                web(app, secret="" if mode else secret, health=rounds.health, more=more, odd=odd),
                listener,
                _ready,
            )
        finally:
            _log.info("stopping")
            bell.close()
            _within(STOP_SECONDS, [ticker.stop, lambda: _heard_out(mode, errands)])


def _looked(rounds: Rounds, homes: Homes, at: datetime) -> None:
    """Make a pass, then show what it changed to who looks at the App Home."""
    rounds.tick(at)
    homes.refresh()


def _woken(ticker: Ticker, rounds: Rounds, *, is_package: bool) -> None:
    """Look now; where a package was published, at all registries."""
    if is_package:
        rounds.ask_everything()
    ticker.now()


def _standing(rounds: Rounds) -> Standing:
    age = rounds.pass_age()
    pushes, waiting = rounds.pushes()
    return Standing(
        age.total_seconds() if age is not None else None,
        rounds.is_writable(),
        rounds.promotions(),
        pushes,
        waiting,
    )


def _heard_out(mode: SocketMode | None, errands: Errands) -> None:
    """Hear nothing more from Slack, then finish what was heard."""
    if mode is not None:
        mode.close()
    errands.close()


def _opened(settings: Settings, chat: Chat, house: ExitStack, *, is_observing: bool) -> Engine:
    """Open the engine; a repository that is away for the moment is waited for. Raises: BotError."""
    while True:
        try:
            if is_observing:
                return house.enter_context(assembly.observing(settings, chat=chat, say=tell))
            pace = Pace.of_tick(settings.tick_seconds)
            return house.enter_context(assembly.working(settings, chat=chat, say=tell, pace=pace))
        except TransientError as error:
            _log.warning("the start waits: %s", error)
            time.sleep(RETRY_SECONDS)


def _ready(port: int) -> None:
    tell(f"listening on port {port}")


def _within(seconds: float, endings: list[Callable[[], None]]) -> None:
    """Let what runs come to its end, side by side; what takes too long is cut off, as by a crash."""
    threads = [threading.Thread(target=end, daemon=True) for end in endings]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    if any(thread.is_alive() for thread in threads):
        tell("stopped in the middle of a pass or a word; the next start goes on with it")
        sys.stderr.flush()
        os._exit(0)


def _chat(settings: Settings) -> Chat | None:
    """Return the chat of the settings, where there is one."""
    if not settings.has_chat:
        return None
    client = web_client(settings.slack_bot_token.get_secret_value(), settings.slack_api_url)
    return SlackChat(client, settings.command)


def main() -> None:
    """Run the command that was typed."""
    # These two are read before the settings, so that trouble with the settings can be looked at, too.
    log_level, debug = (os.environ.get(name, "").strip() for name in SWITCHES)
    doors = cli.Doors(
        serve, _chat, log_level=log_level, is_debugging=debug not in {"", "0"}, switches=SWITCHES
    )
    sys.exit(cli.main(sys.argv[1:], doors))


if __name__ == "__main__":
    main()
