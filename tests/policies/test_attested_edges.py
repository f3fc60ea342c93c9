"""The edges of what entries attest and of who may approve: each of these a fault of one token would get wrong."""

from dataclasses import replace
from datetime import timedelta

import pytest

from policies.canonical import Json
from policies.entries import authors
from policies.entries.authors import MAX_ACCOUNTS, Authors, accounts_told, together
from policies.entries.entry import Kind, write_time
from policies.entries.membership import is_fresh, members_of
from policies.entries.reviews import review_in
from policies.ledger.rollout import asks, is_source, lent, source
from policies.ledger.tally import may_approve
from policies.rules.rules import effective
from tests.policies.ledger_builders import RULES, START, Story, hash_of, pinned, rules, story

AUTHORS: dict[str, Json] = {"known": True, "people": ["ada"], "logins": ["ada-l"]}
REVIEW: dict[str, Json] = {
    "id": 1,
    "login": "bob",
    "user": 1,
    "commit": "0" * 40,
    "state": "APPROVED",
    "looked": write_time(START),
}


@pytest.mark.parametrize(
    ("late", "expected"),
    [
        (timedelta(minutes=-5), True),
        (timedelta(minutes=-5, seconds=-1), False),
        (timedelta(0), True),
        (timedelta(minutes=10), True),
        (timedelta(minutes=10, seconds=1), False),
    ],
)
def test_a_look_counts_for_ten_minutes_and_from_a_clock_that_is_five_ahead(
    late: timedelta, *, expected: bool
) -> None:
    assert is_fresh(write_time(START), START + late) is expected


def test_only_names_are_members() -> None:
    evidence: dict[str, Json] = {
        "members": {"security": ["dan", 1, ["ada"]]},
        "members_looked": write_time(START),
    }

    assert members_of(evidence, START) == {"security": frozenset({"dan"})}


def test_of_authors_nobody_spoke_about_nothing_is_known() -> None:
    assert Authors() == Authors(is_known=False, people=(), logins=(), unnamed=0, why="")


@pytest.mark.parametrize(
    "changed",
    [
        {"known": "yes"},
        {"people": "ada"},
        {"people": ["ada", 1]},
        {"logins": "ada-l"},
        {"logins": [583]},
        {"unnamed": "2"},
        {"unnamed": []},
    ],
)
def test_authors_in_another_form_are_not_said(changed: dict[str, Json]) -> None:
    assert Authors.attested({"authors": AUTHORS})
    assert Authors.attested({"authors": AUTHORS | changed}) is None


def test_less_than_no_commits_are_none() -> None:
    found = Authors.attested({"authors": AUTHORS | {"unnamed": -1}})

    assert found is not None
    assert found.unnamed == 0


def test_authors_stand_in_entries_under_names_that_stay() -> None:
    assert (authors.AUTHORS, authors.MOVERS, authors.LABELS, authors.TAGS) == (
        "authors",
        "movers",
        "labels",
        "tags",
    )


def test_of_several_at_once_a_way_counts_by_which_all_are_known() -> None:
    one = Authors(is_known=True, people=("bob",), logins=("bob",), unnamed=1, ways=("labels", "tags"))
    other = Authors(is_known=True, people=("ada",), logins=("ada-l", "bob"), unnamed=2, ways=("tags",))

    expected = Authors(
        is_known=True, people=("ada", "bob"), logins=("ada-l", "bob"), unnamed=3, ways=("tags",)
    )
    assert together([one, other]) == expected
    assert together([other, one]) == expected
    assert together([one]) == one
    assert together([]) is None


def test_of_several_at_once_all_that_is_not_known_is_said_once_and_within_bounds() -> None:
    first, second = Authors(why="no source"), Authors(why="no tag")

    assert together([first, second, first]) == Authors(why="no source; no tag")
    found = together([Authors(why="a" * 150), Authors(why="b" * 150)])
    assert found is not None
    assert found.why == f"{'a' * 150}; {'b' * 48}"


def test_the_first_account_and_the_first_review_of_a_forge_count() -> None:
    found = review_in({"review": REVIEW})

    assert found is not None
    assert (found.id, found.user) == (1, 1)


@pytest.mark.parametrize(
    "changed",
    [{"id": 0}, {"user": 0}, {"user": "77"}, {"user": True}, {"login": 77}, {"commit": None}, {"looked": 0}],
)
def test_a_review_in_another_form_is_none(changed: dict[str, Json]) -> None:
    assert review_in({"review": REVIEW | changed}) is None


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, ""),
        ({"as": "7f3a9c2e41d0"}, ""),
        ({"as": {}}, ""),
        ({"as": {"promotion": 7}}, ""),
        ({"as": {"promotion": "7f3a9c2e41d0"}}, "7f3a9c2e41d0"),
    ],
)
def test_a_proposal_names_the_promotion_that_lends_to_it_or_none(
    said: dict[str, Json], expected: str
) -> None:
    entry = replace(story().propose("1.1.0"), evidence=said)

    assert lent(entry) == expected


def test_the_bot_asks_by_itself_only_where_somebody_answers() -> None:
    where = story().book.versions[story().book.line[0]].environments
    rule = rules(RULES.replace("approvals: none", "approvals: none, opens: at-once"))
    guarded = rules(RULES.replace("after: staging", "after: staging\n    opens: at-once"))

    assert not asks(rule.environments["staging"])
    assert asks(guarded.environments["production"])
    assert not asks(where["production"])


ROLLOUT = RULES.replace(
    "services:\n",
    "  us: {path: apps/us, channel: deploys, after: production, approvals: as production}\nservices:\n",
)


def _landed_twice() -> Story:
    found = story(ROLLOUT).asked("1.1.0").approved().landed()
    return found.asked("1.2.0").approved().landed()


def test_approvals_are_lent_by_a_promotion_of_that_very_version() -> None:
    found = _landed_twice()
    rule = effective(found.book.versions[found.book.line[0]], "us", "web")
    assert rule

    lenders = {tag: source(found.state, rule, (pinned(tag),)) for tag in ("1.1.0", "1.2.0", "1.3.0")}

    assert [one.image[0].tag if one else "" for one in lenders.values()] == ["1.1.0", "1.2.0", ""]


def test_the_last_of_two_promotions_of_one_version_lends_its_approvals() -> None:
    found = story(ROLLOUT).asked("1.1.0").approved().landed()
    rule = effective(found.book.versions[found.book.line[0]], "us", "web")
    assert rule
    (first,) = (one for one in found.state.promotions.values() if one.kind is Kind.PROPOSE)
    later = replace(first, id="0123456789ab", seq=first.seq + 50)
    found.state.promotions[later.id] = later

    assert source(found.state, rule, first.image) == later


def test_one_image_of_two_lends_nothing() -> None:
    found = story(ROLLOUT).asked("1.1.0").approved().landed()
    rule = effective(found.book.versions[found.book.line[0]], "us", "web")
    assert rule
    (promotion,) = (one for one in found.state.promotions.values() if one.kind is Kind.PROPOSE)
    worker = pinned("1.1.0", repository="ghcr.io/example/worker")
    both = replace(promotion, image=(*promotion.image, worker))

    assert is_source(both, rule, both.image)
    assert not is_source(both, rule, promotion.image)
    assert not is_source(both, rule, (both.image[0], replace(worker, digest=f"sha256:{hash_of('other')}")))
    undone = replace(both, image=(both.image[0], replace(worker, digest="")))
    assert not is_source(undone, rule, undone.image)


def test_where_no_service_is_named_whoever_is_linked_may_speak_unless_somebody_is_asked() -> None:
    nothing = rules(
        "environments:\n"
        "  staging: {path: apps/staging, channel: deploys, approvals: none}\n"
        "  production: {path: apps/production, channel: deploys, after: staging, approvals: 1}\n"
        "services: {}\n"
    )
    alone = replace(nothing, environments={"staging": nothing.environments["staging"]})

    assert not may_approve(nothing, "", "", "ada")
    assert may_approve(alone, "", "", "ada")


def test_everywhere_one_environment_that_asks_somebody_is_enough() -> None:
    found = rules(
        RULES.replace(
            "services:\n",
            "  us: {path: apps/us, channel: deploys, after: production, approvals: 1 of dan}\nservices:\n",
        )
    )

    assert may_approve(found, "", "web", "dan")
    assert may_approve(found, "", "web", "ada")
    assert not may_approve(found, "production", "web", "dan")


def test_an_entry_names_so_many_accounts_and_first_those_that_are_known() -> None:
    accounts = {number: f"made-up-{number}" for number in range(1, MAX_ACCOUNTS + 3)}
    last = MAX_ACCOUNTS + 2

    logins, numbers, why = accounts_told(accounts, {last: "ada"})

    assert (len(logins), len(numbers)) == (MAX_ACCOUNTS, MAX_ACCOUNTS)
    assert last in numbers
    assert accounts[last] in logins
    assert numbers == tuple(sorted(numbers))
    assert why == "2 more accounts are not named"


def test_accounts_that_fit_are_all_named() -> None:
    accounts = {number: f"somebody-{number}" for number in range(MAX_ACCOUNTS)}

    assert accounts_told(accounts, ()) == (tuple(sorted(accounts.values())), tuple(accounts), "")
