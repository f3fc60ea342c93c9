"""The trailers as docs/ledger.md tells them: their order and the form of each value, beside what is written."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from bot import wording
from bot.signing import Signer, vouch
from bot.verify import CLOSER_SINCE
from bot.wording import Trailer, Urgency
from policies.ledger.state import Stage
from tests.policies.ledger_builders import at_stage, oid, story

PAGE = (Path(__file__).parents[2] / "docs" / "ledger.md").read_text("utf-8")
ROWS = PAGE.split("| trailer | value | where it comes from |\n", 1)[1].split("\n\n", 1)[0].splitlines()[1:]
FORMS = {name: form for row in ROWS for name, form in re.findall(r"^\| `([^`]+)` \| `([^`]+)` \|", row)}
PARTS = {
    "<accounts>": r"(?:slack:\S+/\S+)?(?: ?github:\S+/[0-9]+)?(?: ?review [0-9]+)?",
    "<at>": "[0-9T:-]{19}Z",
    "<base64>": "[A-Za-z0-9+/=]{88}",
    "<digest>": "sha256:[0-9a-f]{64}",
    "<gates>": r"[a-z-]+(?:, [a-z-]+)*",
    "<note>": r"(?:passed|skipped)(?: [0-9dhms]+)?",
    "<service>": "[a-z0-9-]+",
    "<until>": "[0-9T:-]{19}Z",
    **dict.fromkeys(("<commit>", "<entry>"), "[0-9a-f]{40}"),
    "<hash>": "[0-9a-f]{64}",
    "<promotion>": "[0-9a-f]{12}",
}
SIGNER = Signer.generate()


def _pattern(form: str) -> str:
    """Return what a form of the page means: parts in <>, and in [] what may be missing."""
    found = ""
    for part in re.findall(r"<[a-z0-9]+>|[^<]+", form):
        found += PARTS.get(part, r"\S+") if part.startswith("<") else re.escape(part)
    return re.sub(r"\\\[(.*?)\\\]", r"(?:\1)?", found) if form.count("[") else found


def _landing() -> list[Trailer]:
    """Return a landing that says all that one can say, by Slack and by a review."""
    now = at_stage(Stage.MERGING).promotion()
    first, second = now.approvals
    review = replace(second, by=replace(second.by, slack_team="", slack_user=""), review=12)
    now = replace(
        now, approvals=(first, review), gates=(("merge-window", "passed"), ("soak", "web passed 3h12m"))
    )
    title, text = wording.landing(
        now,
        folder="promotion",
        url="https://forge.example/pull/1",
        intent=now.intent,
        key=now.intent_key,
        proof=vouch(SIGNER, now.intent),
        urgency=Urgency("2026-11-28T00:00:00Z", ("soak", "merge-window")),
    )
    return wording.parse_trailers(f"{title}\n\n{text}\n")


def _move() -> list[Trailer]:
    end = oid("end")
    entry = story().bump("1.1.0")
    return wording.parse_trailers(
        wording.move_message(entry, folder="promotion", tip=end, proof=vouch(SIGNER, end))
    )


def _row(name: str) -> str:
    return "Gate-*" if name.startswith("Gate-") else name


def test_the_table_has_the_trailers_in_the_order_in_which_they_stand() -> None:
    told = re.search(r"ends with a paragraph of trailers: `([^`]+)`", PAGE)
    order = list(dict.fromkeys(_row(name) for name, _ in _landing()))

    assert told
    assert told[1].split() == list(FORMS) == order


@pytest.mark.parametrize("trailers", [_landing(), _move()], ids=["a landing", "a move"])
def test_each_value_has_the_form_that_the_table_says(trailers: list[Trailer]) -> None:
    assert trailers
    for name, value in trailers:
        form = FORMS[_row(name)]
        assert re.fullmatch(_pattern(form), value), f"{name}: {value} is not {form}"


def test_a_gate_of_several_words_is_written_as_the_page_says() -> None:
    names = {name for name, _ in _landing() if name.startswith("Gate-")}

    assert names == {"Gate-Merge-Window", "Gate-Soak"}
    assert all(f"`{name}`" in PAGE for name in names)


def test_another_trailer_in_the_paragraph_is_more_than_the_ledger_makes() -> None:
    meant = _landing()
    text = wording.commit_message("subject", [], [*meant, ("Co-authored-by", "Ada <ada@example.com>")])

    assert len(wording.parse_trailers(text)) == len(meant) + 1


def test_the_page_says_since_when_an_end_has_to_be_signed() -> None:
    row = next(one for one in ROWS if one.startswith("| `Ledger-Signature`"))

    assert f"since {CLOSER_SINCE[:10]}" in row
