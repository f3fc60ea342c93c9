"""What the bot's own clone still has of a ledger whose branch is gone: all of it, as it was, or nothing."""

from dataclasses import replace
from pathlib import Path

import pytest

from bot.ledger import Appended, NotAllowed, NotWritten, Proposal
from policies.canonical import Json
from policies.entries.entry import Both, Entry, Kind, write_time
from tests.bot.ledger_worlds import FLAGS, World, bot, person, world
from tests.repositories import commit_to, git, tip


@pytest.fixture
def told(tmp_path: Path) -> World:
    found = world(tmp_path)
    found.stage("1.1.0")
    return found


def _fork(told: World, lost: str, *names: str) -> Entry:
    one, other = (person(name) for name in names or ("ada", "bob"))
    accounts: dict[str, Json] = {by.person: dict(FLAGS) for by in (one, other)}
    entry = Entry(kind=Kind.FORK, at=write_time(told.at), key=f"fork/{lost}", by=Both(one, other), lost=lost)
    return replace(entry, note="somebody deleted the branch", evidence={"accounts": accounts})


def _gone(told: World) -> str:
    end = told.ledger_tip
    told.rewrite("")
    told.desk.mirror.fetch()
    return end


def test_it_is_brought_back_with_a_word_on_top(told: World) -> None:
    before = list(told.entries)
    end = _gone(told)
    fork = _fork(told, end)

    answer = told.desk.ledger.repair(lambda _tips, _state: Proposal((fork,)), base=end)

    assert isinstance(answer, Appended)
    assert list(told.entries)[:-1] == before
    assert told.entries[-1][1].kind is Kind.FORK


def test_nobody_brings_it_back_whom_the_rules_do_not_let_fork(told: World) -> None:
    end = _gone(told)
    fork = _fork(told, end, "ada", "dan")

    answer = told.desk.ledger.repair(lambda _tips, _state: Proposal((fork,)), base=end)

    assert isinstance(answer, NotAllowed)
    assert told.desk.mirror.fetch().ledgers == {}


def test_it_is_brought_back_to_no_end_before_one_that_is_known(told: World) -> None:
    earlier = told.entries[-2][0]
    end = _gone(told)
    fork = _fork(told, earlier)

    answer = told.desk.ledger.repair(lambda _tips, _state: Proposal((fork,)), base=earlier)

    assert isinstance(answer, NotWritten)
    assert end[:12] in answer.detail
    assert told.desk.mirror.fetch().ledgers == {}


def test_where_somebody_was_faster_their_branch_stands(told: World) -> None:
    end = _gone(told)
    git(told.remote, "update-ref", "refs/heads/ledger/2026", end)
    told.desk.mirror.fetch()

    answer = told.desk.ledger.repair(lambda _tips, _state: Proposal(), base=end)

    assert isinstance(answer, Appended)
    assert told.ledger_tip == end


def test_of_what_is_no_ledger_or_has_a_fault_nothing_is_kept(told: World, tmp_path: Path) -> None:
    end = told.ledger_tip
    junk = commit_to(told.remote, {"a": "b"}, branch="ledger/2026", message="hello\n")
    told.desk.mirror.fetch()
    kept = told.desk.ledger.kept

    assert kept(junk) is None
    assert kept(tip(told.remote)) is None
    assert kept("5" * 40) is None
    whole = kept(end)
    assert whole is not None
    assert (whole.year, whole.state.tip) == ("2026", end)
    told.rewrite("")
    newcomer = bot(told.remote, tmp_path / "newcomer", told.signer)
    newcomer.mirror.fetch()
    assert newcomer.ledger.kept(end) is None
