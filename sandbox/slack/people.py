"""Acting as a person: commands, clicks, modals, delivered to the app as Slack delivers them."""

import json
import time
from typing import Any

from sandbox.slack.block_kit import interactive, problems_of_view
from sandbox.slack.chat import say
from sandbox.slack.courier import Ack, Courier
from sandbox.slack.feed import Event, EventKind, Message, View
from sandbox.slack.form import CannotDoError, answered, filled, offered, pick, refuse_unfit
from sandbox.slack.members import User
from sandbox.slack.payloads import Payloads
from sandbox.slack.tickets import SlackRefusal
from sandbox.slack.twin import SlackTwin
from sandbox.slack.workspace import SLACKBOT


class Person:
    """Somebody in the workspace, with their hands on its buttons."""

    def __init__(self, twin: SlackTwin, courier: Courier, user: str) -> None:
        self._twin = twin
        self._workspace = twin.workspace
        self._courier = courier
        self.id = self._workspace.user(user).id
        self._payloads = Payloads(twin, self.id)

    @property
    def user(self) -> User:
        """Who this is, as of now."""
        return self._workspace.user(self.id)

    # What one does

    def says(self, text: str, channel: str = "deploys", *, thread_ts: str = "") -> Message:
        """Say something that the app does not hear. Raises: CannotDoError."""
        return self._workspace.post(self._room(channel), self.id, text, thread_ts=thread_ts)

    def command(self, line: str, channel: str = "deploys") -> Ack:
        """Type a slash command, as in ``/promote status``. Raises: CannotDoError."""
        word, _, text = line.strip().partition(" ")
        if word not in self._workspace.app.commands:
            raise CannotDoError(f"{word} is not a valid command")
        room = self._room(channel)
        since = self._workspace.feed.position
        self._workspace.feed.add(EventKind.COMMAND, self.id, channel=room, text=line.strip())
        envelope = self._courier.form(self._payloads.command(word, text.strip(), room))
        ack = self._courier.send(envelope, since=since)
        self._hear_command(ack, room, word)
        return ack

    def click(
        self, on: Message | View, button: str, *, values: dict[str, Any] | None = None, confirm: bool = True
    ) -> Ack:
        """Press a button, named by its text or action id, and say yes to its confirm dialog.

        ``on`` is the message or modal as the person sees it: an old copy is a click on a stale card. ``values`` are
        what the other fields of a modal hold. Raises: CannotDoError.
        """
        block, element = _found(on, button)
        if element["type"] != "button":
            raise CannotDoError(f"{button!r} is a {element['type']}: choose an option")
        if "confirm" in element and not confirm:
            raise CannotDoError("the confirm dialog was answered with no")
        action = {"text": element["text"]} | {
            k: element[k] for k in ("value", "style", "url") if k in element
        }
        return self._act(on, block, element, action, values=values or {}, label=element["text"]["text"])

    def choose(
        self, on: Message | View, menu: str, option: Any, *, values: dict[str, Any] | None = None
    ) -> Ack:
        """Choose an option, by text or value, in a menu named by its action id. Raises: CannotDoError."""
        block, element = _found(on, menu)
        if element["type"] == "overflow":
            action: dict[str, Any] = {"selected_option": pick(element, option)}
        else:
            action = answered(element, option)
        label = f"{element['action_id']}: {option}"
        return self._act(on, block, element, action, values=values or {}, label=label)

    def submit(self, view: View, values: dict[str, Any] | None = None) -> Ack:
        """Fill in a modal (values by action id, block id or label) and send it. Raises: CannotDoError."""
        if "submit" not in view.payload:
            raise CannotDoError("this modal has nothing to send")
        blocks = view.payload["blocks"]
        state = filled(blocks, values or {})
        refuse_unfit(blocks, state)
        since = self._workspace.feed.position
        self._workspace.feed.add(
            EventKind.SUBMITTED, self.id, view=view, text=json.dumps(values or {}), only_for=self.id
        )
        ack = self._send(self._payloads.submission(view, state), since)
        self._hear_submission(ack, view)
        return ack

    def close(self, view: View) -> Ack | None:
        """Close a modal; the app hears of it only where it asked to (``notify_on_close``)."""
        since = self._workspace.feed.position
        is_cleared = bool(view.payload.get("clear_on_close"))
        self._workspace.views.close(view.id, all_of_them=is_cleared)
        if not view.payload.get("notify_on_close"):
            return None
        return self._send(self._payloads.closed(view, is_cleared=is_cleared), since)

    def options(self, on: Message | View, menu: str, typed: str = "") -> list[dict[str, Any]]:
        """Type into a menu that the app fills, and return what it offers. Raises: CannotDoError."""
        block, element = _found(on, menu)
        if not str(element["type"]).endswith("external_select"):
            return offered(element)
        ack = self._send(self._payloads.suggestion(on, block, element, typed), self._workspace.feed.position)
        return offered({"option_groups": [], "options": [], **ack.json()})

    def shortcut(self, callback_id: str, message: Message | None = None) -> Ack:
        """Use a shortcut of the app, on a message where one is given."""
        return self._send(self._payloads.shortcut(callback_id, message), self._workspace.feed.position)

    def open_home(self) -> Ack:
        """Look at the app's Home: the app gets ``app_home_opened``."""
        since = self._workspace.feed.position
        return self._courier.send(self._courier.event(self._payloads.home_opened()), since=since)

    # What one sees

    def sees(self, text: str, *, since: int = 0, timeout: float = 5) -> Event:
        """Wait until a message, public or for this person alone, says ``text``. Raises: TimeoutError."""

        def shown(event: Event) -> bool:
            return (
                event.message is not None
                and event.kind not in {EventKind.DELETED, EventKind.WHISPER_DELETED}
                and event.is_seen_by(self.id)
                and text in words(event.message)
            )

        return self._workspace.wait_for(shown, timeout, since=since)

    def finds(self, text: str, *, button: str = "", timeout: float = 5) -> Message:
        """Return the newest message now on the screen that says ``text`` and has this button; wait for it.

        Unlike ``sees`` it looks at what stands there now, not at what came and was edited away.
        Raises: TimeoutError.
        """
        ends = time.monotonic() + timeout
        while True:
            position = self._workspace.feed.position
            for message in reversed(self.screen()):
                if text in words(message) and (not button or _has(message, button)):
                    return message
            left = ends - time.monotonic()
            try:
                self._workspace.wait_for(lambda _: True, max(left, 0), since=position)
            except TimeoutError:
                wanted = f"{text!r} with [{button}]" if button else repr(text)
                last = "; ".join(repr(words(message)[:120]) for message in self.screen()[-5:]) or "nothing"
                raise TimeoutError(f"{self.user.name} does not see {wanted}; on the screen: {last}") from None

    def screen(self) -> list[Message]:
        """Return what this person can read now, oldest first: their channels, and what is for them alone."""
        there = self._workspace
        rooms = [channel.id for channel in there.channels if self.id in channel.members]
        shown = [message for room in rooms for message in there.messages(room)]
        return sorted([*shown, *there.whispers(self.id)], key=lambda message: message.ts)

    def sees_view(self, *, since: int = 0, timeout: float = 5) -> View:
        """Wait for a modal to be opened, pushed or updated before this person. Raises: TimeoutError."""
        kinds = {EventKind.VIEW_OPENED, EventKind.VIEW_PUSHED, EventKind.VIEW_UPDATED}
        event = self._workspace.wait_for(
            lambda one: one.kind in kinds and one.only_for == self.id, timeout, since=since
        )
        assert event.view is not None  # noqa: S101  events of these kinds carry their view
        return event.view

    def _act(
        self,
        on: Message | View,
        block: dict[str, Any],
        element: dict[str, Any],
        action: dict[str, Any],
        *,
        values: dict[str, Any],
        label: str,
    ) -> Ack:
        if isinstance(on, Message):
            self._room(on.channel)
            if on.only_for not in {"", self.id}:
                raise CannotDoError("this message is shown to somebody else")
        payload = self._payloads.click(on, block, element, action, values)
        since = self._workspace.feed.position
        where: dict[str, Any] = (
            {"channel": on.channel, "message": on, "only_for": on.only_for}
            if isinstance(on, Message)
            else {"view": on, "only_for": self.id}
        )
        self._workspace.feed.add(EventKind.CLICKED, self.id, text=label, **where)
        ack = self._send(payload, since)
        if not ack.is_ok:
            self._warn(ack.error, **where)
        return ack

    def _send(self, payload: dict[str, Any], since: int) -> Ack:
        return self._courier.send(self._courier.payload(payload), since=since)

    def _room(self, key: str) -> str:
        channel = self._workspace.channel(key)
        if self.id not in channel.members:
            raise CannotDoError(f"{self.user.name} is not in #{channel.name}")
        if self.user.deleted:
            raise CannotDoError(f"{self.user.name} is deactivated")
        return channel.id

    # What the app answered

    def _hear_command(self, ack: Ack, room: str, word: str) -> None:
        if not ack.is_ok:
            self._slackbot(room, f'{word} failed with the error "{ack.error}"')
            return
        answer = ack.json() or ({"text": ack.body} if ack.body.strip() else {})
        if not answer:
            return
        try:
            say(self._workspace, room, self.id, answer)
        except SlackRefusal as refusal:
            self._slackbot(room, f'{word} failed with the error "{refusal.error}"')

    def _hear_submission(self, ack: Ack, view: View) -> None:
        if not ack.is_ok:
            self._warn(ack.error, view=view, only_for=self.id)
            return
        views = self._workspace.views
        answer = ack.json()
        try:
            match answer.get("response_action"):
                case None:
                    views.close(view.id)
                case "clear":
                    views.close(view.id, all_of_them=True)
                case "errors":
                    self._show_errors(view, answer.get("errors"))
                case "update":
                    views.update(_acceptable(answer.get("view")), view=view.id)
                case "push":
                    views.push(self.id, _acceptable(answer.get("view")), onto=view.id)
                case other:
                    self._warn(f"unknown response_action {other}", view=view, only_for=self.id)
        except SlackRefusal as refusal:
            self._warn(refusal.error, view=view, only_for=self.id)

    def _show_errors(self, view: View, errors: Any) -> None:
        known = {block["block_id"] for block in view.payload["blocks"] if block["type"] == "input"}
        if not isinstance(errors, dict) or not errors or not errors.keys() <= known:
            raise SlackRefusal("errors name no input block of this modal")
        text = json.dumps(errors, ensure_ascii=False)
        self._workspace.feed.add(EventKind.VIEW_REFUSED, self.id, view=view, text=text, only_for=self.id)

    def _slackbot(self, room: str, text: str) -> None:
        self._workspace.whisper(room, self.id, text, user=SLACKBOT)

    def _warn(self, error: str, **where: Any) -> None:
        where["only_for"] = self.id
        self._workspace.feed.add(EventKind.WARNED, self.id, text=error, **where)


def words(message: Message) -> str:
    """Return the text of a message and of all its blocks, for searching."""
    return "\n".join([message.text, *_texts(list(message.blocks))])


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["text"]] if isinstance(value.get("text"), str) else []
        return own + [text for member in value.values() for text in _texts(member)]
    if isinstance(value, list):
        return [text for member in value for text in _texts(member)]
    return []


def _found(on: Message | View, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the element with this action id or button text, and its block. Raises: CannotDoError."""
    blocks = on.blocks if isinstance(on, Message) else on.payload["blocks"]
    acting = [(block, element) for block in blocks for _, element in interactive(block)]
    for block, element in acting:
        if name in {element.get("action_id"), _label(element)}:
            return block, element
    there = ", ".join(_label(element) or str(element.get("action_id")) for _, element in acting) or "nothing"
    raise CannotDoError(f"there is no {name!r} to press; there is {there}")


def _has(message: Message, button: str) -> bool:
    try:
        _found(message, button)
    except CannotDoError:
        return False
    return True


def _label(element: dict[str, Any]) -> str:
    text = element.get("text")
    return str(text["text"]) if isinstance(text, dict) else ""


def _acceptable(view: Any) -> dict[str, Any]:
    problems = problems_of_view(view)
    if problems:
        raise SlackRefusal("; ".join(map(str, problems)))
    return dict(view)
