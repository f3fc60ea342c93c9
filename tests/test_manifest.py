"""The Slack app's manifest asks for exactly what the code registers and calls: no scope, command or event more."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from slack_sdk import WebClient
from starlette.routing import Route

from bot.settings import load
from handlers.http import web
from handlers.slack.app import PROMOTE_IMAGE, PROMOTE_THIS, slack_app
from handlers.slack.chat import SlackChat, web_client
from handlers.slack.errands import Errands
from handlers.slack.messages import outdated
from handlers.slack.reply import Address, Replies
from sandbox.http import serve
from sandbox.slack.twin import SlackTwin
from tests.handlers.samples import EngineOfValues, FixedClock, card

ROOT = Path(__file__).parents[1]
MANIFEST: dict[str, Any] = yaml.safe_load((ROOT / "manifest.yml").read_text("utf-8"))
SCOPES: list[str] = MANIFEST["oauth_config"]["scopes"]["bot"]
COMMANDS: list[dict[str, Any]] = MANIFEST["features"]["slash_commands"]

# Slack, "Web API methods": the bot scopes that each one needs.
NEEDED: dict[str, frozenset[str]] = {
    "auth_test": frozenset(),
    "blocks_validate": frozenset(),
    "chat_delete": frozenset({"chat:write"}),
    "chat_postEphemeral": frozenset({"chat:write"}),
    "chat_postMessage": frozenset({"chat:write"}),
    "chat_update": frozenset({"chat:write"}),
    "conversations_members": frozenset({"channels:read"}),  # of public ones; private ones it is in
    "conversations_open": frozenset({"im:write"}),  # with one person
    "usergroups_list": frozenset({"usergroups:read"}),
    "users_info": frozenset({"users:read"}),
    "views_open": frozenset(),
    "views_publish": frozenset(),
    "views_update": frozenset(),
}
# What only some rules ask for: the scope is named in docs/connect.md, and is none of the manifest.
OPTIONAL = {"users_lookupByEmail": "users:read.email"}
# conversations.list and its kin want a scope for each type that they are asked for.
BY_TYPE = {"public_channel": "channels:read", "private_channel": "groups:read", "im": "im:read"}
# How Bolt hears of things, and what the manifest says for it.
HEARD = {"command", "action", "view", "event", "message", "shortcut", "global_shortcut", "message_shortcut"}


def calls() -> Iterator[ast.Call]:
    """Yield the calls of a method in handlers/."""
    for path in sorted((ROOT / "handlers").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                yield node


def name_of(call: ast.Call) -> str:
    assert isinstance(call.func, ast.Attribute)
    return call.func.attr


def web_api() -> Iterator[ast.Call]:
    """Yield the calls of the Web API: what a WebClient has and is written as its methods are."""
    for call in calls():
        name = name_of(call)
        if re.fullmatch(r"[a-z]+(?:_[a-zA-Z]+)+", name) and callable(getattr(WebClient, name, None)):
            yield call


def needed(call: ast.Call) -> frozenset[str]:
    name = name_of(call)
    if name == "conversations_list":
        (types,) = [one.value for one in call.keywords if one.arg == "types"]
        assert isinstance(types, ast.Constant)
        return frozenset(BY_TYPE[one] for one in str(types.value).split(","))
    if name in OPTIONAL:
        return frozenset()
    assert name in NEEDED, f"{name}: which scopes does it need? Say it here and in manifest.yml"
    return NEEDED[name]


def heard() -> set[str]:
    """Return by which of Bolt's ways the app listens."""
    tree = ast.parse((ROOT / "handlers" / "slack" / "app.py").read_text("utf-8"))
    return {
        node.func.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "app"
    }


def addresses() -> Iterator[str]:
    yield from (one["url"] for one in COMMANDS)
    yield MANIFEST["settings"]["interactivity"]["request_url"]
    yield MANIFEST["settings"]["event_subscriptions"]["request_url"]


def test_every_scope_is_used_and_every_call_has_its_scope() -> None:
    found = [needed(call) for call in web_api()]

    assert len(found) >= 7
    assert set(SCOPES) == frozenset({"commands"}).union(*found)
    assert len(SCOPES) == len(set(SCOPES))


def test_a_scope_that_only_some_rules_ask_for_is_told_and_not_asked_for() -> None:
    paper = (ROOT / "docs" / "connect.md").read_text("utf-8")

    for scope in OPTIONAL.values():
        assert scope not in SCOPES
        assert f"`{scope}`" in paper


def test_the_command_is_the_one_that_is_registered() -> None:
    (command,) = COMMANDS

    assert command["command"] == load({"HOME": "/srv"}).command
    assert command["should_escape"] is True  # names of people and channels come as ids
    assert len(command["description"]) <= 2000
    assert len(command["usage_hint"]) <= 1000


def test_what_is_heard_is_asked_for_and_nothing_else() -> None:
    ways = heard()
    settings = MANIFEST["settings"]

    assert ways <= HEARD, "a new way of listening: what does the manifest need for it?"
    assert settings["interactivity"]["is_enabled"] is bool(ways & {"action", "view"})
    assert ("event_subscriptions" in settings) is bool(ways & {"event", "message"})
    assert ("shortcuts" in MANIFEST["features"]) is any(way.endswith("shortcut") for way in ways)
    assert ("app_home" in MANIFEST["features"]) is ("views_publish" in map(name_of, web_api()))
    assert "message_menu_options_url" not in settings["interactivity"]


def test_shortcuts_and_events_are_those_that_are_registered() -> None:
    code = (ROOT / "handlers" / "slack" / "app.py").read_text("utf-8")
    shortcuts = MANIFEST["features"]["shortcuts"]

    assert {one["callback_id"] for one in shortcuts} == {PROMOTE_IMAGE, PROMOTE_THIS}
    assert {one["type"] for one in shortcuts} == {"global", "message"}
    assert all(len(one["name"]) <= 24 for one in shortcuts)
    assert all(len(one["description"]) <= 150 for one in shortcuts)
    assert MANIFEST["settings"]["event_subscriptions"]["bot_events"] == re.findall(
        r'app\.event\("(\w+)"\)', code
    )


@pytest.mark.parametrize("url", list(addresses()))
def test_slack_is_sent_to_the_door_that_is_there(url: str) -> None:
    client = web_client("xoxb-sandbox")
    errands = Errands(Replies(client))
    app = slack_app(EngineOfValues(), client, errands, FixedClock(), secret="sesame")
    posts = {
        route.path
        for route in web(app, secret="sesame", health=dict).routes
        if isinstance(route, Route) and "POST" in (route.methods or ())
    }
    errands.close()
    app.listener_runner.listener_executor.shutdown()

    assert urlsplit(url).scheme == "https"
    assert posts == {urlsplit(url).path}
    assert len({urlsplit(one).netloc for one in addresses()}) == 1


def test_the_scopes_are_enough_for_all_that_is_done() -> None:
    twin = SlackTwin(scopes=SCOPES)
    with serve(twin.app) as url:
        twin.url = url
        client = web_client(twin.token, twin.api_url)
        chat = SlackChat(client)

        placed = chat.show(card(), seq=1, place=None)
        again = chat.show(card(), seq=2, place=placed)
        extra = chat.show(card(), seq=1, place=None)
        chat.withdraw(extra)
        chat.withdraw(extra)
        Replies(client).give(Address("U0ADA", placed.channel), outdated())
        Replies(client).give(Address("U0ADA"), outdated())

        assert again.message == placed.message
        assert [one.ts for one in twin.workspace.messages(placed.channel)] == [placed.message]
        assert chat.account("T0SANDBOX", "U0ADA").is_active
        assert len(twin.workspace.whispers("U0ADA")) == 1
        assert client.conversations_open(users="U0ADA")["ok"]


def test_the_manifest_has_nothing_that_is_not_understood() -> None:
    assert set(MANIFEST) == {"_metadata", "display_information", "features", "oauth_config", "settings"}
    assert set(MANIFEST["oauth_config"]) == {"scopes"}
    assert set(MANIFEST["oauth_config"]["scopes"]) == {"bot"}
    assert MANIFEST["settings"]["token_rotation_enabled"] is False  # the token is a setting, and stays
    assert len(MANIFEST["display_information"]["name"]) <= 35
    assert len(MANIFEST["display_information"]["description"]) <= 140
