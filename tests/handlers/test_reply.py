"""A private answer goes by the click's own address, then as an ephemeral message, then as a direct one: each step."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from bot.errors import BotError
from handlers.slack import messages
from handlers.slack.blocks import message_of
from handlers.slack.chat import web_client
from handlers.slack.reply import Address, Replies
from sandbox.http import serve
from sandbox.slack.people import words
from sandbox.slack.tickets import RESPONSE_SECONDS, RESPONSE_USES
from sandbox.slack.twin import SlackTwin
from sandbox.slack.workspace import Workspace

ADA = "U0ADA"
SAID = messages.outdated()
SENTENCE = message_of(SAID)


@dataclass
class Watch:
    """A clock that is set by hand: Slack's own, by which its addresses expire."""

    seconds: float = 1_780_000_000.0

    def __call__(self) -> float:
        return self.seconds


@dataclass
class Room:
    """A workspace with a clock of ours, and who brings answers there."""

    twin: SlackTwin
    watch: Watch
    replies: Replies

    def url(self, user: str = ADA, channel: str = "C0DEPLOYS") -> str:
        """Return the address that Slack gives for a click."""
        return self.twin.response_url(self.twin.workspace.tickets.response_url(user, channel))

    def give(self, user: str = ADA, channel: str = "C0DEPLOYS", url: str = "") -> None:
        self.replies.give(Address(user, channel, url), SAID)

    def heard(self, user: str = ADA) -> tuple[int, int]:
        """Return how often somebody has the answer before them: where they clicked, and as a direct message."""
        workspace = self.twin.workspace
        direct = workspace.messages(workspace.direct(user).id)
        return tuple(  # type: ignore[return-value]  # two of them
            sum(SENTENCE.text in words(one) for one in found) for found in (workspace.whispers(user), direct)
        )


@pytest.fixture(scope="module")
def served() -> Iterator[SlackTwin]:
    twin = SlackTwin()
    with serve(twin.app) as url:
        twin.url = url
        yield twin


@pytest.fixture
def room(served: SlackTwin) -> Room:
    watch = Watch()
    served.workspace = Workspace(clock=watch)
    served.levers.clear()
    return Room(served, watch, Replies(web_client("xoxb-sandbox", served.api_url)))


def test_it_goes_by_the_clicks_own_address_once(room: Room) -> None:
    room.give(url=room.url())

    assert room.heard() == (1, 0)


@pytest.mark.parametrize("late", [0.0, 1.0], ids=["just in time", "too late"])
def test_after_half_an_hour_it_is_whispered(
    room: Room, late: float, caplog: pytest.LogCaptureFixture
) -> None:
    url = room.url()
    room.watch.seconds += RESPONSE_SECONDS + late

    with caplog.at_level(logging.INFO, logger="handlers.slack.reply"):
        room.give(url=url)

    assert room.heard() == (1, 0)
    assert ("did not arrive this way" in caplog.text) is bool(late)
    assert url not in caplog.text, "an address by which anybody may answer stands in no log"


def test_after_five_uses_it_is_whispered(room: Room) -> None:
    url = room.url()

    for _ in range(RESPONSE_USES + 2):
        room.give(url=url)

    assert room.heard() == (RESPONSE_USES + 2, 0)


def test_an_address_that_slack_never_gave_is_no_end(room: Room) -> None:
    room.give(url=room.twin.response_url("made-up"))

    assert room.heard() == (1, 0)


def test_without_an_address_it_is_whispered(room: Room) -> None:
    room.give()

    assert room.heard() == (1, 0)


@pytest.mark.parametrize(
    "error", ["user_not_in_channel", "channel_not_found", "not_in_channel", "is_archived"]
)
def test_what_is_too_late_and_cannot_be_whispered_is_said_directly(room: Room, error: str) -> None:
    url = room.url()
    room.watch.seconds += RESPONSE_SECONDS + 1
    room.twin.levers.fail("chat.postEphemeral", error)

    room.give(url=url)

    assert room.heard() == (0, 1)


def test_too_late_and_clicked_in_no_channel_it_is_said_directly(room: Room) -> None:
    url = room.url()
    room.watch.seconds += RESPONSE_SECONDS + 1

    room.give(channel="", url=url)

    assert room.heard() == (0, 1)


@pytest.mark.parametrize("way", ["response_url", "chat.postEphemeral"])
def test_a_way_on_which_slack_asks_to_wait_is_left_for_the_next(room: Room, way: str) -> None:
    room.twin.levers.ratelimit(way, 5, retry_after=3600)

    room.give(url=room.url() if way == "response_url" else "")

    assert room.heard() == ((1, 0) if way == "response_url" else (0, 1))


def test_a_way_that_breaks_off_before_it_took_effect_is_left_for_the_next(room: Room) -> None:
    room.twin.levers.drop("response_url", 5)

    room.give(url=room.url())

    assert room.heard() == (1, 0)


def test_where_nothing_works_the_log_says_so_and_nothing_is_raised(
    room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    url = room.url()
    room.watch.seconds += RESPONSE_SECONDS + 1
    for way in ("chat.postEphemeral", "conversations.open"):
        room.twin.levers.fail(way, "user_disabled", 5)

    room.give(url=url)

    assert room.heard() == (0, 0)
    assert "could not be delivered" in caplog.text
    assert SENTENCE.text not in caplog.text


def test_nobody_else_reads_it(room: Room) -> None:
    room.give(url=room.url())
    room.give()
    room.watch.seconds += RESPONSE_SECONDS + 1
    room.give(channel="", url=room.url())

    workspace = room.twin.workspace
    assert not workspace.messages("C0DEPLOYS")
    others = [one.id for one in workspace.users if one.id != ADA and not one.is_bot]
    assert [len(workspace.whispers(one)) for one in others] == [0] * len(others)


def test_what_everybody_shall_see_is_not_whispered_instead(room: Room) -> None:
    url = room.url()
    room.replies.post(Address(ADA, "C0DEPLOYS", url), SENTENCE)
    room.watch.seconds += RESPONSE_SECONDS + 1

    with pytest.raises(BotError):
        room.replies.post(Address(ADA, "C0DEPLOYS", url), SENTENCE)

    assert [SENTENCE.text in words(one) for one in room.twin.workspace.messages("C0DEPLOYS")] == [True]
    assert room.heard() == (0, 0)


def test_a_card_whose_address_is_too_late_stays_as_it_is(
    room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    url = room.url()
    room.watch.seconds += RESPONSE_SECONDS + 1

    with caplog.at_level(logging.INFO, logger="handlers.slack.reply"):
        room.replies.settle(Address(ADA, "C0DEPLOYS", url), SENTENCE)

    assert "stays as it is" in caplog.text
    assert room.heard() == (0, 0)
