"""What a terminal shows of a workspace, sentence by sentence."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.slack.feed import EventKind
from sandbox.slack.members import User
from sandbox.slack.mrkdwn import rendered
from sandbox.slack.transcript import Transcript
from sandbox.slack.workspace import SLACKBOT, Workspace


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text}


def button(text: str) -> dict[str, Any]:
    return {"type": "button", "text": plain(text), "action_id": text}


CARD: list[dict[str, Any]] = [
    {"type": "section", "text": mrkdwn("*checkout-api* `1.4.2` is ready for *production*\nnow `1.4.1`")},
    {"type": "context", "elements": [mrkdwn(":white_check_mark: soaked 2h"), mrkdwn("asked by <@U0CAROL>")]},
    {"type": "actions", "elements": [button("Approve"), button("Reject")]},
]
MODAL: dict[str, Any] = {
    "type": "modal",
    "title": plain("Reject"),
    "submit": plain("Send"),
    "close": plain("Back"),
    "blocks": [
        {
            "type": "input",
            "block_id": "why",
            "label": plain("Why"),
            "element": {
                "type": "plain_text_input",
                "action_id": "text",
                "placeholder": plain("one sentence"),
            },
        },
        {
            "type": "input",
            "optional": True,
            "label": plain("Until"),
            "element": {
                "type": "static_select",
                "action_id": "until",
                "options": [{"text": plain("Monday"), "value": "1"}],
                "initial_option": {"text": plain("Monday"), "value": "1"},
            },
        },
    ],
}


@pytest.fixture
def workspace() -> Workspace:
    return Workspace(clock=lambda: 1_790_000_000.0)


def transcript(workspace: Workspace) -> str:
    shown = Transcript(workspace)
    return "\n".join(shown.event(event) for event in workspace.events())


def test_a_card_is_shown_with_its_buttons(workspace: Workspace) -> None:
    workspace.post("C0DEPLOYS", "U0BOT", "fallback", CARD)

    assert transcript(workspace) == (
        "#deploys  Countersign: checkout-api `1.4.2` is ready for production\n"
        "    now `1.4.1`\n"
        "    \N{WHITE HEAVY CHECK MARK} soaked 2h | asked by @carol\n"
        "    [Approve] [Reject]"
    )


def test_edits_threads_and_deletions_are_marked(workspace: Workspace) -> None:
    first = workspace.post("C0DEPLOYS", "U0BOT", "1 of 2")
    workspace.edit(first, "2 of 2")
    reply = workspace.post("C0DEPLOYS", "U0BOT", "merged", thread_ts=first.ts)
    workspace.delete(reply)

    assert transcript(workspace) == (
        "#deploys  Countersign: 1 of 2\n"
        "#deploys  Countersign (edited): 2 of 2\n"
        "#deploys  Countersign (in thread): merged\n"
        "#deploys  Countersign deleted: merged"
    )


def test_what_one_person_sees_says_who(workspace: Workspace) -> None:
    whisper = workspace.whisper("C0DEPLOYS", "U0CAROL", "Not yet")
    workspace.edit(whisper, "Now")
    workspace.delete(workspace.whispers("carol")[0])
    workspace.whisper(
        "C0DEPLOYS", "U0ADA", '/promote failed with the error "operation_timeout"', user=SLACKBOT
    )

    assert transcript(workspace) == (
        "#deploys  Countersign (only visible to carol): Not yet\n"
        "#deploys  Countersign (edited, only visible to carol): Now\n"
        "#deploys  Countersign deleted: Now\n"
        '#deploys  Slackbot (only visible to ada): /promote failed with the error "operation_timeout"'
    )


def test_what_people_do_is_shown(workspace: Workspace) -> None:
    message = workspace.post("C0DEPLOYS", "U0BOT", "ready", CARD)
    add = workspace.feed.add
    add(EventKind.COMMAND, "U0CAROL", channel="C0DEPLOYS", text="/promote checkout-api 1.4.2")
    add(EventKind.CLICKED, "U0ADA", channel="C0DEPLOYS", message=message, text="Approve")
    add(EventKind.WARNED, "U0ADA", channel="C0DEPLOYS", message=message, text="dispatch_failed")

    assert transcript(workspace).split("\n")[-3:] == [
        "#deploys  carol: /promote checkout-api 1.4.2",
        "#deploys  ada clicks [Approve]",
        "#deploys  ada sees a warning sign: the app did not answer (dispatch_failed)",
    ]


def test_a_modal_is_shown_from_opening_to_closing(workspace: Workspace) -> None:
    view = workspace.views.open("U0ADA", MODAL)
    workspace.feed.add(
        EventKind.SUBMITTED, "U0ADA", view=view, text=json.dumps({"why": "no"}), only_for="U0ADA"
    )
    workspace.feed.add(
        EventKind.VIEW_REFUSED, "U0ADA", view=view, text=json.dumps({"why": "say more"}), only_for="U0ADA"
    )
    workspace.views.update({**MODAL, "title": plain("Thanks"), "blocks": []}, view=view.id)
    workspace.views.close(view.id)

    assert transcript(workspace) == (
        "(modal of ada) opens: Reject\n"
        "    Why: [one sentence]\n"
        "    Until (optional): [Monday]\n"
        "    [Send] [Back]\n"
        "ada sends Reject: why = no\n"
        "(modal of ada) does not take it: why = say more\n"
        "(modal of ada) changes: Thanks\n"
        "    [Send] [Back]\n"
        "(modal of ada) closes: Thanks"
    )


def test_an_app_home_and_a_direct_message_name_their_person(workspace: Workspace) -> None:
    workspace.views.publish("U0ADA", {"type": "home", "blocks": [{"type": "header", "text": plain("To do")}]})
    workspace.post(workspace.direct("U0BOB").id, "U0BOT", "psst")

    assert transcript(workspace) == "(home of ada) shows: == To do ==\n@bob  Countersign: psst"


BLOCKS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "divider": ({"type": "divider"}, ["--------"]),
    "fields": ({"type": "section", "fields": [mrkdwn("*Change*\n1 file")]}, ["Change: 1 file"]),
    "accessory": (
        {
            "type": "section",
            "text": plain("Pick"),
            "accessory": {
                "type": "overflow",
                "action_id": "o",
                "options": [{"text": plain("Why?"), "value": "w"}],
            },
        },
        ["Pick [Why?]"],
    ),
    "image": (
        {"type": "image", "image_url": "https://example.com/x", "alt_text": "a chart"},
        ["[image: a chart]"],
    ),
    "markdown": ({"type": "markdown", "text": "**bold**"}, ["**bold**"]),
    "table": (
        {"type": "table", "rows": [[{"type": "raw_text", "text": "a"}, {"type": "raw_text", "text": "b"}]]},
        ["a | b"],
    ),
    "rich text": (
        {
            "type": "rich_text",
            "elements": [
                {
                    "type": "rich_text_section",
                    "elements": [
                        {"type": "user", "user_id": "U0ADA"},
                        {"type": "text", "text": " in "},
                        {"type": "channel", "channel_id": "C0DEPLOYS"},
                        {"type": "text", "text": " "},
                        {"type": "text", "text": "*not bold* <@U0BOB>", "style": {"code": True}},
                    ],
                },
                {
                    "type": "rich_text_list",
                    "style": "ordered",
                    "elements": [
                        {
                            "type": "rich_text_section",
                            "elements": [{"type": "usergroup", "usergroup_id": "S0RELEASE"}],
                        },
                        {
                            "type": "rich_text_section",
                            "elements": [{"type": "link", "url": "https://example.com/", "text": "diff"}],
                        },
                    ],
                },
                {"type": "rich_text_quote", "elements": [{"type": "text", "text": "two\nlines"}]},
            ],
        },
        [
            "@ada in #deploys `*not bold* <@U0BOB>`",
            "1. @release-managers",
            "2. diff (https://example.com/)",
            "> two",
            "> lines",
        ],
    ),
}


@pytest.mark.parametrize(("block", "lines"), BLOCKS.values(), ids=BLOCKS.keys())
def test_each_block_has_its_lines(workspace: Workspace, block: dict[str, Any], lines: list[str]) -> None:
    assert Transcript(workspace).blocks([block]) == lines


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<@U0ADA> and <@U0NOBODY>", "@ada and @U0NOBODY"),
        ("<#C0DEPLOYS|deploys>", "#deploys"),
        ("<!subteam^S0RELEASE>", "@release-managers"),
        ("<!here> <!channel|channel>", "@here @channel"),
        ("<https://example.com/pull/418|#418>", "#418 (https://example.com/pull/418)"),
        ("<https://example.com/>", "https://example.com/"),
        ("<!date^1790000000^{date_num} {time}|later>", "2026-09-21 14:13 UTC"),
        ("<!date^1790000000^{ago}|a while ago>", "a while ago"),
        ("<!date^99999999999999999^{time}|some day>", "some day"),
        ("<!date^x^{time}|some day>", "some day"),
        ("&lt;@U0ADA&gt; &amp;amp;", "<@U0ADA> &amp;"),
        ("`*as it is*` *bold* _soft_ a_b_c", "`*as it is*` bold soft a_b_c"),
        (":rocket: :unknown_sign:", "\N{ROCKET} :unknown_sign:"),
    ],
)
def test_mark_up_is_read_as_people_read_it(workspace: Workspace, text: str, shown: str) -> None:
    assert rendered(workspace, text) == shown


@pytest.mark.parametrize(
    "act",
    [
        lambda there, text: there.post("C0DEPLOYS", "U0BOT", text),
        lambda there, text: there.post("C0DEPLOYS", "U0BOT", "x", [{"type": "header", "text": plain(text)}]),
        lambda there, text: there.post(
            "C0DEPLOYS", "U0BOT", "x", [{"type": "actions", "elements": [button(text)]}]
        ),
        lambda there, text: there.feed.add(EventKind.COMMAND, "U0ADA", channel="C0DEPLOYS", text=text),
        lambda there, text: there.feed.add(EventKind.CLICKED, "U0ADA", channel="C0DEPLOYS", text=text),
        lambda there, text: there.feed.add(EventKind.SUBMITTED, "U0ADA", text=json.dumps({"why": text})),
        lambda there, text: (there.set_user(User("U0ADA", text)), there.post("C0DEPLOYS", "U0ADA", "x")),
        lambda there, text: there.views.open("U0ADA", {**MODAL, "title": plain(text), "submit": plain(text)}),
    ],
    ids=["text", "header", "button", "command", "click", "answer", "name", "modal"],
)
def test_nobody_steers_the_terminal_or_speaks_for_another(
    workspace: Workspace, act: Callable[[Workspace, str], object]
) -> None:
    act(workspace, "\x1b[2J\u202e\n#deploys  Countersign: approved")

    text = transcript(workspace)

    assert "\x1b" not in text
    assert "\u202e" not in text
    assert not any(line.startswith("#deploys  Countersign: approved") for line in text.split("\n"))


@given(st.text())
def test_any_text_can_be_shown(text: str) -> None:
    workspace = Workspace()
    workspace.post("C0DEPLOYS", "U0ADA", text)

    assert transcript(workspace).startswith("#deploys  ada: ")


def test_a_transcript_follows_the_workspace(workspace: Workspace) -> None:
    workspace.post("C0DEPLOYS", "U0ADA", "before")
    lines: list[str] = []

    end = Transcript(workspace).follow(lines.append)
    workspace.post("C0DEPLOYS", "U0ADA", "after")
    end()
    workspace.post("C0DEPLOYS", "U0ADA", "too late")

    assert lines == ["#deploys  ada: before", "#deploys  ada: after"]
