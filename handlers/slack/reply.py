"""Private answers: by the click's response URL, else as an ephemeral message, else as a direct message."""

import logging
from dataclasses import dataclass

from slack_sdk import WebClient
from slack_sdk.webhook import WebhookClient

from bot import faults
from bot.errors import BotError, TransientError
from handlers.slack.blocks import COMMAND, Message, Said, message_of
from handlers.slack.called import called
from handlers.slack.chat import TIMEOUT_SECONDS
from handlers.slack.errors import translated
from policies.rulebook.findings import visible

_LOG = logging.getLogger(__name__)
_OK = 200


@dataclass(frozen=True, slots=True)
class Address:
    """Where a person is to be answered: who, in which channel, and the URL that Slack gave for it ('' = none)."""

    user: str
    channel: str = ""
    response_url: str = ""


class Replies:
    """Brings answers to the one person whom they concern."""

    def __init__(self, client: WebClient, command: str = COMMAND) -> None:
        self._client = client
        self._command = command

    def give(self, to: Address, said: Said) -> None:
        """Answer by the first way that works; where none does, the log says so."""
        message = called(message_of(said), self._command)
        ways = []
        if to.response_url:
            ways.append(self._respond)
        if to.channel:
            ways.append(self._whisper)
        for way in (*ways, self._direct):
            try:
                faults.point("before-answer")
                way(to, message)
                faults.point("after-answer")
            except BotError as error:
                _LOG.info("an answer to %s did not arrive this way: %s", visible(to.user), error)
            else:
                return
        _LOG.error("an answer to %s could not be delivered", visible(to.user))

    def post(self, to: Address, message: Message) -> None:
        """Show something to everybody where somebody spoke. Raises: BotError."""
        message = called(message, self._command)
        faults.point("before-answer")
        if to.response_url:
            self._to_hook(to, message, response_type="in_channel")
        else:
            with translated("chat.postMessage", where=to.channel):
                self._to_channel(to.channel, message)
        faults.point("after-answer")

    def settle(self, to: Address, message: Message) -> None:
        """Put something in the place of the message whose button was pressed; where that fails the log says so."""
        message = called(message, self._command)
        try:
            faults.point("before-answer")
            self._to_hook(to, message, response_type="in_channel", is_instead=True)
            faults.point("after-answer")
        except BotError as error:
            _LOG.info("a card of %s stays as it is: %s", to.user, error)

    def _to_hook(
        self, to: Address, message: Message, *, response_type: str, is_instead: bool = False
    ) -> None:
        with translated("the response URL"):
            hook = WebhookClient(to.response_url, timeout=TIMEOUT_SECONDS, retry_handlers=[])
            answer = hook.send(
                text=message.text,
                blocks=list(message.blocks),
                response_type=response_type,
                replace_original=is_instead,
                unfurl_links=False,
                unfurl_media=False,
            )
        if answer.status_code != _OK:
            raise TransientError(f"Slack answered {answer.status_code} to the response URL")

    def _respond(self, to: Address, message: Message) -> None:
        self._to_hook(to, message, response_type="ephemeral")

    def _whisper(self, to: Address, message: Message) -> None:
        with translated("chat.postEphemeral"):
            self._client.chat_postEphemeral(
                channel=to.channel,
                user=to.user,
                text=message.text,
                blocks=list(message.blocks),
                parse="none",
                link_names=False,
            )

    def _direct(self, to: Address, message: Message) -> None:
        with translated("chat.postMessage"):
            opened = self._client.conversations_open(users=to.user)
            self._to_channel(str((opened.get("channel") or {}).get("id") or to.user), message)

    def _to_channel(self, channel: str, message: Message) -> None:
        self._client.chat_postMessage(
            channel=channel,
            text=message.text,
            blocks=list(message.blocks),
            unfurl_links=False,
            unfurl_media=False,
            parse="none",
            link_names=False,
        )
