"""Crash points: nothing leaves the process but between two of them, and a sweep kills at every one."""

from pathlib import Path

import pytest

from bot.faults import POINTS
from tests.campaign.apart import Death
from tests.campaign.points import WRITES, outside
from tests.campaign.recovery import LIVES, Life
from tests.campaign.sweep import killed

ROOT = Path(__file__).parents[2]


def test_every_write_to_the_outside_stands_between_crash_points() -> None:
    assert [str(one) for one in outside([ROOT / "bot", ROOT / "handlers"])] == []


@pytest.mark.parametrize(
    "source",
    [
        "def tell(chat):\n    chat.show(1)\n",
        "def tell(chat):\n    faults.point('before-message')\n    chat.show(1)\n",
        "def tell(chat):\n    chat.show(1)\n    faults.point('after-message')\n",
        "def tell(chat):\n    faults.point('before-a')\n    faults.point('after-a')\n    chat.show(1)\n",
        "class A:\n    def tell(self):\n        self._mirror.push([])\n",
        "class A:\n    def tell(self):\n        self._it()\n    def _it(self):\n        self.desk.mirror.push([])\n",
        "def _it(wire):\n    wire.write('POST')\n",
    ],
    ids=[
        "none",
        "before alone",
        "after alone",
        "both before",
        "a method",
        "a private one",
        "one that nobody calls",
    ],
)
def test_a_call_without_its_points_is_found(tmp_path: Path, source: str) -> None:
    (tmp_path / "new.py").write_text(source, "utf-8")

    assert len(outside([tmp_path])) == 1


def test_a_function_of_the_same_name_in_another_class_is_no_write(tmp_path: Path) -> None:
    writes = "class A:\n    def tell(self):\n        self._it()\n    def _it(self):\n        self.mirror.push([])\n"
    reads = "class B:\n    def tell(self):\n        self._it()\n    def _it(self):\n        return 1\n"
    (tmp_path / "new.py").write_text(f"{writes}{reads}", "utf-8")

    assert [one.owner for one in outside([tmp_path])] == ["A"]


@pytest.mark.parametrize("name", sorted(WRITES))
def test_each_kind_of_write_is_seen_and_lets_itself_be_guarded(tmp_path: Path, name: str) -> None:
    call = f"self._{WRITES[name][0].lstrip('_')}.{name}()"
    bare = f"class A:\n    def tell(self):\n        {call}\n"
    guarded = bare.replace(call, f"faults.point('before-x')\n        {call}\n        faults.point('after-x')")

    (tmp_path / "new.py").write_text(bare, "utf-8")
    assert [one.spelled for one in outside([tmp_path])] == [call[:-2]]
    (tmp_path / "new.py").write_text(guarded, "utf-8")
    assert outside([tmp_path]) == []


def test_points_come_in_pairs() -> None:
    effects = {name.partition("-")[2] for name in POINTS} - {"clone-ready"}

    assert {f"{when}-{effect}" for effect in effects for when in ("before", "after")} | {
        "before-clone-ready"
    } == set(POINTS)


def test_the_sweep_comes_to_every_crash_point() -> None:
    assert {row.point for life in LIVES for row in life.rows} == set(POINTS)


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("life", LIVES, ids=lambda one: one.name)
def test_who_is_born_after_a_death_finds_what_the_list_says_and_goes_on(life: Life) -> None:
    deaths = [Death(row.step, row.point) for row in life.rows]

    outcome = killed(*deaths, last=life.last, rules=life.rules, day=life.day, is_told=True)

    assert (outcome.lost, outcome.doubled, outcome.violations) == (0, 0, ())
    assert outcome.found == tuple((row.point, row.found) for row in life.rows)
