"""What a visitor does on the page: as a person in the workspace, or with a lever on the world."""

from collections.abc import Callable, Mapping
from typing import Any

from sandbox.gitops import PRODUCTION
from sandbox.levers import Levers
from sandbox.slack.block_kit import interactive
from sandbox.slack.courier import Ack
from sandbox.slack.feed import Message, View
from sandbox.slack.form import CannotDoError
from sandbox.slack.people import Person
from sandbox.world import World

Json = dict[str, Any]
MAX_LINE = 4000  # characters of what is typed; Slack's limit of a message is higher
SHORTCUT = "promote_this"  # callback id of the message shortcut in manifest.yml


class MisuseError(Exception):
    """A request has not the shape that the page sends."""


class Acts:
    """Does one thing for each request; the answer says what a person would notice at once."""

    def __init__(self, world: World, levers: Levers) -> None:
        self._world = world
        self._levers = levers
        self._deeds: Mapping[str, Callable[[Person, Json], Json]] = {
            "say": self._say,
            "click": self._click,
            "choose": self._choose,
            "options": self._options,
            "submit": self._submit,
            "close": self._close,
            "home": self._home,
            "shortcut": self._shortcut,
            "push": self._push,
            "move": self._move,
            "health": self._health,
            "freeze": self._freeze,
            "by-hand": self._by_hand,
            "enter-code": self._enter_code,
            "sign-in": self._sign_in,
            "bot": self._bot,
        }

    def do(self, deed: str, given: Json) -> Json:
        """Do it. Raises: MisuseError, and what people, levers and the forge refuse with."""
        act = self._deeds.get(deed)
        if act is None:
            raise MisuseError(f"there is no {deed!r}; there are {', '.join(self._deeds)}")
        return act(self._world.person(_word(given, "user")), given)

    # In the workspace

    def _say(self, person: Person, given: Json) -> Json:
        text, channel = _word(given, "text").strip(), _word(given, "channel")
        if not text or len(text) > MAX_LINE:
            raise CannotDoError(f"a message has 1 to {MAX_LINE} characters")
        thread = given.get("thread", "")
        if text.startswith("/"):
            if thread:
                raise CannotDoError("Slack takes no commands in threads; type it in the channel")
            return _answer(person.command(text, channel))
        person.says(text, channel, thread_ts=str(thread))
        return {}

    def _click(self, person: Person, given: Json) -> Json:
        on = self._place(person, given)
        button = _only(on, _word(given, "block"), _word(given, "action"))
        return _answer(person.click(on, button, values=_values(given)))

    def _choose(self, person: Person, given: Json) -> Json:
        on = self._place(person, given)
        menu = _only(on, _word(given, "block"), _word(given, "action"))
        return _answer(person.choose(on, menu, given.get("option"), values=_values(given)))

    def _options(self, person: Person, given: Json) -> Json:
        on = self._place(person, given)
        menu = _only(on, _word(given, "block"), _word(given, "action"))
        return {"options": person.options(on, menu, str(given.get("typed", "")))}

    def _submit(self, person: Person, given: Json) -> Json:
        return _answer(person.submit(self._view(person, _word(given, "view")), _values(given)))

    def _close(self, person: Person, given: Json) -> Json:
        ack = person.close(self._view(person, _word(given, "view")))
        return _answer(ack) if ack else {}

    def _home(self, person: Person, _given: Json) -> Json:
        person.open_home()  # an app that does not listen answers 404, of which Slack shows nothing
        return {}

    def _shortcut(self, person: Person, given: Json) -> Json:
        on = self._place(person, given)
        if isinstance(on, View):
            raise CannotDoError("this shortcut is for messages")
        return _answer(person.shortcut(SHORTCUT, on))

    def _place(self, person: Person, given: Json) -> Message | View:
        if "view" in given:
            return self._view(person, _word(given, "view"))
        message = self._world.slack.workspace.find(_word(given, "channel"), _word(given, "ts"))
        if message is None:
            raise CannotDoError("this message is not there any more")
        return message

    def _view(self, person: Person, key: str) -> View:
        views = self._world.slack.workspace.views
        mine = [*views.stack(person.id), views.home(person.id)]
        found = next((view for view in mine if view is not None and view.id == key), None)
        if found is None:
            raise CannotDoError("this form is not open any more")
        return found

    # In the world

    def _push(self, _person: Person, given: Json) -> Json:
        service = _word(given, "service")
        return {"said": f"{service} {self._levers.push(service, _word(given, 'step'))} is pushed"}

    def _move(self, _person: Person, given: Json) -> Json:
        service = _word(given, "service")
        return {"said": f"{service} {self._levers.move(service)} names another image now"}

    def _health(self, _person: Person, given: Json) -> Json:
        environment, is_healthy = _word(given, "environment"), given.get("healthy") is True
        commit = self._levers.report(environment, is_healthy=is_healthy)
        state = "healthy" if is_healthy else "failing"
        return {"said": f"the delivery tool says on {commit[:7]}: {environment} is {state}"}

    def _freeze(self, person: Person, given: Json) -> Json:
        word = "freeze" if given.get("on") is True else "unfreeze"
        why = "the demo stands still" if word == "freeze" else "the demo goes on"
        line = f"{self._world.slack.workspace.app.commands[0]} {word} {PRODUCTION} because {why}"
        return _answer(person.command(line, _word(given, "channel")))

    def _by_hand(self, person: Person, _given: Json) -> Json:
        tag = self._levers.commit_by_hand(person.user.name)
        return {"said": f"{person.user.real_name} committed {tag} to {PRODUCTION} by hand"}

    def _enter_code(self, _person: Person, given: Json) -> Json:
        return {"code": self._levers.enter(_word(given, "code"))}

    def _sign_in(self, _person: Person, given: Json) -> Json:
        is_allowed = given.get("allowed") is True
        login = self._levers.sign_in(_word(given, "code"), _word(given, "login"), is_allowed=is_allowed)
        did = "let Countersign know who they are" if is_allowed else "refused"
        return {"said": f"{login} {did}; the bot looks in a few seconds"}

    def _bot(self, _person: Person, given: Json) -> Json:
        does = {"start": self._levers.start, "stop": self._levers.stop, "wipe": self._levers.wipe}
        what = _word(given, "what")
        if what not in does:
            raise MisuseError(f"{what!r} is not known; expected {', '.join(does)}")
        does[what]()
        said = {"start": "the bot runs", "stop": "the bot is stopped", "wipe": "the bot lost its disk"}
        return {"said": said[what]}


def _only(on: Message | View, block: str, action: str) -> str:
    """Return a name that means this element and no other: its action id, else its label. Raises: CannotDoError."""
    blocks = on.blocks if isinstance(on, Message) else on.payload["blocks"]
    named = [
        (
            str(one.get("block_id")),
            str(element.get("action_id")),
            str((element.get("text") or {}).get("text", "")),
        )
        for one in blocks
        for _, element in interactive(one)
    ]
    wanted = next((one for one in named if one[:2] == (block, action)), None)
    if wanted is None:
        raise CannotDoError("this message was redrawn meanwhile; look at it again")
    for name in wanted[1:]:
        if name and next(one for one in named if name in one[1:]) == wanted:
            return name
    raise CannotDoError(f"{wanted[2] or action!r} stands there twice")


def _answer(ack: Ack) -> Json:
    return {} if ack.is_ok else {"warning": f"the app did not answer ({ack.error})"}


def _word(given: Json, name: str) -> str:
    value = given.get(name)
    if not isinstance(value, str) or not value:
        raise MisuseError(f"expected {name!r}, some text")
    return value


def _values(given: Json) -> Json:
    values = given.get("values", {})
    if not isinstance(values, dict):
        raise MisuseError("expected 'values', an object")
    return values
