"""What the validator refuses at its edges: each case is a rule that would otherwise be held by nothing."""

from dataclasses import replace
from datetime import timedelta

import pytest

from policies.allowed.identity import names_for
from policies.allowed.speakers import MATCHED_MAY
from policies.codes import Code
from policies.entries.entry import Bot, Both, Entry, Kind, write_time
from policies.ledger.state import Stage
from policies.rules.rules import Evidence
from tests.policies.gate_worlds import ruled
from tests.policies.ledger_builders import RULES, Story, at_stage, person, rules, story
from tests.policies.test_allowed_reviews import reviewed


def codes(found: Story, entry: Entry) -> set[str]:
    return {str(one.code) for one in found.reasons(entry)}


def test_each_of_the_tags_that_are_seen_first_says_what_it_was() -> None:
    found = story()
    entry = found.seen("1.1.0", "1.2.0")
    bare = replace(entry, seen=(entry.seen[0], replace(entry.seen[1], digest="")), key="")

    assert codes(found, entry) == set()
    assert codes(found, bare) == {Code.DIGEST_UNKNOWN}


def test_who_has_no_account_in_chat_is_not_whoever_speaks_without_one() -> None:
    found = story(RULES.replace("dan: {slack: U0DAN}", "dan: {github: dan-d}"))
    found.staged("1.1.0")
    nobody = replace(person("dan"), slack_user="")

    entry = replace(found.propose("1.1.0", "dan"), by=nobody)

    assert Code.UNKNOWN_PERSON in codes(found, replace(entry, key=""))


@pytest.mark.parametrize(
    ("login", "names"),
    [
        ("erin", ("erin", "erin-7")),
        ("Release-Managers", ("release-managers-7",)),
        ("ada", ("ada-7",)),
        ("owners", ("owners-7",)),
    ],
)
def test_nobody_gets_the_name_of_a_person_a_team_or_of_owners(login: str, names: tuple[str, ...]) -> None:
    assert names_for(rules(), login, 7) == names


@pytest.mark.parametrize("hours", [None, 1, 9])
def test_the_bot_takes_the_place_of_no_persons_hold_however_long(hours: int | None) -> None:
    found = story()
    theirs = write_time(found.at + timedelta(hours=3))
    found.add(found.stand(Kind.HOLD, person("ada"), environment="staging", until=theirs))
    ends = {"until": write_time(found.at + timedelta(hours=hours))} if hours else {}

    entry = found.stand(Kind.HOLD, Bot(), environment="staging", why="tags-lost", **ends)

    assert Code.NOT_AN_APPROVER in codes(found, entry)


@pytest.mark.parametrize(("hours", "is_kept"), [(None, True), (1, False), (3, True), (9, True)])
def test_the_bots_own_hold_is_never_made_shorter_by_it(hours: int | None, *, is_kept: bool) -> None:
    found = story()
    until = found.at + timedelta(hours=3)
    found.add(found.stand(Kind.HOLD, Bot(), environment="staging", why="tags-lost", until=write_time(until)))
    ends = {"until": write_time(until + timedelta(hours=hours - 3))} if hours else {}

    entry = found.stand(Kind.HOLD, Bot(), environment="staging", why="tags-lost", **ends)

    assert (Code.NOT_AN_APPROVER in codes(found, entry)) is not is_kept


def test_where_reviews_alone_count_a_review_is_an_approval_and_a_press_is_none() -> None:
    found = ruled(story(), evidence=Evidence.REVIEW).asked()

    assert Code.REVIEW_MISSING not in codes(found, reviewed(found))
    assert Code.REVIEW_MISSING in codes(found, found.about(Kind.APPROVE, person("ada")))


def _begun(kind: Kind) -> tuple[Story, Entry]:
    """Return a story, and an entry of a kind that names a rule."""
    match kind:
        case Kind.RULES:
            found = story()
            return found, found.rules_at(found.book.line[0])
        case Kind.BUMP:
            found = story()
            found.add(found.seen("1.1.0"))
            return found, found.bump("1.1.0")
        case Kind.PROPOSE:
            found = story().staged("1.1.0")
            return found, found.propose("1.1.0")
        case Kind.ROLLBACK:
            found = at_stage(Stage.LANDED)
            return found, found.rollback("1.0.0", "bob")
        case _:
            found = at_stage(Stage.OPEN)
            return found, found.about(kind, Bot() if kind is Kind.INTENT else person("carol"))


NAMING = (Kind.RULES, Kind.BUMP, Kind.PROPOSE, Kind.ROLLBACK, Kind.APPROVE, Kind.INTENT)


@pytest.mark.parametrize("kind", NAMING, ids=str)
def test_an_entry_that_names_no_rule_is_refused_and_breaks_nothing(kind: Kind) -> None:
    found, entry = _begun(kind)

    reasons = found.reasons(replace(entry, rule=None, key=""))

    assert {Code.RULE_MOVED, Code.NO_RULE} & {str(one.code) for one in reasons}


@pytest.mark.parametrize("kind", NAMING[1:], ids=str)
def test_an_entry_of_a_place_that_the_rules_do_not_have_is_refused_and_breaks_nothing(kind: Kind) -> None:
    found, entry = _begun(kind)

    assert found.reasons(replace(entry, environment="qa", key=""))
    assert found.reasons(replace(entry, service="ghost", key=""))


def test_two_people_are_two_accounts() -> None:
    found = story().staged("1.1.0")
    found.add(found.stand(Kind.HOLD, person("carol"), environment="staging"))
    (erased,) = (entry.seq for _, entry in found.entries if entry.kind is Kind.HOLD)
    entry = found.both(Kind.REDACT, "ada", "bob", erases=erased, note="a name")
    assert isinstance(entry.by, Both)
    same = replace(entry, by=Both(entry.by.one, replace(entry.by.other, slack_user=entry.by.one.slack_user)))

    assert codes(found, entry) == set()
    assert Code.APPROVALS_MISSING in codes(found, same)


def test_what_is_said_of_a_promotion_is_no_older_than_its_end() -> None:
    found = at_stage(Stage.LANDED)
    done = found.promotion().done
    assert done
    late = found.word(Kind.SHOWN, Bot(), promotion=found.promotion().id)

    early = replace(late, at=write_time(done - timedelta(hours=1)))

    assert "it is older than what was said of the promotion before" in str(found.reasons(early))
    assert "it is older than" not in str(found.reasons(replace(late, at=write_time(done))))


def test_who_is_known_by_an_address_alone_may_say_this_and_no_more() -> None:
    assert {*MATCHED_MAY} == {
        Kind.PROPOSE, Kind.CANCEL, Kind.UNAPPROVE, Kind.HOLD, Kind.BLOCK, Kind.FREEZE,
    }  # fmt: skip
