"""Since when something runs where it runs: by the ledger, and before the ledger by Git's history."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.ledger import Appended
from bot.looking import book
from bot.signing import Signer
from policies.decide import decide_row
from policies.gates import Case, soak
from policies.verdict import PASSED, Waiting
from policies.words import Approve
from tests.bot.ledger_worlds import FILES, RULES, World, bot, kustomization
from tests.policies.gate_worlds import case, later, ruled
from tests.policies.ledger_builders import START, story
from tests.repositories import START as FIRST_COMMIT
from tests.repositories import Files, make_bare

STAGING, PRODUCTION = ("apps/staging/kustomization.yaml", "apps/production/kustomization.yaml")
SOAKING = RULES.replace("after: staging}", "after: staging, soak: 2h}")
HISTORY: list[Files] = [
    {**FILES, "promotion/rules.yaml": SOAKING},
    {STAGING: kustomization("1.0.5")},
    {STAGING: f"# a remark\n{kustomization('1.0.5')}"},  # touches the file, moves nothing
    {"README.md": "more\n"},
]


def _minute(number: int) -> datetime:
    return datetime.fromtimestamp(FIRST_COMMIT, UTC) + timedelta(minutes=number)


def _live(folder: Path, history: list[Files]) -> World:
    """A repository with a history, before the bot looks for the first time."""
    signer = Signer.generate()
    remote = make_bare(folder / "gitops.git", history)
    found = World(remote, bot(remote, folder / "clone", signer), signer, tags=["1.0.0", "1.0.5"])
    found.desk.mirror.fetch()
    found.look()
    return found


def _since(found: World, environment: str) -> datetime | None:
    found.desk.mirror.fetch()
    return found.desk.view(found.at).world.current_since(environment, "web")


def test_before_the_ledger_it_is_the_commit_that_moved_it_last(tmp_path: Path) -> None:
    found = _live(tmp_path, HISTORY)

    assert [_since(found, name) for name in ("staging", "production")] == [_minute(1), _minute(0)]
    found.run()
    assert [_since(found, name) for name in ("staging", "production")] == [_minute(1), _minute(0)]


def test_what_moves_afterwards_is_there_since_its_move(tmp_path: Path) -> None:
    found = _live(tmp_path, HISTORY)
    found.run()

    found.stage("1.1.0")

    assert _since(found, "staging") == found.at


def test_a_history_that_never_moved_it_goes_back_as_far_as_is_looked(tmp_path: Path) -> None:
    remarks: list[Files] = [{STAGING: f"# {number}\n{kustomization('1.0.5')}"} for number in range(3)]
    found = _live(tmp_path, [*HISTORY, *remarks])
    was = book.MAX_HISTORY
    book.MAX_HISTORY = 2
    try:
        assert _since(found, "staging") == _minute(5)
    finally:
        book.MAX_HISTORY = was


def test_where_nothing_stands_nobody_knows_since_when(tmp_path: Path) -> None:
    found = _live(tmp_path, [*HISTORY, {STAGING: None}])

    assert _since(found, "staging") is None
    assert found.desk.book.since("f" * 40, found.desk.view(found.at).world.rules, "staging", "web") is None


def test_what_ran_before_the_ledger_has_soaked_since_it_came(tmp_path: Path) -> None:
    found = _live(tmp_path, HISTORY)
    found.run()

    row = decide_row(found.desk.view(found.at).world, "production", "web", found.at)

    assert row
    (candidate,) = row.candidates
    assert candidate.version == "1.0.5"
    assert "soaking" not in candidate.codes  # two hours are over since the commit, not since genesis


def test_the_merge_of_what_ran_before_is_verified(tmp_path: Path) -> None:
    found = _live(tmp_path, HISTORY)
    found.run()
    promotion = found.ask("1.0.5")
    for name in ("ada", "bob"):
        assert isinstance(found.say(name, Approve(promotion.id)), Appended)
    found.intend()
    found.land(found.merge())

    assert found.state.last_move("production", "web")
    assert found.audit(tmp_path / "auditor").findings == []


# --- the gate -----------------------------------------------------------------------------------------------


def _case(since: datetime | None, hours: float = 0) -> Case:
    found = ruled(story(), soak=timedelta(hours=2))
    found.book.stood_since["staging", "web"] = since or START
    asked = case(later(found, hours), "1.0.0", "production")
    return replace(asked, stood_since=lambda place: found.book.stood_since.get(place) if since else None)


def test_soak_counts_from_the_commit_but_never_from_after_genesis() -> None:
    assert soak(_case(START - timedelta(days=1))) == PASSED
    assert isinstance(soak(_case(None)), Waiting)
    assert isinstance(soak(_case(START + timedelta(days=1))), Waiting)  # a clock that was wrong
    assert soak(_case(START + timedelta(days=1), hours=3)) == PASSED
