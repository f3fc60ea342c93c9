"""The Bolt app: the command, the buttons, the form. Acknowledge, then work, then answer the person."""

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from slack_bolt import Ack, App
from slack_bolt.authorization import AuthorizeResult
from slack_sdk import WebClient

from bot import faults
from bot.answers import Answer, NotRecorded, Recorded
from bot.errors import BotError
from bot.ports import Clock
from handlers.engine import Engine
from handlers.slack import (
    approve_all,
    bundles,
    cards,
    everything,
    messages,
    reports,
    second,
    speaking,
    strangers,
)
from handlers.slack.blocks import COMMAND, MAX_INPUT, RUN, Said
from handlers.slack.called import called_in
from handlers.slack.command import parse
from handlers.slack.errands import Errands
from handlers.slack.errors import SlackRefusedError, translated
from handlers.slack.forms import (
    REASON,
    REJECTED,
    ROLLED_BACK,
    about,
    reject_form,
    rollback_form,
    typed_reason,
)
from handlers.slack.home import FORM
from handlers.slack.homes import Homes
from handlers.slack.names import Names
from handlers.slack.promote_form import PROMOTING, SERVICE, guess, promote_form, read
from handlers.slack.questions import LinkMe, Misunderstood, Question
from handlers.slack.reply import Address
from handlers.slack.speaking import Body
from handlers.slack.typed import Fault, reason_of, unescaped
from policies.codes import Code
from policies.ledger.state import Promotion
from policies.words import Approve, Confirm, Fork, Pair, Redact, Reject, Rollback, Speaker, Word

PROMOTE_IMAGE, PROMOTE_THIS = "promote_image", "promote_this"  # callback ids of the shortcuts
W = TypeVar("W", bound=Word)
LISTENERS = 16  # threads that acknowledge; the work is the errands'


def slack_app(
    engine: Engine,
    client: WebClient,
    errands: Errands,
    clock: Clock,
    *,
    secret: str,
    command: str = COMMAND,
    homes: Homes | None = None,
) -> App:
    """Return the app. It asks nothing of Slack before somebody speaks, so it starts while Slack is down."""
    listeners = ThreadPoolExecutor(LISTENERS, thread_name_prefix="slack")
    app = App(
        name="countersign",
        client=client,
        signing_secret=secret,
        authorize=_authorized(client),
        logger=_quiet(),
        listener_executor=listeners,
    )
    floor = Floor(engine, client, errands, clock, homes or Homes(engine, client, command), command=command)
    app.command(command)(floor.command)
    app.action(re.compile(r"link_.*"))(floor.link)
    app.action(cards.APPROVE)(floor.approve)
    app.action(cards.REJECT)(floor.reject)
    app.action(cards.PROMOTE)(floor.promote)
    app.action(cards.ROLLBACK)(floor.roll_back)
    app.action(second.CONFIRM)(floor.confirm)
    app.action(re.compile(rf"{RUN}_[0-9]"))(floor.run)
    app.action(everything.ASK_ALL)(floor.ask_all)
    app.action(approve_all.APPROVE_ALL)(floor.approve_all)
    app.action(FORM)(floor.form)
    app.action(re.compile(r".*"))(floor.unknown)  # the first that matches is called: this one last
    app.view(REJECTED)(floor.rejected)
    app.view(ROLLED_BACK)(floor.rolled_back)
    app.view(PROMOTING)(floor.asked)
    app.shortcut(PROMOTE_IMAGE)(floor.form)
    app.shortcut(PROMOTE_THIS)(floor.form)
    app.event("app_home_opened")(floor.home)
    return app


class Floor:
    """What each gesture of a person does. A method is named as the gesture, and short."""

    def __init__(
        self,
        engine: Engine,
        client: WebClient,
        errands: Errands,
        clock: Clock,
        homes: Homes,
        *,
        command: str = COMMAND,
    ) -> None:
        self._engine = engine
        self._client = client
        self._errands = errands
        self._clock = clock
        self._homes = homes
        self._command = command

    def command(self, ack: Ack, body: dict[str, Any]) -> None:
        """``/promote ...`` was typed; without words it is the form."""
        ack()
        speaker, text = speaking.of_command(body), unescaped(str(body.get("text") or ""))
        if text.strip():
            to = speaking.address_of_command(body)
            self._errands.give(to, lambda: self._heard(speaker, text, to))
        else:
            self._asks(body, speaking.address_of_command(body))

    def approve(self, ack: Ack, body: dict[str, Any]) -> None:
        """Approve was pressed and confirmed."""
        ack()
        found = speaking.promotion_of(speaking.value_of(body))
        self._pressed(body, Approve(*found) if found else None)

    def promote(self, ack: Ack, body: dict[str, Any]) -> None:
        """Promote was pressed on a candidate."""
        ack()
        self._pressed(body, speaking.candidate_of(speaking.value_of(body)))

    def confirm(self, ack: Ack, body: dict[str, Any]) -> None:
        """Confirm was pressed on what somebody else asked for: two people say it, or nobody."""
        ack()
        word = second.confirmed(speaking.value_of(body))
        speaker, to = speaking.of_interaction(body, "button"), speaking.address_of_interaction(body)

        self._errands.give(to, lambda: self._confirmed(speaker, word, to))

    def run(self, ack: Ack, body: dict[str, Any]) -> None:
        """A corrected command was pressed: it is run as the person who pressed."""
        ack()
        speaker, text = speaking.of_interaction(body, "button"), speaking.value_of(body)
        to = speaking.address_of_interaction(body)
        self._errands.give(to, lambda: self._heard(speaker, text, to))

    def ask_all(self, ack: Ack, body: dict[str, Any]) -> None:
        """The button below a list of what may be asked for was pressed and confirmed: each is asked for by itself."""
        ack()
        self._bundled(body, everything.words_of(speaking.value_of(body)), everything.outcome)

    def approve_all(self, ack: Ack, body: dict[str, Any]) -> None:
        """The button below a list of what waits for somebody was pressed and confirmed: each is approved by itself."""
        ack()
        words = approve_all.words_of(speaking.value_of(body))
        self._bundled(body, words, lambda told, all_: approve_all.outcome(self._promotions(), told, all_))

    def reject(self, ack: Ack, body: dict[str, Any]) -> None:
        """Reject... was pressed: ask why, before the trigger of the click is too old."""
        ack()
        value, to = speaking.value_of(body), speaking.address_of_interaction(body)
        if speaking.promotion_of(value) is None:
            self._errands.give(to, messages.outdated)
            return
        if problem := self._opened(str(body.get("trigger_id") or ""), reject_form(value, to.channel)):
            self._errands.give(to, lambda: problem)

    def rejected(self, ack: Ack, body: dict[str, Any], view: dict[str, Any]) -> None:
        """The form was sent: with a reason it is recorded, else the form says what is missing."""
        note = _reason(ack, view)
        if note is None:
            return
        value, channel = about(view)
        found = speaking.promotion_of(value)
        speaker = speaking.of_interaction(body, "modal")
        word = Reject(found[0], note) if found else None
        self._errands.give(speaking.address_of_interaction(body, channel), lambda: self._told(speaker, word))

    def roll_back(self, ack: Ack, body: dict[str, Any]) -> None:
        """Roll back... was pressed on what is unhealthy: ask why, as for Reject."""
        ack()
        value, to = speaking.value_of(body), speaking.address_of_interaction(body)
        if not self._stands(value):
            self._errands.give(to, messages.outdated)
            return
        if problem := self._opened(str(body.get("trigger_id") or ""), rollback_form(value, to.channel)):
            self._errands.give(to, lambda: problem)

    def rolled_back(self, ack: Ack, body: dict[str, Any], view: dict[str, Any]) -> None:
        """The form was sent: with a reason it is a rollback, if what was to be left still stands there."""
        note = _reason(ack, view)
        if note is None:
            return
        value, channel = about(view)
        left = speaking.candidate_of(value) if self._stands(value) else None
        speaker = speaking.of_interaction(body, "modal")
        word = Rollback(left.service, note, environments=(left.environment,)) if left else None
        self._errands.give(speaking.address_of_interaction(body, channel), lambda: self._told(speaker, word))

    def _stands(self, value: str) -> bool:
        """Whether the version of a button still stands where the button says."""
        left = speaking.candidate_of(value)
        try:
            row = self._engine.look().decision.row(left.environment, left.service) if left else None
        except BotError:
            return False
        return bool(left and row and row.current == left.version)

    def form(self, ack: Ack, body: dict[str, Any]) -> None:
        """A shortcut or the Home's button was used: ask which version, before the trigger is too old."""
        ack()
        self._asks(body, speaking.address_of_interaction(body), speaking.text_of_message(body))

    def asked(self, ack: Ack, body: dict[str, Any], view: dict[str, Any]) -> None:
        """The form was sent: what cannot be understood is said in it, whether it may be is the engine's."""
        try:
            word = read(view, self._engine.look().rules)
        except BotError as error:
            ack(response_action="errors", errors={SERVICE: str(error)[:MAX_INPUT]})
            return
        if isinstance(word, dict):
            ack(response_action="errors", errors=word)
            return
        ack()
        speaker = speaking.of_interaction(body, "modal")
        to = speaking.address_of_interaction(body, str(view.get("private_metadata") or ""))
        self._errands.give(to, lambda: self._told(speaker, word))

    def home(self, event: dict[str, Any]) -> None:
        """Somebody looks at the App Home."""
        user = str(event.get("user") or "")
        if event.get("tab") == "home" and user:
            self._errands.give(Address(user), lambda: self._homes.opened(user))

    def link(self, ack: Ack) -> None:
        """A button that is a link was pressed: the browser has done it all."""
        ack()

    def unknown(self, ack: Ack, body: dict[str, Any]) -> None:
        """A button was pressed that this version does not draw."""
        ack()
        self._errands.give(speaking.address_of_interaction(body), messages.outdated)

    def _asks(self, body: Body, to: Address, text: str = "") -> None:
        """Open the form that asks for a version, begun with what ``text`` speaks of."""
        try:
            rules = self._engine.look().rules
        except BotError as error:
            problem: Said | None = messages.failed(str(error), "")
        else:
            form = promote_form(rules, to.channel, guess(text, rules))
            problem = self._opened(str(body.get("trigger_id") or ""), form)
        if problem:
            self._errands.give(to, lambda: problem)

    def _pressed(self, body: Body, word: Word | None) -> None:
        speaker = speaking.of_interaction(body, "button")
        self._errands.give(speaking.address_of_interaction(body), lambda: self._told(speaker, word))

    def _heard(self, speaker: Speaker, text: str, to: Address) -> Said:
        heard = parse(text, Names.of(self._engine.look().rules), self._clock.now(), self._command)
        if isinstance(heard, Misunderstood):
            return messages.misunderstood(heard)
        if isinstance(heard, LinkMe):
            return self._linked(speaker, to)
        if isinstance(heard, Question):
            give = self._errands.replies.give
            return reports.reply(
                self._engine, heard, user=speaker.user, team=speaker.team, tell=lambda said: give(to, said)
            )
        if isinstance(heard, Redact | Fork):
            return self._asks_second(speaker, heard, to)
        return self._told(speaker, heard)

    def _asks_second(self, speaker: Speaker, word: Pair, to: Address) -> Said:
        """Show everybody in the channel what somebody else has to confirm."""
        if to.channel.startswith("D"):
            return messages.nobody_else()
        answer = self._engine.prepare(speaker, word)
        if isinstance(answer, NotRecorded):
            return self._refused(speaker, word, answer)
        self._errands.replies.post(to, second.card(answer))
        return messages.awaits(answer)

    def _confirmed(self, speaker: Speaker, word: Confirm | None, to: Address) -> Said:
        """Hand a second person's word to the engine; once it is recorded the card says so instead of asking."""
        if word is None:
            return messages.outdated()
        answer = self._engine.say(speaker, word)
        if isinstance(answer, Recorded):
            self._errands.replies.settle(to, second.settled(answer))
            return Said(second.told(answer))
        return self._refused(speaker, word, answer)

    def _linked(self, speaker: Speaker, to: Address) -> Said:
        """Give a code to type, and tell later how that ended."""
        begun = self._engine.link(
            speaker, lambda answer: self._errands.give(to, lambda: messages.linked(answer))
        )
        return messages.linked(begun) if isinstance(begun, NotRecorded) else messages.code_to_type(begun)

    def _told(self, speaker: Speaker, word: Word | None) -> Said:
        """Hand a word to the engine and word its answer."""
        return messages.outdated() if word is None else self._answered(speaker, word)[1]

    def _answered(self, speaker: Speaker, word: Word) -> tuple[Answer, Said]:
        answer = self._engine.say(speaker, word)
        self._homes.refresh(speaker.user)  # what others see follows with the next pass
        if isinstance(answer, Recorded):
            return answer, messages.recorded(answer)
        return answer, self._refused(speaker, word, answer)

    def _refused(self, speaker: Speaker, word: Word | Pair, answer: NotRecorded) -> Said:
        """Word a refusal; who is not known at all hears the same at every door."""
        if answer.code == Code.UNKNOWN_PERSON:
            stranger = strangers.unheard(self._engine, speaker.user, speaker.team)
            if stranger:
                return stranger
        promotion, person = self._known(speaker, word, answer)
        return messages.refused(answer, word, promotion, person)

    def _bundled(
        self,
        body: Body,
        words: Sequence[W],
        outcome: Callable[[Sequence[tuple[W, Answer, Said]], Sequence[W]], Said],
    ) -> None:
        """Say each word of a button that carries several, one after the other, and tell what came of them."""
        speaker = speaking.of_interaction(body, "button")

        def each() -> Said:
            told = bundles.said_each(words, lambda word: self._answered(speaker, word))
            return outcome(told, words) if words else messages.outdated()

        self._errands.give(speaking.address_of_interaction(body), each)

    def _known(
        self, speaker: Speaker, word: Word | Pair, answer: NotRecorded
    ) -> tuple[Promotion | None, str]:
        """Return what a refusal can add: the promotion and the person; it is as true without them."""
        named = self._promotions().get(getattr(word, "promotion", ""))
        return answer.ended or named, self._engine.person_of(speaker.user)

    def _promotions(self) -> Mapping[str, Promotion]:
        """Return the promotions that were seen last; none before the first look, when words are heard already."""
        try:
            return self._engine.look().state.promotions
        except BotError:
            return {}

    def _opened(self, trigger: str, form: dict[str, Any]) -> Said | None:
        """Open a form; where that does not work, return what to say."""
        try:
            with translated("views.open"):
                faults.point("before-view")
                self._client.views_open(trigger_id=trigger, view=called_in(form, self._command))
                faults.point("after-view")
        except SlackRefusedError as error:
            late = error.code in {"expired_trigger_id", "exchanged_trigger_id", "invalid_trigger_id"}
            return messages.too_late() if late else messages.form_failed()
        except BotError:
            return messages.form_failed()
        return None


def _reason(ack: Ack, view: dict[str, Any]) -> str | None:
    """Acknowledge a form that was sent and return its reason; nothing where it says what is missing instead."""
    note = reason_of(typed_reason(view))
    if isinstance(note, Fault):
        ack(response_action="errors", errors={REASON: note.sentence.replace("`", "")})
        return None
    ack()
    return note


def _authorized(client: WebClient) -> Callable[..., AuthorizeResult]:
    """Return what Bolt asks for each request: one app, one workspace, one token; who may what is the engine's."""

    def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id, bot_token=client.token)

    return authorize


def _quiet() -> logging.Logger:
    """Return a logger for Bolt that keeps requests' bodies, which it prints at lower levels, out of the log."""
    logger = logging.getLogger("countersign.bolt")
    logger.setLevel(logging.ERROR)
    return logger
