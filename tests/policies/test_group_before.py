"""What was there before the first look, in a group where people are asked: everybody is offered the same of it."""

from collections.abc import Callable, Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.codes import Code
from policies.decide import Row, Standing, decide, rows_of, why
from policies.entries.entry import Bot, Kind, shares
from policies.group_rows import OF_A_WORD, by_itself, kept_back, next_of, together
from policies.rules.rules import EffectiveRule, moving_rule
from policies.validator import every_refusal
from policies.world import World
from tests.policies.group_worlds import SERVICES, TEXT, bump, propose, seen, shop, world
from tests.policies.ledger_builders import Story, person

CAUGHT_UP = TEXT.replace("approvals: none}", "approvals: none, catch-up: true}")  # staging takes all of it
AT_ONCE = CAUGHT_UP.replace("    approvals: 2", "    opens: at-once\n    approvals: 2")
WEB, CART = {"web": "1.1.0"}, {"cart": "1.2.0"}
BOTH = {**WEB, **CART}


def behind(text: str, new: Mapping[str, str], old: Mapping[str, str]) -> Story:
    """Let versions run in staging that production does not have: some that came, some that had been there before."""
    found = seen(seen(shop(text), old, before=True), new)
    found.add(bump(found, {one: {**new, **old}[one] for one in ("web", "cart") if one in {**new, **old}}))
    return found


def _held(service: str, new: Mapping[str, str], old: Mapping[str, str]) -> Callable[[str], Story]:
    def told(text: str) -> Story:
        found = behind(text, new, old)
        found.add(found.stand(Kind.HOLD, person("ada"), environment="production", service=service))
        return found

    return told


def _newer_that_did_not_run_in_staging(text: str) -> Story:
    return seen(behind(text, WEB, CART), {"cart": "1.3.0"})


# what production lacks, what a person is offered, with which codes, and what the bot would ask for by itself
ASKED, OLD, WAITS = Code.NOT_REQUESTED, Code.KNOWN_BEFORE, Code.GROUP_WAITS
CASES: dict[
    str, tuple[Callable[[str], Story], Mapping[str, str], tuple[Code, ...], Mapping[str, str] | None]
] = {
    "both came": (lambda text: behind(text, BOTH, {}), BOTH, (ASKED,), BOTH),
    "one came, one was there": (lambda text: behind(text, WEB, CART), BOTH, (ASKED,), WEB),
    "one came, one has nothing": (lambda text: behind(text, WEB, {}), WEB, (ASKED,), WEB),
    "both were there": (lambda text: behind(text, {}, BOTH), BOTH, (OLD, ASKED), None),
    "one was there, one has nothing": (lambda text: behind(text, {}, CART), CART, (OLD, ASKED), None),
    "one that was there is held": (_held("cart", WEB, CART), WEB, (ASKED,), WEB),
    "one that came is held": (_held("web", WEB, CART), CART, (OLD, ASKED, WAITS), None),
    "of one that was there a newer one waits": (
        _newer_that_did_not_run_in_staging,
        BOTH,
        (ASKED,),
        None,
    ),
}


def known_of(found: Story) -> World:
    """Return what is known where registries list what the ledger has seen."""
    listed: dict[str, tuple[str, ...]] = dict.fromkeys(SERVICES, ("1.0.0",))
    for service, seen_ in found.state.sighted.items():
        listed[service] += tuple(one.tag for one in seen_)
    return world(found, listed)


def row_in(found: Story, environment: str = "production", service: str = "shop") -> Row:
    row = decide(known_of(found), found.at).row(environment, service)
    assert row
    return row


def rule_of(found: Story) -> EffectiveRule:
    rule = moving_rule(known_of(found).rules, "production", "shop")
    assert rule
    return rule


def of_bot(found: Story) -> Row:
    """Return the row of the group as the bot may ask for it."""
    rows = [row_in(found, service=one) for one in ("web", "cart")]
    return by_itself(known_of(found), rule_of(found), rows)


def _versions(row: Row) -> tuple[Mapping[str, str], tuple[str, ...]] | None:
    """Return what the row's first candidate moves to, and its codes; nothing where it may not be asked for at all."""
    if not row.candidates:
        return None
    first = row.candidates[0]
    moves = shares("shop", first.members, first.together, ())
    return {one.service: one.image[0].tag for one in moves}, first.codes


def _asked_for_by_bot(row: Row) -> Mapping[str, str] | None:
    """Return what the bot asks for: what only people are missing for."""
    found = _versions(row)
    return found[0] if found and found[1] == (ASKED,) else None


@pytest.mark.parametrize(("told", "offer", "codes", "alone"), CASES.values(), ids=CASES)
def test_people_are_offered_what_their_word_moves_and_the_bot_asks_for_what_came(
    told: Callable[[str], Story],
    offer: Mapping[str, str],
    codes: tuple[Code, ...],
    alone: Mapping[str, str] | None,
) -> None:
    found = told(CAUGHT_UP)

    row, own = row_in(found), of_bot(found)

    assert _versions(row) == (offer, codes)
    rows = rows_of(known_of(found), rule_of(found), found.at)
    picked, waits = next_of(known_of(found), rule_of(found), rows, allowed=OF_A_WORD)
    word = together(rule_of(found), picked)
    assert word
    assert (word.together, bool(waits)) == (row.candidates[0].together, WAITS in codes)
    assert _asked_for_by_bot(own) == alone
    if WAITS not in codes:
        assert every_refusal(found.state, found.complete(propose(found, offer)), found.book) == []


@pytest.mark.parametrize(("told", "offer", "codes", "alone"), CASES.values(), ids=CASES)
def test_where_the_bot_asks_by_itself_nobody_is_told_of_more_than_it_asks_for(
    told: Callable[[str], Story],
    offer: Mapping[str, str],
    codes: tuple[Code, ...],
    alone: Mapping[str, str] | None,
) -> None:
    found = told(AT_ONCE)
    said = (OLD, *codes) if offer != alone and OLD not in codes else codes

    row = row_in(found)

    assert _versions(row) == (offer, said)
    for versions in (offer, alone) if alone else ():
        wanted = found.complete(propose(found, versions, Bot(), why="at-once"))
        refused = {one.code for one in every_refusal(found.state, wanted, found.book)}
        assert refused == (set() if versions == alone else {OLD}), "the validator holds the bot to it"


def test_what_was_there_and_has_not_run_before_stays_and_stops_nobody() -> None:
    found = seen(shop(), CART, before=True)
    seen(found, WEB).add(bump(found, WEB))

    assert _versions(row_in(found)) == (WEB, (ASKED,))


def test_where_nobody_is_asked_what_was_there_stays() -> None:
    found = seen(seen(shop(), CART, before=True), WEB)

    row = row_in(found, "staging")

    assert (row.verdict, _versions(row)) == (Standing.READY, (WEB, ()))


def test_beside_a_request_of_the_bot_only_what_was_there_is_left_and_no_newer_version_is_told() -> None:
    found = behind(AT_ONCE, WEB, CART)
    found.add(propose(found, WEB, Bot(), why="at-once"))

    row = row_in(found)

    ahead, live = row.candidates
    assert ahead.codes == (OLD, ASKED, Code.OPEN_ELSEWHERE)
    assert ahead.version == "web 1.1.0, cart 1.2.0"
    assert ahead.reasons[0].detail == "cart: 1.2.0 moves when somebody asks for it"
    assert live.version == "web 1.1.0"


def test_beside_a_request_for_all_nothing_else_is_offered_to_anybody() -> None:
    found = behind(AT_ONCE, WEB, CART)
    found.add(propose(found, BOTH))

    assert [one.promotion for one in row_in(found).candidates] == [found.promotion("production", "shop").id]
    assert of_bot(found) == row_in(found)


def test_a_member_that_was_there_says_for_whom_it_waits() -> None:
    found = _held("web", WEB, CART)(CAUGHT_UP)

    answer = why(known_of(found), "production", "cart", "1.2.0", found.at)

    assert answer
    assert answer.codes == (OLD, ASKED, WAITS)
    assert answer.reasons[-1].detail == "web 1.1.0: held"


KINDS = st.fixed_dictionaries(
    {one: st.sampled_from(("came", "there", "none", "held")) for one in ("web", "cart")}
)


@given(KINDS, st.sampled_from((CAUGHT_UP, AT_ONCE)))
@settings(max_examples=40, deadline=None)
def test_the_bot_never_takes_along_what_was_there_and_people_are_offered_at_least_as_much(
    kinds: Mapping[str, str], text: str
) -> None:
    new = {one: tag for one, tag in BOTH.items() if kinds[one] in {"came", "held"}}
    old = {one: tag for one, tag in BOTH.items() if kinds[one] == "there"}
    found = behind(text, new, old) if new or old else shop(text)
    for service, kind in kinds.items():
        if kind == "held":
            found.add(found.stand(Kind.HOLD, person("ada"), environment="production", service=service))

    offered, alone = row_in(found), of_bot(found)

    free = [one for one in alone.candidates if set(one.codes) <= {Code.NOT_REQUESTED}]
    told = offered.candidates[0] if offered.candidates else None
    for one in free:
        assert told
        assert set(one.together) <= set(told.together)
        assert not {member.service for member in one.members} & set(old)
    quiet = {Code.NOT_REQUESTED} == set(told.codes) if told else False
    assert not (quiet and not free), "a card stands only for what something new is in"


def kept(found: Story, environment: str = "production") -> list[tuple[str, str]]:
    known = known_of(found)
    rule = moving_rule(known.rules, environment, "shop")
    assert rule
    rows = rows_of(known, rule, found.at)
    picked, _ = next_of(known, rule, rows, allowed=OF_A_WORD)
    return [(name, one.code.value) for name, one in kept_back(known, rule, rows, picked, allowed=OF_A_WORD)]


def test_what_was_there_and_did_not_run_before_is_told_by_member_with_what_keeps_it_back() -> None:
    found = seen(shop(), BOTH, before=True)

    assert kept(found) == [("web 1.1.0", "not-in-previous"), ("cart 1.2.0", "not-in-previous")]


def test_of_members_that_go_or_have_nothing_newer_nothing_is_told() -> None:
    assert kept(behind(TEXT, WEB, {})) == []
    assert kept(behind(TEXT, BOTH, {})) == []


def test_a_member_of_which_nothing_can_be_said_is_told_by_its_name() -> None:
    found = behind(TEXT, BOTH, {})
    known = world(found, {"web": ("1.0.0", "1.1.0"), "cart": ("1.0.0",), "search": ("1.0.0",)})
    rule = moving_rule(known.rules, "production", "shop")
    assert rule
    rows = rows_of(known, rule, found.at)
    picked, waits = next_of(known, rule, rows, allowed=OF_A_WORD)

    told = kept_back(known, rule, rows, picked, allowed=OF_A_WORD)

    assert [(name, one.code) for name, one in told] == [("cart", Code.GROUP_WAITS)]
    assert told[0][1] in waits


def test_what_is_held_is_told_beside_what_goes() -> None:
    assert kept(CASES["one that was there is held"][0](CAUGHT_UP)) == [("cart 1.2.0", "held")]
