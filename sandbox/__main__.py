"""The sandbox's door: ``python -m sandbox demo`` opens a world and its page; ``--script`` plays a day there."""

import argparse
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

from sandbox import day
from sandbox.bot import LOG, BotProcess, BotProcessError
from sandbox.checks import BrokenError, Outcome, check, outcome
from sandbox.git import Git, GitError
from sandbox.gitops import BRANCH
from sandbox.http import ServerError
from sandbox.levers import KeptBot, Levers
from sandbox.narrator import Narrator
from sandbox.page.server import PORT, PortTakenError, served, taken
from sandbox.prompt import HELP, STEP_SECONDS, Piped, Prompt
from sandbox.record import Landing
from sandbox.scene import Scene
from sandbox.slack.mrkdwn import harmless
from sandbox.world import REPOSITORY, SIGNING_KEY, World, opened

FINE, BROKEN, WRONG_USE, INTERRUPTED = 0, 1, 2, 130
MAX_PORT = 65_535


class WrongUseError(Exception):
    """What was asked for cannot be done; the message says what can."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 fine, 1 an expectation is broken, 2 wrong use, 130 interrupted."""
    given = _parser().parse_args(arguments)
    for name in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(name) is not signal.SIG_IGN:  # nohup has it ignored
            signal.signal(name, _interrupted)
    try:
        with ExitStack() as stack:
            kept = Path(given.keep) if given.keep else None
            folder = _empty(kept) if kept else Path(stack.enter_context(tempfile.TemporaryDirectory()))
            if not (given.script or given.terminal):
                return _paged(folder, port=given.port, is_kept=kept is not None)
            return _demo(folder, port=given.port or 0, is_script=given.script, is_kept=kept is not None)
    except (WrongUseError, PortTakenError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return WRONG_USE
    except KeyboardInterrupt:
        print("\nended", file=sys.stderr)
        return INTERRUPTED
    except (BotProcessError, GitError, ServerError, OSError) as error:
        print(f"\ndemo: {harmless(str(error))}", file=sys.stderr)
        return BROKEN


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sandbox", description="The world around Countersign, on this machine."
    )
    demo = parser.add_subparsers(required=True).add_parser(
        "demo", help="a GitOps repository, a registry, a forge, a Slack workspace, and the bot in between"
    )
    way = demo.add_mutually_exclusive_group()
    way.add_argument("--script", action="store_true", help="play a whole day and check how it ends")
    way.add_argument("--terminal", action="store_true", help="no page: type what people do")
    demo.add_argument(
        "--keep", metavar="DIR", help="leave the repository and the signing key in DIR, new or empty"
    )
    demo.add_argument(
        "--port",
        type=_port,
        help=f"where the page is (left out: {PORT}, or the next free one); without a page, where the bot listens",
    )
    return parser


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= MAX_PORT):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port; expected 1 to {MAX_PORT}")
    return int(text)


def _empty(folder: Path) -> Path:
    """Make the folder, or take an empty one. Raises: WrongUseError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        first = next(iter(sorted(folder.iterdir())), None)
    except OSError as error:
        raise WrongUseError(
            f"--keep {folder}: {error.strerror}; expected a folder that is new or empty"
        ) from error
    if first is not None:
        raise WrongUseError(
            f"--keep {folder}: there is {first.name} in it; expected a folder that is new or empty"
        )
    return folder.resolve()


def _interrupted(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _paged(folder: Path, *, port: int | None, is_kept: bool) -> int:
    """Serve the page until somebody ends it. Raises: PortTakenError, before anything is started."""
    if port is not None:
        _refuse_taken(port)
    print("Countersign's demo is starting ...", flush=True)
    with (
        opened(folder) as world,
        KeptBot(world) as bot,
        served(world, Levers(world, bot), port=port) as address,
    ):
        try:
            bot.start()
            if port is None and not address.endswith(f":{PORT}/"):
                print(f"Port {PORT} is taken; this is the next free one.")
            print(f"\n  {address}\n\nOpen it in a browser. Ctrl-C ends the demo.", flush=True)
            _wait()
        except KeyboardInterrupt:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second one must not leave the bot behind
            print("\nended", file=sys.stderr)
    if is_kept:
        _tell_kept(folder)
    return FINE


def _wait() -> None:
    """Wait until somebody interrupts; in steps, for a signal just before a wait without end would wake nobody."""
    while True:
        time.sleep(STEP_SECONDS)


def _refuse_taken(port: int) -> None:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError as error:
        raise PortTakenError(taken(port, error)) from error


def _tell_kept(folder: Path) -> None:
    print(f"\nLeft in {folder}: {REPOSITORY} (bare, with the ledger), {SIGNING_KEY}, {LOG}.")


def _demo(folder: Path, *, port: int, is_script: bool, is_kept: bool) -> int:
    began = time.monotonic()
    with opened(folder, port=port) as world, Narrator(world) as narrator:
        print(
            "Countersign, in a world of its own: a registry, a forge, a Slack workspace, a GitOps repository."
        )
        bot = BotProcess(world)
        if is_script:
            return _played(world, narrator, bot, began=began, is_kept=is_kept)
        with bot:
            bot.start()
            _welcome(world)
            Prompt(world, bot, narrator, input if sys.stdin.isatty() else Piped(sys.stdin.fileno())).run()
    return FINE


def _played(world: World, narrator: Narrator, bot: BotProcess, *, began: float, is_kept: bool) -> int:
    """Play the day, show what Git has of it, and check it."""
    try:
        with bot:
            day.play(Scene(world, bot, narrator))
            narrator.chapter("What Git says at the end of the day")
            left = outcome(world, bot)
            _print_log(world.git, since=str(left.entries[0]["commit"]))
            count = check(left)
    except (BrokenError, BotProcessError) as error:
        narrator.look_at_git()
        print(f"\nBROKEN: {harmless(str(error))}")
        if isinstance(error, BrokenError) and (words := bot.last_words()):
            print(f"\nthe end of the bot's log:\n{harmless(words)}")
        return BROKEN
    _sum_up(left, count=count, seconds=time.monotonic() - began)
    if is_kept:
        _tell_kept(world.folder)
    return FINE


def _print_log(git: Git, *, since: str) -> None:
    """Print the landing commits with their trailers, oldest first."""
    form = "--format=%n  commit %h  %cd%n%w(0,6,6)%s%n%n%-b"
    lines = git.text(
        "log", "--first-parent", "--reverse", "--date=format:%H:%M:%S", form, f"{since}..{BRANCH}"
    )
    print(harmless("\n".join(line.rstrip() for line in lines.rstrip().split("\n"))))


def _sum_up(left: Outcome, *, count: int, seconds: float) -> None:
    """Say in plain words what moved, and who trusted it."""
    print("\nWhat moved, and who trusted it")
    for landing in left.landings:
        print(f"  {landing.move:<44}  {_trusted(landing)}")
    print(
        f"\n{len(left.entries)} ledger entries, each signed. {count} expectations met. It took {seconds:.0f} s."
    )


def _trusted(landing: Landing) -> str:
    """Say who answered for a move; logins, as its trailers have them."""
    asked = landing.one("Requested-By").partition(" ")[0]
    approved = [value.partition(" ")[0] for value in landing.all("Approved-By")]
    if not asked:
        return "moved by the bot: nobody is asked there"
    if set(approved) <= {asked}:
        return f"rolled back by {asked}, alone"
    return f"asked for by {asked}, approved by {' and '.join(approved)}"


def _welcome(world: World) -> None:
    print(f"\n  registry   {world.addresses['registry']}/v2/")
    print(f"  forge      {world.addresses['forge']}")
    print(f"  Slack      {world.addresses['slack']}/api/")
    print(f"  the bot    http://127.0.0.1:{world.bot_port}/healthz")
    print(f"  the repository (bare)   {world.git.repository}")
    print(f"\nYou are everybody. Type\n{HELP}\n")


if __name__ == "__main__":
    sys.exit(main())
