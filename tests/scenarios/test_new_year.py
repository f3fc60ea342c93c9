"""New year: what is open goes over into the new branch, in one push with the end of the old one, and is verified."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.chains.years import read_years, whole
from bot.dossier import dossiers
from bot.index import Index
from bot.ledger import Appended, Proposal
from bot.promoting import promoter
from bot.repository.objects import Oid
from bot.repository.push import Ok, RefUpdate
from bot.signing import Signer
from policies.canonical import Json
from policies.entries.carried import carry, restore
from policies.entries.entry import Entry, Kind, Placed, write_time
from policies.entries.promotion import Stage
from policies.ledger.keys import expected_key
from policies.ledger.population import population
from policies.ledger.state import State
from policies.verdict import Passed
from policies.words import Approve, Freeze, Hold
from tests.bot.ledger_worlds import World, bot, digest, kustomization, person, said, world
from tests.repositories import commit_to, git, tip

EVE = datetime(2026, 12, 31, 23, 40, tzinfo=UTC)
YEAR = datetime(2027, 1, 1, 0, 1, tzinfo=UTC)
PRODUCTION = "apps/production/kustomization.yaml"


def stand(told: World, word: Freeze | Hold) -> None:
    """Let Ada say a freeze or hold."""
    told.done(lambda look, _tip: promoter.stand(look, said("ada", look.at), word))


@pytest.fixture
def told(tmp_path: Path) -> World:
    """Tell the last day of a year: something landed, was moved by hand, is held and frozen, and waits for Bob."""
    found = world(tmp_path)
    found.at = EVE
    found.stage("1.1.0")
    found.promote("1.1.0")
    commit_to(found.remote, {PRODUCTION: kustomization("1.0.0", digest("1.0.0"))})
    found.run()
    found.stage("1.2.0")
    found.ask("1.2.0")
    found.say("ada", Approve(found.promotion.id))
    stand(found, Hold("web", "the fair", "staging"))
    stand(found, Freeze(("staging",), "the fair", YEAR + timedelta(days=3)))
    shown = Entry(
        kind=Kind.SHOWN, at=write_time(found.at), key="", shown=(Placed("card/1", "C1", "17.1", 1),)
    )
    found.sneak(shown)
    return found


def turn(told: World, at: datetime = YEAR) -> tuple[tuple[Oid, Entry], ...]:
    """Let the year begin."""
    told.at = at
    told.desk.mirror.fetch()
    answer = told.desk.turn(at)
    assert isinstance(answer, Appended), answer
    return answer.entries


def pushes(told: World) -> list[str]:
    """Return the branches of ledgers."""
    return git(told.remote, "for-each-ref", "--format=%(refname)", "refs/heads/ledger").splitlines()


def test_both_branches_move_in_one_push_and_the_state_goes_over(told: World) -> None:
    before, last = told.state, told.entries[-1][1]
    begun = told.desk.pace.last_minute()

    (ended, end), (begins, first) = turn(told)

    assert told.desk.pace.last_minute() == begun + 1
    assert pushes(told) == ["refs/heads/ledger/2026", "refs/heads/ledger/2027"]
    assert (tip(told.remote, "ledger/2026"), tip(told.remote, "ledger/2027")) == (ended, begins)
    assert (end.kind, first.kind, first.seq) == (Kind.CHECKPOINT, Kind.GENESIS, last.seq + 2)
    assert (first.commit, first.signer) == (tip(told.remote), told.signer.public_key)
    after = told.state
    for name in (
        "live",
        "holds",
        "freezes",
        "open",
        "shown",
        "promotions",
        "counts",
        "seen",
        "moves",
        "sighted",
    ):
        old, new = (dict(getattr(state, name).items()) for state in (before, after))
        assert new == old, name
    assert after.rules == before.rules
    assert set(before.keys) < set(after.keys)


def test_a_promotion_that_is_open_over_the_year_is_approved_merged_and_verified(
    told: World, tmp_path: Path
) -> None:
    promotion = told.promotion.id
    turn(told)

    assert isinstance(told.say("bob", Approve(promotion)), Appended)
    told.intend()
    told.land(told.merge())
    told.publish("1.3.0")
    told.run()

    now = told.state.promotions[promotion]
    assert (now.id, now.stage) == (promotion, Stage.LANDED)
    assert [one.by.person for one in now.approvals] == ["ada", "bob"]
    report = told.audit(tmp_path / "audit")
    assert [one.what for one in report.findings] == ["review-missing"]
    years = read_years(told.desk.mirror, told.desk.book, told.desk.mirror.fetch())
    assert report.entries == sum(len(one.entries) for one in years)
    assert [entry.seq for _, entry in whole(years).entries] == list(range(1, report.entries + 1))


def test_an_exception_of_the_old_year_is_reviewed_in_the_new_one(told: World, tmp_path: Path) -> None:
    turn(told)
    (seq,) = told.state.open
    about = {"by": person("dan"), "closes": seq, "note": "agreed", "evidence": said("dan", told.at).evidence}
    review = replace(Entry(kind=Kind.REVIEW, at=write_time(told.at), key=""), **about)  # type: ignore[arg-type]

    told.done(lambda look, _tip: Proposal((replace(review, key=expected_key(look.state, review)),)))

    assert told.audit(tmp_path / "audit").findings == []


def test_what_ran_before_the_year_can_be_gone_back_to(told: World, tmp_path: Path) -> None:
    turn(told)

    told.roll_back("staging", "1.1.0")

    assert told.state.promotions[told.promotion.id].stage is Stage.LANDED
    assert [one.what for one in told.audit(tmp_path / "audit").findings] == ["review-missing"]


def test_two_replicas_begin_the_year_once(told: World, tmp_path: Path) -> None:
    other = replace(told, desk=bot(told.remote, tmp_path / "other", told.signer))
    other.desk.mirror.fetch()
    other.desk.ledger.read(other.desk.mirror.tips())

    told.desk.mirror.fetch()
    mine, theirs = told.desk.turn(YEAR), other.desk.turn(YEAR + timedelta(seconds=1))

    assert isinstance(mine, Appended)
    assert isinstance(theirs, Appended)
    assert (len(mine.entries), len(theirs.entries)) == (2, 0)
    assert other.desk.turn(YEAR) is None
    assert isinstance(other.say("bob", Approve(told.promotion.id)), Appended)


def test_nothing_begins_while_a_merge_is_under_way_or_a_move_is_not_written_down(told: World) -> None:
    told.say("bob", Approve(told.promotion.id))
    told.intend()
    assert turn(told) == ()
    told.land(told.merge())
    commit_to(told.remote, {PRODUCTION: kustomization("1.1.0", digest("1.1.0"))})
    assert turn(told) == ()

    told.run()

    assert len(turn(told)) == 2


def test_it_does_not_begin_before_its_time_nor_where_there_is_no_ledger(told: World) -> None:
    told.desk.mirror.fetch()

    assert told.desk.turn(EVE) is None
    assert pushes(told) == ["refs/heads/ledger/2026"]


def test_an_empty_disk_and_an_index_go_over(told: World, tmp_path: Path) -> None:
    index = Index.open(tmp_path / "index.sqlite")
    index.follow(told.desk.ledger.read(told.desk.mirror.fetch()))
    told.desk.ledger.remembered = index.remembered()
    turn(told)
    told.say("bob", Approve(told.promotion.id))

    chain = told.desk.ledger.read(told.desk.mirror.fetch())
    index.follow(chain)
    followed = index.dump()
    index.rebuild(chain)

    assert told.desk.ledger.read_only_because(told.desk.mirror.tips()) == ""
    assert index.dump() == followed
    index.close()
    newcomer = bot(told.remote, tmp_path / "newcomer", told.signer)
    assert newcomer.ledger.read_only_because(newcomer.mirror.fetch()) == ""


# --- what is wrong between two years


def _invented(carried: dict[str, Json]) -> dict[str, Json]:
    """Let Bob have approved."""
    tables = json.loads(json.dumps(carried["tables"]))
    for row in tables["promotions"]:
        if row[1].get("stage", "open") == "open":
            row[1]["approvals"].append({**row[1]["approvals"][0], "by": {"person": "bob", "via": "button"}})
    return {**carried, "tables": tables}


def _forgotten(carried: dict[str, Json]) -> dict[str, Json]:
    """Let nothing be frozen."""
    tables = dict(carried["tables"])  # type: ignore[arg-type]  # a test's choice
    del tables["freezes"]
    return {**carried, "tables": tables}


def _unreadable(carried: dict[str, Json]) -> dict[str, Json]:
    return {**carried, "tables": {"holds": [["x"]]}}


@pytest.mark.parametrize("lie", [_invented, _forgotten, _unreadable], ids=lambda one: one.__name__)
def test_a_year_that_carries_something_else_is_a_finding_and_only_read(
    told: World, tmp_path: Path, lie: Callable[[dict[str, Json]], dict[str, Json]]
) -> None:
    chain = told.desk.ledger.read(told.desk.mirror.fetch())
    entry = Entry(
        kind=Kind.GENESIS,
        at=write_time(YEAR),
        key="genesis/2027",
        seq=chain.state.seq + 1,
        commit=tip(told.remote),
        branch="main",
        signer=told.signer.public_key,
        carried=lie(carry(chain.state, chain.entries, YEAR)),
    )
    oid = told.desk.mirror.entry_commit(None, message=entry.message(), at=YEAR, signer=told.signer)
    assert isinstance(told.desk.mirror.push([RefUpdate("refs/heads/ledger/2027", None, oid)]), Ok)

    findings = told.audit(tmp_path / "audit").findings
    newcomer = bot(told.remote, tmp_path / "newcomer", told.signer)

    assert ("entry-invalid", oid) in {(one.what, one.oid) for one in findings}
    assert newcomer.ledger.read_only_because(newcomer.mirror.fetch()) != ""


def test_another_key_cannot_begin_a_year(told: World, tmp_path: Path) -> None:
    chain = told.desk.ledger.read(told.desk.mirror.fetch())
    stranger = Signer.generate()
    entry = Entry(
        kind=Kind.GENESIS,
        at=write_time(YEAR),
        key="genesis/2027",
        seq=chain.state.seq + 1,
        commit=tip(told.remote),
        branch="main",
        signer=stranger.public_key,
        carried=carry(chain.state, chain.entries, YEAR),
    )
    oid = told.desk.mirror.entry_commit(None, message=entry.message(), at=YEAR, signer=stranger)
    told.desk.mirror.push([RefUpdate("refs/heads/ledger/2027", None, oid)])

    findings = told.audit(tmp_path / "audit").findings

    assert any(one.oid == oid and "another key" in one.text for one in findings)


def test_an_old_year_that_was_cut_back_or_is_gone_is_noticed(told: World, tmp_path: Path) -> None:
    turn(told)
    entries = read_years(told.desk.mirror, told.desk.book, told.desk.mirror.tips())[0].entries

    git(told.remote, "update-ref", "refs/heads/ledger/2026", entries[-2][0])
    cut = told.audit(tmp_path / "cut").findings
    git(told.remote, "update-ref", "-d", "refs/heads/ledger/2026")
    gone = told.audit(tmp_path / "gone").findings
    newcomer = bot(told.remote, tmp_path / "newcomer", told.signer)

    assert any("ends at" in one.text for one in cut)
    assert "ledger-cut" in {one.what for one in gone}
    assert "somebody rewrote history" in newcomer.ledger.read_only_because(newcomer.mirror.fetch())


def test_what_is_carried_is_read_back_the_same(told: World) -> None:
    state, entries = told.state, told.entries
    carried = carry(state, entries, YEAR)
    again = State("2027")

    restore(again, json.loads(json.dumps(carried)))

    replaced = replace(again, year="2026", tip=state.tip, seq=state.seq)
    assert carry(replaced, entries, YEAR) == carried


def test_what_is_over_for_long_stays_behind(told: World) -> None:
    late = YEAR + timedelta(days=200)
    carried = carry(told.state, told.entries, late)
    again = State("2027")

    restore(again, carried)

    assert list(again.live.values()) == [told.promotion.id]
    assert all(told.promotion.id in key for key in again.keys)
    assert told.promotion.id in again.promotions
    assert again.seen.keys() == told.state.seen.keys()


def test_an_auditor_gets_the_changes_of_both_years(told: World, tmp_path: Path) -> None:
    promotion = told.promotion.id
    turn(told)
    told.say("bob", Approve(promotion))
    told.intend()
    told.land(told.merge())
    chain = whole(read_years(told.desk.mirror, told.desk.book, told.desk.mirror.fetch()))

    changes = population(chain.state, chain.entries)
    found = {one.change.id: one for one in dossiers(chain, told.desk.mirror, told.desk.book, changes)}

    assert [one.sort.value for one in changes] == ["standard", "normal", "unauthorised", "standard", "normal"]
    over = found[promotion]
    assert [word.by.person for word in over.change.approvals] == ["ada", "bob"]
    assert over.gates
    assert all(isinstance(one.verdict, Passed) for one in over.gates)
    assert "+    newTag: 1.2.0" in over.diff
