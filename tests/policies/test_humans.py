"""Nobody reviews what they had a part in, or approves what they wrote, under another name that they have by now."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from policies.canonical import Json
from policies.codes import Code
from policies.entries.authors import MAX_ACCOUNTS, MOVERS, Authors, together
from policies.entries.carried import KEPT, KEPT_MOVES, REVIEWED_DECIDE, carry, restore
from policies.entries.entry import Bot, By, Entry, Kind, Link, write_time
from policies.ledger.emergency import due
from policies.ledger.hands import CUT_DECIDES, is_among
from policies.ledger.people import ACCOUNTS_DECIDE
from policies.ledger.state import State
from policies.rules.rules import Apart, Line
from tests.policies.ledger_builders import FLAGS, RULES, Story, change_rules, person, shelf

APART = Apart((Line(1, ("release-managers",)),), review=timedelta(days=2))
TEXT = RULES.replace(
    "approvals: 2 of release-managers",
    "approvals: 2 of release-managers\n"
    "    emergency: {approvals: 1 of release-managers, review: 2d}\n"
    "    rollback: {approvals: 1, review: 2d}",
)
AUTHORS = TEXT.replace("    rollback:", "    exclude: [requester, authors]\n    rollback:")
ADA = "ada: {slack: U0ADA, github: ada-l}"
ADELE = "adele: {slack: U0ADA, github: ada-l}"
TODAY = ACCOUNTS_DECIDE + timedelta(hours=9)
KNOWN: dict[str, Json] = {"known": True, "people": [], "logins": []}


def _story(at: datetime = TODAY, text: str = TEXT) -> Story:
    found = Story(shelf(text), at=at)
    found.add(found.genesis())
    found.add(found.rules_at(found.book.line[0]))
    return found


def _renamed(found: Story, now: str = ADELE, text: str = TEXT) -> None:
    change_rules(found, text.replace(ADA, now).replace("[ada,", f"[{now.partition(':')[0]},"))


def _emergency(found: Story, by: By) -> Entry:
    entry = replace(
        found.propose("1.1.0", key="-"),
        kind=Kind.EMERGENCY,
        by=by,
        key="",
        promotion="",
        note="payments fail",
        until=write_time(due(APART, found.at)),
        at=write_time(found.at),
    )
    return found.identified(entry)


def _called(by: By | None = None, at: datetime = TODAY) -> Story:
    """Let Ada call an emergency, which lands."""
    found = _story(at)
    found.staged("1.1.0")
    found.add(_emergency(found, by or person("ada")))
    return found.landed()


def _review(found: Story, by: By, **evidence: Json) -> Code | None:
    (opened,) = found.state.open
    entry = found.word(Kind.REVIEW, by, closes=opened, note="the fix was right")
    refusal = found.refusal(replace(entry, evidence={**entry.evidence, **evidence}))
    return Code(refusal.code) if refusal else None


def _as(name: str, slack: str, number: int = 0, login: str = "") -> By:
    return By(name, "button", "T0", slack, forge_id=number, forge_login=login)


RENAMED: dict[str, tuple[By, str, By]] = {
    "the same Slack account": (person("ada"), ADELE, _as("adele", "U0ADA")),
    "another Slack account, the same at the forge": (
        person("ada"),
        "adele: {slack: U0ADELE, github: ada-l}",
        _as("adele", "U0ADELE", 583, "ada-l"),
    ),
    "the same at the forge, which the review does not say": (
        person("ada"),
        "adele: {slack: U0ADELE, github: ADA-L}",
        _as("adele", "U0ADELE"),
    ),
    "the same at the forge, which neither says": (
        _as("ada", "U0ADA"),
        "adele: {slack: U0ADELE, github: ada-l}",
        _as("adele", "U0ADELE"),
    ),
}


@pytest.mark.parametrize(("then", "now", "by"), RENAMED.values(), ids=RENAMED)
def test_who_called_an_emergency_does_not_close_it_under_another_name(then: By, now: str, by: By) -> None:
    found = _called(then)
    _renamed(found, now)

    assert _review(found, by) is Code.REQUESTER
    assert _review(found, person("dan")) is None


def test_whoever_has_the_login_by_now_is_somebody_else() -> None:
    found = _called()
    _renamed(found, "adele: {slack: U0ADELE, github: ada-l}")

    assert _review(found, _as("adele", "U0ADELE", 999, "ada-l")) is None


def test_who_rolled_back_does_not_close_it_under_another_name() -> None:
    found = _story()
    found.asked().approved().landed()
    until = write_time(found.at + timedelta(days=2))
    found.add(found.rollback("1.0.0", "ada", until=until, at=write_time(found.at)))
    found.landed()
    _renamed(found)

    assert _review(found, _as("adele", "U0ADA")) is Code.REQUESTER
    assert _review(found, person("bob")) is None


def test_who_approved_what_came_out_otherwise_does_not_close_it_under_another_name() -> None:
    found = _story()
    found.asked().approved().merged().add(found.about(Kind.MISMATCH))
    _renamed(found)

    assert _review(found, _as("adele", "U0ADA")) is Code.REQUESTER
    assert _review(found, person("dan")) is None


def test_who_linked_themselves_since_is_who_they_were() -> None:
    found = _called(person("ada"))
    text = TEXT.replace(f"  {ADA}\n", "").replace("[ada,", "[")
    change_rules(found, text)
    found.add(found.linked_by(Link("ada-hub", "T0", "U0ADA", 900, "ada-hub")))

    assert _review(found, _as("ada-hub", "U0ADA", 900, "ada-hub")) is Code.REQUESTER


def test_a_review_of_an_older_emergency_is_judged_by_names_as_it_was() -> None:
    found = _called(at=ACCOUNTS_DECIDE - timedelta(days=3))
    _renamed(found)

    assert _review(found, _as("adele", "U0ADA")) is None


def test_a_review_may_be_given_where_the_rules_of_then_cannot_be_read() -> None:
    found = _called()
    change_rules(found, TEXT + "# more\n")
    del found.book.versions[found.book.line[0]]

    assert _review(found, person("dan")) is None


# --- a new year --------------------------------------------------------------------------------------------------


def _buried(at: datetime) -> Story:
    """An emergency by Ada that nobody reviewed, below more moves than a new year carries."""
    found = _called(at=at)
    (opened,) = found.state.open
    for number in range(KEPT_MOVES + 1):
        found.add(found.external(f"1.2.{number}", why="guarded"))
        later = max(found.state.open)
        found.add(found.word(Kind.REVIEW, person("dan"), closes=later, note="agreed"))
    assert list(found.state.open) == [opened]
    return found


def _next_year(found: Story, at: datetime) -> State:
    other = State("2027")
    restore(other, carry(found.state, found.entries, at))
    return other


def test_a_new_year_knows_who_had_a_part_in_what_waits_for_its_review() -> None:
    found = _buried(TODAY)
    promotion = next(one for one in found.state.promotions.values() if one.is_emergency)

    other = _next_year(found, found.at + KEPT + timedelta(days=1))

    assert other.promotions[promotion.id] == promotion


def test_a_new_year_that_was_begun_before_stays_what_it_was() -> None:
    found = _buried(REVIEWED_DECIDE - KEPT - timedelta(days=30))

    assert not _next_year(found, REVIEWED_DECIDE - timedelta(seconds=1)).promotions


# --- authors -----------------------------------------------------------------------------------------------------


def _asked(authors: dict[str, Json], at: datetime = TODAY) -> Story:
    found = _story(at, AUTHORS)
    found.staged("1.1.0")
    found.add(found.propose("1.1.0", "dan", evidence={"account": dict(FLAGS), "authors": authors}))
    return found


def _approve(found: Story, by: By) -> Code | None:
    refusal = found.refusal(found.about(Kind.APPROVE, by))
    return Code(refusal.code) if refusal else None


WROTE: dict[str, tuple[dict[str, Json], By, Code | None]] = {
    "by the number": ({"logins": ["x"], "ids": [583]}, person("ada"), Code.AUTHOR),
    "by the login, no number told": ({"logins": ["ADA-L"]}, person("ada"), Code.AUTHOR),
    "by the login that the rules give": ({"logins": ["ada-l"]}, _as("ada", "U0ADA"), Code.AUTHOR),
    "another number of that login": ({"logins": ["ada-l"], "ids": [999]}, person("ada"), None),
    "somebody else": ({"logins": ["bob"], "ids": [77]}, person("ada"), None),
    "numbers in another form": ({"logins": ["ada-l"], "ids": [999, "583"]}, person("ada"), Code.AUTHOR),
    "numbers that are none": ({"logins": ["ada-l"], "ids": True}, person("ada"), Code.AUTHOR),
    "truth is no number": ({"logins": ["ada-l"], "ids": [True]}, person("ada"), Code.AUTHOR),
    "somebody without an account there": ({"logins": ["x"]}, person("carol"), None),
}


@pytest.mark.parametrize(("told", "by", "expected"), WROTE.values(), ids=WROTE)
def test_an_author_is_known_by_their_account(told: dict[str, Json], by: By, expected: Code | None) -> None:
    assert _approve(_asked(KNOWN | told), by) is expected


def test_an_author_approves_under_no_other_name_that_they_have_by_now() -> None:
    found = _asked(KNOWN | {"people": ["ada"], "logins": ["ada-l"], "ids": [583]})
    _renamed(found, "adele: {slack: U0ADA, github: adele}", AUTHORS)

    assert _approve(found, _as("adele", "U0ADA", 900, "adele")) is Code.AUTHOR
    assert _approve(found, person("bob")) is None


def test_what_was_asked_for_before_is_judged_by_names_as_it_was() -> None:
    found = _asked(KNOWN | {"logins": ["ada-l"], "ids": [583]}, ACCOUNTS_DECIDE - timedelta(days=2))

    assert _approve(found, person("ada")) is None


@pytest.mark.parametrize("by", [person("ada"), _as("ada", "U0ADA")], ids=["by number", "by login"])
def test_an_approval_does_not_count_whose_author_is_found_before_the_merge(by: By) -> None:
    found = _asked(KNOWN)
    found.add(found.about(Kind.APPROVE, by))
    found.add(found.about(Kind.APPROVE, person("bob")))
    accounts: dict[str, Json] = {name: dict(FLAGS) for name in ("ada", "bob")}
    wrote = KNOWN | {"logins": ["ada-l"]}

    def merge(authors: dict[str, Json]) -> Code | None:
        refusal = found.refusal(
            found.about(Kind.INTENT, Bot(), evidence={"accounts": accounts, "authors": authors})
        )
        return Code(refusal.code) if refusal else None

    assert merge(wrote) is Code.APPROVALS_MISSING
    assert merge(KNOWN) is None


CUT = KNOWN | {
    "logins": [f"x-{number}" for number in range(MAX_ACCOUNTS)],
    "ids": [number + 1000 for number in range(MAX_ACCOUNTS)],
}
SHORT = KNOWN | {"logins": ["x-1"], "ids": [1001]}
UNKNOWN = KNOWN | {"known": False}
LATER = CUT_DECIDES + timedelta(hours=9)
# what was told first, what is told now, when it began -> what becomes of who is in neither
BARRED, LET_OFF = "barred", "let off"
DOUBTS: dict[str, tuple[dict[str, Json], dict[str, Json], datetime, str]] = {
    "cut, and nobody knows now": (CUT, UNKNOWN, LATER, BARRED),
    "cut, and cut again with those first who are known by now": (CUT, CUT, LATER, LET_OFF),
    "cut, and only some are named now": (CUT, SHORT, LATER, BARRED),
    "cut, and cut again of one service where another's is not known": (
        CUT,
        CUT | {"known": False},
        LATER,
        BARRED,
    ),
    "as many as are named, and these again": (CUT, CUT | {"logins": []}, LATER, LET_OFF),
    "all named, and nobody knows now": (SHORT, UNKNOWN, LATER, LET_OFF),
    "never known": (UNKNOWN, UNKNOWN, LATER, LET_OFF),
    "cut before it decided": (CUT, UNKNOWN, CUT_DECIDES - timedelta(hours=1), LET_OFF),
}


@pytest.mark.parametrize(("first", "now", "began", "becomes"), DOUBTS.values(), ids=DOUBTS)
def test_an_approval_does_not_count_on_the_word_of_a_list_that_was_cut(
    first: dict[str, Json], now: dict[str, Json], began: datetime, becomes: str
) -> None:
    found = _asked(first, began)
    for name in ("ada", "bob"):
        found.add(found.about(Kind.APPROVE, person(name)))
    accounts: dict[str, Json] = {name: dict(FLAGS) for name in ("ada", "bob")}

    refusal = found.refusal(found.about(Kind.INTENT, Bot(), evidence={"accounts": accounts, "authors": now}))

    assert (refusal.code if refusal else None) == (Code.APPROVALS_MISSING if becomes is BARRED else None)


@pytest.mark.parametrize(("first", "now", "began", "becomes"), DOUBTS.values(), ids=DOUBTS)
def test_nobody_reviews_on_the_word_of_a_list_that_was_cut(
    first: dict[str, Json], now: dict[str, Json], began: datetime, becomes: str
) -> None:
    found = _by_hand(first, began)

    assert _review(found, person("ada"), movers=now) is (Code.MOVER if becomes is BARRED else None)
    assert _review(found, person("carol"), movers=now) is None, "no account there is known of her"


def test_a_review_that_says_nothing_of_whose_hands_it_was_does_not_pass_a_list_that_was_cut() -> None:
    found = _by_hand(CUT, LATER)
    (opened,) = found.state.open

    refusal = found.refusal(found.word(Kind.REVIEW, person("ada"), closes=opened, note="it is right"))

    assert refusal
    assert (refusal.code, refusal.detail) == (Code.MOVER, "it may have come by the hands of ada")


# --- movers ------------------------------------------------------------------------------------------------------


def _by_hand(told: dict[str, Json], at: datetime = TODAY) -> Story:
    found = _story(at)
    found.add(found.external("1.1.0", why="guarded", evidence={MOVERS: KNOWN | told}))
    return found


def test_by_whose_account_it_came_does_not_review_it_whatever_their_name() -> None:
    found = _by_hand({"logins": ["ada-l"], "ids": [583]})
    _renamed(found)

    assert _review(found, _as("adele", "U0ADA")) is Code.MOVER
    assert _review(found, _as("adele", "U0ADA", 583, "ada-l")) is Code.MOVER
    assert _review(found, person("bob")) is None


def test_what_is_told_for_the_review_counts_by_accounts_as_well() -> None:
    told: Any = KNOWN | {"logins": ["bob"], "ids": [77]}

    assert _review(_by_hand({}), person("bob"), movers=told) is Code.MOVER


def test_what_came_before_is_judged_by_names_as_it_was() -> None:
    found = _by_hand({"logins": ["ada-l"], "ids": [583]}, ACCOUNTS_DECIDE - timedelta(hours=1))

    assert _review(found, person("ada")) is None


# --- values ------------------------------------------------------------------------------------------------------


def test_nobody_is_among_those_who_are_not_told() -> None:
    assert not is_among(None, person("ada"), TODAY)


def test_numbers_of_several_stand_only_where_all_are_told() -> None:
    one = Authors(is_known=True, logins=("ada-l",), ids=(583,))
    other = Authors(is_known=True, logins=("bob",), ids=(77,))

    whole, half = together([one, other]), together([one, replace(other, ids=())])

    assert whole is not None
    assert whole.ids == (77, 583)
    assert half is not None
    assert half.ids == ()
    assert half.logins == ("ada-l", "bob")
