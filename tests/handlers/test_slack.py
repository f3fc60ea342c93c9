"""The Bolt app behind its HTTP door, pressed by people of the sandbox's workspace; the engine is a value."""

import json
import logging
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import Any

import pytest
from slack_bolt import BoltRequest
from slack_sdk import WebClient
from slack_sdk.signature import SignatureVerifier

from bot.answers import NotRecorded, Recorded
from bot.cards import CardStage, Notice
from bot.errors import TransientError
from handlers.http import web
from handlers.slack import messages
from handlers.slack.app import PROMOTE_IMAGE, PROMOTE_THIS, slack_app
from handlers.slack.called import called
from handlers.slack.cards import render
from handlers.slack.chat import web_client
from handlers.slack.errands import Errands
from handlers.slack.reply import Address, Replies
from handlers.slack.speaking import of_interaction
from policies.codes import Code
from policies.entries.entry import Kind
from policies.ledger.state import Stage
from policies.words import Approve, Freeze, Propose, Reject, Rollback, Speaker, Word
from sandbox.http import serve
from sandbox.slack.courier import Courier
from sandbox.slack.feed import EventKind, Message
from sandbox.slack.members import User
from sandbox.slack.people import Person, words
from sandbox.slack.twin import SlackTwin
from sandbox.slack.workspace import Workspace
from tests.handlers.samples import (
    AT,
    CHANGE,
    PROMOTION,
    EngineOfValues,
    FixedClock,
    LookOfValues,
    card,
    promotion,
    state,
)

STANDS = "1.4.1"  # in production, as the samples have it
SECRET = "sandbox-signing-secret"


@dataclass
class House:
    """A workspace and the bot in it, over real HTTP."""

    twin: SlackTwin
    engine: EngineOfValues
    courier: Courier
    client: WebClient
    errands: Errands
    listeners: Executor

    def finish(self) -> None:
        """Wait until all that was heard is done and answered."""
        self.listeners.shutdown()
        self.errands.close()

    def person(self, name: str) -> Person:
        return Person(self.twin, self.courier, name)

    def post(self, stage: CardStage = CardStage.OPEN, **more: object) -> Message:
        drawn = render(card(stage, **more), 1)
        room = self.twin.workspace.channel("deploys")
        return self.twin.workspace.post(room.id, "U0BOT", drawn.text, drawn.blocks)

    def told(self, user: str) -> str:
        """Return what a person alone was told, once all work is done."""
        self.finish()
        return "\n".join(words(one) for one in self.twin.workspace.whispers(user))


@pytest.fixture(scope="module")
def served() -> Iterator[SlackTwin]:
    twin = SlackTwin()
    with serve(twin.app) as url:
        twin.url = url
        yield twin


@pytest.fixture
def house(served: SlackTwin) -> Iterator[House]:
    served.workspace = Workspace()
    served.levers.clear()
    engine, clock = EngineOfValues(), FixedClock()
    client = web_client("xoxb-sandbox", served.api_url)
    errands = Errands(Replies(client))
    app = slack_app(engine, client, errands, clock, secret=SECRET)
    with serve(web(app, secret=SECRET, health=lambda: {"ok": True})) as bot:
        courier = Courier(f"{bot}/slack/events", SECRET)
        inside = House(served, engine, courier, client, errands, app.listener_runner.listener_executor)
        yield inside
        inside.finish()


def test_a_command_is_handed_to_the_engine_as_the_person_who_typed_it(house: House) -> None:
    house.engine.answer = lambda _word: Recorded(
        kind=Kind.PROPOSE, service="checkout-api", environment="production", version="1.4.2", wanted=2
    )

    ack = house.person("carol").command("/promote checkout-api 1.4.2 to production because it is time")

    told = house.told("carol")
    ((speaker, word),) = house.engine.heard
    assert ack.is_ok
    assert word == Propose("checkout-api", "1.4.2", "production", "it is time")
    assert (speaker.team, speaker.user, speaker.via) == ("T0SANDBOX", "U0CAROL", "command")
    assert "You asked for checkout-api 1.4.2 in production: 0 of 2 approvals." in told


def test_somebody_who_links_gets_a_code_in_private_and_hears_how_it_ended(house: House) -> None:
    house.engine.ended = Recorded(kind=Kind.IDENTITY, person="carol", login="carol-c")

    carol = house.person("carol")
    carol.command("/promote link")
    carol.sees("You are linked")  # said by an errand of its own, which nobody may close before

    told = house.told("carol")
    assert [speaker.user for speaker, _ in house.engine.linking] == ["U0CAROL"]
    assert "WDJB-MJHT" in told
    assert "https://github.com/login/device" in told
    assert "You are linked: carol is carol-c in GitHub." in told


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("/promote help", "What you can say:"),
        ("/promote help freeze", "/promote freeze ENV...|all [until WHEN] because WHY"),
        ("/promote all", "Nothing may be asked for now."),
        ("/promote all to staging", "Nobody is asked in staging: new versions move by themselves."),
        ("/promote approve all", "Nothing waits for your approval."),
        ("/promote stats", "1 deployment in the last 30 days, since 2026-10-21 14:28 UTC:"),
        ("/promote status", "4 places: 3 up to date, 1 not."),
        ("/promote why checkout-api", "1.4.2 waits: the environment stands still"),
        ("/promote changes cart-api", "No rule covers cart-api, or it was not looked at yet."),
        ("/promote check", "Nothing was asked: the rules have no image there, or nothing was looked at yet."),
        ("/promote pending", "Nothing is under way."),
        ("/promote history checkout-api", "1 move of checkout-api, newest first:"),
        ("/promote who checkout-api", "2 of release-managers (ada, bob, carol)"),
        ("/promote whoami", "The rules take you for carol, of release-managers."),
    ],
)
def test_a_question_is_answered_in_private_without_the_engine_deciding(
    house: House, line: str, expected: str
) -> None:
    house.person("carol").command(line)

    assert expected in house.told("carol")
    assert house.engine.heard == []
    assert house.twin.workspace.messages("deploys") == ()


@pytest.mark.parametrize(
    ("line", "begun", "answer"),
    [
        (
            "/promote changes cart-api",
            "Asking the registry and the forge what comes to cart-api...",
            "No rule covers",
        ),
        ("/promote check cart-api", "Asking the registry about cart-api...", "Nothing was asked"),
        ("/promote check", "Asking the registries...", "Nothing was asked"),
    ],
)
def test_what_takes_a_while_is_said_to_be_under_way_before_anybody_is_asked(
    house: House, line: str, begun: str, answer: str
) -> None:
    seen: list[str] = []
    whispers = house.twin.workspace.whispers
    house.engine.outside = lambda: seen.extend(one.text for one in whispers("carol"))

    house.person("carol").command(line)

    told = house.told("carol")
    assert seen == [begun]
    assert told.startswith(begun)
    assert answer in told


def test_who_may_not_have_it_asked_hears_of_no_asking(house: House) -> None:
    house.engine.is_outside = lambda team, slack_user: bool(team and slack_user)  # type: ignore[method-assign]

    house.person("dan").command("/promote check")

    assert house.told("dan").startswith("A guest's question is not passed on to registries")


def test_a_mistyped_command_comes_back_with_a_button_that_is_the_corrected_one(house: House) -> None:
    ada = house.person("ada")
    ada.command("/promote checkout-ap1 1.4.2 because a < b")
    whisper = ada.sees("No service is called checkout-ap1; did you mean checkout-api?").message
    assert whisper is not None

    ada.click(whisper, "run_0")

    house.told("ada")
    ((speaker, word),) = house.engine.heard
    assert word == Propose("checkout-api", "1.4.2", note="a < b")
    assert (speaker.user, speaker.via) == ("U0ADA", "button")


def test_a_reason_that_is_too_long_is_given_back_and_nothing_is_done(house: House) -> None:
    house.person("ada").command("/promote freeze staging because " + "long " * 80)

    told = house.told("ada")
    assert "A reason has at most 280 characters, yours has 399." in told
    assert "long " * 70 in told
    assert house.engine.heard == []


def test_approve_carries_the_promotion_and_the_change_that_was_seen(house: House) -> None:
    house.engine.answer = lambda _word: Recorded(
        kind=Kind.APPROVE,
        service="checkout-api",
        environment="production",
        version="1.4.2",
        given=2,
        wanted=2,
    )

    ack = house.person("bob").click(house.post(), "Approve")

    told = house.told("bob")
    ((speaker, word),) = house.engine.heard
    assert ack.is_ok
    assert word == Approve(PROMOTION, CHANGE[:12])
    assert (speaker.user, speaker.via) == ("U0BOB", "button")
    assert speaker.trigger.isprintable()
    assert " " not in speaker.trigger
    assert "Your approval of checkout-api 1.4.2 in production is recorded: 2 of 2 approvals." in told


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (NotRecorded(code=Code.REQUESTER), "You asked for it, so somebody else approves."),
        (NotRecorded(code=Code.ALREADY_APPROVED), "Already approved by you at 2026-11-20 14:28 UTC."),
        (NotRecorded(code=Code.CHANGE_MOVED), "The change is not the one that you saw any more."),
        (NotRecorded(code="not-recorded"), "Nothing happened; try again."),
        (NotRecorded(code="a-code-of-tomorrow", detail="so it is"), "Not now: a code of tomorrow."),
    ],
    ids=lambda one: one.code if isinstance(one, NotRecorded) else "",
)
def test_a_refusal_is_told_to_the_one_who_clicked(house: House, answer: NotRecorded, expected: str) -> None:
    house.engine.answer = lambda _word: answer
    house.engine.view = LookOfValues(state=state(promotion(Stage.OPEN, "bob")))

    house.person("bob").click(house.post(), "Approve")

    assert expected in house.told("bob")


def test_a_click_on_a_card_that_is_over_is_told_how_it_ended(house: House) -> None:
    house.engine.answer = lambda _word: NotRecorded(code=Code.CLOSED, detail="the promotion is rejected")
    house.engine.view = LookOfValues(state=state(promotion(Stage.REJECTED, ended_by="ada")))

    house.person("bob").click(house.post(), "Approve")

    assert "It was rejected by ada at 2026-11-20 14:28 UTC, so nothing was recorded." in house.told("bob")


def test_a_rejection_asks_why_and_hands_the_reason_on(house: House) -> None:
    ada = house.person("ada")
    house.engine.answer = lambda _word: Recorded(
        kind=Kind.REJECT, service="checkout-api", environment="production"
    )
    ada.click(house.post(), "Reject...")

    ada.submit(ada.sees_view(), {"reason": "it fails for “Dan”"})

    told = house.told("ada")
    ((speaker, word),) = house.engine.heard
    assert word == Reject(PROMOTION, 'it fails for "Dan"')
    assert speaker.via == "modal"
    assert "You rejected checkout-api in production." in told


def test_a_rejection_without_a_word_stays_in_its_form(house: House) -> None:
    ada = house.person("ada")
    ada.click(house.post(), "Reject...")

    ack = ada.submit(ada.sees_view(), {"reason": "   "})

    house.finish()
    assert ack.json()["errors"] == {"reason": "A reason has at least one word: say because and why."}
    assert house.engine.heard == []


def test_a_way_back_asks_why_and_goes_back_from_what_stands_there(house: House) -> None:
    ada = house.person("ada")
    ada.click(house.post(CardStage.LANDED, health="unhealthy", version=STANDS), "Roll back...")

    ada.submit(ada.sees_view(), {"reason": "pods restart"})

    house.finish()
    ((speaker, word),) = house.engine.heard
    assert word == Rollback("checkout-api", "pods restart", environments=("production",))
    assert speaker.via == "modal"


def test_a_way_back_without_a_word_stays_in_its_form(house: House) -> None:
    ada = house.person("ada")
    ada.click(house.post(CardStage.LANDED, health="unhealthy", version=STANDS), "Roll back...")

    ack = ada.submit(ada.sees_view(), {"reason": "  "})

    house.finish()
    assert "reason" in ack.json()["errors"]
    assert house.engine.heard == []


def test_a_way_back_from_what_stands_there_no_more_is_outdated(house: House) -> None:
    ada = house.person("ada")
    ada.click(house.post(CardStage.LANDED, health="unhealthy", version="0.9.9"), "Roll back...")

    assert "That button is from another version" in house.told("ada")
    assert house.engine.heard == []


def test_promote_on_a_candidate_asks_for_exactly_that_version(house: House) -> None:
    house.person("carol").click(house.post(CardStage.CANDIDATE), "Promote")

    house.finish()
    assert [word for _, word in house.engine.heard] == [Propose("checkout-api", "1.4.2", "production")]


def test_a_button_that_is_a_link_is_only_acknowledged(house: House) -> None:
    ack = house.person("carol").click(house.post(), "Pull request #418")

    assert ack.is_ok
    assert house.told("carol") == ""


@pytest.mark.parametrize("action", ["approve", "reject", "promote", "rollback", "of-an-older-version"])
def test_a_crafted_value_decides_nothing(house: House, action: str) -> None:
    values = [
        "",
        "x",
        "7f3a9c2e41d0",
        "../../etc|x",
        f"{PROMOTION}|{CHANGE}|more",
        "a|b|c d",
        "a|b|" + "1" * 200,
    ]
    text = {"type": "plain_text", "text": "Go"}
    for value in values:
        button = {"type": "button", "action_id": action, "text": text, "value": value}
        post = house.twin.workspace.post(
            "C0DEPLOYS", "U0BOT", "x", [{"type": "actions", "elements": [button]}]
        )
        assert house.person("carol").click(post, "Go").is_ok

    assert house.told("carol").count("That button is from another version of Countersign.") == 2 * len(values)
    assert house.engine.heard == []


def test_somebody_of_another_workspace_speaks_as_of_that_workspace(house: House) -> None:
    house.twin.workspace.set_user(User("U0EVE", "eve", team="T0OTHER"))
    house.twin.workspace.invite("eve", "deploys")

    house.person("eve").click(house.post(), "Approve")

    house.finish()
    assert house.engine.heard[0][0].team == "T0OTHER"


FILLED = {"service": "checkout-api", "version": "1.4.2", "environment": "production", "why": "it is time"}


def test_the_command_without_words_opens_the_form_and_its_answer_is_the_same_word(house: House) -> None:
    carol = house.person("carol")

    assert carol.command("/promote").is_ok
    view = carol.sees_view()
    ack = carol.submit(view, FILLED)

    house.finish()
    ((speaker, word),) = house.engine.heard
    assert ack.is_ok
    assert word == Propose("checkout-api", "1.4.2", "production", "it is time")
    assert (speaker.user, speaker.via) == ("U0CAROL", "modal")


@pytest.mark.parametrize("callback", [PROMOTE_IMAGE, PROMOTE_THIS])
def test_a_shortcut_opens_the_form_with_what_the_message_speaks_of(house: House, callback: str) -> None:
    message = house.post(CardStage.CANDIDATE) if callback == PROMOTE_THIS else None
    carol = house.person("carol")

    assert carol.shortcut(callback, message).is_ok

    form = carol.sees_view().payload
    begun = [one["element"].get("initial_value", "") for one in form["blocks"]]
    assert form["title"]["text"] == "Promote an image"
    assert begun[1] == ("1.4.2" if message else "")


def test_what_the_form_cannot_read_is_said_in_it_and_nothing_is_decided(house: House) -> None:
    carol = house.person("carol")
    carol.command("/promote")

    ack = carol.submit(carol.sees_view(), {**FILLED, "version": "not a tag"})

    house.finish()
    assert "That is no version" in ack.body
    assert house.engine.heard == []


def test_a_home_is_published_when_somebody_looks_and_again_when_they_have_decided(house: House) -> None:
    house.engine.view = LookOfValues(state=state(promotion()))
    ada = house.person("ada")

    assert ada.open_home().is_ok
    home = house.twin.workspace.wait_for(lambda one: one.kind is EventKind.HOME_PUBLISHED, 5).view
    assert home is not None
    house.engine.view = LookOfValues()
    ada.click(home, "Approve")

    house.finish()
    now = house.twin.workspace.views.home("U0ADA")
    assert [word for _, word in house.engine.heard] == [Approve(PROMOTION, CHANGE[:12])]
    assert now is not None
    assert "Nothing waits for your approval." in json.dumps(now.payload)
    direct = house.twin.workspace.messages(house.twin.workspace.direct("ada").id)
    assert len(direct) == 1, "the answer to a press in the Home is a direct message"


def test_the_button_of_a_home_opens_the_form(house: House) -> None:
    carol = house.person("carol")
    carol.open_home()
    home = house.twin.workspace.wait_for(lambda one: one.kind is EventKind.HOME_PUBLISHED, 5).view
    assert home is not None

    assert carol.click(home, "Promote an image...").is_ok

    assert carol.sees_view().payload["title"]["text"] == "Promote an image"


def test_a_home_that_cannot_be_published_is_told_to_who_looks(house: House) -> None:
    house.twin.levers.fail("views.publish", "invalid_auth")

    house.person("ada").open_home()

    house.finish()
    direct = house.twin.workspace.messages(house.twin.workspace.direct("ada").id)
    assert "That did not work" in words(direct[-1])


def test_what_the_world_does_after_the_acknowledgement_is_told_with_a_key_that_is_in_the_log(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(_word: Word) -> Recorded:
        raise TransientError("the repository cannot be reached")

    house.engine.answer = fails

    ack = house.person("ada").command("/promote checkout-api")

    told = house.told("ada")
    key = caplog.records[-1].getMessage().partition(":")[0]
    assert ack.is_ok
    assert "That did not work: the repository cannot be reached" in told
    assert key in told


def test_a_fault_of_ours_is_told_without_its_trace(house: House, caplog: pytest.LogCaptureFixture) -> None:
    def breaks(_word: Word) -> Recorded:
        raise ZeroDivisionError("xoxb-sandbox")

    house.engine.answer = breaks

    house.person("ada").command("/promote checkout-api")

    told = house.told("ada")
    assert "Something went wrong here, and it is logged." in told
    assert "xoxb" not in told
    assert "ZeroDivisionError" in caplog.text


def test_an_answer_finds_another_way_when_the_response_url_does_not_work(house: House) -> None:
    house.twin.levers.fail("response_url", "used_url", status=404)

    house.person("ada").command("/promote whoami")

    assert "The rules take you for ada" in house.told("ada")


def test_an_answer_that_cannot_be_whispered_becomes_a_direct_message(house: House) -> None:
    house.twin.levers.fail("response_url", "used_url", status=404)
    house.twin.levers.fail("chat.postEphemeral", "user_not_in_channel")

    house.person("ada").command("/promote whoami")

    house.finish()
    direct = house.twin.workspace.messages(house.twin.workspace.direct("ada").id)
    assert ["The rules take you for ada" in words(one) for one in direct] == [True]


def test_an_answer_that_arrives_nowhere_is_in_the_log(house: House, caplog: pytest.LogCaptureFixture) -> None:
    house.twin.levers.fail("response_url", "used_url", status=404)
    house.twin.levers.fail("chat.postEphemeral", "user_not_in_channel")
    house.twin.levers.fail("conversations.open", "user_disabled")

    house.person("ada").command("/promote whoami")

    house.finish()
    assert "could not be delivered" in caplog.text
    assert "The rules take you for ada" not in caplog.text


def test_a_form_that_slack_no_longer_opens_says_so(house: House) -> None:
    house.twin.levers.fail("views.open", "expired_trigger_id")

    house.person("ada").click(house.post(), "Reject...")

    assert "The form could not be opened: Slack gave up waiting." in house.told("ada")


def test_twenty_clicks_at_once_are_twenty_words(house: House) -> None:
    post = house.post()

    acks = [house.person(name).click(post, "Approve") for name in ("ada", "bob") for _ in range(10)]

    house.finish()
    assert all(ack.is_ok for ack in acks)
    assert len(house.engine.heard) == 20
    assert len({speaker.trigger for speaker, _ in house.engine.heard}) == 20


def test_more_than_can_wait_is_told_to_come_back(house: House) -> None:
    errands = Errands(Replies(house.client), workers=1, waiting=1)
    errands._room.acquire()

    errands.give(Address("U0ADA", "C0DEPLOYS"), lambda: None)

    assert "Nothing happened; try again in a minute." in house.told("ada")
    errands.close()


def test_commands_are_named_as_the_workspace_calls_them(house: House) -> None:
    Replies(house.client, "/ship").give(Address("U0ADA", "C0DEPLOYS"), messages.outdated())

    assert "/ship pending has what is open." in house.told("ada")


def test_a_notice_names_the_command_as_code_and_words_of_people_stay_theirs() -> None:
    facts = {
        "detail": "somebody typed /promote pending",
        "lost": "3 entries",
        "next": "two people go on without",
    }
    shown = render(Notice(what="notice/1", channel="deploys", code="ledger-read-only", facts=facts), 1)

    told = called(shown, "/ship")

    assert "two people go on without" in str(told.blocks)
    assert "{'type': 'text', 'text': '/ship fork because WHY', 'style': {'code': True}}" in str(told.blocks)
    assert "somebody typed /promote pending" in str(told.blocks)
    assert called(shown, "/promote") is shown


def test_what_comes_while_it_stops_is_told_so(house: House) -> None:
    house.errands.close()

    house.person("ada").command("/promote whoami")

    assert "Countersign is stopping" in house.told("ada")


# Requests that Bolt sees without the door


def signed(body: str, secret: str = SECRET, timestamp: str = "") -> BoltRequest:
    stamp = timestamp or str(int(time.time()))
    proof = SignatureVerifier(secret).generate_signature(timestamp=stamp, body=body)
    headers: dict[str, str | Sequence[str]] = {
        "content-type": ["application/x-www-form-urlencoded"],
        "x-slack-request-timestamp": [stamp],
        "x-slack-signature": [proof or ""],
    }
    return BoltRequest(body=body, headers=headers)


@pytest.mark.parametrize(
    ("secret", "timestamp", "status"),
    [(SECRET, "", 200), ("forged", "", 401), (SECRET, "1000000000", 401)],
    ids=["signed", "forged", "old"],
)
def test_bolt_itself_refuses_what_is_not_signed_now(secret: str, timestamp: str, status: int) -> None:
    client = WebClient(token="xoxb-sandbox", base_url="http://127.0.0.1:9/api/")
    errands = Errands(Replies(client))
    app = slack_app(EngineOfValues(), client, errands, FixedClock(), secret=SECRET)
    body = "command=%2Fpromote&text=checkout-api&user_id=U0ADA&team_id=T0SANDBOX&trigger_id=1.2"

    answer = app.dispatch(signed(body, secret, timestamp))

    errands.close()
    app.listener_runner.listener_executor.shutdown()
    assert answer.status == status


def test_a_payload_without_ids_still_has_a_trigger_of_plain_characters() -> None:
    body: dict[str, Any] = {"user": {"id": "U0ADA", "team_id": "T0"}, "actions": [{"action_ts": "1.2 é"}]}

    assert of_interaction(body, "button") == Speaker("T0", "U0ADA", "button", "1.2--")
    assert of_interaction({"actions": "odd", "user": []}, "button").trigger.isalnum()


def test_words_that_slack_never_sends_are_no_crash() -> None:
    for body in ({}, {"user": None}, {"actions": [None]}, json.loads('{"user": {"id": 3}}')):
        assert of_interaction(body, "button").user == ""


def test_a_freeze_of_all_names_every_environment(house: House) -> None:
    house.person("ada").command("/promote freeze all until 18:00 because audit")

    house.finish()
    word = house.engine.heard[0][1]
    assert word == Freeze(("staging", "production"), "audit", AT.replace(hour=18, minute=0))


def test_bolt_says_nothing_of_requests_below_errors() -> None:
    assert logging.getLogger("countersign.bolt").level == logging.ERROR


def test_a_stale_copy_of_a_card_is_a_click_like_any_other(house: House) -> None:
    stale = house.post()
    closed = render(card(CardStage.LANDED), 2)
    house.twin.workspace.edit(stale, closed.text, closed.blocks)

    house.person("bob").click(replace(stale), "Approve")

    house.finish()
    assert [word for _, word in house.engine.heard] == [Approve(PROMOTION, CHANGE[:12])]
