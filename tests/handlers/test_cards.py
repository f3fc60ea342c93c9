"""Cards as people see them, held against Block Kit, and against names that would be mark-up."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slack_sdk.models.blocks import ActionsBlock, Block

from bot.cards import DECIDABLE, CardLine, CardStage, Notice, Who
from bot.looking.troubles import Wrong
from handlers.slack.blocks import Message, Said, message_of
from handlers.slack.cards import render
from policies.codes import Code
from policies.verdict import Failed, Waiting
from sandbox.slack.block_kit import interactive, problems_of_blocks
from sandbox.slack.members import sample_world
from sandbox.slack.transcript import Transcript
from sandbox.slack.workspace import Workspace
from tests.handlers.samples import ADA, AT, BOB, CAROL, CHANGE, PROMOTION, card

FULL = (CardLine("2 of release-managers", (ADA, BOB), 0),)
DECISIONS = {"approve", "reject", "promote"}


def seen(message: Message) -> str:
    """Return a message as a person reads it."""
    return "\n".join(Transcript(Workspace(sample_world())).blocks(list(message.blocks)))


def buttons(message: Message) -> dict[str, dict[str, Any]]:
    found = [element for block in message.blocks for _, element in interactive(block)]
    return {element["action_id"]: element for element in found}


def strings(value: object, key: str = "text") -> list[str]:
    """Return every text of a message that could be mark-up: of mrkdwn objects only."""
    if isinstance(value, dict):
        own = [str(value[key])] if value.get("type") == "mrkdwn" else []
        return own + [one for member in value.values() for one in strings(member)]
    if isinstance(value, list | tuple):
        return [one for member in value for one in strings(member)]
    return []


@pytest.mark.parametrize("stage", CardStage)
@pytest.mark.parametrize("is_rollback", [False, True], ids=["forward", "rollback"])
def test_every_card_is_one_that_slack_takes(stage: CardStage, *, is_rollback: bool) -> None:
    shown = card(
        stage,
        is_rollback=is_rollback,
        note="fixes rounding",
        waits=(Waiting(Code.FROZEN, "audit", AT),),
        ended_by=ADA,
        ended_note="it fails",
        newer="1.4.3",
        commit="d1a82a4" + "0" * 33,
        voided=Code.DIGEST_MOVED,
    )

    message = render(shown, 3)

    assert problems_of_blocks(list(message.blocks)) == []
    assert len(message.blocks) <= 50
    assert message.text
    assert message.text.endswith((".", "d1a82a4"))
    assert message.blocks[0]["type"] == "rich_text"
    assert len(message.blocks[0]["elements"]) == 1
    for block in Block.parse_all(list(message.blocks)):
        block.validate_json()


@pytest.mark.parametrize("stage", CardStage)
def test_only_a_card_that_waits_for_a_decision_has_decision_buttons(stage: CardStage) -> None:
    there = DECISIONS & buttons(render(card(stage), 1)).keys()

    match stage:
        case CardStage.CANDIDATE:
            assert there == {"promote"}
        case CardStage.OPEN:
            assert there == {"approve", "reject"}
        case CardStage.APPROVED | CardStage.CLEARED:
            assert there == {"reject"}
        case _:
            assert stage not in DECIDABLE
            assert not there


def test_an_approved_card_whose_approval_is_too_old_takes_one_more() -> None:
    shown = card(CardStage.APPROVED, lines=FULL, waits=(Waiting(Code.WAITING_FOR_A_GO),))

    assert "approve" in buttons(render(shown, 1))


def test_what_goes_by_commit_names_its_promotion_and_its_branch() -> None:
    branch = f"countersign/production/checkout-api/{PROMOTION}"
    shown = seen(render(card(number=0, url="", branch=branch), 1))
    ended = render(card(CardStage.CLOSED, number=0, url="", branch=branch), 1)

    assert f"Promotion `{PROMOTION}`, its change on branch `{branch}`" in shown
    assert "Pull request" not in shown
    assert ended.text.endswith("ended: its branch was taken away or changed.")


def test_what_people_merge_says_where_and_who_did() -> None:
    shown = render(card(CardStage.CLEARED, lines=FULL, by_people=True), 1)

    assert shown.text.endswith(
        "checkout-api 1.4.1 → 1.4.2 in production is approved by ada and bob: merge it at GitHub."
    )
    assert buttons(shown)["link_pull_request"]["text"]["text"] == "Merge #418 in GitHub"
    assert "Merge now" not in seen(shown)
    landed = seen(render(card(CardStage.LANDED, lines=FULL, merger="bob", commit="d1a82a4" + "0" * 33), 1))
    assert "#418 (https://github.com/example/gitops/pull/418), merged at GitHub by bob, `d1a82a4`" in landed


@pytest.mark.parametrize(
    ("by_people", "label", "then"),
    [(True, "Approve again", "people may merge it"), (False, "Merge now", "it is merged")],
)
def test_a_button_says_what_becomes_of_an_approval(*, by_people: bool, label: str, then: str) -> None:
    stale = card(CardStage.APPROVED, lines=FULL, waits=(Waiting(Code.WAITING_FOR_A_GO),), by_people=by_people)
    last = card(by_people=by_people)

    assert buttons(render(stale, 1))["approve"]["text"]["text"] == label
    assert then in json.dumps(render(last, 1).blocks)


def test_each_redraw_has_block_ids_of_its_own() -> None:
    first = {block["block_id"] for block in render(card(), 1).blocks}
    second = {block["block_id"] for block in render(card(), 2).blocks}

    assert not first & second


def test_drawing_is_pure() -> None:
    assert render(card(), 7) == render(card(), 7)


def test_an_open_card_shows_who_asked_for_what_and_what_is_missing() -> None:
    waits = (Waiting(Code.APPROVALS_MISSING, "1 of 2 approvals"), Waiting(Code.FROZEN, "audit", AT))
    shown = card(note="fixes rounding", waits=waits)

    assert seen(render(shown, 1)) == OPEN


OPEN = """\
checkout-api `1.4.1` → `1.4.2` in production waits for approvals: 1 of 2.
Asked for by @carol, Nov 20, 2026 14:28 UTC
Image `ghcr.io/example/checkout-api` `sha256:9b1c9b1c9b1c…`
Pull request #418 (https://github.com/example/gitops/pull/418)
Expires Nov 21, 2026 14:28 UTC
- \N{MEDIUM WHITE CIRCLE} 2 of release-managers: approved by @ada, 1 missing
- \N{HOURGLASS WITH FLOWING SAND} the environment stands still, until Nov 20, 2026 14:28 UTC: audit
> fixes rounding
[Approve] [Reject...] [Pull request #418]"""


def test_an_open_card_leads_to_its_links_and_pings_whom_the_rules_name() -> None:
    links = (("source", "https://github.com/acme/web"), ("board", "javascript:alert(1)"))
    who = (Who("ada", "U0ADA"), Who("oncall", "S0ONCALL"), Who("@here", "here"), Who("security", "acme"))
    message = render(card(CardStage.OPEN, links=links, notified=who), 1)

    found = json.dumps(message.blocks)
    assert problems_of_blocks(list(message.blocks)) == []
    assert '{"type": "user", "user_id": "U0ADA"}' in found
    assert '{"type": "usergroup", "usergroup_id": "S0ONCALL"}' in found
    assert '{"type": "broadcast", "range": "here"}' in found
    assert '"url": "https://github.com/acme/web"' in found
    assert '"url": "javascript' not in found
    assert "For @ada" in seen(message)


def test_the_confirm_dialog_says_that_yours_is_the_last_approval() -> None:
    button = buttons(render(card(), 1))["approve"]

    assert "Yours is the last approval" in button["confirm"]["text"]["text"]
    assert button["value"] == f"{PROMOTION}|{CHANGE[:12]}"


def test_a_candidate_carries_service_environment_and_version() -> None:
    message = render(card(CardStage.CANDIDATE, promotion="", number=0, url="", lines=()), 1)

    assert buttons(message)["promote"]["value"] == "checkout-api|production|1.4.2"
    assert "checkout-api 1.4.2 can be asked for in production, which runs 1.4.1." in message.text


def test_a_move_by_the_bot_is_one_line() -> None:
    shown = card(CardStage.MOVED, environment="staging", commit="d1a82a4" + "0" * 33)

    assert seen(render(shown, 1)) == "staging: checkout-api `1.4.1` → `1.4.2` `d1a82a4`"


def test_a_rollback_by_a_commit_says_by_whom_and_why() -> None:
    shown = card(
        CardStage.MOVED,
        environment="staging",
        version="1.4.3",
        previous="1.5.0",
        is_rollback=True,
        note="it is not what was tested",
        number=0,
        lines=(),
        commit="d1a82a4" + "0" * 33,
    )

    assert seen(render(shown, 1)).splitlines() == [
        (
            "\N{BLACK LEFT-POINTING DOUBLE TRIANGLE} checkout-api was rolled back from `1.5.0` to `1.4.3` "
            "in staging by @carol."
        ),
        "“it is not what was tested”, `d1a82a4`",
    ]


def test_a_rollback_by_a_pull_request_names_each_person_once() -> None:
    lines = (CardLine("2", (CAROL, BOB), 0),)
    shown = card(CardStage.LANDED, is_rollback=True, note="baskets are empty", lines=lines)

    head, second = seen(render(shown, 1)).splitlines()

    assert head.endswith("was rolled back from `1.4.1` to `1.4.2` in production by @carol.")
    assert second.startswith("“baskets are empty”, approved by @bob, #418")


@pytest.mark.parametrize(
    "stage",
    [
        CardStage.LANDED,
        CardStage.REJECTED,
        CardStage.CANCELLED,
        CardStage.EXPIRED,
        CardStage.SUPERSEDED,
        CardStage.REMOVED,
        CardStage.CLOSED,
    ],
)
def test_the_second_line_of_what_is_over_quotes_the_reason_that_was_given(stage: CardStage) -> None:
    second = seen(render(card(stage, note="fixes rounding"), 1)).splitlines()[1]

    assert second.startswith("Asked for by @carol because “fixes rounding”, approved by @ada")


def test_who_ended_it_is_quoted_before_who_asked() -> None:
    shown = card(CardStage.REJECTED, note="fixes rounding", ended_by=BOB, ended_note="it fails", lines=())

    head, second = seen(render(shown, 1)).splitlines()

    assert head.endswith("was rejected by @bob.")
    assert second.startswith("“it fails”, asked for by @carol because “fixes rounding”, #418")


def test_the_reason_of_a_mismatch_is_no_quotation() -> None:
    second = seen(render(card(CardStage.MISMATCH, ended_note="other-files"), 1)).splitlines()[1]

    assert second.startswith("Other files were changed than those that were approved, asked for by @carol")


def test_a_candidate_that_is_none_any_more_says_why() -> None:
    blocked = card(CardStage.GONE, waits=(Failed(Code.BLOCKED, "it leaks"),))
    overtaken = card(CardStage.GONE, waits=(Failed(Code.NEWER_AVAILABLE),), newer="1.4.3")

    assert seen(render(blocked, 1)).endswith("in an environment before: it leaks.")
    assert seen(render(overtaken, 1)).endswith("for production; `1.4.3` took its place.")


def test_what_cannot_go_on_does_not_ask_for_approvals() -> None:
    shown = seen(render(card(waits=(Failed(Code.BLOCKED, "it leaks"),)), 1))

    assert shown.splitlines()[0].endswith("cannot be merged as it is; it has 1 of 2 approvals.")
    assert "- \N{NO ENTRY} somebody blocked the version" in shown


def test_a_landed_card_is_two_lines_that_name_who_trusted_it() -> None:
    message = render(card(CardStage.LANDED, lines=FULL, commit="d1a82a4" + "0" * 33), 1)

    assert seen(message).splitlines() == [
        "\N{WHITE HEAVY CHECK MARK} checkout-api `1.4.1` → `1.4.2` is in production.",
        "Asked for by @carol, approved by @ada and @bob, #418 (https://github.com/example/gitops/pull/418), `d1a82a4`",
    ]


def test_void_approvals_say_why_once() -> None:
    moved = Failed(Code.DIGEST_MOVED, "1.4.2 was sha256:9b1c when it was first seen")
    nobody = (CardLine("2 of release-managers", (), 2),)

    shown = seen(render(card(voided=Code.DIGEST_MOVED, lines=nobody, waits=(moved,)), 1))

    assert "The approvals are void: the tag names another digest than when it was first seen." in shown
    assert shown.count("another digest") == 1


@pytest.mark.parametrize("stage", CardStage)
def test_approved_is_only_said_of_people_whom_the_ledger_has(stage: CardStage) -> None:
    nobody = (CardLine("2 of release-managers", (), 2),)

    message = render(card(stage, lines=nobody), 1)

    told = {CardStage.APPROVED, CardStage.CLEARED, CardStage.MISMATCH}
    if stage not in told:  # the engine says that the first two have them all
        assert "approved" not in seen(message).lower()


def test_an_address_that_is_none_is_no_button_and_no_link() -> None:
    for url in ("javascript:alert(1)", "https://x y", "http://", "<https://x>", ""):
        message = render(card(url=url), 1)

        assert "link_pull_request" not in buttons(message)
        assert '"link"' not in str(message.blocks).replace("'", '"')


NASTY = st.one_of(
    st.sampled_from(
        [
            "<!channel>",
            "<@U0ADA>",
            "<https://evil.example|click>",
            "https://evil.example",
            "*bold* _it_ `code`",
            "a" * 300,
            "\u202etxt.exe",
            "one\ntwo\r\nthree",
            "&lt;!here&gt;",
            "\x00\x07\x1b[31m",
            "",
            " ",
            "\ud800",
        ]
    ),
    st.text(max_size=320),
)


@given(stage=st.sampled_from(CardStage), words=st.lists(NASTY, min_size=9, max_size=9))
def test_strings_of_others_are_never_mentions_links_or_line_breaks(
    stage: CardStage, words: list[str]
) -> None:
    a, b, c, d, e, f, g, h, i = words
    shown = card(
        stage,
        service=a,
        version=b,
        previous=c,
        environment=d,
        note=e,
        digest=f,
        repository=g,
        url=h,
        newer=i,
        requester=Who(e, a),
        ended_by=Who(c, b),
        ended_note=d,
        lines=(CardLine(a, (Who(b, c),), 1),),
        waits=(Waiting(Code.FROZEN, d, AT), Failed(Code.BLOCKED, e)),
    )

    message = render(shown, 1)

    assert problems_of_blocks(list(message.blocks)) == []
    assert not re.search(r"[<>]", message.text)
    assert "\n" not in message.text
    assert len(message.text) <= 3500
    assert strings(message.blocks) == []
    assert not {"\u202e", "\x1b", "\x00"} & set(str(message.blocks))
    kinds = re.findall(r"'type': '(\w+)'", str(message.blocks))
    assert "broadcast" not in kinds
    assert kinds.count("user") <= sum(bool(re.fullmatch(r"[UW][A-Z0-9]{1,30}", one)) for one in words) * 3
    message.text.encode()


@given(
    code=NASTY,
    facts=st.dictionaries(st.sampled_from(["service", "detail", "url", "environment", "x"]), NASTY),
)
def test_any_notice_is_one_that_slack_takes(code: str, facts: dict[str, str]) -> None:
    message = render(Notice(what="w", channel="deploys", code=code, facts=facts), 1)

    assert problems_of_blocks(list(message.blocks)) == []
    assert not re.search(r"[<>]", message.text)


def test_a_notice_says_what_it_is_and_when_it_is_over() -> None:
    facts = {
        "commit": "d1a82a4" + "0" * 33,
        "file": "promotion/rules.yaml",
        "line": "3",
        "what": "unknown key",
    }

    begun = render(Notice(what="w", channel="c", code="rules-broken", facts=facts), 1)
    over = render(Notice(what="w", channel="c", code="rules-broken", facts=facts, is_over=True), 2)

    assert begun.text == "The rules at d1a82a4 cannot be read, so the last good ones stay in force."
    assert "`promotion/rules.yaml:3`: unknown key" in seen(begun)
    assert over.text == "The rules can be read again."


@pytest.mark.parametrize("stage", [CardStage.LANDED, CardStage.MOVED])
@pytest.mark.parametrize("is_rollback", [True, False], ids=["rollback", "emergency"])
def test_what_was_done_first_says_who_looks_at_it_and_how(stage: CardStage, *, is_rollback: bool) -> None:
    shown = card(stage, is_rollback=is_rollback, is_emergency=not is_rollback, review=12, review_due=AT)

    message = render(shown, 1)

    assert problems_of_blocks(list(message.blocks)) == []
    assert "Somebody who had no part in it reviews it until " in seen(message)
    assert "/promote review #12 because ..." in seen(message)


@pytest.mark.parametrize("code", Wrong)
@pytest.mark.parametrize("is_over", [False, True], ids=["on", "over"])
def test_every_trouble_of_the_engine_has_its_sentence(code: Wrong, *, is_over: bool) -> None:
    facts = dict.fromkeys(
        [
            "environment",
            "environments",
            "service",
            "host",
            "version",
            "services",
            "commit",
            "by",
            "number",
            "kind",
            "count",
            "seq",
            "oid",
        ],
        "x1",
    )

    text = render(Notice(what="w", channel="c", code=code, facts=facts, is_over=is_over), 1).text

    assert text.endswith(".")
    assert "?" not in text
    assert code.value not in text or code.value.isalpha()  # a word of people, no code


FIRST = {
    "environments": "staging, production",
    "services": "12",
    "asked": "production",
    "alone": "staging",
    "services in staging": "12",
    "services in production": "11",
}
ALONE = {
    "environments": "production",
    "services": "12",
    "asked": "production",
    "services in production": "12",
}
KEPT = "ersions that were there before move only when somebody asks for them; "
ALL = "`/promote all` lists what may be asked for."
KEPT_ALONE = f" V{KEPT}{ALL}"
KEPT_THERE = f" In production, v{KEPT}{ALL}"
STAGING = "\n- staging, where nobody is asked: 12 services, "
PRODUCTION = "\n- production, where people are asked: 11 services, "
UNTIL = "until a newer version comes or the rules say catch-up: true"
MANY = ", ".join(f"s{number}" for number in range(12))


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (
            {
                **FIRST,
                "behind in staging": "web",
                "staying in staging": "web",
                "behind in production": "api, web",
                "deciding in production": "web",
            },
            (
                f"12 services in staging and production.{KEPT_THERE}"
                f"{STAGING}1 behind (web), which stays {UNTIL}"
                f"{PRODUCTION}2 behind (api and web), 1 needs a decision (web)"
            ),
        ),
        (
            {**FIRST, "behind in staging": "a, b, c", "staying in staging": "a, b"},
            (
                "12 services in staging and production."
                f"{STAGING}3 behind (a, b and c), 2 stay (a and b) {UNTIL}{PRODUCTION}none behind"
            ),
        ),
        (FIRST, f"12 services in staging and production.{STAGING}none behind{PRODUCTION}none behind"),
        (
            {**FIRST, "behind in staging": MANY, "behind in production": "api"},
            (
                f"12 services in staging and production.{KEPT_THERE}"
                f"{STAGING}12 behind (s0, s1, s2, s3, s4, s5, s6, s7, s8, s9 and 2 more)"
                f"{PRODUCTION}1 behind (api)"
            ),
        ),
        (
            {**ALONE, "behind in production": "a, b, c, d, e, f, g", "deciding in production": "b, f"},
            (
                "12 services in production, where people are asked: 7 behind, 2 need a decision (b and f)."
                f"{KEPT_ALONE}\n- behind: a, b, c, d, e, f and g"
            ),
        ),
        (
            {**ALONE, "behind in production": "a, b", "deciding in production": "a, b"},
            (
                "12 services in production, where people are asked: 2 behind (a and b), and each needs a decision."
                f"{KEPT_ALONE}"
            ),
        ),
        (
            {**ALONE, "behind in production": MANY, "deciding in production": MANY},
            (
                "12 services in production, where people are asked: 12 behind, and each needs a decision."
                f"{KEPT_ALONE}\n- behind: s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10 and s11"
            ),
        ),
        (
            {
                **ALONE,
                "asked": "",
                "alone": "production",
                "behind in production": MANY,
                "staying in production": "s0, s1, s2, s3, s4, s5",
            },
            (
                f"12 services in production, where nobody is asked: 12 behind, 6 stay {UNTIL}."
                "\n- behind: s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10 and s11"
                "\n- staying: s0, s1, s2, s3, s4 and s5"
            ),
        ),
        (
            {**ALONE, "asked": "", "observed": "production", "behind in production": "web"},
            "12 services in production, which is only observed: 1 behind (web).",
        ),
        (
            {**ALONE, "services": "1", "asked": "", "alone": "production", "behind in production": "web"},
            "1 service in production, where nobody is asked: 1 behind (web).",
        ),
    ],
    ids=[
        "numbers for each",
        "some stay",
        "nothing",
        "many, and caught up",
        "one environment",
        "all wait for people",
        "many wait for people",
        "many stay",
        "observed",
        "one service",
    ],
)
def test_a_first_look_says_what_is_behind_where_and_what_waits_for_people(
    facts: dict[str, str], expected: str
) -> None:
    shown = seen(render(Notice(what="w", channel="c", code="first-look", facts=facts), 1))

    assert shown == f"\N{PACKAGE} Countersign looks after {expected}"


def test_a_first_look_of_five_hundred_services_stays_a_message() -> None:
    many = ", ".join(f"service-{number}" for number in range(500))
    facts = {
        "environments": "staging",
        "services": "500",
        "behind in staging": many,
        "deciding in staging": many,
    }

    message = render(Notice(what="w", channel="c", code="first-look", facts=facts), 1)

    assert problems_of_blocks(list(message.blocks)) == []
    assert seen(message).endswith(", service-49 and 450 more")


def test_what_caught_up_in_one_commit_is_one_message() -> None:
    facts = {
        "environment": "staging",
        "count": "2",
        "commits": "d1a82a41d1a8",
        "services": "cart 1.0.0 -> 1.1.0, web 1.0.0 -> 1.1.0",
    }

    shown = seen(render(Notice(what="w", channel="c", code="caught-up", facts=facts), 1))

    assert shown == (
        "\N{PACKAGE} 2 services in staging caught up with what was there at the first look, in one go.\n"
        "- commits: d1a82a41d1a8\n- services: cart 1.0.0 -> 1.1.0, web 1.0.0 -> 1.1.0"
    )


def test_a_tag_that_moved_is_told_with_its_environments_and_what_to_do() -> None:
    facts = {
        "environments": "staging, production",
        "service": "web",
        "version": "1.5.0",
        "was": "sha256:" + "8a" * 32,
        "now": "sha256:" + "44" * 32,
    }

    begun = seen(render(Notice(what="w", channel="c", code="digest-moved", facts=facts), 1))
    over = render(Notice(what="w", channel="c", code="digest-moved", facts=facts, is_over=True), 2)

    assert begun.splitlines() == [
        (
            "\N{WARNING SIGN} The tag 1.5.0 of web names another image than when it was first seen, so that image "
            "stays out of staging and production. To use it, push it under a tag of its own."
        ),
        "- first seen as: `sha256:8a8a8a8a8a8a…`",
        "- names now: `sha256:444444444444…`",
    ]
    assert over.text == "The tag 1.5.0 of web names the image again that it named first."


def test_a_move_by_others_says_from_what_to_what_and_how_long_it_holds() -> None:
    facts = {
        "environment": "staging",
        "service": "web",
        "commit": "d1a82a4" + "0" * 33,
        "version": "1.1",
        "previous": "1.0",
        "until": "2026-11-21T14:28:00Z",
    }

    shown = seen(render(Notice(what="w", channel="c", code="external", facts=facts), 1))

    assert "Somebody moved web in staging in Git, without Countersign." in shown
    assert "version: `1.1`" in shown
    assert "until: Nov 21, 2026 14:28 UTC" in shown


@given(NASTY, st.lists(NASTY, max_size=5), NASTY)
def test_any_answer_is_one_that_slack_takes(head: str, commands: list[str], given_back: str) -> None:
    message = message_of(Said((head,), tuple((one,) for one in commands), given_back, tuple(commands)))

    assert problems_of_blocks(list(message.blocks)) == []
    assert not re.search(r"[<>]", message.text)


def test_buttons_are_parsed_by_slacks_own_models() -> None:
    blocks = Block.parse_all(list(render(card(), 1).blocks))

    assert any(isinstance(block, ActionsBlock) for block in blocks)


def test_what_is_reported_unhealthy_offers_the_way_back() -> None:
    for stage in (CardStage.LANDED, CardStage.MOVED):
        shown = render(card(stage, health="unhealthy"), 1)

        assert "reported unhealthy" in seen(shown)
        assert "rollback" in buttons(shown)


def test_what_is_healthy_says_so_and_offers_nothing() -> None:
    shown = render(card(CardStage.LANDED, health="healthy"), 1)

    assert "is in production, healthy." in seen(shown)
    assert "rollback" not in buttons(shown)
    assert "rollback" not in buttons(render(card(CardStage.LANDED, health="unhealthy", is_observed=True), 1))


def test_what_waits_for_a_go_is_merged_by_a_button_of_that_name() -> None:
    shown = render(card(CardStage.APPROVED, lines=FULL, waits=(Waiting(Code.WAITING_FOR_A_GO),)), 1)

    assert "Merge now" in str(shown.blocks)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (Code.SOAKING, "its soak ends Nov 20, 2026 14:28 UTC: healthy in staging"),
        (Code.TOO_YOUNG, "it is old enough Nov 20, 2026 14:28 UTC: healthy in staging"),
        (Code.LIMIT_REACHED, "the limit lets the next move through Nov 20, 2026 14:28 UTC"),
        (Code.FREEZE_WINDOW, "the freeze of the rules ends Nov 20, 2026 14:28 UTC"),
    ],
)
def test_what_time_opens_is_said_by_when(code: Code, said: str) -> None:
    waits = (Waiting(code, "healthy in staging since 12:28 UTC, 2h are needed", AT),)

    assert said in seen(render(card(CardStage.APPROVED, lines=FULL, waits=waits), 1))
