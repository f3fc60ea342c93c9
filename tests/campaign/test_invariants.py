"""Every invariant can be broken, and is then named: a world that is well, looked at through one lie each."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.campaign.invariants import INVARIANTS, broken
from tests.campaign.office import Office, Said
from tests.campaign.reading import Commit, Line
from tests.campaign.recovery import HALF
from tests.campaign.seen import Seen
from tests.campaign.stage import stage
from tests.campaign.sweep import life
from tests.campaign.witness import Witness

Lie = Callable[[Seen, pytest.MonkeyPatch], None]


@pytest.fixture(scope="module")
def day() -> Iterator[Seen]:
    with stage() as hand:
        life(hand, HALF)
        hand.office.rest()
        yield hand.seen


def test_a_day_that_is_well_breaks_nothing(day: Seen) -> None:
    assert broken(day, at_rest=True) == []


def _without(kind: str) -> Lie:
    def lie(seen: Seen, patch: pytest.MonkeyPatch) -> None:
        lines = [line for line in seen.ledger if line.kind != kind]
        patch.setattr(seen.office.reading, "ledger", lambda: lines)

    return lie


def _twice(kind: str) -> Lie:
    def lie(seen: Seen, patch: pytest.MonkeyPatch) -> None:
        lines = [one for line in seen.ledger for one in ([line, line] if line.kind == kind else [line])]
        patch.setattr(seen.office.reading, "ledger", lambda: lines)

    return lie


def _frozen_before(kind: str) -> Lie:
    freeze = {"kind": "freeze", "environment": "production", "key": "freeze/production/lie", "seq": 0}

    def lie(seen: Seen, patch: pytest.MonkeyPatch) -> None:
        made = Line(Commit("0" * 40, f"tree x\n\nfreeze\n\n{json.dumps(freeze)}\n".encode()))
        at = next(index for index, line in enumerate(seen.ledger) if line.kind == kind)
        lines = [*seen.ledger[:at], made, *seen.ledger[at:]]
        patch.setattr(seen.office.reading, "ledger", lambda: lines)

    return lie


def _said(text: str) -> Lie:
    def lie(seen: Seen, patch: pytest.MonkeyPatch) -> None:
        first = seen.ledger[0].commit.oid
        patch.setattr(
            seen.office, "said", [*seen.office.said, Said(text, "card/production/web/2.9.0", first)]
        )

    return lie


def _of_office(name: str, value: object) -> Lie:
    return lambda seen, patch: patch.setattr(seen.office, name, value)


def _other_pins(seen: Seen, patch: pytest.MonkeyPatch) -> None:
    places = seen.office.reading.pins(seen.office.reading.main_tip())
    patch.setattr(seen.office.reading, "pins", lambda _commit: dict.fromkeys(places, ("6.6.6", "sha256:0")))


def _other_file(seen: Seen, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(seen.office.reading, "changed", lambda _commit: ["apps/staging/a.yaml", "README.md"])


def _two_pulls(seen: Seen, patch: pytest.MonkeyPatch) -> None:
    names = [f"countersign/production/web/{one}" for one in ("a", "b")]
    patch.setattr(Office, "pulls", lambda _office: [{"head": name, "state": "open"} for name in names])


def _one_branch_twice(seen: Seen, patch: pytest.MonkeyPatch) -> None:
    pull = {"head": "countersign/production/web/a", "state": "open"}
    patch.setattr(Office, "pulls", lambda _office: [pull, pull])


def _other_words(seen: Seen, patch: pytest.MonkeyPatch) -> None:
    pulls = [{**one, "body": "as it was before"} for one in seen.office.pulls()]
    patch.setattr(Office, "pulls", lambda _office: pulls)


def _secret_said(seen: Seen, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(seen.office, "logged", [f"token {seen.office.secrets[0]}"])


def _secret_written(seen: Seen, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(seen.office.reading, "all_text", lambda: seen.office.secrets[3])


def _other_index(seen: Seen, patch: pytest.MonkeyPatch) -> None:
    index = seen.office.replicas[0].engine.index
    patch.setattr(index, "dump", lambda: ("promotions ('otherwise',)",))


def _fault(seen: Seen, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Witness, "faults", lambda _witness: ["entry x: it is not allowed there"])


def _environment_frozen(seen: Seen, patch: pytest.MonkeyPatch) -> None:
    freeze = {"kind": "mismatch", "environment": "staging", "key": "mismatch/x", "seq": 0, "promotion": ""}
    made = Line(Commit("0" * 40, f"tree x\n\nmismatch\n\n{json.dumps(freeze)}\n".encode()))
    at = next(index for index, line in enumerate(seen.ledger) if line.kind == "bump")
    lines = [*seen.ledger[:at], made, *seen.ledger[at:]]
    patch.setattr(seen.office.reading, "ledger", lambda: lines)


LIES: list[tuple[str, Lie]] = [
    ("I1", _said("web is approved by @dan and waits")),
    ("I1", _said("web 2.9.0 in production is being merged.")),
    ("I2", _of_office("told", [("approve/nothing", "0" * 40)])),
    ("I3", _twice("bump")),
    ("I4", _without("rules")),
    ("I5", _fault),
    ("I6", _without("approve")),
    ("I7", _other_pins),
    ("I7", _other_file),
    ("I7r", _other_words),
    ("I8", _twice("intent")),
    ("I8", _twice("landed")),
    ("I8", _one_branch_twice),
    ("I8r", _two_pulls),
    ("I9", _frozen_before("intent")),
    ("I9", _environment_frozen),
    ("I10", _without("landed")),
    ("I10", _without("bump")),
    ("I11", _without("bump")),
    ("I12", _without("intent")),
    ("I12", _of_office("read_only_because", lambda: "somebody rewrote history")),
    ("I13", _secret_said),
    ("I13r", _secret_written),
    ("I14", _other_index),
    ("I15", _of_office("crashes", ["KeyError: x"])),
]


@pytest.mark.parametrize(
    ("name", "lie"), LIES, ids=[f"{name}-{index}" for index, (name, _) in enumerate(LIES)]
)
def test_what_is_not_so_is_named(day: Seen, monkeypatch: pytest.MonkeyPatch, name: str, lie: Lie) -> None:
    fresh = replace(day, witness=Witness(day.office.world.git.repository, day.office.folder / "witness"))
    (one,) = [one for one in INVARIANTS if one.name == name]
    assert list(one.check(fresh)) == []
    fresh.witness.compared.clear()
    fresh.witness.signed.clear()
    lie(fresh, monkeypatch)

    assert list(one.check(fresh)) != []


def test_every_invariant_is_lied_to() -> None:
    assert {name for name, _ in LIES} == {one.name for one in INVARIANTS}


def test_the_page_names_every_invariant() -> None:
    page = (Path(__file__).parents[2] / "docs" / "campaign.md").read_text("utf-8")

    named = [line for line in page.splitlines() if line.startswith("| I")]

    assert named == [f"| {one.name} | {one.sentence} |" for one in INVARIANTS]
