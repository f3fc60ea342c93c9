"""The second remote and the daily line: anchors that are not in the repository itself."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.ledger import Appended, Proposal
from bot.repository.second_remote import SecondRemote
from bot.showing.cardfile import cards
from policies.canonical import Json
from policies.decide import decide
from policies.entries.entry import Both, Entry, Kind, write_time
from policies.words import Approve
from tests.bot.ledger_worlds import FLAGS, World, bot, person, world
from tests.repositories import git, hook, make_bare, tip

SOON = 30.0


@pytest.fixture
def told(tmp_path: Path) -> World:
    """Open a promotion."""
    found = world(tmp_path)
    found.stage("1.1.0")
    found.ask("1.1.0")
    return found


@pytest.fixture
def second(told: World, tmp_path: Path) -> Iterator[SecondRemote]:
    """Keep the ledger in a second repository, too."""
    make_bare(tmp_path / "second.git")
    found = SecondRemote(str(tmp_path / "second.git"), tmp_path / "clone")
    told.desk.ledger.second = found
    yield found
    found.close()


def kept(tmp_path: Path) -> str:
    """Return where the ledger ends in the second repository."""
    return tip(tmp_path / "second.git", "ledger/2026")


def test_each_end_is_kept_there_too(told: World, second: SecondRemote, tmp_path: Path) -> None:
    told.say("ada", Approve(told.promotion.id))

    assert second.settle(SOON)
    assert kept(tmp_path) == told.ledger_tip
    assert dict(second.ask()) == {"2026": told.ledger_tip}
    assert git(tmp_path / "second.git", "for-each-ref", "--format=%(refname)") == "refs/heads/ledger/2026"


def test_nobody_waits_for_one_that_is_away_and_the_next_push_brings_all(
    told: World, second: SecondRemote, tmp_path: Path
) -> None:
    away = (tmp_path / "second.git").rename(tmp_path / "away.git")
    told.say("ada", Approve(told.promotion.id))
    assert second.settle(SOON)
    assert second.problem()

    away.rename(tmp_path / "second.git")
    told.say("bob", Approve(told.promotion.id))

    assert second.settle(SOON)
    assert second.problem() == ""
    assert kept(tmp_path) == told.ledger_tip


def test_it_is_never_forced(told: World, second: SecondRemote, tmp_path: Path) -> None:
    told.say("ada", Approve(told.promotion.id))
    assert second.settle(SOON)
    end = kept(tmp_path)

    second.send({"2026": told.entries[0][0]})

    assert second.settle(SOON)
    assert kept(tmp_path) == end
    assert second.problem()


def _given_up(told: World, second: SecondRemote, tmp_path: Path) -> tuple[str, str]:
    """Cut the ledger, and let two people give up what the second remote has; return its end there and the new one."""
    told.say("ada", Approve(told.promotion.id))
    assert second.settle(SOON)
    lost = kept(tmp_path)
    told.rewrite(told.entries[-2][0])
    told.desk.mirror.fetch()
    accounts: dict[str, Json] = {name: dict(FLAGS) for name in ("ada", "bob")}
    both = Both(person("ada"), person("bob"))
    fork = Entry(kind=Kind.FORK, at=write_time(told.at), key=f"fork/{lost}", by=both, lost=lost)
    fork = replace(fork, note="the branch was pushed over", evidence={"accounts": accounts})
    assert isinstance(told.desk.ledger.repair(lambda _tips, _state: Proposal((fork,))), Appended)
    return lost, told.ledger_tip


def test_what_two_people_gave_up_goes_aside_and_the_branch_goes_on(
    told: World, second: SecondRemote, tmp_path: Path
) -> None:
    lost, now = _given_up(told, second, tmp_path)

    assert second.settle(SOON)
    assert second.problem() == ""
    assert kept(tmp_path) == now
    assert tip(tmp_path / "second.git", f"given-up/2026-{lost[:12]}") == lost
    told.say("bob", Approve(told.promotion.id))
    assert second.settle(SOON)
    assert (kept(tmp_path), second.problem()) == (told.ledger_tip, "")


def test_another_process_that_does_not_have_the_lost_end_sets_it_aside_as_well(
    told: World, second: SecondRemote, tmp_path: Path
) -> None:
    hook(tmp_path / "second.git", "pre-receive", "grep -q given-up && exit 1; exit 0")
    lost, now = _given_up(told, second, tmp_path)
    assert second.settle(SOON)
    assert (kept(tmp_path), bool(second.problem())) == (lost, True)
    (tmp_path / "second.git" / "hooks" / "pre-receive").unlink()
    newcomer = bot(told.remote, tmp_path / "newcomer", told.signer)
    other = SecondRemote(str(tmp_path / "second.git"), tmp_path / "newcomer")
    tips = newcomer.mirror.fetch()

    other.send(tips.ledgers)
    assert other.settle(SOON)
    assert (kept(tmp_path), bool(other.problem())) == (lost, True)  # nobody told it that this was given up
    other.send(tips.ledgers, newcomer.ledger.read(tips).state.forks)

    assert other.settle(SOON)
    assert (kept(tmp_path), other.problem()) == (now, "")
    assert tip(tmp_path / "second.git", f"given-up/2026-{lost[:12]}") == lost
    other.close()


def test_a_ledger_that_lost_what_the_second_remote_has_is_only_read(
    told: World, second: SecondRemote, tmp_path: Path
) -> None:
    told.say("ada", Approve(told.promotion.id))
    assert second.settle(SOON)
    told.rewrite(told.entries[-2][0])
    newcomer = bot(told.remote, tmp_path / "newcomer", told.signer)
    newcomer.ledger.second = SecondRemote(str(tmp_path / "second.git"), tmp_path / "newcomer")
    tips = newcomer.mirror.fetch()
    assert newcomer.ledger.read_only_because(tips) == ""  # it was not asked yet

    newcomer.ledger.second.ask()

    assert "the second remote has" in newcomer.ledger.read_only_because(tips)


def test_a_replica_that_was_faster_is_no_rewriter(told: World, second: SecondRemote, tmp_path: Path) -> None:
    other = bot(told.remote, tmp_path / "other", told.signer)
    tips = other.mirror.fetch()
    told.say("ada", Approve(told.promotion.id))
    assert second.settle(SOON)
    other.ledger.second = SecondRemote(str(tmp_path / "second.git"), tmp_path / "other")
    other.ledger.second.ask()

    assert other.ledger.read_only_because(tips) == ""


def test_one_that_refuses_is_told_and_stops_nobody(told: World, second: SecondRemote, tmp_path: Path) -> None:
    hook(tmp_path / "second.git", "pre-receive", "echo no; exit 1")

    told.say("ada", Approve(told.promotion.id))

    assert second.settle(SOON)
    assert "push" in second.problem()
    assert kept(tmp_path) == ""


def test_the_ledgers_end_is_said_once_a_day_from_the_second_day_on(told: World) -> None:
    def lines(known: frozenset[str], days: int) -> list[tuple[str, dict[str, str]]]:
        at = told.at + timedelta(days=days)
        look = told.desk.view(at)
        end = told.desk.ledger.end(told.desk.mirror.tips())
        found = cards(look, decide(look.world, at), {}, known, [], end=end)
        return [(one.what, one.facts) for one in found if one.what.startswith("anchor/")]  # type: ignore[union-attr]

    assert lines(frozenset(), 0) == []
    facts = {"seq": f"#{len(told.entries)}", "oid": told.ledger_tip[:12]}
    assert lines(frozenset(), 1) == [("anchor/2026-11-24", facts)]
    assert lines(frozenset({"anchor/2026-11-24"}), 1) == []
    assert lines(frozenset({"anchor/2026-11-24"}), 2) == [("anchor/2026-11-25", facts)]
    told.rewrite(told.entries[0][0])
    told.desk.mirror.fetch()
    assert lines(frozenset(), 1) == []
