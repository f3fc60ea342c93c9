"""What a person fills into a modal: checked as Slack's client checks it, and worded as ``state.values``."""

from typing import Any

from sandbox.slack.block_kit import interactive

Values = dict[str, dict[str, dict[str, Any]]]


class CannotDoError(Exception):
    """Slack's client would not let a person do this; the message says why."""


def filled(blocks: list[dict[str, Any]], values: dict[str, Any]) -> Values:
    """Return the state of a form: initial values, then ``values`` by action id, block id or label.

    Raises: CannotDoError, for a value with no field.
    """
    state: Values = {}
    unused = dict(values)
    for block in blocks:
        for _, element in interactive(block):
            if element["type"] in {"button", "overflow", "image"}:
                continue
            label = (block.get("label") or {}).get("text", "")
            names = [name for name in (element["action_id"], block["block_id"], label) if name in unused]
            given = unused.pop(names[0]) if names else None
            state.setdefault(block["block_id"], {})[element["action_id"]] = answered(element, given)
    if unused:
        raise CannotDoError(f"there is no field {', '.join(unused)}; there are {_fields(state)}")
    return state


def refuse_unfit(blocks: list[dict[str, Any]], state: Values) -> None:
    """Hold the answers against their fields, as Slack does before it sends. Raises: CannotDoError."""
    for block in blocks:
        if block.get("type") != "input":
            continue
        element = block["element"]
        answer = state[block["block_id"]][element["action_id"]]
        value = next((answer[key] for key in answer if key != "type"), None)
        label = block["label"]["text"]
        if value in (None, "", []):
            if not block.get("optional"):
                raise CannotDoError(f"{label!r} has to be filled in")
        elif isinstance(value, str):
            _refuse_length(label, element, value)


def answered(element: dict[str, Any], given: Any) -> dict[str, Any]:
    """Return the state of one field; ``given`` is what a person typed or chose, None for nothing.

    Raises: CannotDoError.
    """
    kind = str(element["type"])
    many = kind.startswith("multi_") or kind == "checkboxes"
    match kind.removeprefix("multi_"):
        case "static_select" | "external_select" | "radio_buttons" | "checkboxes":
            return {"type": kind, **_chosen(element, given, many=many)}
        case "users_select" | "conversations_select" | "channels_select" as menu:
            noun = menu.removesuffix("_select")
            key = f"selected_{noun}" if many else f"selected_{noun.removesuffix('s')}"
            initial = element.get(f"initial_{noun}" if many else f"initial_{noun.removesuffix('s')}")
            return {"type": kind, key: initial if given is None else given}
        case "datepicker" | "timepicker" | "datetimepicker":
            noun = {"datepicker": "date", "timepicker": "time", "datetimepicker": "date_time"}[kind]
            return {
                "type": kind,
                f"selected_{noun}": element.get(f"initial_{noun}") if given is None else given,
            }
        case _:
            return {"type": kind, "value": element.get("initial_value") if given is None else given or None}


def offered(element: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the options of a menu, those in groups too."""
    groups = [group["options"] for group in element.get("option_groups", [])]
    return [option for group in [element.get("options", []), *groups] for option in group]


def pick(element: dict[str, Any], wanted: Any) -> dict[str, Any]:
    """Return the option with this value or text; an option object is taken as it is for menus filled from outside.

    Raises: CannotDoError.
    """
    if isinstance(wanted, dict) and str(element["type"]).endswith("external_select"):
        return wanted
    for option in offered(element):
        if wanted in (option["value"], option["text"]["text"]):
            return option
    known = ", ".join(option["text"]["text"] for option in offered(element))
    raise CannotDoError(f"{wanted!r} is not offered; there are {known}")


def _chosen(element: dict[str, Any], given: Any, *, many: bool) -> dict[str, Any]:
    if many:
        initial = element.get("initial_options", [])
        return {"selected_options": initial if given is None else [pick(element, one) for one in given]}
    return {"selected_option": element.get("initial_option") if given is None else pick(element, given)}


def _refuse_length(label: str, element: dict[str, Any], value: str) -> None:
    least, most = element.get("min_length", 0), element.get("max_length", 3000)
    if element["type"] == "plain_text_input" and not least <= len(value) <= most:
        raise CannotDoError(f"{label!r} takes {least} to {most} characters, not {len(value)}")


def _fields(state: Values) -> str:
    return ", ".join(action for block in state.values() for action in block) or "none"
