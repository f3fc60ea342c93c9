"""The population of an auditor: every change once, under the name that an auditor gives it; and the sample of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.entries.entry import Bot, By, Kind, write_time
from policies.ledger.order import Between, misdated_of
from policies.ledger.population import Change, Sort, population, pull_request_of, unrecorded, who
from policies.ledger.sample import sample
from policies.ledger.state import Stage
from tests.policies.ledger_builders import RULES, Story, at_stage, person, story

APART = RULES.replace(
    "    approvals: 2 of release-managers\n",
    "    approvals: 2 of release-managers\n    emergency: {approvals: 1 of ada, tell: incidents, review: 2d}\n",
)


def changes(found: Story) -> tuple[Change, ...]:
    """Return the population of a story."""
    return population(found.state, found.entries, misdated_of(found.entries, None))


def told(found: Story) -> list[tuple[str, str, str]]:
    """Return of each change what an auditor reads first."""
    return [(one.sort.value, one.kind.value, one.outcome) for one in changes(found)]


@pytest.mark.parametrize(
    ("stage", "expected"),
    [
        (Stage.LANDED, ("normal", "propose", "landed")),
        (Stage.REJECTED, ("normal", "propose", "rejected")),
        (Stage.CANCELLED, ("normal", "propose", "cancelled")),
        (Stage.OPEN, ("normal", "propose", "open")),
        (Stage.MISMATCH, ("unauthorised", "propose", "mismatch")),
    ],
)
def test_what_was_asked_for_is_one_change_whatever_became_of_it(
    stage: Stage, expected: tuple[str, str, str]
) -> None:
    assert told(at_stage(stage)) == [("standard", "bump", "moved"), expected]


def test_a_move_without_an_entry_is_an_exception_that_nobody_reviewed() -> None:
    at_one = next(iter(at_stage(Stage.LANDED).state.promotions.values()))

    at = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)

    found = unrecorded("c0" * 20, at, ("production", "web"), at_one.image, at_one.previous)

    assert (found.id, found.at) == ("#c0c0c0c0c0c0/production/web", "2026-11-23T09:00:00Z")
    assert (found.image, found.previous) == (at_one.image, at_one.previous)
    assert found.is_exception
    assert found.has_moved
    assert found.needs_review
    assert found in sample([found], 1, "1")


def test_what_is_dated_out_of_its_order_says_between_which_times_it_came() -> None:
    found = story().staged("1.1.0")
    before = found.entries[-1][1].at
    old = found.add(replace(found.external("1.0.5"), at="2020-01-01T00:00:00Z"))
    found.asked("1.2.0").approved().landed()
    landed = found.entries[-1][1]
    behind = next(entry.at for _, entry in found.entries if entry.seq == old.seq + 1)
    name, _ = found.entries.pop()
    before_it = found.entries[-1][1].at
    found.entries.append((name, replace(landed, at=write_time(landed.time + timedelta(hours=1)))))

    by_commit = {one.commit: one for one in changes(found)}
    ahead = population(found.state, found.entries, misdated_of(found.entries, found.at))[-1]

    assert by_commit[old.commit].between == Between(before, behind)
    assert by_commit[landed.commit].between is None, "without a clock of one's own nothing is ahead"
    assert ahead.between == Between(before_it, "")


def test_a_change_names_who_asked_who_approved_and_which_entry_let_it_move() -> None:
    found = story().asked()
    found.add(found.about(Kind.REFUSED))
    found.approved().landed()
    intent = next(entry for _, entry in found.entries if entry.kind is Kind.INTENT)

    (bump, change) = changes(found)

    assert change.asked is not None
    assert change.asked.by.person == "carol"
    assert [one.by.person for one in change.approvals] == ["ada", "bob"]
    assert [(one.by.person, one.text) for one in change.refusals] == [("carol", "requester")]
    assert change.ended is None, "it landed by the bot"
    assert change.decided == intent.seq
    assert change.has_moved
    assert not change.is_exception
    assert not change.needs_review
    assert bump.decided == bump.entries[0][1].seq


@pytest.mark.parametrize(
    ("stage", "expected"),
    [(Stage.OPEN, True), (Stage.MERGED, True), (Stage.LANDED, False), (Stage.REJECTED, False)],
)
def test_a_change_is_under_way_until_nothing_more_becomes_of_it(stage: Stage, *, expected: bool) -> None:
    (change,) = [one for one in changes(at_stage(stage)) if one.environment == "production"]

    assert change.is_under_way is expected


def test_who_rejected_it_is_who_ended_it() -> None:
    (_, change) = changes(at_stage(Stage.REJECTED))

    assert change.ended is not None
    assert (change.ended.by.person, change.ended.text) == ("ada", "not today")
    assert change.decided == 0
    assert not change.has_moved


def test_a_rollback_where_nobody_is_asked_is_standard_and_decided_by_itself() -> None:
    found = story().staged("1.1.0", "1.2.0")
    entry = found.add(found.rollback("1.1.0", environment="staging"))

    change = changes(found)[-1]

    assert (change.sort, change.decided) == (Sort.STANDARD, entry.seq)


def test_a_move_by_hand_is_unauthorised_until_somebody_reviews_it() -> None:
    found = story()
    entry = found.add(found.external("1.1.0"))
    (before,) = changes(found)
    found.add(found.word(Kind.REVIEW, person("ada"), closes=entry.seq, note="it was I"))

    (after,) = changes(found)

    assert (before.sort, before.needs_review, before.review) == (Sort.UNAUTHORISED, True, None)
    assert after.review is not None
    assert (after.review.by.person, after.review.text) == ("ada", "it was I")
    assert after.is_exception
    assert after.id == f"#{entry.seq}"
    assert after.decided == 0


def test_an_emergency_is_an_exception_that_has_to_be_reviewed() -> None:
    found = story(APART).staged("1.1.0")
    asked = found.propose("1.1.0", "ada")
    until = (found.at + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
    entry = replace(asked, kind=Kind.EMERGENCY, note="payments fail", until=until, key="", promotion="")
    found.add(found.identified(entry))

    change = changes(found)[-1]

    assert (change.sort, change.needs_review, change.is_exception) == (Sort.EMERGENCY, True, True)
    found.add(found.about(Kind.CANCEL, person("ada")))
    (*_, ended) = changes(found)
    assert (ended.sort, ended.needs_review) == (Sort.EMERGENCY, False), "nothing happened"


def test_entries_of_a_promotion_that_was_not_read_are_no_change() -> None:
    found = story().asked()
    approval = found.add(found.about(Kind.APPROVE, person("ada")))

    assert population(story().state, [("a" * 40, approval)]) == ()


def test_a_review_of_something_that_was_not_read_changes_nothing() -> None:
    found = story()
    entry = found.add(found.external("1.1.0"))
    review = found.add(found.word(Kind.REVIEW, person("ada"), closes=entry.seq, note="it was I"))

    assert population(found.state, [("a" * 40, review)]) == ()


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        ({"pull_request": {"url": "https://github.com/a/b/pull/1"}}, "https://github.com/a/b/pull/1"),
        ({"pull_request": {"url": 1}}, ""),
        ({"pull_request": "https://github.com/a/b/pull/1"}, ""),
        ({}, ""),
    ],
)
def test_a_pull_request_is_named_by_text_alone(evidence: dict[str, object], expected: str) -> None:
    found = story().asked()
    entry = replace(found.about(Kind.INTENT), evidence=evidence)  # type: ignore[arg-type]  # as anybody may write it

    assert pull_request_of(entry) == expected
    found.entries.append(("f" * 40, replace(entry, seq=found.state.seq + 1)))
    assert changes(found)[-1].url == expected


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        (Bot(), "the bot"),
        (person("ada"), "ada (slack:T0/U0ADA github:ada-l/583)"),
        (By("ada", "button", slack_team="T0", slack_user="U0ADA"), "ada (slack:T0/U0ADA)"),
        (By("ada", "review", forge_login="ada-l", forge_id=583), "ada (github:ada-l/583)"),
        (By("ada", ""), "ada"),
    ],
)
def test_a_speaker_is_named_with_the_accounts_that_are_known(by: Bot | By, expected: str) -> None:
    assert who(by) == expected


def test_a_sample_of_nothing_said_is_everything() -> None:
    found = changes(at_stage(Stage.MISMATCH))

    assert sample(found, 0, "seed") == found


@given(st.integers(1, 4), st.text(max_size=5))
def test_a_sample_has_its_size_all_exceptions_and_its_order(size: int, seed: str) -> None:
    found = _MANY

    drawn = sample(found, size, seed)

    assert [one for one in found if one in drawn] == list(drawn)
    assert all(one in drawn for one in found if one.is_exception)
    assert len([one for one in drawn if not one.is_exception]) == min(size, 3)
    assert drawn == sample(found, size, seed)


def _many() -> tuple[Change, ...]:
    found = story().staged("1.1.0", "1.2.0", "1.3.0")
    found.add(found.external("1.1.0"))
    return changes(found)


_MANY = _many()
