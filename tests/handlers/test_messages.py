"""Sentences, read: each code has one, and what a person is told names the thing and the next step."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.answers import PROBLEMS, NotRecorded, Recorded
from handlers.slack import messages, reports
from handlers.slack.blocks import MAX_POINTS, Said, message_of
from handlers.slack.endings import after
from handlers.slack.help import help_about
from handlers.slack.home import home
from handlers.slack.questions import History, Pending, Status, Who, WhoAmI, Why
from handlers.slack.reasons import PHRASES, phrase, reason, reasons
from handlers.slack.spans import plain
from policies.codes import Code
from policies.decide import Candidate, Decision, Standing
from policies.entries.entry import Kind
from policies.images.evidence import Silent
from policies.images.selection import Fate, SelectionPolicy, select
from policies.ledger.state import Open, Stage
from policies.rules.rules import Line
from policies.verdict import Failed, Waiting
from policies.words import Approve, Propose, Rollback, Word
from sandbox.slack.block_kit import problems_of_blocks
from tests.handlers.samples import (
    AT,
    PROMOTION,
    RULES,
    EngineOfValues,
    LookOfValues,
    promotion,
    row,
    state,
)

ELSEWHERE = "A version of the service is under way there already. /promote pending shows it."
COUNTED = "Your approval of checkout-api 1.4.2 in production is recorded: 2 of 2 approvals."
MOVE: dict[str, Any] = {
    "service": "checkout-api",
    "environment": "production",
    "version": "1.4.2",
    "previous": "1.4.1",
}


OBSERVED = replace(
    RULES,
    environments={**RULES.environments, "staging": replace(RULES.environments["staging"], is_observed=True)},
)


def said(question: object, view: LookOfValues | None = None, user: str = "U0CAROL", **more: object) -> Said:
    engine = EngineOfValues(view=view or LookOfValues(), **more)  # type: ignore[arg-type]  # the fields by name
    return reports.reply(engine, question, user=user)  # type: ignore[arg-type]  # any question


@pytest.mark.parametrize(
    "code", [*Code, *(one for one in Silent), *(one for one in Fate if one != "selected")]
)
def test_every_code_has_a_phrase_of_its_own(code: str) -> None:
    assert PHRASES[code] == phrase(code)
    assert phrase(code) != str(code)


@pytest.mark.parametrize("code", [*PROBLEMS, *Code])
def test_every_refusal_is_a_sentence(code: str) -> None:
    head = plain(messages.refused(NotRecorded(code=str(code)), Propose("web"), None, "").head)

    assert head[0].isupper()
    assert head.endswith(".")
    assert "!" not in head


@pytest.mark.parametrize("code", PROBLEMS)
def test_every_problem_has_a_sentence_of_its_own(code: str) -> None:
    assert code in messages.PROBLEM_SENTENCES


@pytest.mark.parametrize(
    ("answer", "word", "expected", "commands"),
    [
        (
            NotRecorded(code="unknown-version", choices=("1.4.2", "1.4.1", "1.3.0", "0.9")),
            Propose("web", "1.4.3", "production", "x"),
            (
                "1.4.3 is not known there. /promote why web says what could come, /promote check web asks the registry "
                "now.\n• known: 1.4.2, 1.4.1, 1.3.0, 0.9"
            ),
            (
                "web 1.4.2 to production because x",
                "web 1.4.1 to production because x",
                "web 1.3.0 to production because x",
            ),
        ),
        (
            NotRecorded(code="which-environment", choices=("production-eu", "production-us")),
            Rollback("web", "it burns"),
            "More than one environment could be meant. Say which.\n• one of: production-eu, production-us",
            (
                "rollback web in production-eu because it burns",
                "rollback web in production-us because it burns",
            ),
        ),
        (
            NotRecorded(code=Code.FROZEN, detail="audit"),
            Propose("web"),
            "The environment stands still. /promote unfreeze ENV because WHY lets it move.\n• audit",
            (),
        ),
        (
            NotRecorded(code=Code.OPEN_ELSEWHERE, detail="1.4.1 is under way", choices=("7f3a9c2e41d0",)),
            Propose("web"),
            f"{ELSEWHERE}\n• 1.4.1 is under way",
            (),
        ),
        (
            NotRecorded(code="unknown-service", detail="wob", choices=("cart", "web")),
            Propose("wob", "1.0"),
            "The rules have no service wob.\n• known: cart, web",
            ("web 1.0",),
        ),
        (
            NotRecorded(code=Code.SOAKING, detail="2h are needed"),
            Propose("web"),
            (
                f"Not now: {phrase(Code.SOAKING).replace('`', '')}. /promote why web says for what it waits.\n"
                "• 2h are needed"
            ),
            (),
        ),
        (
            NotRecorded(code=Code.BLOCKED, detail="it leaks"),
            Propose("web", "1.0"),
            (
                "Somebody blocked the version, or it was rolled back here or in an environment before. "
                "/promote unblock web 1.0 because WHY lets it move.\n• it leaks"
            ),
            (),
        ),
        (
            NotRecorded(code="unknown-version", detail="1.0 has not run in staging", choices=("1.4.1",)),
            Rollback("web", "it burns", "1.0"),
            (
                "1.0 has never run there, so one cannot go back to it. /promote history web lists what was moved.\n"
                "• 1.0 has not run in staging\n• known: 1.4.1"
            ),
            ("rollback web to 1.4.1 because it burns",),
        ),
        (
            NotRecorded(code="unknown-version"),
            Approve("#418"),
            (
                "That version is not known there. /promote why SERVICE says what could come, "
                "/promote check SERVICE asks the registry now."
            ),
            (),
        ),
        (
            NotRecorded(code=Code.NOT_WHOLE, detail="shop is a group", choices=("shop",)),
            Propose("shop", "1.0", "production"),
            (
                "A group moves as a whole, each service to its own version. Leave the version out.\n"
                "• shop is a group"
            ),
            ("shop to production",),
        ),
        (
            NotRecorded(code=Code.REQUESTER, detail="carol asked for it"),
            Approve("#418"),
            "You asked for it, so somebody else approves.",
            (),
        ),
    ],
    ids=lambda one: one.code if isinstance(one, NotRecorded) else "",
)
def test_a_refusal_names_the_reason_and_the_next_step(
    answer: NotRecorded, word: Word, expected: str, commands: tuple[str, ...]
) -> None:
    told = messages.refused(answer, word, None, "")

    assert told.text == expected
    assert told.commands == commands


@pytest.mark.parametrize("stage", [one for one in Stage if one is not Stage.OPEN])
def test_what_has_ended_says_how(stage: Stage) -> None:
    ended = promotion(stage, ended_by="ada")

    told = messages.refused(NotRecorded(code=Code.CLOSED), Approve(ended.id), ended, "bob")

    assert "by ada at 2026-11-20 14:28 UTC, so nothing was recorded.\n" in told.text


ANEW = "To ask for it anew: /promote checkout-api 1.4.2 to production"
PENDING = "/promote pending lists "


@pytest.mark.parametrize(
    ("stage", "then"),
    [
        (Stage.MERGING, "The card shows how it goes."),
        (Stage.MERGED, "The card shows how it goes."),
        (
            Stage.LANDED,
            (
                "Where it still stands, this undoes it: /promote rollback checkout-api in production because WHY; "
                "/promote history checkout-api lists what came since."
            ),
        ),
        (Stage.MISMATCH, f"{PENDING}the review that it waits for."),
        (Stage.REJECTED, ANEW),
        (Stage.CANCELLED, ANEW),
        (Stage.EXPIRED, ANEW),
        (Stage.SUPERSEDED, f"{PENDING}what is under way."),
        (Stage.REMOVED, "/promote all to production lists what may be asked for there now."),
        (Stage.CLOSED, ANEW),
    ],
)
def test_what_has_ended_says_what_can_be_done_now(stage: Stage, then: str) -> None:
    refusal = NotRecorded(code=Code.CLOSED, ended=promotion(stage))

    told = messages.refused(refusal, Approve("#418"), refusal.ended, "bob")

    assert told.text.endswith(f"\n• {then}")


def test_who_merged_is_named_and_hostile_words_of_an_end_stay_words() -> None:
    landed = replace(promotion(Stage.LANDED), merger="dan-d", done=AT)
    rejected = replace(promotion(Stage.REJECTED, ended_by="ada"), ended_note="<!channel> *no*\n`x`")

    merged, refused = (
        messages.refused(NotRecorded(code=Code.CLOSED), Approve(one.id), one, "bob")
        for one in (landed, rejected)
    )

    assert plain(merged.head) == (
        "It landed, merged at GitHub by dan-d at 2026-11-20 14:28 UTC, so nothing was recorded."
    )
    shown = message_of(refused)
    assert "<!channel>" not in shown.text
    assert "&lt;!channel&gt; *no*" in shown.text
    assert "mrkdwn" not in str(shown.blocks)


def test_what_was_asked_for_apart_is_asked_for_anew_in_the_same_way() -> None:
    ended = promotion(Stage.REJECTED)
    back, urgent = (replace(ended, kind=one) for one in (Kind.ROLLBACK, Kind.EMERGENCY))

    said = [plain(after(*one)[-1]) for one in ((back,), (urgent,), (ended, "shop"))]

    assert said == [
        "To ask for it anew: /promote rollback checkout-api to 1.4.2 in production because WHY",
        "To ask for it anew: /promote emergency checkout-api 1.4.2 to production because WHY",
        "To ask for it anew: /promote shop to production",
    ]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            Recorded(kind=Kind.PROPOSE, wanted=2, number=418, url="https://example.com/pull/418", **MOVE),
            "You asked for checkout-api 1.4.2 in production: 0 of 2 approvals.\n• pull request #418",
        ),
        (
            Recorded(
                kind=Kind.APPROVE,
                given=2,
                wanted=2,
                waits=(Waiting(Code.FROZEN, "audit", AT),),
                **MOVE,
            ),
            f"{COUNTED}\n• It waits: the environment stands still, until 2026-11-20 14:28 UTC: audit",
        ),
        (
            Recorded(
                kind=Kind.PROPOSE,
                wanted=2,
                waits=(Waiting(Code.APPROVALS_MISSING, "0 of 2 approvals"), Waiting(Code.HELD, "audit")),
                **MOVE,
            ),
            (
                "You asked for checkout-api 1.4.2 in production: 0 of 2 approvals.\n"
                "• It waits: somebody holds the service where it is: audit"
            ),
        ),
        (
            Recorded(kind=Kind.APPROVE, given=2, wanted=2, commit="d1a82a4", **MOVE),
            f"{COUNTED} It is merged.",
        ),
        (
            Recorded(kind=Kind.ROLLBACK, service="web", environment="staging", version="1", previous="2"),
            (
                "web goes back to 1 in staging, away from 2.\n"
                "• 2 stays blocked there until somebody unblocks it: /promote unblock web 2 because WHY"
            ),
        ),
        (
            Recorded(kind=Kind.ROLLBACK, service="web", environment="staging", version="1", commit="d1a82a4"),
            "web went back to 1 in staging.",
        ),
        (
            Recorded(kind=Kind.FREEZE, environment="staging"),
            "You froze staging: it stands still; a rollback still passes.",
        ),
        (Recorded(kind=Kind.HOLD, service="web"), "You hold web: it stays what it is."),
        (Recorded(kind=Kind.BLOCK, service="web", version="1.0"), "You blocked web 1.0: it never moves."),
        (
            Recorded(kind=Kind.REVIEW, service="web", environment="staging", closes=12),
            "You reviewed #12 of web in staging: it is closed.",
        ),
        (
            Recorded(
                kind=Kind.EMERGENCY,
                service="web",
                environment="staging",
                version="2",
                given=1,
                wanted=2,
                due=AT,
            ),
            (
                "Emergency: web 2 in staging: 1 of 2 approvals.\n"
                "• Somebody who had no part in it reviews it until 2026-11-20 14:28 UTC."
            ),
        ),
        (
            Recorded(
                kind=Kind.EMERGENCY, service="web", environment="staging", version="2", commit="d1a82a4"
            ),
            "Emergency: web 2 in staging is in place.",
        ),
        (
            Recorded(
                kind=Kind.FREEZE,
                environment="staging",
                more=(Recorded(kind=Kind.FREEZE, environment="production"),),
            ),
            (
                "You froze staging: it stands still; a rollback still passes.\n"
                "• You froze production: it stands still; a rollback still passes."
            ),
        ),
    ],
    ids=lambda one: one.kind if isinstance(one, Recorded) else "",
)
def test_what_is_recorded_is_said(answer: Recorded, expected: str) -> None:
    assert messages.recorded(answer).text == expected


def test_a_reason_says_until_when() -> None:
    assert plain(reason(Waiting(Code.HELD, "audit", AT))) == (
        "somebody holds the service where it is, until 2026-11-20 14:28 UTC: audit"
    )
    assert plain(reason(Failed(Code.BLOCKED, "rolled-back"))).endswith(": it was rolled back")


def test_a_reason_says_nothing_twice() -> None:
    assert plain(reason(Waiting(Code.NOT_IN_PREVIOUS, "it has not run in staging"))) == (
        "it has not run in staging, as exactly this image"
    )
    assert plain(reason(Failed(Code.DIGEST_MOVED, "1.5.0 was sha256:9b1c when it was first seen"))) == (
        "the tag names another digest than when it was first seen"
    )


def test_status_says_what_waits_and_what_stands_still() -> None:
    assert said(Status()).text == (
        "4 places: 3 up to date, 1 not.\n"
        "• production is frozen until 2026-11-21 14:28 UTC: audit\n"
        "• production: checkout-api 1.4.1, next 1.4.2 waits: the environment stands still, "
        "until 2026-11-21 14:28 UTC: audit; nobody has asked for it yet"
    )


def test_status_of_a_service_shows_each_place() -> None:
    assert "• staging: cart-api 2.0.0, nothing newer may move" in said(Status("cart-api")).text


def test_status_of_one_environment_speaks_of_it_alone() -> None:
    assert said(Status(environment="staging")).text.startswith("2 places: 2 up to date, 0 not.")


def test_status_of_five_hundred_services_stays_a_message() -> None:
    waiting = Candidate("2", "", Standing.WAITING, (Waiting(Code.NOT_REQUESTED),))
    rows = tuple(row("production", f"service-{number}", "1", waiting) for number in range(500))

    told = said(Status(), LookOfValues(decision=Decision(AT, "f" * 40, rows)))
    message = message_of(told)

    assert problems_of_blocks(list(message.blocks)) == []
    assert f"and {501 - MAX_POINTS} more" in str(message.blocks)
    assert len(message.text) <= 3500


def test_an_old_view_says_that_it_is() -> None:
    told = said(Status(), LookOfValues(problem="the repository cannot be reached"))

    assert "• as of 2026-11-20 14:28 UTC: the repository cannot be reached" in told.text


def test_why_answers_for_a_version_that_was_passed_over() -> None:
    passed_over = Candidate("1.4.0", "", Standing.REFUSED, (Failed(Code.OLDER),))

    told = said(Why("checkout-api", "1.4.0"), candidates={"production": passed_over})

    assert told.text == (
        "checkout-api 1.4.0:\n• production: 1.4.0 is refused: it is older than what runs there"
    )


def test_pending_counts_approvals() -> None:
    told = said(Pending(), LookOfValues(state=state(promotion(Stage.OPEN, "ada"))))

    assert told.text == (
        "1 promotion under way:\n"
        "• 7f3a9c2e41d0 production: checkout-api 1.4.1 → 1.4.2, asked for by carol, 1 of 2 approvals, open"
    )


def test_pending_tells_what_waits_for_a_review() -> None:
    found = state(replace(promotion(Stage.OPEN), kind=Kind.ROLLBACK))
    found.open[7] = Open(
        Kind.ROLLBACK, "production", "checkout-api", "", AT, due=AT + timedelta(days=2), promotion=PROMOTION
    )
    under_way = said(Pending(), LookOfValues(state=found)).text
    assert "#7" not in under_way, "it is not over yet"

    found.live.clear()
    found.promotions[PROMOTION] = replace(found.promotions[PROMOTION], stage=Stage.LANDED)
    found.open[9] = Open(Kind.EMERGENCY, "production", "checkout-api", "", AT, due=AT - timedelta(days=1))
    found.open[10] = Open(Kind.CONFIG, "staging", "", "e" * 40, AT)

    assert said(Pending(), LookOfValues(state=found)).text == (
        "Nothing is under way, 3 reviews open:\n"
        "• #7 rollback of checkout-api in production waits for a review until 2026-11-22 14:28 UTC\n"
        "• #9 emergency of checkout-api in production should have been reviewed until 2026-11-19 14:28 UTC\n"
        "• #10 change of files in staging waits for a review\n"
        "• Who had no part in it closes one: /promote review #NUMBER because WHY"
    )


def test_history_is_newest_first() -> None:
    assert said(History("checkout-api")).text == (
        "1 move of checkout-api, newest first:\n• 2026-11-20 14:28 UTC staging bump: 1.4.1 → 1.4.2 eeeeeee"
    )
    assert said(History("cart-api")).text == (
        "Nothing of cart-api was moved since the ledger began.\n• /promote status cart-api says what runs where."
    )


def test_who_names_the_people_of_each_line() -> None:
    assert said(Who("checkout-api")).text == (
        "Who may approve checkout-api:\n"
        "• staging: nobody is asked: it moves by itself\n"
        "• production: 2 of release-managers (ada, bob, carol); not: requester"
    )


def test_who_of_a_group_says_once_what_holds_for_all_of_it_and_what_is_only_observed() -> None:
    two = replace(RULES.environments["production"], approvals=(Line(1),))
    rules = replace(
        RULES,
        environments={
            "lab": replace(RULES.environments["staging"], name="lab", is_observed=True),
            **RULES.environments,
        },
        groups={"shop": ("cart-api", "checkout-api")},
        exceptions={("production", "cart-api"): two},
    )

    assert said(Who("shop"), LookOfValues(rules=rules)).text == (
        "Who may approve shop:\n"
        "• lab for cart-api, checkout-api: only observed: nothing is moved there\n"
        "• staging for cart-api, checkout-api: nobody is asked: it moves by itself\n"
        "• production for cart-api: 1 (ada, bob, carol); not: requester\n"
        "• production for checkout-api: 2 of release-managers (ada, bob, carol); not: requester"
    )


def test_each_sentence_is_said_once_whatever_says_it() -> None:
    gates = [Waiting(Code.GATE_UNKNOWN, f"{name} has not been looked at yet") for name in ("tests", "scan")]
    twice = Waiting(Code.UNHEALTHY, "it is reported unhealthy in staging")
    again = Waiting(Code.HELD, phrase(Code.HELD))

    told = [plain(one) for one in reasons([twice, *gates, again, twice, gates[0]])]

    assert told == [
        "it is reported unhealthy in staging",
        f"{phrase(Code.GATE_UNKNOWN)}: tests has not been looked at yet, scan has not been looked at yet",
        phrase(Code.HELD),
    ]


def test_what_ends_at_another_time_is_another_sentence() -> None:
    at = [Waiting(Code.HELD, "audit", AT + timedelta(hours=one)) for one in (1, 2, 1)]

    assert len(reasons(at)) == 2


READY = Candidate("1.4.2", "", Standing.READY)


@pytest.mark.parametrize(
    ("look", "expected"),
    [
        ({}, "moves at the next pass"),
        ({"is_observing": True}, "could move, but this bot only observes"),
        ({"rules": OBSERVED}, "could move, but the environment is only observed"),
    ],
    ids=["moves", "the bot observes", "the environment is observed"],
)
def test_what_nothing_stands_in_the_way_of_moves_only_where_something_moves(
    look: dict[str, Any], expected: str
) -> None:
    rows = (row("staging", "checkout-api", "1.4.1", READY),)
    view = replace(LookOfValues(decision=Decision(AT, "f" * 40, rows)), **look)

    for told in (
        said(Status(), view),
        said(Why("checkout-api"), view),
        said(Why("checkout-api", "1.4.2"), view, candidates={"staging": READY}),
    ):
        assert f"1.4.2 {expected}" in told.text
    assert expected in str(home(view, "carol", "U0CAROL"))


def test_why_of_a_group_that_has_nothing_to_move_tells_of_its_members_that_are_behind() -> None:
    before = Candidate("2.4.0", "", Standing.WAITING, (Waiting(Code.KNOWN_BEFORE, "2.4.0 stays"),))
    rows = (row("staging", "cart-api", "2.3.0", before), row("staging", "checkout-api", "1.4.1"))
    rules = replace(RULES, groups={"shop": ("cart-api", "checkout-api")})

    def told(*candidates: Candidate) -> list[str]:
        groups = (row("staging", "shop", "as it is", *candidates),)
        decision = Decision(AT, "f" * 40, rows, groups)
        return said(Why("shop"), LookOfValues(rules=rules, decision=decision)).text.splitlines()[1:]

    assert told() == [
        "• staging: shop as it is, nothing newer may move",
        f"• staging: cart-api 2.3.0, next 2.4.0 waits: {phrase(Code.KNOWN_BEFORE)}: 2.4.0 stays",
    ]
    assert len(told(replace(READY, version="cart-api 2.4.0"))) == 1  # the group says it itself


def test_a_place_without_the_image_is_told_by_what_was_looked_for() -> None:
    missing = replace(
        row("staging", "checkout-api", ""),
        verdict=Standing.WAITING,
        codes=(Code.NO_REFERENCE.value,),
        detail="no file there names ghcr.io/x with a tag",
    )
    odd = replace(missing, codes=(Code.AMBIGUOUS.value,), detail="1.0 and 1.1")

    told = said(Status(), LookOfValues(decision=Decision(AT, "f" * 40, (missing, odd)))).text

    assert "(no image found), no file there names ghcr.io/x with a tag\n" in told
    assert f"(no image found), {phrase(Code.AMBIGUOUS)}: 1.0 and 1.1" in told


def test_more_reasons_than_have_room_are_counted() -> None:
    codes = (Code.FROZEN, Code.HELD, Code.SOAKING, Code.LIMIT_REACHED, Code.BLOCKED, Code.NOT_REQUESTED)
    found = Candidate("1.4.2", "", Standing.WAITING, tuple(Waiting(code, "") for code in codes))
    rows = (row("production", "checkout-api", "1.4.1", found),)

    told = said(Status(), LookOfValues(decision=Decision(AT, "f" * 40, rows))).text

    assert told.endswith("(`limit`); and 2 more")


UNLISTED = Candidate("9.9.9", "", Standing.REFUSED, (Failed(Silent.NO_SUCH_TAG, ""),))


@pytest.mark.parametrize(
    ("asked", "listed", "expected", "commands"),
    [
        (
            Why("checkout-api", "9.9.9"),
            ("1.4.2", "1.4.1"),
            "Expected one that is listed, the newest: 1.4.2, 1.4.1.",
            ("why checkout-api 1.4.2", "why checkout-api 1.4.1"),
        ),
        (
            Why("checkout-api", "9.9.9", "production"),
            ("9.9.8", "1.4.2"),
            "Did you mean 9.9.8?",
            ("why checkout-api 9.9.8 in production",),
        ),
        (Why("checkout-api", "9.9.9"), (), "The registry lists no version that the rules take.", ()),
    ],
    ids=["nothing near", "one near", "none"],
)
def test_a_version_that_nobody_knows_is_answered_with_those_that_are_known(
    asked: Why, listed: tuple[str, ...], expected: str, commands: tuple[str, ...]
) -> None:
    chosen = select(SelectionPolicy.semver(">=1"), listed)
    rows = (replace(row("production", "checkout-api", "1.4.1"), selection=chosen),)

    told = said(
        asked, LookOfValues(decision=Decision(AT, "f" * 40, rows)), candidates={"production": UNLISTED}
    )

    assert told.text.splitlines() == [
        "checkout-api 9.9.9:",
        "• production: 9.9.9 is refused: the registry has no such tag",
        f"• {expected}",
        "• /promote check checkout-api asks the registry now.",
    ]
    assert told.commands == commands


def test_whoami_says_what_to_add_for_somebody_unknown() -> None:
    assert reports.reply(EngineOfValues(), WhoAmI(), user="U0DAN", team="T0").text == (
        "The rules link nobody to your Slack account, so your word does not count yet.\n"
        "• Somebody adds slack: U0DAN under your name in the rules' people.\n"
        "• Or you link your GitHub account by yourself: /promote link."
    )


def test_help_has_a_line_for_each_word_and_guesses_a_mistyped_one() -> None:
    assert "/promote freeze ENV...|all [until WHEN] because WHY" in help_about("freeze").text
    assert help_about("freze").commands[0] == "help freeze"
    assert help_about("nope").text == "There is no word nope; /promote help lists them."
    assert help_about("plan").text.endswith("here it is /promote status.")
    assert (help_about("plan").commands, help_about("verify").commands) == (("help status",), ("help",))
    assert problems_of_blocks(list(message_of(help_about("")).blocks)) == []


def test_where_nothing_may_be_asked_for_it_is_said_what_the_newest_version_waits_for() -> None:
    waits = (
        Waiting(Code.SIGNATURE_MISSING, "ghcr.io/a/web has none for sha256:00000"),
        Failed(Code.LABEL_DIFFERS, "qa is 'missing'"),
    )
    answer = NotRecorded(code="nothing-to-promote", detail="1.4.2", waits=waits)

    told = messages.refused(answer, Propose("web"), None, "")

    assert [plain(one) for one in told.points] == [
        "1.4.2 waits: the image has no signature: ghcr.io/a/web has none for sha256:00000",
        "1.4.2 cannot be asked for: the image lacks a label or annotation that the rules name: qa is 'missing'",
    ]


@pytest.mark.parametrize(
    "question",
    [Status(), Why("checkout-api"), Pending(), History("checkout-api"), Who("checkout-api"), WhoAmI()],
)
@pytest.mark.parametrize("user", ["U0CAROL", "U0NOBODY"])
def test_an_answer_from_a_ledger_that_is_not_checked_yet_says_so(question: object, user: str) -> None:
    known, unknown = LookOfValues(), LookOfValues(is_checked=False)

    assert messages.CHECKING in said(question, unknown, user).text
    assert messages.CHECKING not in said(question, known, user).text


def test_who_decides_before_the_ledger_is_checked_is_told_to_wait_and_gets_the_word_back() -> None:
    answer = NotRecorded(code="ledger-checking", detail="checking 5 of 9000 entries")

    told = messages.refused(answer, Propose("web", "1.4.2", "production", "now"), None, "")

    assert told.text == (
        "The ledger is still being checked, so nothing was recorded. Say it again once that has ended.\n"
        "• checking 5 of 9000 entries"
    )
    assert told.given == "web 1.4.2 to production because now"
    assert told.commands == ()
