"""The append loop on real repositories: each entry stands on the very state that it was checked against."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.chains.chain import Entries
from bot.ledger import Appended, NotAllowed, NotWritten, Proposal
from bot.repository.mirror import Mirror, Tips
from bot.repository.objects import Oid
from bot.repository.push import Ok, PushAnswer, RefUpdate, Unknown
from bot.signing import Signer
from policies.codes import Code
from policies.entries.entry import Entry, Kind, write_time
from policies.ledger.keys import expected_key
from policies.ledger.state import State
from policies.words import Approve
from tests.bot.ledger_worlds import FLAGS, NINE, World, bot, person, world
from tests.repositories import commit_to, hook, log, tip


def _freeze(trigger: str, by: str = "ada") -> Entry:
    entry = Entry(kind=Kind.FREEZE, at=write_time(NINE), key=f"freeze/production/{trigger}", by=person(by))
    rest = {"environment": "production", "trigger": trigger, "note": "an incident"}
    return replace(entry, **rest, evidence={"account": dict(FLAGS)})  # type: ignore[arg-type]  # texts, all of them


def _hold(trigger: str, service: str = "web") -> Entry:
    entry = replace(_freeze(trigger), kind=Kind.HOLD, environment="", service=service)
    return replace(entry, key=f"hold/{service}/{trigger}")


def _append(found: World, *entries: Entry) -> object:
    return found.desk.ledger.append(lambda _tips, _state: Proposal(entries), year="2026")


def _kinds(found: World) -> list[Kind]:
    return [entry.kind for _, entry in found.entries]


def test_an_entry_is_on_the_remote_before_it_is_said_to_be_appended(tmp_path: Path) -> None:
    found = world(tmp_path)

    answer = _append(found, _freeze("a"))

    assert isinstance(answer, Appended)
    assert tip(found.remote, "ledger/2026") == answer.entries[-1][0] == answer.state.tip
    assert log(found.remote, "ledger/2026")[0] == "freeze: production (#4)"


def test_what_is_there_already_is_not_written_again(tmp_path: Path) -> None:
    found = world(tmp_path)
    _append(found, _freeze("a"))

    answer = _append(found, _freeze("a"))

    assert answer == Appended((), found.state)


def test_only_what_is_new_of_a_push_is_written(tmp_path: Path) -> None:
    found = world(tmp_path)
    _append(found, _freeze("a"))

    answer = _append(found, _freeze("a"), _hold("b"))

    assert isinstance(answer, Appended)
    assert [entry.kind for _, entry in answer.entries] == [Kind.HOLD]


def test_one_entry_that_is_not_allowed_stops_the_whole_push(tmp_path: Path) -> None:
    found = world(tmp_path)
    before = found.ledger_tip

    answer = _append(found, _hold("a"), _hold("b", service="nothing"))

    assert isinstance(answer, NotAllowed)
    assert answer.refusal.code is Code.NO_RULE
    assert answer.entry.service == "nothing"
    assert found.ledger_tip == before


@pytest.mark.parametrize(
    "bend",
    [
        {"note": "a\nb"},
        {"note": "a" * 281},
        {"by": replace(person("ada"), slack_team="")},
        {"trigger": "a b", "key": "freeze/production/a b"},
        {"evidence": {"account": dict(FLAGS), "more": []} | {"more": [None]}},
    ],
    ids=["two lines", "too long", "no workspace", "a space in a key", "null in evidence"],
)
def test_what_could_not_be_read_back_is_never_written(tmp_path: Path, bend: dict[str, object]) -> None:
    found = world(tmp_path)
    before = found.ledger_tip

    answer = _append(found, replace(_freeze("a"), **bend))  # type: ignore[arg-type]  # wrong on purpose

    assert isinstance(answer, NotAllowed)
    assert found.ledger_tip == before


def test_who_lost_the_race_is_heard_in_the_state_that_the_winner_left(tmp_path: Path) -> None:
    found = world(tmp_path)
    other = bot(found.remote, tmp_path / "other", found.signer)
    states: list[int] = []

    def compose(_tips: Tips, state: State) -> Proposal:
        states.append(state.seq)
        if len(states) == 1:  # somebody is faster, between the look and the push
            answer = other.ledger.append(lambda _t, _s: Proposal((_hold("b"),)), year="2026")
            assert isinstance(answer, Appended)
        return Proposal((_freeze("a"),))

    answer = found.desk.ledger.append(compose, year="2026")

    assert isinstance(answer, Appended)
    assert states == [3, 4]
    assert _kinds(found)[3:] == [Kind.HOLD, Kind.FREEZE]


def test_two_second_approvals_never_both_count_as_the_second(tmp_path: Path) -> None:
    found = world(tmp_path)
    found.stage("1.1.0")
    asked = found.ask("1.1.0")
    other = World(found.remote, bot(found.remote, tmp_path / "other", found.signer), found.signer, found.at)
    other.at += timedelta(seconds=30)  # at the very same time both would make the very same commit
    other.look()
    answers: list[object] = []
    ready = threading.Barrier(2)

    def press(where: World, who: str) -> None:
        ready.wait()
        answers.append(where.say(who, Approve(asked.id)))

    presses = [
        threading.Thread(target=press, args=(where, who)) for where, who in ((found, "ada"), (other, "ada"))
    ]
    for thread in presses:
        thread.start()
    for thread in presses:
        thread.join()

    assert [one.by.person for one in found.promotion.approvals] == ["ada"]
    assert sorted(len(one.entries) for one in answers if isinstance(one, Appended)) == [0, 1]


class _Deaf(Mirror):
    """A mirror that loses the answer of its first push: it has arrived, or has not."""

    def __init__(self, inner: Mirror, *, arrives: bool) -> None:
        self._inner, self._arrives, self.pushes = inner, arrives, 0

    def __getattribute__(self, name: str) -> object:
        if name in {"_inner", "_arrives", "pushes", "push", "__class__"}:
            return object.__getattribute__(self, name)
        return getattr(object.__getattribute__(self, "_inner"), name)

    def push(self, updates: Sequence[RefUpdate], **_options: float | None) -> PushAnswer:
        self.pushes += 1
        if self.pushes > 1:
            return self._inner.push(updates)
        if self._arrives:
            assert isinstance(self._inner.push(updates), Ok)
        return Unknown("the line went dead")


@pytest.mark.parametrize("arrives", [True, False], ids=["it had arrived", "it had not"])
def test_a_destroyed_answer_neither_loses_nor_doubles(tmp_path: Path, arrives: bool) -> None:  # noqa: FBT001  a table's column
    found = world(tmp_path)
    deaf = _Deaf(found.desk.mirror, arrives=arrives)
    found.desk.ledger.mirror = deaf

    answer = _append(found, _freeze("a"))

    found.desk.ledger.mirror = deaf._inner
    assert isinstance(answer, Appended)
    assert _kinds(found).count(Kind.FREEZE) == 1
    assert deaf.pushes == (1 if arrives else 2)


def test_a_push_that_the_host_forbids_is_said_and_not_tried_again(tmp_path: Path) -> None:
    found = world(tmp_path)
    hook(found.remote, "pre-receive", "echo no pushes today >&2; exit 1")

    answer = _append(found, _freeze("a"))

    assert isinstance(answer, NotWritten)
    assert answer.code == "not-recorded"
    assert Kind.FREEZE not in _kinds(found)


def test_entries_and_branches_go_out_together_or_not_at_all(tmp_path: Path) -> None:
    found = world(tmp_path)
    hook(found.remote, "update", 'case "$1" in refs/heads/countersign/*) exit 1;; esac')
    found.publish("1.1.0")
    found.run()
    before = found.ledger_tip

    with pytest.raises(AssertionError, match="not-recorded"):
        found.ask("1.1.0")

    assert found.ledger_tip == before


# --- read-only -----------------------------------------------------------------------------------------------


def _read_only(found: World) -> str:
    answer = _append(found, _freeze("z"))
    assert isinstance(answer, NotWritten)
    assert answer.code == "ledger-read-only"
    return answer.detail


def test_another_key_only_reads(tmp_path: Path) -> None:
    found = world(tmp_path)
    found.desk = bot(found.remote, tmp_path / "other", Signer.generate())

    assert "another key" in _read_only(found)


def test_a_ledger_cut_back_past_a_move_is_only_read(tmp_path: Path) -> None:
    found = world(tmp_path)
    found.stage("1.1.0")
    found.stage("1.2.0")
    oids = [oid for oid, _ in found.entries]
    found.rewrite(oids[2])
    found.desk = bot(found.remote, tmp_path / "fresh", found.signer)

    detail = _read_only(found)

    assert "somebody rewrote history" in detail
    assert oids[4][:12] in detail


def test_a_ledger_cut_back_past_what_this_machine_saw_is_only_read(tmp_path: Path) -> None:
    found = world(tmp_path)
    _append(found, _freeze("a"))
    oids = [oid for oid, _ in found.entries]
    found.rewrite(oids[1])
    found.desk = bot(found.remote, tmp_path / "fresh", found.signer)
    found.desk.ledger.remembered = oids[-1]

    assert oids[-1][:12] in _read_only(found)


@pytest.mark.parametrize("is_gone", [True, False], ids=["gone", "cut back"])
def test_a_process_that_only_read_remembers_what_it_saw(tmp_path: Path, is_gone: bool) -> None:  # noqa: FBT001  a table's column
    found = world(tmp_path)
    _append(found, _freeze("a"))
    found.desk = bot(found.remote, tmp_path / "reader", found.signer)
    oids = [oid for oid, _ in found.entries]
    found.rewrite("" if is_gone else oids[1])

    assert "somebody rewrote history" in _read_only(found)


def test_a_ledger_whose_entry_was_rewritten_is_only_read(tmp_path: Path) -> None:
    found = world(tmp_path)
    found.sneak(_hold("a", service="nothing"))

    assert "countersign verify" in _read_only(found)


def test_junk_on_the_branch_makes_it_readable_only_up_to_there(tmp_path: Path) -> None:
    found = world(tmp_path)
    commit_to(found.remote, {}, branch="ledger/2026", message="hello\n")

    assert "countersign verify" in _read_only(found)
    assert len(found.entries) == 3


def test_a_branch_that_is_read_only_stays_so_when_more_arrives(tmp_path: Path) -> None:
    found = world(tmp_path)
    commit_to(found.remote, {}, branch="ledger/2026", message="hello\n")
    first = _read_only(found)
    commit_to(found.remote, {}, branch="ledger/2026", message="again\n")

    assert _read_only(found) == first


def test_an_append_looks_through_no_entries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = world(tmp_path)
    found.desk.ledger.read(found.desk.mirror.fetch())
    monkeypatch.setattr(Entries, "__iter__", lambda _: pytest.fail("all entries were looked through"))

    answer = _append(found, _freeze("a"))

    assert isinstance(answer, Appended)


def test_only_what_is_new_is_read_again(tmp_path: Path) -> None:
    found = world(tmp_path)
    ledger, tips = found.desk.ledger, found.desk.mirror.fetch()
    first = ledger.read(tips)
    _append(found, _freeze("a"))

    second = ledger.read(found.desk.mirror.fetch())

    assert second.entries[:3] == first.entries[:]
    assert [entry.seq for _, entry in second.entries] == [1, 2, 3, 4]
    assert expected_key(State("2026"), second.entries[0][1]) == second.entries[0][1].key
    assert second.tip == Oid(second.state.tip)
