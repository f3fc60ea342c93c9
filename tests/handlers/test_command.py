"""What people type, read: a table, and a law that holds for any text."""

from datetime import UTC, datetime

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from handlers.shell.cli import app
from handlers.slack.command import parse
from handlers.slack.names import Names
from handlers.slack.questions import (
    AllApprovals,
    Changes,
    Check,
    Everything,
    Help,
    History,
    Misunderstood,
    Pending,
    Question,
    Stats,
    Status,
    Who,
    WhoAmI,
    Why,
)
from handlers.slack.spelling import spell
from handlers.slack.typed import unescaped
from handlers.slack.usage import USAGE
from policies.rulebook.fields import RESERVED
from policies.rules.rules import Rules
from policies.words import (
    Approve,
    Block,
    Cancel,
    Emergency,
    Fork,
    Freeze,
    Hold,
    Propose,
    Redact,
    Reject,
    Resume,
    Review,
    Rollback,
    Unapprove,
    Unblock,
    Unfreeze,
    Word,
)
from tests.handlers.samples import AT, NAMES

UNDERSTOOD: dict[str, object] = {
    "": Help(),
    "   ": Help(),
    "checkout-api": Propose("checkout-api"),
    "checkout-api 1.4.2": Propose("checkout-api", "1.4.2"),
    "checkout-api sha256:9b1c to staging": Propose("checkout-api", "sha256:9b1c", "staging"),
    "checkout-api latest@sha256:9b1c2d": Propose("checkout-api", "latest@sha256:9b1c2d"),
    "checkout-api 1.4.2 to staging": Propose("checkout-api", "1.4.2", "staging"),
    "checkout-api to staging 1.4.2": Propose("checkout-api", "1.4.2", "staging"),
    "checkout-a 1.4.2 TO production-e": Propose("checkout-api", "1.4.2", "production-eu"),
    "Checkout-API V1": Propose("checkout-api", "V1"),
    "checkout-api to staging because it is time": Propose("checkout-api", "", "staging", "it is time"),
    "checkout-api BECAUSE “it is time”": Propose("checkout-api", note="it is time"),
    "checkout-api because it fails because of us": Propose("checkout-api", note="it fails because of us"),
    "\u201cweb\u201d \u20181.0\u2019": Propose("web", "1.0"),
    "web\u00a01.0\nto\tstaging": Propose("web", "1.0", "staging"),
    "approve #418": Approve("#418"),
    "approve all": AllApprovals(),
    "Approve ALL in staging because looks good": AllApprovals("staging", "looks good"),
    "approve all to production-eu": AllApprovals("production-eu"),
    "approve 418 because looks good": Approve("#418", note="looks good"),
    "APPROVE 7f3a9c2e41d0": Approve("7f3a9c2e41d0"),
    "unapprove #418": Unapprove("#418"),
    "reject #418 because <b> & `c` <!channel>": Reject("#418", "<b> & `c` <!channel>"),
    'reject #418 because "a" is not "b"': Reject("#418", '"a" is not "b"'),
    "cancel #418": Cancel("#418"),
    "redact #12 because it names a customer": Redact(12, "it names a customer"),
    "redact 12 because x": Redact(12, "x"),
    "fork because the branch was pushed over": Fork("the branch was pushed over"),
    "rollback checkout-api because it burns": Rollback("checkout-api", "it burns"),
    "rollback checkout-api to 1.4.0 in production-eu because it burns": Rollback(
        "checkout-api", "it burns", "1.4.0", ("production-eu",)
    ),
    "rollback checkout-api in production-eu, production-us to 1.4.0 because it burns": Rollback(
        "checkout-api", "it burns", "1.4.0", ("production-eu", "production-us")
    ),
    "rollback web in production-eu and staging because x": Rollback(
        "web", "x", environments=("production-eu", "staging")
    ),
    "hold web because x": Hold("web", "x"),
    "hold web in staging until 2h because x": Hold(
        "web", "x", "staging", datetime(2026, 11, 20, 16, 28, tzinfo=UTC)
    ),
    "hold web until 14:28 because x": Hold("web", "x", until=datetime(2026, 11, 21, 14, 28, tzinfo=UTC)),
    "hold web until 18:00 UTC because x": Hold("web", "x", until=datetime(2026, 11, 20, 18, 0, tzinfo=UTC)),
    "resume web in staging because x": Resume("web", "x", "staging"),
    "block web 1.0 because x": Block("web", "1.0", "x"),
    "unblock web 1.0 because x": Unblock("web", "1.0", "x"),
    "freeze all because x": Freeze(("staging", "production-eu", "production-us"), "x"),
    "freeze staging production-eu until 2026-12-24 08:00 because x": Freeze(
        ("staging", "production-eu"), "x", datetime(2026, 12, 24, 8, tzinfo=UTC)
    ),
    "freeze staging until 3d because x": Freeze(
        ("staging",), "x", datetime(2026, 11, 23, 14, 28, tzinfo=UTC)
    ),
    "freeze staging until 2026-12-24 because x": Freeze(
        ("staging",), "x", datetime(2026, 12, 24, tzinfo=UTC)
    ),
    "unfreeze staging because x": Unfreeze("staging", "x"),
    "status": Status(),
    "status web": Status("web"),
    "status staging": Status(environment="staging"),
    "status web in staging": Status("web", "staging"),
    "why web": Why("web"),
    "why web 1.0 to staging": Why("web", "1.0", "staging"),
    "check": Check(),
    "check web": Check("web"),
    "changes web": Changes("web"),
    "changes web 1.0 in staging": Changes("web", "1.0", "staging"),
    "changes web to production-eu": Changes("web", environment="production-eu"),
    "pending": Pending(),
    "history web": History("web"),
    "who web": Who("web"),
    "stats": Stats(),
    "stats web": Stats("web"),
    "stats in staging": Stats(environment="staging"),
    "stats web staging": Stats("web", "staging"),
    "stats web staging in staging": Stats("web", "staging"),
    "/promote why web": Why("web"),
    "/promote": Help(),
    "whoami": WhoAmI(),
    "help": Help(),
    "help Freeze": Help("freeze"),
    "all": Everything(),
    "all to staging because it is time": Everything("staging", "it is time"),
    "all in staging": Everything("staging"),
    "emergency web 1 to staging because x": Emergency("web", "1", "staging", "x"),
    "emergency web 1.0 to production-eu because payments fail": Emergency(
        "web", "1.0", "production-eu", "payments fail"
    ),
    "review #12 because fine": Review("#12", "fine"),
    "review 12 because fine": Review("#12", "fine"),
    "review D1A82A4 because fine": Review("d1a82a4", "fine"),
    "review 1234567 because fine": Review("1234567", "fine"),
}
FORM = " Say `/promote SERVICE [VERSION] [to ENV] [because WHY]`."
HOLD = "Say `/promote hold SERVICE [in ENV] [until WHEN] because WHY`."
ROLLBACK = "Say `/promote rollback SERVICE [to VERSION] [in ENV...] because WHY`."
UNCLEAR: dict[str, tuple[str, tuple[str, ...]]] = {
    "emergency web 1.0 because now": (
        "To which environment? Say `/promote emergency SERVICE VERSION to ENV because WHY`.",
        (),
    ),
    "emergency web to staging because now": (
        "Which version? Say `/promote emergency SERVICE VERSION to ENV because WHY`.",
        (),
    ),
    "emergency web 1.0 to staging": (
        "Say why, so that the record does: `/promote emergency SERVICE VERSION to ENV because WHY`.",
        (),
    ),
    "review because fine": ("Which one? Say `/promote review #12 because WHY`; the notice names it.", ()),
    "review everything because fine": (
        "`everything` is neither a number, as #12, nor a commit or promotion. Say `/promote review #12 because WHY`.",
        (),
    ),
    "review #12": ("Say why, so that the record does: `/promote review #12 because WHY`.", ()),
    "checkout-ap1 1.4.2 to staging because now": (
        "No service is called `checkout-ap1`; did you mean `checkout-api` or `checkout-worker`?" + FORM,
        ("checkout-api 1.4.2 to staging because now", "checkout-worker 1.4.2 to staging because now"),
    ),
    "checkout 1.4.2": (
        "More than one service begins with `checkout`; did you mean `checkout-api` or `checkout-worker`?"
        + FORM,
        ("checkout-api 1.4.2", "checkout-worker 1.4.2"),
    ),
    "web to stagin": ("", ()),
    "web to stahing": (
        "No environment is called `stahing`; did you mean `staging`?" + FORM,
        ("web to staging",),
    ),
    "web to production": (
        "More than one environment begins with `production`; did you mean `production-eu` or `production-us`?"
        + FORM,
        ("web to production-eu", "web to production-us"),
    ),
    "aprove #418": (
        (
            "`aprove` is neither a service nor a word that I know; did you mean `approve` or `unapprove`? "
            "Say `/promote approve #418 [because WHY]`."
        ),
        ("approve #418", "unapprove #418"),
    ),
    "web staging": ("`staging` is an environment; say `to staging`." + FORM, ("web to staging",)),
    "web 1.0 staging": (
        "Too many words: `1.0 staging`. A service and one version are enough." + FORM,
        ("web 1.0 to staging",),
    ),
    "web 1/0": ("'1/0' is not a tag; expected at most 128 of A-Z a-z 0-9 _ . -." + FORM, ()),
    "web to": ("Which environment? There is none behind `to`." + FORM, ()),
    "web to staging to staging": ("`to` stands there twice." + FORM, ()),
    "approve": (
        "Which one? Say `/promote approve #418 [because WHY]`; `/promote pending` lists them.",
        ("pending",),
    ),
    "approve #418 in staging": (
        (
            "An environment is named where all are approved. "
            "Say `/promote approve #418 [because WHY]`, or `/promote approve all [in ENV] [because WHY]`."
        ),
        ("approve all",),
    ),
    "approve web": (
        (
            "`web` is neither the number of a pull request, as #418, nor the id of a promotion; "
            "`/promote pending` lists both."
        ),
        ("pending",),
    ),
    "reject #418": ("Say why, so that the record does: `/promote reject #418 because WHY`.", ()),
    "rollback web": (
        "Say why, so that the record does: `/promote rollback SERVICE [to VERSION] [in ENV...] because WHY`.",
        (),
    ),
    "rollback web to staging because x": (
        "`staging` is an environment; say `in staging`. " + ROLLBACK,
        ("rollback web in staging because x",),
    ),
    "hold web in staging production-eu because x": (
        "One environment at a time; you named staging, production-eu. " + HOLD,
        (),
    ),
    "hold web until yesterday because x": (
        "'yesterday' is not a time; expected 2h, 3d, 18:00 (UTC), 2026-12-24 or 2026-12-24 08:00. " + HOLD,
        (),
    ),
    "hold web until 2026-02-30 because x": (
        "'2026-02-30' is not a time; expected 2h, 3d, 18:00 (UTC), 2026-12-24 or 2026-12-24 08:00. " + HOLD,
        (),
    ),
    "hold web until 2026-11-20 because x": ("2026-11-20 00:00 UTC is not in the future. " + HOLD, ()),
    "block web because x": ("Which version? Say `/promote block SERVICE VERSION because WHY`.", ()),
    "freeze because x": ("Which environment? Say `/promote freeze ENV...|all [until WHEN] because WHY`.", ()),
    "status wob": (
        "`wob` is neither a service nor an environment; did you mean `web`? Say `/promote status [SERVICE|ENV]`.",
        ("status web",),
    ),
    "status web staging production-eu": (
        "One environment at a time; you named staging, production-eu. Say `/promote status [SERVICE|ENV]`.",
        (),
    ),
    "stats web cart-api": (
        "One service at a time; you named web, cart-api. Say `/promote stats [SERVICE|ENV]`.",
        (),
    ),
    "status staging in production-eu": (
        "One environment at a time; you named staging, production-eu. Say `/promote status [SERVICE|ENV]`.",
        (),
    ),
    "freeze staging until 9999999999h because x": (
        (
            "'9999999999h' is not a time; expected 2h, 3d, 18:00 (UTC), 2026-12-24 or 2026-12-24 08:00. "
            "Say `/promote freeze ENV...|all [until WHEN] because WHY`."
        ),
        (),
    ),
    "rollback web to because x": ("Which version? There is none behind `to`. " + ROLLBACK, ()),
    "resume web 1.0 because x": (
        "I do not know what to do with `1.0`. Say `/promote resume SERVICE [in ENV] because WHY`.",
        (),
    ),
    "unfreeze because x": ("Which environment? Say `/promote unfreeze ENV because WHY`.", ()),
    "history": ("Which service? Say `/promote history SERVICE`.", ()),
    "history everything-else": (
        (
            "No service is called `everything-else`; there are `cart-api`, `checkout-api`, `checkout-worker`, `web`. "
            "Say `/promote history SERVICE`."
        ),
        (),
    ),
    "everything-else": (
        (
            "`everything-else` is neither a service nor a word that I know; `/promote help` lists the words, "
            "`/promote status` says what runs where."
        ),
        (),
    ),
    "plan": (
        "`plan` is a word of the command line, `countersign`; here it is `/promote status`.",
        ("status",),
    ),
    "verify": (
        "`verify` is a word of the command line, `countersign`; `/promote help` has those of Slack.",
        (),
    ),
    "why a`b`\u202ec": (
        (
            "No service is called `a'b'\N{REPLACEMENT CHARACTER}c`; there are `cart-api`, `checkout-api`, "
            "`checkout-worker`, `web`. Say `/promote why SERVICE [VERSION] [to ENV]`."
        ),
        (),
    ),
    "web because": ("A reason has at least one word: say `because` and why.", ()),
    "web because one\ntwo": (
        "A reason is one line, yours has 2. Nothing was done; here is your text.",
        (),
    ),
    "web because a\x07b": (
        "A reason has no control characters, yours has. Nothing was done; here is your text.",
        (),
    ),
    "web because a\u202eb": (
        "A reason has no control characters, yours has. Nothing was done; here is your text.",
        (),
    ),
}
del UNCLEAR["web to stagin"]  # a unique prefix is a name


@pytest.mark.parametrize("text", UNDERSTOOD)
def test_a_command_is_read(text: str) -> None:
    assert parse(text, NAMES, AT) == UNDERSTOOD[text]


@pytest.mark.parametrize("text", UNCLEAR)
def test_what_is_unclear_comes_back_with_commands_that_are_not(text: str) -> None:
    sentence, corrected = UNCLEAR[text]

    heard = parse(text, NAMES, AT)

    first = text.split(maxsplit=1)[0].lower() if text.strip() else ""
    asks = f"help {first}" if first in USAGE else "help"
    assert heard == Misunderstood(sentence, given=text, corrected=corrected or (asks,))


@pytest.mark.parametrize("text", UNCLEAR)
def test_corrected_commands_are_understood(text: str) -> None:
    for corrected in UNCLEAR[text][1]:
        assert not isinstance(parse(corrected, NAMES, AT), Misunderstood)


def test_a_unique_prefix_is_a_name() -> None:
    assert parse("web to stagin", NAMES, AT) == Propose("web", environment="staging")


def test_a_reason_of_280_characters_is_taken_and_of_281_is_given_back() -> None:
    kept = parse("web because " + "a" * 280, NAMES, AT)
    given_back = parse("web because " + "a" * 281, NAMES, AT)

    assert kept == Propose("web", note="a" * 280)
    assert isinstance(given_back, Misunderstood)
    assert "a" * 281 in given_back.given


@pytest.mark.parametrize("text", [one for one, word in UNDERSTOOD.items() if isinstance(word, Word)])
def test_a_word_that_is_spelled_again_is_the_same_word(text: str) -> None:
    word = UNDERSTOOD[text]
    assert isinstance(word, Word)

    assert parse(spell(word), NAMES, AT) == word


ESCAPED = {
    "because <@U0ADA|ada> saw it": "because @ada saw it",
    "because <@U0ADA> saw it": "because @U0ADA saw it",
    "because <!channel> should know": "because @channel should know",
    "because <!subteam^S0|@release> knows": "because @release knows",
    "because <#C0DEPLOYS|deploys> says so": "because #deploys says so",
    "because <https://example.com/x|this>": "because https://example.com/x",
    "because &lt;b&gt; &amp;amp; c": "because <b> &amp; c",
    "because &lt;!channel&gt;": "because <!channel>",
}


@pytest.mark.parametrize("text", ESCAPED)
def test_what_slack_does_to_a_text_is_undone_once(text: str) -> None:
    assert unescaped(text) == ESCAPED[text]


WORDS = (
    "web checkout approve reject rollback hold freeze block unblock status why help to in until because all and "
    "staging production 1.0 #418 2h 18:00 2026-12-24 9999999h <@U1|a> <!channel> &lt; \u201c \u2019 \x00 \u202e"
)
PIECES = st.sampled_from([*WORDS.split(" "), "\n", "\u00a0"])


@given(st.one_of(st.text(), st.lists(st.one_of(PIECES, st.text(max_size=5)), max_size=9).map(" ".join)))
def test_any_text_is_read_or_given_back_whole(text: str) -> None:
    text = unescaped(text)
    heard = parse(text, NAMES, AT)

    assert isinstance(heard, Word | Question | Misunderstood)
    if isinstance(heard, Misunderstood):
        assert heard.given == text
        assert heard.sentence
        assert len(heard.corrected) <= 3
    note = getattr(heard, "note", "")
    assert len(note) <= 280
    assert len(note.splitlines()) <= 1


@given(st.text())
def test_without_any_names_nothing_is_guessed(text: str) -> None:
    heard = parse(text, Names((), ()), AT)

    assert not isinstance(heard, Propose | Rollback | Hold | Resume | Block | Unblock | Unfreeze)


def test_an_emergency_of_a_group_names_no_version() -> None:
    names = Names(("web", "shop"), ("production",), ("shop",))

    assert parse("emergency shop to production because payments fail", names, AT) == Emergency(
        "shop", "", "production", "payments fail"
    )
    assert Names.of(Rules({}, {}, groups={"shop": ("web", "cart")})).groups == ("shop",)


def test_no_service_may_have_a_words_name() -> None:
    assert {word.split()[0] for word in USAGE if word} <= RESERVED


def test_words_of_the_command_line_that_are_none_here_are_known_for_that() -> None:
    words = {*typer.main.get_group(app).commands} - {*USAGE, "select", "set", "demo"}

    for word in words:
        found = parse(word, Names((), ()), AT)
        assert isinstance(found, Misunderstood)
        assert "is a word of the command line" in found.sentence, word
    assert len(words) > 8


def test_what_somebody_typed_cannot_mark_up_a_sentence_or_fill_a_page() -> None:
    heard = parse(f"why {'`x`' * 200}", NAMES, AT)

    assert isinstance(heard, Misunderstood)
    assert heard.sentence.count("`") == 12  # around the name, four services, and the form
    assert len(heard.sentence) < 250


GROUPED = Names(("cart", "web", "shop"), ("staging", "production"), ("shop",))


@pytest.mark.parametrize(
    ("text", "end", "corrected"),
    [
        ("why shop 1.0 to staging", "leave the version out", "why shop to staging"),
        ("changes shop 1.0", "leave the version out", "changes shop"),
        ("block shop 1.0 because x", "name one of them", "help block"),
        ("unblock shop 1.0 because x", "name one of them", "help unblock"),
        ("block shop because x", "name one of them", "help block"),
    ],
)
def test_a_group_has_no_version_of_its_own(text: str, end: str, corrected: str) -> None:
    heard = parse(text, GROUPED, AT)

    assert isinstance(heard, Misunderstood)
    assert f"`shop` is a group, whose services have versions of their own: {end}." in heard.sentence
    assert heard.corrected == (corrected,)
    assert parse("why shop", GROUPED, AT) == Why("shop")
