"""The chat against the sandbox's Slack, over real HTTP: accounts, cards in place, what goes wrong."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.cards import CardStage, Notice
from bot.errors import BotError, PermanentError, SettingsError, TransientError
from bot.ports import Account, Chat
from handlers.slack.chat import SlackChat, web_client
from handlers.slack.errors import RateLimitedError
from policies.entries.entry import Placed
from sandbox.http import serve
from sandbox.slack.members import Channel, User, Usergroup
from sandbox.slack.twin import SlackTwin
from tests.handlers.samples import card

HOME = "T0SANDBOX"
PERSON = Account(is_active=True, is_bot=False, is_guest=False, is_home=True)


@pytest.fixture(scope="module")
def served() -> Iterator[SlackTwin]:
    twin = SlackTwin()
    with serve(twin.app) as url:
        twin.url = url
        yield twin


@pytest.fixture
def twin(served: SlackTwin) -> Iterator[SlackTwin]:
    served.levers.clear()
    yield served
    served.levers.clear()


@pytest.fixture
def chat(twin: SlackTwin) -> Chat:
    return SlackChat(web_client(twin.token, twin.api_url))


def test_a_member_is_a_person_of_the_house(chat: Chat) -> None:
    assert chat.account(HOME, "U0ADA") == PERSON


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        (User("U0X", "x", is_restricted=True), replace(PERSON, is_guest=True)),
        (User("U0X", "x", is_ultra_restricted=True), replace(PERSON, is_guest=True)),
        (User("U0X", "x", is_bot=True), replace(PERSON, is_bot=True)),
        (User("U0X", "x", deleted=True), replace(PERSON, is_active=False)),
        (User("U0X", "x", team="T0OTHER"), replace(PERSON, is_guest=True, is_home=False)),
        (User("U0X", "x", is_invited_user=True), replace(PERSON, is_active=False)),
        (User("U0X", "x", is_workflow_bot=True), replace(PERSON, is_bot=True)),
        (User("U0X", "x", is_connector_bot=True), replace(PERSON, is_bot=True)),
        (User("U0X", "x", workspaces=("T0OTHER",)), replace(PERSON, is_home=False)),
        (User("U0X", "x", workspaces=("T0OTHER", HOME)), PERSON),
    ],
    ids=[
        "guest", "guest-of-one-channel", "bot", "deactivated", "another-workspace", "invited", "workflow",
        "connector", "another workspace of the organization", "of two workspaces",
    ],
)  # fmt: skip
def test_flags_are_read_as_they_are_now(twin: SlackTwin, chat: Chat, user: User, expected: Account) -> None:
    twin.workspace.set_user(User("U0X", "x"))
    assert chat.account(HOME, "U0X") == PERSON

    twin.workspace.set_user(user)

    assert chat.account(HOME, "U0X") == expected


@pytest.mark.parametrize("named", ["@release-managers", "S0RELEASE"])
def test_a_user_group_is_found_by_its_handle_or_id(chat: Chat, named: str) -> None:
    assert chat.group(named) == {"U0ADA", "U0BOB", "U0CAROL"}


def test_a_user_group_that_is_disabled_or_not_there_is_an_error_and_never_empty(
    twin: SlackTwin, chat: Chat
) -> None:
    twin.workspace.set_usergroup(Usergroup("S0OLD", "old", "Old", ("U0ADA",), disabled=True))

    for named in ("@old", "@nobody", "Release managers"):
        with pytest.raises(PermanentError, match="makes the user group again"):
            chat.group(named)


def test_somebody_whose_click_comes_from_elsewhere_is_not_of_the_house(chat: Chat) -> None:
    assert not chat.account("T0OTHER", "U0ADA").is_home
    assert not chat.account("", "U0ADA").is_home


def test_nobody_is_not_active(chat: Chat) -> None:
    assert chat.account(HOME, "U0NOBODY") == Account(
        is_active=False, is_bot=False, is_guest=False, is_home=False
    )


def test_a_card_is_posted_once_and_edited_in_place(twin: SlackTwin, chat: Chat) -> None:
    before = len(twin.workspace.messages("deploys"))

    first = chat.show(card(), seq=1, place=None)
    second = chat.show(card(CardStage.LANDED), seq=2, place=first)

    posted = twin.workspace.messages("deploys")[before:]
    assert second == Placed(first.what, "C0DEPLOYS", first.message, 2)
    assert [message.ts for message in posted] == [first.message]
    assert "is in production." in posted[0].text
    assert posted[0].metadata == {
        "event_type": "countersign",
        "event_payload": {"what": card().what, "seq": 2},
    }


@pytest.mark.parametrize("named", ["deploys", "#deploys", "C0DEPLOYS"])
def test_a_channel_goes_by_id_or_name(chat: Chat, named: str) -> None:
    assert chat.show(card(channel=named), seq=1, place=None).channel == "C0DEPLOYS"


def test_a_name_is_looked_up_once(twin: SlackTwin, chat: Chat) -> None:
    chat.show(card(), seq=1, place=None)
    twin.levers.fail("conversations.list", "fatal_error", 5)

    assert chat.show(card(), seq=1, place=None).channel == "C0DEPLOYS"


def test_a_channel_on_a_later_page_is_found(twin: SlackTwin, chat: Chat) -> None:
    for number in range(1001):
        twin.workspace.set_channel(Channel(f"C1{number:04}", f"room-{number}"))
    twin.workspace.set_channel(Channel("C2LAST", "the-last-room", frozenset({"U0BOT"})))

    assert chat.show(card(channel="the-last-room"), seq=1, place=None).channel == "C2LAST"


def test_a_message_that_was_deleted_is_posted_again(twin: SlackTwin, chat: Chat) -> None:
    first = chat.show(card(), seq=1, place=None)
    twin.workspace.delete(twin.workspace.message(first.channel, first.message))

    again = chat.show(card(), seq=2, place=first)

    assert again.message != first.message
    assert twin.workspace.message(again.channel, again.message).by_app


def test_a_message_of_somebody_else_is_left_alone(twin: SlackTwin, chat: Chat) -> None:
    theirs = twin.workspace.post("C0DEPLOYS", "U0ADA", "mine")

    shown = chat.show(card(), seq=2, place=Placed(card().what, "C0DEPLOYS", theirs.ts, 1))

    assert shown.message != theirs.ts
    assert twin.workspace.message("C0DEPLOYS", theirs.ts).text == "mine"


def test_a_notice_is_shown_and_edited_when_it_is_over(twin: SlackTwin, chat: Chat) -> None:
    notice = Notice(what="rules", channel="deploys", code="rules-broken", facts={"commit": "d1a82a4"})

    place = chat.show(notice, seq=1, place=None)
    chat.show(replace(notice, is_over=True), seq=2, place=place)

    assert twin.workspace.message(place.channel, place.message).text == "The rules can be read again."


def test_an_unknown_channel_says_who_can_mend_it(chat: Chat) -> None:
    with pytest.raises(PermanentError, match=r"no channel #nowhere.*`/invite @countersign`"):
        chat.show(card(channel="#nowhere"), seq=1, place=None)


def test_a_channel_without_the_bot_says_what_to_type(twin: SlackTwin, chat: Chat) -> None:
    twin.workspace.set_channel(Channel("C0PRIVATE", "quiet", frozenset({"U0ADA"}), is_private=True))

    with pytest.raises(PermanentError, match="`/invite @countersign`"):
        chat.show(card(channel="C0PRIVATE"), seq=1, place=None)


def test_a_channel_is_found_once_somebody_made_it(twin: SlackTwin, chat: Chat) -> None:
    with pytest.raises(PermanentError):
        chat.show(card(channel="tomorrow"), seq=1, place=None)
    twin.workspace.set_channel(Channel("C0TOMORROW", "tomorrow", frozenset({"U0BOT"})))

    assert chat.show(card(channel="tomorrow"), seq=1, place=None).channel == "C0TOMORROW"


def test_an_archived_channel_is_said_to_be(twin: SlackTwin, chat: Chat) -> None:
    twin.workspace.set_channel(Channel("C0OLD", "old", frozenset({"U0BOT"}), is_archived=True))

    with pytest.raises(PermanentError, match="C0OLD is archived"):
        chat.show(card(channel="C0OLD"), seq=1, place=None)


def test_when_slack_asks_to_wait_it_says_how_long(twin: SlackTwin, chat: Chat) -> None:
    twin.levers.ratelimit("chat.postMessage", retry_after=7)

    with pytest.raises(RateLimitedError) as caught:
        chat.show(card(channel="C0DEPLOYS"), seq=1, place=None)

    assert caught.value.after == timedelta(seconds=7)
    assert isinstance(caught.value, TransientError)


@pytest.mark.parametrize("error", ["fatal_error", "internal_error", "service_unavailable", "request_timeout"])
def test_a_failure_of_slack_is_tried_again(twin: SlackTwin, chat: Chat, error: str) -> None:
    twin.levers.fail("chat.update", error)

    with pytest.raises(TransientError, match=error):
        chat.show(card(), seq=2, place=Placed(card().what, "C0DEPLOYS", "1.2", 1))


def test_a_server_error_and_a_broken_connection_are_tried_again(twin: SlackTwin, chat: Chat) -> None:
    twin.levers.fail("users.info", "", status=503)
    with pytest.raises(TransientError):
        chat.account(HOME, "U0ADA")

    twin.levers.drop("users.info")
    with pytest.raises(TransientError):
        chat.account(HOME, "U0ADA")

    assert chat.account(HOME, "U0ADA") == PERSON


@pytest.mark.parametrize("error", ["token_revoked", "invalid_auth", "account_inactive", "token_expired"])
def test_a_token_that_is_not_taken_names_the_setting(twin: SlackTwin, chat: Chat, error: str) -> None:
    twin.levers.fail("chat.postMessage", error)

    with pytest.raises(PermanentError, match="an operator sets SLACK_BOT_TOKEN"):
        chat.show(card(channel="C0DEPLOYS"), seq=1, place=None)


def test_a_missing_scope_is_named() -> None:
    twin = SlackTwin(scopes={"chat:write"})
    with serve(twin.app) as url:
        twin.url = url
        chat = SlackChat(web_client(twin.token, twin.api_url))

        with pytest.raises(PermanentError, match=r"lacks the scope users:read for users\.info"):
            chat.account(HOME, "U0ADA")


def test_slack_out_of_reach_is_tried_again() -> None:
    with pytest.raises(TransientError, match="could not be reached"):
        SlackChat(web_client("xoxb-secret", "http://127.0.0.1:9/api/")).account(HOME, "U0ADA")


def test_no_error_says_the_token(twin: SlackTwin) -> None:
    chat = SlackChat(web_client("xoxb-very-secret", twin.api_url))

    with pytest.raises(BotError) as caught:
        chat.account(HOME, "U0ADA")

    assert not re.search("xoxb", f"{caught.value!r} {caught.value.__cause__!r}")


@pytest.mark.parametrize(
    "url", ["", "https://slack.com", "https://slack.com/api", "ftp://slack.com/api/", "/api/"]
)
def test_an_api_address_that_is_none_is_refused_by_its_setting(url: str) -> None:
    with pytest.raises(SettingsError, match="SLACK_API_URL"):
        web_client("xoxb", url)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, "erin@acme.example"),
        ({"email": ""}, ""),
        ({"is_email_confirmed": False}, ""),
        ({"is_restricted": True}, ""),
        ({"deleted": True}, ""),
        ({"is_bot": True}, ""),
        ({"team": "T0ELSEWHERE"}, ""),
    ],
    ids=[
        "a member",
        "no address",
        "not confirmed",
        "a guest",
        "deactivated",
        "a bot",
        "of another workspace",
    ],
)
def test_an_address_is_a_full_members_own(
    twin: SlackTwin, chat: Chat, changed: dict[str, Any], expected: str
) -> None:
    twin.workspace.set_user(replace(User("U0ERIN", "erin", "Erin", "erin@acme.example"), **changed))

    assert chat.email("U0ERIN") == expected


def test_without_the_scope_nobody_has_an_address(twin: SlackTwin, chat: Chat) -> None:
    scopes, twin.scopes = twin.scopes, twin.scopes - {"users:read.email"}

    address = chat.email("U0ADA")

    twin.scopes = scopes
    assert address == ""
