"""The list of doors is held against what is registered: a new way in that it does not name fails here."""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import typer
from slack_bolt.listener import CustomListener

from handlers.doors import DOORS, LOOKS, SHOWS, SLACK, SLACK_ROUTE, Way
from handlers.shell import cli
from handlers.slack.app import slack_app
from handlers.slack.chat import web_client
from handlers.slack.errands import Errands
from handlers.slack.reply import Replies
from policies import validator
from policies.allowed import speakers as allowed_speakers
from policies.entries.fields import VIA
from tests.handlers.samples import EngineOfValues, FixedClock

ROOT = Path(__file__).parents[2]
# who may call what the engine does to the world: file, function, method; each is what a door comes to
CALLERS = {
    ("handlers/slack/app.py", "_answered", "say"),
    ("handlers/slack/app.py", "_confirmed", "say"),
    ("handlers/slack/app.py", "_linked", "link"),
    ("handlers/shell/cli.py", "pass_", "run_pass"),
    ("handlers/shell/retire.py", "retire", "retire"),
    ("bot/rounds.py", "tick", "run_pass"),
}
SPOKEN = {kind for kind, check in validator._WHO.items() if check is not allowed_speakers.by_bot}
LISTENING = {"action", "view", "shortcut", "event", "message"}  # and `command`, which typer has, too


def functions() -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Yield the functions of the two floors that carry out and speak."""
    for path in sorted([*(ROOT / "handlers").rglob("*.py"), *(ROOT / "bot").rglob("*.py")]):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield path.relative_to(ROOT).as_posix(), node


def commands(group: typer.core.TyperGroup | None = None, before: str = "") -> Iterator[str]:
    """Yield the commands of the command line, those of groups with the group's name."""
    whole = group or typer.main.get_group(cli.app)
    for name, command in whole.commands.items():
        if isinstance(command, typer.core.TyperGroup):
            yield from commands(command, f"{name} ")
        else:
            yield before + name


def test_every_listener_of_slack_is_a_door_and_every_door_has_its_listener() -> None:
    client = web_client("xoxb-sandbox")
    errands = Errands(Replies(client))
    app = slack_app(EngineOfValues(), client, errands, FixedClock(), secret="sesame")
    errands.close()
    app.listener_runner.listener_executor.shutdown()

    listeners = [one for one in app._listeners if isinstance(one, CustomListener)]
    assert len(listeners) == len(app._listeners)
    assert Counter(one.ack_function.__name__ for one in listeners) == Counter(
        door.enters for door in DOORS if door.way in SLACK
    )


def test_slack_is_listened_to_in_one_place() -> None:
    found = {
        (file, node.name)
        for file, node in functions()
        for call in ast.walk(node)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr in LISTENING
        and ast.unparse(call.func.value) in {"app", "self.app", "self._app"}
    }

    assert found == {("handlers/slack/app.py", "slack_app")}


def test_every_command_is_a_door_or_only_looks() -> None:
    doors = {door.enters for door in DOORS if door.way in {Way.COMMAND_LINE, Way.SCHEDULE}}

    assert not doors & LOOKS
    assert sorted(commands()) == sorted(doors | LOOKS)


def test_every_route_is_a_door_or_only_shows() -> None:
    routes = {
        call.args[0].value
        for _, node in functions()
        for call in ast.walk(node)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id.endswith(("Route", "Mount"))
        and isinstance(call.args[0], ast.Constant)
    }

    assert routes == {SLACK_ROUTE, *SHOWS, *(door.enters for door in DOORS if door.way is Way.WEBHOOK)}


def test_nothing_else_lets_the_engine_act() -> None:
    found = {
        (file, node.name, call.func.attr)
        for file, node in functions()
        for call in ast.walk(node)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr in {"say", "link", "run_pass", "retire"}
        and ast.unparse(call.func.value) in {"engine", "self._engine", "self.engine"}
    }

    assert found == CALLERS


def test_each_way_that_an_entry_may_name_is_the_way_of_a_door() -> None:
    assert {door.way.value for door in DOORS} >= VIA


def test_what_a_person_may_say_has_a_door() -> None:
    carried = {kind for door in DOORS for kind in door.carries}

    assert carried & SPOKEN == SPOKEN


def test_each_door_has_a_name_of_its_own() -> None:
    assert len({door.name for door in DOORS}) == len(DOORS)
