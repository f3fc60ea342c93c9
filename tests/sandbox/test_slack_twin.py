"""The Slack twin, asked by Slack's own client, and a real Bolt app behind signed HTTP."""

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import pytest
from slack_bolt import App
from slack_bolt.adapter.starlette.handler import to_bolt_request, to_starlette_response
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.webhook import WebhookClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.http import endpoint, serve
from sandbox.slack.courier import Courier
from sandbox.slack.feed import EventKind, Message, View
from sandbox.slack.form import CannotDoError
from sandbox.slack.members import Channel, User, sample_world
from sandbox.slack.people import Person, words
from sandbox.slack.twin import ALL_SCOPES, SlackTwin
from sandbox.slack.workspace import Workspace

SECRET = "sandbox-signing-secret"


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def card(
    text: str = "checkout-api 1.4.2 is ready for production", value: str = "p_1"
) -> list[dict[str, Any]]:
    return [
        section(text),
        {
            "type": "actions",
            "block_id": "decide",
            "elements": [
                {
                    "type": "button",
                    "action_id": "approve",
                    "text": plain("Approve"),
                    "value": value,
                    "style": "primary",
                    "confirm": {
                        "title": plain("Sure?"),
                        "text": plain("It moves production."),
                        "confirm": plain("Approve"),
                        "deny": plain("Back"),
                    },
                },
                {"type": "button", "action_id": "reject", "text": plain("Reject"), "value": value},
            ],
        },
    ]


def modal(title: str = "Reject", **more: Any) -> dict[str, Any]:
    return {
        "type": "modal",
        "callback_id": "reject_reason",
        "title": plain(title),
        "submit": plain("Send"),
        "private_metadata": "p_1",
        "blocks": [
            {
                "type": "input",
                "block_id": "why",
                "label": plain("Why"),
                "element": {"type": "plain_text_input", "action_id": "text", "max_length": 280},
            },
            {
                "type": "input",
                "block_id": "how_long",
                "optional": True,
                "label": plain("Until"),
                "element": {
                    "type": "static_select",
                    "action_id": "until",
                    "options": [
                        {"text": plain("Tomorrow"), "value": "1d"},
                        {"text": plain("Monday"), "value": "3d"},
                    ],
                },
            },
        ],
        **more,
    }


class Clock:
    """A clock that a test moves on."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


@dataclass
class Bench:
    """A workspace over HTTP, and a client of the app's."""

    workspace: Workspace
    twin: SlackTwin
    client: WebClient
    clock: Clock

    def trigger(self, user: str = "U0ADA", view: str = "") -> str:
        return self.workspace.tickets.trigger(user, view)

    def refusal(self, call: Callable[[], object]) -> dict[str, Any]:
        with pytest.raises(SlackApiError) as refused:
            call()
        answer: dict[str, Any] = refused.value.response.data
        return answer


def bench_with(**twin_settings: Any) -> Iterator[Bench]:
    clock = Clock()
    workspace = Workspace(clock=clock)
    twin = SlackTwin(workspace, **twin_settings)
    with serve(twin.app) as url:
        twin.url = url
        yield Bench(workspace, twin, WebClient("xoxb-sandbox", base_url=twin.api_url), clock)


@pytest.fixture
def bench() -> Iterator[Bench]:
    yield from bench_with()


# Who is there


def test_the_app_learns_who_it_is(bench: Bench) -> None:
    answer = bench.client.auth_test()

    assert answer["user_id"] == "U0BOT"
    assert answer["bot_id"] == "B0BOT"
    assert answer["team_id"] == bench.client.team_info()["team"]["id"] == "T0SANDBOX"
    assert "chat:write" in answer.headers["x-oauth-scopes"]


def test_a_call_without_token_or_with_another_is_refused(bench: Bench) -> None:
    stranger = WebClient("xoxb-other", base_url=bench.twin.api_url)
    nobody = WebClient(base_url=bench.twin.api_url)

    assert bench.refusal(stranger.auth_test)["error"] == "invalid_auth"
    assert bench.refusal(nobody.auth_test)["error"] == "not_authed"
    assert bench.client.api_test()["ok"]


def test_a_missing_scope_is_named() -> None:
    for bench in bench_with(scopes={"chat:write", "commands"}):
        answer = bench.refusal(lambda bench=bench: bench.client.users_info(user="U0ADA"))  # type: ignore[misc]

        assert answer["error"] == "missing_scope"
        assert answer["needed"] == "users:read"
        assert answer["provided"] == "chat:write,commands"
        assert bench.client.chat_postMessage(channel="C0DEPLOYS", text="hello")["ok"]


def test_get_and_post_and_json_and_form_are_all_heard(bench: Bench) -> None:
    answers = [
        bench.client.api_call("users.info", http_verb="GET", params={"user": "U0ADA"}),
        bench.client.api_call("users.info", params={"user": "U0ADA"}),
        bench.client.api_call("users.info", json={"user": "U0ADA"}),
    ]

    assert [answer["user"]["name"] for answer in answers] == ["ada"] * 3


def test_an_unknown_method_is_named(bench: Bench) -> None:
    answer = bench.refusal(lambda: bench.client.api_call("chat.shout"))

    assert (answer["error"], answer["req_method"]) == ("unknown_method", "chat.shout")


def test_users_carry_the_flags_that_trust_hangs_on(bench: Bench) -> None:
    bench.workspace.set_user(User("U0EVE", "eve", team="T0OTHER"))
    bench.workspace.set_user(replace(bench.workspace.user("bob"), deleted=True))

    def flags(user: str) -> dict[str, Any]:
        answer: dict[str, Any] = bench.client.users_info(user=user)["user"]
        return answer

    assert flags("U0DAN")["is_restricted"] is True
    assert flags("U0ADA")["is_restricted"] is False
    assert flags("U0BOT")["is_bot"] is True
    assert flags("U0BOB")["deleted"] is True
    assert (flags("U0EVE")["team_id"], flags("U0EVE")["is_stranger"]) == ("T0OTHER", True)
    assert bench.client.users_lookupByEmail(email="ADA@example.com")["user"]["id"] == "U0ADA"
    assert bench.refusal(lambda: bench.client.users_info(user="U0NOBODY"))["error"] == "user_not_found"
    missing = bench.refusal(lambda: bench.client.users_lookupByEmail(email="x@example.com"))
    assert missing["error"] == "users_not_found"


def test_lists_come_in_pages(bench: Bench) -> None:
    pages = [page["members"] for page in bench.client.users_list(limit=2)]

    assert [len(page) for page in pages] == [2, 2, 1]
    assert [user["id"] for page in pages for user in page] == [user.id for user in bench.workspace.users]
    assert bench.refusal(lambda: bench.client.users_list(cursor="bogus"))["error"] == "invalid_cursor"
    assert bench.refusal(lambda: bench.client.users_list(limit=5000))["error"] == "invalid_limit"


def test_channels_are_listed_as_the_app_may_see_them(bench: Bench) -> None:
    bench.workspace.set_channel(Channel("C0SECRET", "secret", frozenset({"U0ADA"}), is_private=True))
    bench.workspace.set_channel(Channel("C0OLD", "old", frozenset({"U0BOT"}), is_archived=True))
    bench.workspace.remove("U0BOT", "incidents")
    kinds = "public_channel,private_channel"

    listed = bench.client.conversations_list(types=kinds)["channels"]
    living = bench.client.conversations_list(types=kinds, exclude_archived=True)["channels"]

    assert {one["name"]: one["is_member"] for one in listed} == {
        "deploys": True,
        "incidents": False,
        "old": True,
    }
    assert [one["name"] for one in living] == ["deploys", "incidents"]
    unseen = bench.refusal(lambda: bench.client.conversations_info(channel="C0SECRET"))
    assert unseen["error"] == "channel_not_found"
    members = bench.client.conversations_members(channel="C0DEPLOYS")["members"]
    assert members == ["U0ADA", "U0BOB", "U0BOT", "U0CAROL", "U0DAN"]


def test_a_direct_message_is_opened_once(bench: Bench) -> None:
    first = bench.client.conversations_open(users="U0ADA")["channel"]["id"]
    again = bench.client.conversations_open(users="U0ADA")["channel"]["id"]
    posted = bench.client.chat_postMessage(channel="U0ADA", text="psst")

    assert first == again == posted["channel"]
    assert bench.refusal(lambda: bench.client.conversations_open(users="U0BOT"))["error"] == "cannot_dm_bot"


def test_user_groups_tell_their_members(bench: Bench) -> None:
    (group,) = bench.client.usergroups_list(include_users=True)["usergroups"]

    assert (group["handle"], group["users"]) == ("release-managers", ["U0ADA", "U0BOB", "U0CAROL"])
    assert bench.client.usergroups_users_list(usergroup=group["id"])["users"] == group["users"]
    unknown = bench.refusal(lambda: bench.client.usergroups_users_list(usergroup="S0NONE"))
    assert unknown["error"] == "no_such_subteam"


# Messages


def test_a_message_is_posted_edited_and_deleted(bench: Bench) -> None:
    posted = bench.client.chat_postMessage(
        channel="C0DEPLOYS",
        text="ready",
        blocks=card(),
        metadata={"event_type": "card", "event_payload": {"id": "p_1"}},
    )
    ts = posted["ts"]
    bench.client.chat_update(channel="C0DEPLOYS", ts=ts, text="approved", blocks=[section("approved")])
    redrawn = bench.workspace.message("C0DEPLOYS", ts)
    bench.client.chat_update(channel="C0DEPLOYS", ts=ts, text="done")
    plainly = bench.workspace.message("C0DEPLOYS", ts)
    bench.client.chat_delete(channel="C0DEPLOYS", ts=ts)

    assert posted["message"]["bot_id"] == "B0BOT"
    assert redrawn.edited == ""
    assert redrawn.metadata == {"event_type": "card", "event_payload": {"id": "p_1"}}
    assert plainly.edited
    assert plainly.blocks == ()
    assert bench.workspace.messages("deploys") == ()
    kinds = [event.kind for event in bench.workspace.events()]
    assert kinds == [EventKind.POSTED, EventKind.EDITED, EventKind.EDITED, EventKind.DELETED]
    gone = bench.refusal(lambda: bench.client.chat_update(channel="C0DEPLOYS", ts=ts, text="x"))
    assert gone["error"] == "message_not_found"


def refused_posts() -> dict[str, tuple[dict[str, Any], str]]:
    return {
        "unknown channel": ({"channel": "C0NONE", "text": "x"}, "channel_not_found"),
        "unknown name": ({"channel": "#none", "text": "x"}, "channel_not_found"),
        "not invited": ({"channel": "C0QUIET", "text": "x"}, "not_in_channel"),
        "archived": ({"channel": "C0OLD", "text": "x"}, "is_archived"),
        "private": ({"channel": "C0SECRET", "text": "x"}, "channel_not_found"),
        "private by name": ({"channel": "#secret", "text": "x"}, "channel_not_found"),
        "nothing said": ({"channel": "C0DEPLOYS", "text": " "}, "no_text"),
        "too long": ({"channel": "C0DEPLOYS", "text": "x" * 40_001}, "msg_too_long"),
        "blocks that are no JSON": ({"channel": "C0DEPLOYS", "blocks": "[{"}, "invalid_blocks_format"),
        "blocks that are no list": ({"channel": "C0DEPLOYS", "blocks": "{}"}, "invalid_blocks_format"),
        "unknown thread": ({"channel": "C0DEPLOYS", "text": "x", "thread_ts": "1.2"}, "thread_not_found"),
        "metadata": (
            {"channel": "C0DEPLOYS", "text": "x", "metadata": {"event_type": "x"}},
            "invalid_metadata_format",
        ),
        "no channel": ({"channel": "", "text": "x"}, "invalid_arguments"),
    }


@pytest.mark.parametrize(("arguments", "error"), refused_posts().values(), ids=refused_posts().keys())
def test_a_post_is_refused_as_slack_refuses_it(bench: Bench, arguments: dict[str, Any], error: str) -> None:
    bench.workspace.set_channel(Channel("C0QUIET", "quiet"))
    bench.workspace.set_channel(Channel("C0OLD", "old", frozenset({"U0BOT"}), is_archived=True))
    bench.workspace.set_channel(Channel("C0SECRET", "secret", is_private=True))

    answer = bench.refusal(lambda: bench.client.api_call("chat.postMessage", json=arguments))

    assert answer["error"] == error
    assert bench.workspace.events() == ()


def test_a_public_channel_may_be_written_to_by_name_or_with_the_scope_for_it() -> None:
    for bench in bench_with(scopes=ALL_SCOPES | {"chat:write.public"}):
        bench.workspace.set_channel(Channel("C0QUIET", "quiet"))

        assert bench.client.chat_postMessage(channel="#quiet", text="x")["channel"] == "C0QUIET"
        assert bench.client.chat_postMessage(channel="deploys", text="x")["channel"] == "C0DEPLOYS"


def test_bad_blocks_are_refused_with_their_places(bench: Bench) -> None:
    answer = bench.refusal(
        lambda: bench.client.chat_postMessage(channel="C0DEPLOYS", text="x", blocks=[section("x" * 3001)])
    )

    said = "must be less than 3001 characters [json-pointer:/blocks/0/text/text]"
    assert answer["error"] == "invalid_blocks"
    assert answer["errors"] == [said]
    assert answer["response_metadata"]["messages"] == [f"[ERROR] {said}"]


def test_only_own_messages_are_changed(bench: Bench) -> None:
    theirs = bench.workspace.post("C0DEPLOYS", "U0ADA", "mine")

    update = bench.refusal(lambda: bench.client.chat_update(channel="C0DEPLOYS", ts=theirs.ts, text="x"))
    delete = bench.refusal(lambda: bench.client.chat_delete(channel="C0DEPLOYS", ts=theirs.ts))

    assert (update["error"], delete["error"]) == ("cant_update_message", "cant_delete_message")


def test_an_update_of_more_than_4000_characters_is_too_long(bench: Bench) -> None:
    ts = bench.client.chat_postMessage(channel="C0DEPLOYS", text="x")["ts"]

    answer = bench.refusal(lambda: bench.client.chat_update(channel="C0DEPLOYS", ts=ts, text="x" * 4001))

    assert answer["error"] == "msg_too_long"


def test_an_ephemeral_message_is_seen_by_one_person_in_the_channel(bench: Bench) -> None:
    bench.workspace.remove("U0BOB", "deploys")
    bench.client.chat_postEphemeral(channel="C0DEPLOYS", user="U0CAROL", text="Not yet")

    assert [message.text for message in bench.workspace.whispers("carol")] == ["Not yet"]
    assert bench.workspace.whispers("ada") == ()
    assert bench.workspace.messages("deploys") == ()
    (event,) = bench.workspace.events()
    assert event.is_seen_by("U0CAROL")
    assert not event.is_seen_by("U0ADA")
    outside = bench.refusal(
        lambda: bench.client.chat_postEphemeral(channel="C0DEPLOYS", user="U0BOB", text="Not yet")
    )
    assert outside["error"] == "user_not_in_channel"


def test_history_and_threads_are_read_back(bench: Bench) -> None:
    post = bench.client.chat_postMessage
    roots = [post(channel="C0DEPLOYS", text=f"root {n}")["ts"] for n in range(3)]
    post(channel="C0DEPLOYS", text="reply", thread_ts=roots[0])

    pages = [page["messages"] for page in bench.client.conversations_history(channel="C0DEPLOYS", limit=2)]
    since = bench.client.conversations_history(channel="C0DEPLOYS", oldest=roots[1])["messages"]
    thread = bench.client.conversations_replies(channel="C0DEPLOYS", ts=roots[0])["messages"]

    assert [[one["text"] for one in page] for page in pages] == [["root 2", "root 1"], ["root 0"]]
    assert [one["text"] for one in since] == ["root 2"]
    assert [one["text"] for one in thread] == ["root 0", "reply"]
    lost = bench.refusal(lambda: bench.client.conversations_replies(channel="C0DEPLOYS", ts="1.2"))
    assert lost["error"] == "thread_not_found"


def test_each_message_has_a_ts_of_its_own_even_at_one_instant() -> None:
    workspace = Workspace(clock=lambda: 1_790_000_000.0)

    stamps = [workspace.post("C0DEPLOYS", "U0ADA", "x").ts for _ in range(3)]

    assert stamps == ["1790000000.000000", "1790000000.000001", "1790000000.000002"]


def test_a_permalink_names_channel_and_ts(bench: Bench) -> None:
    ts = bench.client.chat_postMessage(channel="C0DEPLOYS", text="x")["ts"]

    link = bench.client.chat_getPermalink(channel="C0DEPLOYS", message_ts=ts)["permalink"]

    assert link == f"https://sandbox.slack.com/archives/C0DEPLOYS/p{ts.replace('.', '')}"


# Levers


def test_a_rate_limit_says_how_long_to_wait_and_ends(bench: Bench) -> None:
    bench.twin.levers.ratelimit("chat.postMessage", 2, retry_after=7)

    for _ in range(2):
        with pytest.raises(SlackApiError) as refused:
            bench.client.chat_postMessage(channel="C0DEPLOYS", text="x")
        assert refused.value.response.status_code == 429
        assert refused.value.response["error"] == "ratelimited"
        assert refused.value.response.headers["retry-after"] == "7"

    assert bench.client.chat_postMessage(channel="C0DEPLOYS", text="x")["ok"]


def test_a_method_fails_with_the_error_that_was_asked_for(bench: Bench) -> None:
    bench.twin.levers.fail("*", "token_revoked")

    assert bench.refusal(bench.client.auth_test)["error"] == "token_revoked"
    assert bench.client.auth_test()["ok"]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_connection_that_breaks_has_taken_effect_or_not(bench: Bench, after: bool) -> None:  # noqa: FBT001  a table
    bench.twin.levers.drop("chat.postMessage", after=after)

    with pytest.raises(http.client.IncompleteRead):
        bench.client.chat_postMessage(channel="C0DEPLOYS", text="x")

    assert len(bench.workspace.messages("deploys")) == int(after)


# Views


def test_a_trigger_opens_one_modal_within_three_seconds(bench: Bench) -> None:
    trigger = bench.trigger()
    late = bench.trigger()
    view = bench.client.views_open(trigger_id=trigger, view=modal())["view"]

    again = bench.refusal(lambda: bench.client.views_open(trigger_id=trigger, view=modal()))
    bench.clock.ahead = 3.5
    expired = bench.refusal(lambda: bench.client.views_open(trigger_id=late, view=modal()))
    unknown = bench.refusal(lambda: bench.client.views_open(trigger_id="1.2.x", view=modal()))

    assert (view["callback_id"], view["private_metadata"]) == ("reject_reason", "p_1")
    assert again["error"] == "exchanged_trigger_id"
    assert expired["error"] == "expired_trigger_id"
    assert unknown["error"] == "invalid_trigger_id"


def test_a_modal_that_slack_would_not_draw_is_refused_and_keeps_the_trigger(bench: Bench) -> None:
    trigger = bench.trigger()

    answer = bench.refusal(lambda: bench.client.views_open(trigger_id=trigger, view=modal("x" * 25)))

    assert answer["error"] == "invalid_arguments"
    assert answer["response_metadata"]["messages"] == [
        "[ERROR] must be less than 25 characters [json-pointer:/view/title/text]"
    ]
    assert bench.client.views_open(trigger_id=trigger, view=modal())["ok"]


def test_a_modal_is_updated_with_a_hash_that_guards_it(bench: Bench) -> None:
    view = bench.client.views_open(trigger_id=bench.trigger(), view=modal(external_id="x1"))["view"]
    new = bench.client.views_update(view_id=view["id"], hash=view["hash"], view=modal("Now"))["view"]

    stale = bench.refusal(
        lambda: bench.client.views_update(view_id=view["id"], hash=view["hash"], view=modal("Old"))
    )
    unknown = bench.refusal(lambda: bench.client.views_update(view_id="V0NONE", view=modal()))

    assert (new["id"], new["title"]["text"]) == (view["id"], "Now")
    assert stale["error"] == "hash_conflict"
    assert unknown["error"] == "not_found"


def test_three_modals_lie_over_each_other_and_no_more(bench: Bench) -> None:
    view = bench.client.views_open(trigger_id=bench.trigger(), view=modal("1"))["view"]
    for title in ("2", "3"):
        trigger = bench.trigger(view=view["id"])
        view = bench.client.views_push(trigger_id=trigger, view=modal(title))["view"]

    answer = bench.refusal(
        lambda: bench.client.views_push(trigger_id=bench.trigger(view=view["id"]), view=modal("4"))
    )

    stack = bench.workspace.views.stack("U0ADA")
    assert [one.payload["title"]["text"] for one in stack] == ["1", "2", "3"]
    assert [one.previous for one in stack] == ["", stack[0].id, stack[1].id]
    assert {one.root for one in stack} == {stack[0].id}
    assert answer["error"] == "push_limit_reached"


def test_an_app_home_is_published_and_guarded_by_its_hash(bench: Bench) -> None:
    home = {"type": "home", "blocks": [section("Nothing waits for you")]}
    first = bench.client.views_publish(user_id="U0ADA", view=home)["view"]
    bench.client.views_publish(user_id="U0ADA", view=home, hash=first["hash"])

    stale = bench.refusal(lambda: bench.client.views_publish(user_id="U0ADA", view=home, hash=first["hash"]))

    assert stale["error"] == "hash_conflict"
    shown = bench.workspace.views.home("U0ADA")
    assert shown is not None
    assert shown.id == first["id"]


def test_blocks_are_validated_on_request(bench: Bench) -> None:
    assert bench.client.blocks_validate(blocks=card())["ok"]
    assert bench.client.blocks_validate(view=modal())["ok"]
    answer = bench.refusal(lambda: bench.client.blocks_validate(blocks=[section("")]))
    both = bench.refusal(lambda: bench.client.blocks_validate(blocks=card(), view=modal()))

    assert answer["error"] == "invalid_blocks"
    assert answer["errors"] == [
        {"pointer": "/0/text/text", "code": "failed_constraint", "message": "must be more than 0 characters"}
    ]
    assert both["error"] == "invalid_arguments"


# Response URLs


def test_a_response_url_is_good_for_five_answers(bench: Bench) -> None:
    key = bench.workspace.tickets.response_url("U0ADA", "C0DEPLOYS")
    hook = WebhookClient(bench.twin.response_url(key))

    answers = [hook.send(text=f"answer {n}") for n in range(6)]

    assert [answer.status_code for answer in answers] == [200] * 5 + [404]
    assert "used_url" in answers[-1].body
    assert len(bench.workspace.whispers("ada")) == 5


def test_a_response_url_is_good_for_half_an_hour(bench: Bench) -> None:
    key = bench.workspace.tickets.response_url("U0ADA", "C0DEPLOYS")
    bench.clock.ahead = 30 * 60 + 1

    answer = WebhookClient(bench.twin.response_url(key)).send(text="late")

    assert (answer.status_code, json.loads(answer.body)["error"]) == (404, "expired_url")


def test_a_response_url_changes_and_takes_away_what_was_clicked(bench: Bench) -> None:
    asked = bench.workspace.whisper("C0DEPLOYS", "U0ADA", "Which one?", card())
    key = bench.workspace.tickets.response_url("U0ADA", "C0DEPLOYS", source=asked.ts, is_ephemeral=True)
    hook = WebhookClient(bench.twin.response_url(key))

    hook.send(text="This one", replace_original=True)
    changed = bench.workspace.whispers("U0ADA")
    hook.send(delete_original=True)

    assert [message.text for message in changed] == ["This one"]
    assert bench.workspace.whispers("U0ADA") == ()


def test_bad_blocks_at_a_response_url_are_refused_and_cost_nothing(bench: Bench) -> None:
    key = bench.workspace.tickets.response_url("U0ADA", "C0DEPLOYS")
    hook = WebhookClient(bench.twin.response_url(key))

    refused = hook.send(text="x", blocks=[section("")])
    answers = [hook.send(text="x", response_type="in_channel").status_code for _ in range(5)]

    assert (refused.status_code, json.loads(refused.body)["error"]) == (400, "invalid_blocks")
    assert answers == [200] * 5
    assert len(bench.workspace.messages("deploys")) == 5


# A real app behind signed HTTP


@dataclass
class Stage:
    """The workspace, a Bolt app that listens to it, and people."""

    workspace: Workspace
    twin: SlackTwin
    courier: Courier
    bot: App

    def person(self, name: str) -> Person:
        return Person(self.twin, self.courier, name)

    def card(self, text: str = "ready", value: str = "p_1") -> Message:
        answer = self.bot.client.chat_postMessage(channel="C0DEPLOYS", text="ready", blocks=card(text, value))
        return self.workspace.message("C0DEPLOYS", answer["ts"])


@pytest.fixture
def stage() -> Iterator[Stage]:
    twin = SlackTwin()
    with serve(twin.app) as slack_url:
        twin.url = slack_url
        bot = App(client=WebClient("xoxb-sandbox", base_url=twin.api_url), signing_secret=SECRET)

        def events(request: Request, body: bytes) -> Response:
            return to_starlette_response(bot.dispatch(to_bolt_request(request, body)))

        app = Starlette(routes=[Route("/slack/events", endpoint(events), methods=["POST"])])
        with serve(app) as bot_url:
            yield Stage(twin.workspace, twin, Courier(f"{bot_url}/slack/events", SECRET), bot)


def test_a_command_goes_to_the_app_and_its_answers_come_back(stage: Stage) -> None:
    heard: list[dict[str, Any]] = []

    @stage.bot.command("/promote")
    def promote(ack: Any, body: dict[str, Any], respond: Any, client: WebClient) -> None:
        heard.append(body)
        ack("One moment")
        respond("Not yet: soaking")
        respond(text="carol asked for 1.4.2", response_type="in_channel")
        client.chat_postEphemeral(channel=body["channel_id"], user=body["user_id"], text="done")

    carol = stage.person("carol")
    ack = carol.command("/promote checkout-api 1.4.2")

    assert (ack.status, ack.error) == (200, "")
    assert (heard[0]["command"], heard[0]["text"]) == ("/promote", "checkout-api 1.4.2")
    assert (heard[0]["user_id"], heard[0]["team_id"]) == ("U0CAROL", "T0SANDBOX")
    for text in ("One moment", "Not yet: soaking", "done"):
        assert carol.sees(text, since=ack.since).only_for == "U0CAROL"
    assert carol.sees("carol asked", since=ack.since).kind == EventKind.POSTED
    first = stage.workspace.events(ack.since)[0]
    assert (first.kind, first.text) == (EventKind.COMMAND, "/promote checkout-api 1.4.2")


def test_a_click_goes_to_the_app_which_redraws_the_card(stage: Stage) -> None:
    heard: list[dict[str, Any]] = []

    @stage.bot.action("approve")
    def approve(ack: Any, body: dict[str, Any], client: WebClient) -> None:
        ack()
        heard.append(body)
        client.chat_update(
            channel=body["channel"]["id"],
            ts=body["message"]["ts"],
            text="1 of 2",
            blocks=[section("1 of 2, bob approved")],
        )

    message = stage.card()
    ack = stage.person("bob").click(message, "Approve")
    edited = stage.workspace.wait_for(lambda event: event.kind == EventKind.EDITED, since=ack.since)

    assert ack.is_ok
    body = heard[0]
    assert body["user"] == {"id": "U0BOB", "username": "bob", "name": "bob", "team_id": "T0SANDBOX"}
    assert body["container"] == {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": "C0DEPLOYS",
        "is_ephemeral": False,
    }
    assert body["actions"][0]["value"] == "p_1"
    assert body["actions"][0]["block_id"] == "decide"
    assert body["message"]["blocks"] == list(message.blocks)
    assert edited.message is not None
    assert "bob approved" in words(edited.message)


def test_twenty_people_click_at_once_and_each_click_arrives_once(stage: Stage) -> None:
    heard: list[str] = []

    @stage.bot.action("approve")
    def approve(ack: Any, body: dict[str, Any]) -> None:
        ack()
        heard.append(body["trigger_id"])

    message = stage.card()
    bob = stage.person("bob")
    with ThreadPoolExecutor(20) as pool:
        acks = list(pool.map(lambda _: bob.click(message, "Approve"), range(20)))

    assert all(ack.is_ok for ack in acks)
    assert len(set(heard)) == 20


def test_a_stale_card_can_still_be_clicked(stage: Stage) -> None:
    heard: list[str] = []

    @stage.bot.action("approve")
    def approve(ack: Any, body: dict[str, Any], respond: Any) -> None:
        ack()
        heard.append(body["actions"][0]["value"])
        respond("This card is closed")

    old = stage.card(value="old")
    stage.bot.client.chat_update(channel=old.channel, ts=old.ts, text="closed", blocks=[section("closed")])
    bob = stage.person("bob")
    ack = bob.click(old, "approve")

    assert bob.sees("This card is closed", since=ack.since).only_for == "U0BOB"
    assert heard == ["old"]
    with pytest.raises(CannotDoError, match="no 'approve' to press"):
        bob.click(stage.workspace.message(old.channel, old.ts), "approve")


def test_a_person_finds_what_stands_on_the_screen_now(stage: Stage) -> None:
    bob = stage.person("bob")
    first = stage.card("checkout-api 1.4.1")
    second = stage.card("checkout-api 1.4.2")
    stage.workspace.whisper("C0DEPLOYS", "U0ADA", "checkout-api for ada alone", card())
    stage.workspace.edit(second, "closed", [section("checkout-api 1.4.2 is in production")])
    later = threading.Timer(0.05, stage.card, ["checkout-api 1.4.3"])
    later.start()

    assert bob.finds("checkout-api 1.4.2").blocks[0]["text"]["text"] == "checkout-api 1.4.2 is in production"
    assert bob.finds("checkout-api 1.4.1", button="Approve") == first
    assert "1.4.3" in words(bob.finds("checkout-api 1.4.3", button="approve"))
    with pytest.raises(TimeoutError, match=r"bob does not see 'for ada alone'; on the screen: .*1\.4\.3"):
        bob.finds("for ada alone", timeout=0.05)
    later.join()


def test_a_modal_is_opened_refused_with_errors_then_sent(stage: Stage) -> None:
    heard: list[dict[str, Any]] = []

    @stage.bot.action("reject")
    def reject(ack: Any, body: dict[str, Any], client: WebClient) -> None:
        ack()
        client.views_open(trigger_id=body["trigger_id"], view=modal())

    @stage.bot.view("reject_reason")
    def reason(ack: Any, body: dict[str, Any], view: dict[str, Any]) -> None:
        heard.append(body)
        if len(view["state"]["values"]["why"]["text"]["value"]) < 5:
            ack(response_action="errors", errors={"why": "say a little more"})
        else:
            ack()

    ada = stage.person("ada")
    clicked = ada.click(stage.card(), "Reject")
    view = ada.sees_view(since=clicked.since)
    refused = ada.submit(view, {"Why": "no"})
    still_open = stage.workspace.views.top("U0ADA")
    sent = ada.submit(view, {"text": "breaks refunds", "until": "Monday"})

    assert refused.json()["response_action"] == "errors"
    assert still_open == view
    assert sent.is_ok
    assert stage.workspace.views.top("U0ADA") is None
    values = heard[-1]["view"]["state"]["values"]
    assert values["why"]["text"] == {"type": "plain_text_input", "value": "breaks refunds"}
    assert values["how_long"]["until"]["selected_option"]["value"] == "3d"
    assert heard[-1]["view"]["private_metadata"] == "p_1"
    kinds = [event.kind for event in stage.workspace.events(clicked.since)]
    assert kinds == [
        EventKind.CLICKED,
        EventKind.VIEW_OPENED,
        EventKind.SUBMITTED,
        EventKind.VIEW_REFUSED,
        EventKind.SUBMITTED,
        EventKind.VIEW_CLOSED,
    ]


@pytest.fixture
def form(stage: Stage) -> View:
    trigger = stage.workspace.tickets.trigger("U0ADA")
    stage.bot.client.views_open(trigger_id=trigger, view=modal())
    view = stage.workspace.views.top("U0ADA")
    assert view is not None
    return view


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({}, "'Why' has to be filled in"),
        ({"why": "x" * 281}, "takes 0 to 280 characters, not 281"),
        ({"why": "x", "until": "Never"}, "'Never' is not offered; there are Tomorrow, Monday"),
        ({"whom": "x"}, "there is no field whom"),
    ],
    ids=["empty", "too long", "not offered", "no such field"],
)
def test_slack_does_not_send_a_form_that_is_not_filled_in(
    stage: Stage, form: View, values: dict[str, Any], why: str
) -> None:
    with pytest.raises(CannotDoError, match=why):
        stage.person("ada").submit(form, values)


@pytest.mark.parametrize(
    ("answer", "titles"),
    [
        ({"response_action": "update", "view": modal("Thanks")}, ["Thanks"]),
        ({"response_action": "push", "view": modal("Sure?")}, ["Reject", "Sure?"]),
        ({"response_action": "clear"}, []),
    ],
    ids=["update", "push", "clear"],
)
def test_the_answer_to_a_submission_changes_the_stack(
    stage: Stage, form: View, answer: dict[str, Any], titles: list[str]
) -> None:
    stage.bot.view("reject_reason")(lambda ack: ack(**answer))

    stage.person("ada").submit(form, {"why": "x"})

    assert [view.payload["title"]["text"] for view in stage.workspace.views.stack("U0ADA")] == titles


def test_a_submission_that_is_answered_wrongly_warns_and_keeps_the_modal(stage: Stage, form: View) -> None:
    stage.bot.view("reject_reason")(lambda ack: ack(response_action="errors", errors={"nowhere": "x"}))

    ack = stage.person("ada").submit(form, {"why": "x"})

    warned = stage.workspace.events(ack.since)[-1]
    assert (warned.kind, warned.only_for) == (EventKind.WARNED, "U0ADA")
    assert "no input block" in warned.text
    assert stage.workspace.views.top("U0ADA") == form


def test_closing_a_modal_is_told_only_where_it_was_asked_for(stage: Stage, form: View) -> None:
    heard: list[str] = []

    @stage.bot.view_closed("reject_reason")
    def closed(ack: Any, body: dict[str, Any]) -> None:
        ack()
        heard.append(body["view"]["id"])

    ada = stage.person("ada")
    silent = ada.close(form)
    trigger = stage.workspace.tickets.trigger("U0ADA")
    stage.bot.client.views_open(trigger_id=trigger, view=modal(notify_on_close=True))
    view = ada.sees_view(since=stage.workspace.feed.position - 1)
    told = ada.close(view)

    assert silent is None
    assert told is not None
    assert told.is_ok
    assert heard == [view.id]


def test_a_menu_sends_the_option_that_was_chosen(stage: Stage) -> None:
    heard: list[Any] = []

    @stage.bot.action("more")
    def more(ack: Any, action: dict[str, Any]) -> None:
        ack()
        heard.append((action["type"], action["selected_option"]["value"]))

    options = [{"text": plain("Snooze"), "value": "snooze"}, {"text": plain("Why?"), "value": "why"}]
    elements = [
        {"type": kind, "action_id": "more", "options": options} for kind in ("overflow", "static_select")
    ]
    for element in elements:
        blocks = [section("x") | {"accessory": element}]
        ts = stage.bot.client.chat_postMessage(channel="C0DEPLOYS", text="x", blocks=blocks)["ts"]
        assert stage.person("ada").choose(stage.workspace.message("C0DEPLOYS", ts), "more", "Why?").is_ok

    assert sorted(heard) == [("overflow", "why"), ("static_select", "why")]


def test_a_shortcut_and_the_home_tab_reach_the_app(stage: Stage) -> None:
    heard: list[str] = []
    opened = threading.Event()

    @stage.bot.shortcut("promote_message")
    def shortcut(ack: Any, body: dict[str, Any]) -> None:
        ack()
        heard.append(body["message"]["text"])

    @stage.bot.event("app_home_opened")
    def home(event: dict[str, Any], client: WebClient) -> None:
        client.views_publish(user_id=event["user"], view={"type": "home", "blocks": [section("Hello")]})
        opened.set()

    ada = stage.person("ada")

    assert ada.shortcut("promote_message", stage.card()).is_ok
    assert ada.open_home().is_ok
    assert opened.wait(5)
    assert heard == ["ready"]
    assert stage.workspace.views.home("U0ADA") is not None


# What Slack shows when the app does not answer


@pytest.mark.parametrize(
    ("status", "word"), [(500, "http_service_error"), (404, "http_client_error")], ids=["500", "404"]
)
def test_a_command_that_fails_is_told_by_slackbot(status: int, word: str) -> None:
    twin = SlackTwin()
    broken = Starlette(
        routes=[Route("/", endpoint(lambda _request, _body: Response(status_code=status)), methods=["POST"])]
    )

    with serve(broken) as url:
        ack = Person(twin, Courier(url, SECRET), "ada").command("/promote status")

    assert (ack.status, ack.error) == (status, word)
    (told,) = twin.workspace.whispers("ada")
    assert told.text == f'/promote failed with the error "{word}"'


def test_an_app_that_takes_longer_than_three_seconds_has_timed_out() -> None:
    twin = SlackTwin()
    free = threading.Event()

    def sleepy(_request: Request, _body: bytes) -> Response:
        free.wait(10)
        return Response()

    with serve(Starlette(routes=[Route("/", endpoint(sleepy), methods=["POST"])])) as url:
        try:
            ack = Person(twin, Courier(url, SECRET), "ada").command("/promote status")
        finally:
            free.set()

    assert (ack.status, ack.error) == (0, "operation_timeout")
    assert "operation_timeout" in twin.workspace.whispers("ada")[0].text


def test_an_app_that_is_down_shows_a_warning_beside_the_button() -> None:
    twin = SlackTwin()
    message = twin.workspace.post("C0DEPLOYS", "U0BOT", "ready", card())
    with serve(Starlette()) as url:
        pass

    ack = Person(twin, Courier(url, SECRET), "ada").click(message, "Approve")

    assert ack.error == "dispatch_failed"
    warned = twin.workspace.events()[-1]
    assert (warned.kind, warned.message, warned.only_for) == (EventKind.WARNED, message, "U0ADA")


# Forgeries, and people who are not what they seem


def test_what_is_not_signed_by_slack_is_refused_by_the_app(stage: Stage) -> None:
    stage.bot.command("/promote")(lambda ack: ack())
    fields = stage.person("ada")._payloads.command("/promote", "status", "C0DEPLOYS")
    courier = stage.courier
    honest = courier.form(fields)

    forged = courier.send(courier.form(fields, secret="not the secret"))
    old = courier.send(courier.form(fields, at=time.time() - 301))
    altered = courier.send(replace(honest, body=honest.body.replace(b"U0ADA", b"U0BOB")))
    unsigned = courier.send(replace(honest, headers={"Content-Type": "application/x-www-form-urlencoded"}))

    assert courier.send(honest).status == 200
    assert courier.send(honest).status == 200, "a replay within five minutes carries a good signature"
    assert [ack.status for ack in (forged, old, altered, unsigned)] == [401] * 4


def test_strangers_bots_and_guests_say_who_they_are(stage: Stage) -> None:
    heard: list[tuple[str, str, str]] = []

    @stage.bot.action("approve")
    def approve(ack: Any, body: dict[str, Any]) -> None:
        ack()
        heard.append((body["user"]["id"], body["user"]["team_id"], body["team"]["id"]))

    stage.workspace.set_user(User("U0EVE", "eve", team="T0OTHER"))
    stage.workspace.set_user(User("U0ROBO", "robo", is_bot=True))
    for user in ("U0EVE", "U0ROBO"):
        stage.workspace.invite(user, "deploys")
    message = stage.card()
    for name in ("eve", "robo", "dan"):
        assert stage.person(name).click(message, "Approve").is_ok

    assert sorted(heard) == [
        ("U0DAN", "T0SANDBOX", "T0SANDBOX"),
        ("U0EVE", "T0OTHER", "T0OTHER"),
        ("U0ROBO", "T0SANDBOX", "T0SANDBOX"),
    ]


def test_nobody_acts_where_they_are_not(stage: Stage) -> None:
    message = stage.card()
    stage.workspace.remove("U0BOB", "deploys")
    stage.workspace.set_user(replace(stage.workspace.user("dan"), deleted=True))

    for name, why in (("bob", "bob is not in #deploys"), ("dan", "dan is deactivated")):
        with pytest.raises(CannotDoError, match=why):
            stage.person(name).click(message, "Approve")
    with pytest.raises(CannotDoError, match="/deploy is not a valid command"):
        stage.person("ada").command("/deploy now")


# The feed


def test_events_are_followed_in_order_from_the_beginning() -> None:
    workspace = Workspace()
    workspace.post("C0DEPLOYS", "U0ADA", "first")
    heard: list[str] = []

    end = workspace.subscribe(
        lambda event: heard.append(event.message.text if event.message else ""), since=0
    )
    threads = [
        threading.Thread(target=workspace.post, args=("C0DEPLOYS", "U0ADA", f"post {n}")) for n in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    end()
    workspace.post("C0DEPLOYS", "U0ADA", "last")

    events = workspace.events()
    assert [event.number for event in events] == list(range(1, 23))
    assert heard == [event.message.text for event in events[:-1] if event.message]
    assert json.loads(json.dumps(events[0].as_json()))["message"]["text"] == "first"


def test_waiting_for_what_does_not_happen_tells_what_did() -> None:
    workspace = Workspace()
    workspace.post("C0DEPLOYS", "U0ADA", "something else")

    with pytest.raises(TimeoutError, match="something else"):
        workspace.wait_for(lambda event: event.kind == EventKind.DELETED, timeout=0.05)


def test_a_world_may_look_otherwise() -> None:
    world = replace(sample_world(), team="T0ACME", channels=(Channel("C0OPS", "ops", frozenset({"U0ADA"})),))

    workspace = Workspace(world)

    assert (workspace.team, workspace.channel("#ops").id) == ("T0ACME", "C0OPS")
