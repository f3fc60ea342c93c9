"""The Web API about modals and App Homes: views.*, and blocks.validate."""

from typing import Any

from sandbox.slack.block_kit import problems_of_blocks, problems_of_view
from sandbox.slack.call import Answer, Call, Method, invalid_arguments, refuse_problems
from sandbox.slack.feed import View
from sandbox.slack.shapes import Problem
from sandbox.slack.tickets import SlackRefusal
from sandbox.slack.workspace import Workspace


def shown_view(workspace: Workspace, view: View, values: dict[str, Any] | None = None) -> Answer:
    """Write a view as the Web API and the payloads show it, with what was filled in so far."""
    answer: Answer = {
        "id": view.id,
        "team_id": workspace.team,
        "private_metadata": "",
        "callback_id": "",
        "external_id": "",
        **view.payload,
        "state": {"values": values or {}},
        "hash": view.hash,
        "previous_view_id": view.previous or None,
        "root_view_id": view.root,
        "app_id": workspace.app.id,
        "app_installed_team_id": workspace.team,
        "bot_id": workspace.app.bot_id,
    }
    if view.is_modal:
        answer = {"clear_on_close": False, "notify_on_close": False, "close": None, "submit": None} | answer
    return answer


def _open(call: Call) -> Answer:
    payload = _payload(call, "modal")
    trigger = call.workspace.tickets.spend(call.needed("trigger_id"))
    view = call.workspace.views.open(trigger.user, payload)
    return {"view": shown_view(call.workspace, view)}


def _push(call: Call) -> Answer:
    payload = _payload(call, "modal")
    trigger = call.workspace.tickets.spend(call.needed("trigger_id"))
    if not trigger.view:
        raise SlackRefusal("invalid_trigger_id")
    view = call.workspace.views.push(trigger.user, payload, onto=trigger.view)
    return {"view": shown_view(call.workspace, view)}


def _update(call: Call) -> Answer:
    payload = _payload(call, "modal")
    if not (call.word("view_id") or call.word("external_id")):
        raise invalid_arguments("[ERROR] must provide either `view_id` or `external_id`")
    view = call.workspace.views.update(
        payload, view=call.word("view_id"), external=call.word("external_id"), hash_=call.word("hash")
    )
    return {"view": shown_view(call.workspace, view)}


def _publish(call: Call) -> Answer:
    payload = _payload(call, "home")
    key = call.needed("user_id")
    if all(user.id != key or user.deleted for user in call.workspace.users):
        raise invalid_arguments("[ERROR] invalid user_id")
    view = call.workspace.views.publish(key, payload, call.word("hash"))
    return {"view": shown_view(call.workspace, view)}


def _payload(call: Call, kind: str) -> dict[str, Any]:
    call.needed("view")
    payload = call.structure("view", "invalid_arguments")
    refuse_problems("invalid_arguments", problems_of_view(payload))
    if payload["type"] != kind:
        raise invalid_arguments(
            f"[ERROR] must be a valid enum value, one of: {kind} [json-pointer:/view/type]"
        )
    return dict(payload)


def _validate(call: Call) -> Answer:
    """Tell all that is wrong; the pointers start inside of what was given (Slack, blocks.validate)."""
    given = [name for name in ("blocks", "message", "view") if call.word(name)]
    if len(given) != 1:
        raise invalid_arguments("must provide exactly one of `blocks`, `view`, or `message`")
    kind = given[0]
    value = call.structure(kind, f"invalid_{kind}")
    problems = _problems(kind, value)
    if problems:
        told = [{"pointer": p.pointer, "code": "failed_constraint", "message": p.message} for p in problems]
        raise SlackRefusal(f"invalid_{kind}", errors=told)
    return {}


def _problems(kind: str, value: Any) -> list[Problem]:
    if kind == "view":
        return problems_of_view(value, "")
    if kind == "blocks":
        return problems_of_blocks(value, "")
    if not isinstance(value, dict):
        return [Problem("", "must be an object")]
    return problems_of_blocks(value.get("blocks", []), "/blocks")


METHODS = {
    "views.open": Method(_open),
    "views.push": Method(_push),
    "views.update": Method(_update),
    "views.publish": Method(_publish),
    "blocks.validate": Method(_validate),
}
