"""What an entry says beside its decision: what stood there, when accounts were looked up, what junk was about."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import pytest

from policies import guards
from policies.allowed.asked import TOLD_DECIDES
from policies.canonical import Json, digest_of
from policies.codes import Code
from policies.entries.entry import Bot, Entry, Kind, write_time
from policies.rules.rules import Line
from tests.policies import group_worlds, test_several_services, test_validator_emergency
from tests.policies.gate_worlds import ruled
from tests.policies.ledger_builders import (
    FLAGS,
    RULES,
    Story,
    change_rules,
    hash_of,
    oid,
    pinned,
    story,
)
from tests.policies.test_allowed_reviews import reviewed

TODAY = TOLD_DECIDES + timedelta(hours=9)
BEFORE = TOLD_DECIDES - timedelta(days=2)
LIE = (pinned("1.0.0"),)
Made = Callable[[datetime], tuple[Story, Entry]]


def _at(at: datetime, found: Story | None = None) -> Story:
    begun = found or story()
    begun.at = at
    return begun


def _runs(at: datetime) -> Story:
    """Let 1.2.0 run in production, and 1.3.0 in staging."""
    found = _at(at).asked("1.2.0").approved().landed()
    return found.staged("1.3.0")


def _step_back(at: datetime) -> tuple[Story, Entry]:
    found = _runs(at)
    return found, found.propose("1.1.0", previous=LIE)


def _proposed(at: datetime, **changes: object) -> tuple[Story, Entry]:
    found = _runs(at)
    return found, found.propose("1.3.0", **changes)


def _back(at: datetime) -> tuple[Story, Entry]:
    found = _runs(at)
    return found, found.rollback("1.0.0", previous=(pinned("1.1.0"),))


def _bumped(at: datetime, **changes: object) -> tuple[Story, Entry]:
    found = _at(at).staged("1.1.0")
    found.add(found.seen("1.2.0"))
    return found, found.bump("1.2.0", **changes)


def _urgent(at: datetime) -> tuple[Story, Entry]:
    found = ruled(_runs(at), emergency=test_validator_emergency.APART)
    return found, test_validator_emergency._emergency(found, tag="1.3.0", previous=LIE)


def _voided(at: datetime) -> tuple[Story, Entry]:
    found = _runs(at)
    found.add(found.propose("1.3.0"))
    return found, found.about(
        Kind.VOID, image=(replace(pinned("1.3.0"), digest=pinned("x").digest),), previous=LIE
    )


def _beside(at: datetime) -> tuple[Story, Entry]:
    found = _at(at, test_several_services._ready())
    entry = test_several_services._both(found)
    return found, replace(entry, also=(replace(entry.also[0], previous=(pinned("1.0.5"),)),))


def _of_a_group(at: datetime) -> tuple[Story, Entry]:
    found = _at(at, group_worlds.shop())
    versions = {"web": "1.1.0", "cart": "1.2.0"}
    entry = group_worlds.bump(group_worlds.seen(found, versions), versions)
    lie = group_worlds.image("1.1.0", "cart")
    return found, replace(entry, previous=(entry.previous[0], lie))


def _held(at: datetime, stands: str = "1.5.0") -> tuple[Story, Entry]:
    found = _at(at)
    doubt = guards.step_back("web", "staging", (pinned("0.9.0"),), (pinned(stands),), "0.9.0 is older")
    return found, guards.entry_of(doubt, at=found.at, first=found.at)


def _landed(at: datetime, **changes: object) -> tuple[Story, Entry]:
    found = _at(at).asked().approved().merged()
    return found, found.about(Kind.LANDED, **changes)


def _looked(at: datetime, ago: timedelta | None, by: str = "carol") -> tuple[Story, Entry]:
    """Let somebody ask whose account was looked up so long ago; ``None``: nobody says when."""
    found = _at(at).staged("1.1.0")
    entry = found.propose("1.1.0", by)
    return found, replace(entry, evidence=_evidence(found, {"account": dict(FLAGS)}, ago))


def _evidence(found: Story, told: dict[str, Json], ago: timedelta | None) -> dict[str, Json]:
    return told if ago is None else {**told, "looked": write_time(found.at - ago)}


def _intended(at: datetime, ago: timedelta | None) -> tuple[Story, Entry]:
    found = _at(at).asked().approved()
    accounts: Json = {name: dict(FLAGS) for name in ("ada", "bob")}
    return found, found.about(Kind.INTENT, evidence=_evidence(found, {"accounts": accounts}, ago))


def _by_two(at: datetime, ago: timedelta | None) -> tuple[Story, Entry]:
    found = _at(at)
    accounts: Json = {name: dict(FLAGS) for name in ("ada", "bob")}
    evidence = _evidence(found, {"accounts": accounts}, ago)
    return found, found.both(Kind.FORK, lost=oid("lost"), evidence=evidence)


def _reviewed(at: datetime, ago: timedelta) -> tuple[Story, Entry]:
    found = _at(at).asked()
    return found, reviewed(found, looked=write_time(found.at - ago))


def _linked(at: datetime, ago: timedelta) -> tuple[Story, Entry]:
    found = _at(at)
    entry = found.linked("carol")
    return found, replace(entry, evidence={**entry.evidence, "looked": write_time(found.at - ago)})


def _junk(at: datetime, **changes: object) -> tuple[Story, Entry]:
    found = _at(at)
    return found, replace(found.junk("acme/web"), key="", **changes)  # type: ignore[arg-type]  # a test's choice


def _rules_of_a_branch() -> tuple[Story, Entry]:
    found = story()
    found.book.versions[oid("aside")] = found.book.versions[oid("first")]
    entry = found.rules_at(oid("aside"))
    del found.book.versions[oid("aside")]
    return found, entry


DAY = timedelta(days=1)
LATE = timedelta(minutes=10, seconds=1)
WRONG: dict[str, tuple[Made, Code]] = {
    "a proposal of a step back that lies about what stands there": (_step_back, Code.OUT_OF_LINE),
    "a proposal that says nothing stood there": (partial(_proposed, previous=()), Code.OUT_OF_LINE),
    "a proposal in the place of another digest": (
        partial(_proposed, previous=(pinned("1.2.0", digest=pinned("x").digest),)),
        Code.OUT_OF_LINE,
    ),
    "a rollback that lies about what it leaves": (_back, Code.OUT_OF_LINE),
    "a bump that lies about what stands there": (partial(_bumped, previous=LIE), Code.OUT_OF_LINE),
    "an emergency that lies about what stands there": (_urgent, Code.OUT_OF_LINE),
    "a void that lies about what stands there": (_voided, Code.OUT_OF_LINE),
    "a bump that lies about a service beside": (_beside, Code.OUT_OF_LINE),
    "a group's bump that lies about a member": (_of_a_group, Code.OUT_OF_LINE),
    "a guard's hold that lies about what stands there": (_held, Code.OUT_OF_LINE),
    "a landing that lies about what stood there": (
        partial(_landed, previous=(pinned("0.9.0"),)),
        Code.OUT_OF_LINE,
    ),
    "a proposal by an account that was looked up a day before": (partial(_looked, ago=DAY), Code.ACCOUNT),
    "a proposal by an account that was looked up too early": (partial(_looked, ago=LATE), Code.ACCOUNT),
    "a proposal by an account that was looked up tomorrow": (partial(_looked, ago=-DAY), Code.ACCOUNT),
    "a proposal by an account of which nobody says when": (partial(_looked, ago=None), Code.ACCOUNT),
    "an intent with accounts of the day before": (partial(_intended, ago=DAY), Code.ACCOUNT),
    "an intent with accounts of which nobody says when": (partial(_intended, ago=None), Code.ACCOUNT),
    "a word of two with accounts of the day before": (partial(_by_two, ago=DAY), Code.ACCOUNT),
    "a word of two with accounts of which nobody says when": (partial(_by_two, ago=None), Code.ACCOUNT),
    "a review with an account of the day before": (partial(_reviewed, ago=DAY), Code.ACCOUNT),
    "a link with an account of the day before": (partial(_linked, ago=DAY), Code.ACCOUNT),
    "junk with another hash": (partial(_junk, input=hash_of("x")), Code.OUT_OF_LINE),
    "junk of another sender": (partial(_junk, why="slack"), Code.OUT_OF_LINE),
    "junk about something else": (
        partial(_junk, evidence={"about": "acme/cart", "detail": "odd"}),
        Code.OUT_OF_LINE,
    ),
    "junk that is otherwise wrong": (
        partial(_junk, evidence={"about": "acme/web", "detail": "even"}),
        Code.OUT_OF_LINE,
    ),
    "junk about nothing": (partial(_junk, evidence={}), Code.OUT_OF_LINE),
}
FORBIDDEN: list[tuple[str, Callable[[], tuple[Story, Entry]], Code]] = [
    *((name, partial(made, TODAY), code) for name, (made, code) in WRONG.items()),
    ("rules of a branch that the clone does not have", _rules_of_a_branch, Code.OUT_OF_LINE),
]


def test_rules_off_the_line_are_not_said_to_be_unreadable() -> None:
    found, entry = _rules_of_a_branch()

    (refusal,) = found.reasons(entry)
    assert refusal.code is Code.OUT_OF_LINE
    assert refusal.detail == f"{entry.commit[:12]} is not on the line of the target branch"


@pytest.mark.parametrize(("made", "code"), WRONG.values(), ids=list(WRONG))
def test_what_is_not_so_is_refused_and_stays_in_older_ledgers(made: Made, code: Code) -> None:
    found, entry = made(TODAY)
    older, same = made(BEFORE)

    assert [one.code for one in found.reasons(entry)] == [code]
    assert older.reasons(same) == []


RIGHT: dict[str, Made] = {
    "a proposal in the place of what landed": _proposed,
    "a proposal whose digest nobody knows": partial(_proposed, previous=(pinned("1.2.0", digest=""),)),
    "a bump in the place of the last one": _bumped,
    "a landing in the place of what was said": partial(_landed, previous=LIE),
    "a landing that says nothing of what stood": _landed,
    "a hold in the place of what Git says": partial(_held, stands="1.0.0"),
    "an account of these ten minutes": partial(_looked, ago=timedelta(minutes=10)),
    "an account by a clock that goes ahead": partial(_looked, ago=-timedelta(minutes=5)),
    "accounts of these ten minutes": partial(_intended, ago=timedelta(minutes=10)),
    "a word of two of these ten minutes": partial(_by_two, ago=timedelta(minutes=10)),
    "a review of these ten minutes": partial(_reviewed, ago=timedelta(minutes=10)),
    "a link of these ten minutes": partial(_linked, ago=timedelta(minutes=10)),
    "junk as it was": _junk,
    "junk without words": partial(_junk, evidence={}, input=digest_of(["webhook", "", ""])),
}


@pytest.mark.parametrize("made", RIGHT.values(), ids=list(RIGHT))
def test_what_is_so_stands(made: Made) -> None:
    found, entry = made(TODAY)

    found.add(entry)


def test_a_merge_that_nobody_is_asked_for_needs_no_look_at_accounts() -> None:
    found = ruled(_at(TODAY), approvals=(Line(0),)).asked()

    assert Code.ACCOUNT not in {one.code for one in found.reasons(found.about(Kind.INTENT))}


def test_a_place_of_which_nothing_is_known_may_have_held_anything() -> None:
    found = _at(TODAY)
    found.book.stood["staging", "web"] = ()
    found.add(found.seen("1.1.0"))

    assert found.refusal(found.bump("1.1.0", previous=(pinned("0.9.0"),))) is None


def test_a_move_by_hand_counts_before_its_entry_stands() -> None:
    found = _runs(TODAY)
    found.add(found.external("1.2.5"))
    move = found.state.last_move("production", "web")
    assert move
    found.book.line += [move.commit, oid("by hand"), oid("by another hand")]
    by_hand = (pinned("1.2.9", digest=""),)
    found.book.later[oid("by hand"), "production", "web"] = by_hand
    found.book.later[oid("by another hand"), "production", "web"] = (pinned("1.2.8"),)

    assert found.refusal(found.propose("1.3.0", previous=by_hand)) is None
    assert found.refusal(found.propose("1.3.0", previous=(pinned("1.2.7"),)))


def test_what_stood_before_the_last_move_does_not_stand_any_more() -> None:
    found = _at(TODAY)
    found.book.line.append(oid("by hand"))
    found.book.later[oid("by hand"), "production", "web"] = (pinned("1.0.5"),)
    found.add(found.external("1.2.0", commit=oid("by hand later")))
    found.book.line.append(oid("by hand later"))
    found.book.later[oid("by hand later"), "production", "web"] = (pinned("1.2.0"),)
    found.staged("1.3.0")

    assert found.refusal(found.propose("1.3.0", previous=(pinned("1.0.5"),)))
    assert found.refusal(found.propose("1.3.0")) is None


def test_rules_that_look_elsewhere_say_what_stands_there() -> None:
    found = _runs(TODAY)
    commit = change_rules(found, RULES.replace("apps/production", "clusters/production"))
    move = found.state.last_move("production", "web")
    assert move
    found.book.line.insert(0, move.commit)
    found.book.later[commit, "production", "web"] = (pinned("1.1.5"),)

    assert found.refusal(found.propose("1.3.0", previous=(pinned("1.1.5"),))) is None


def test_the_bot_says_it_of_itself_too() -> None:
    found, entry = _bumped(TODAY, previous=LIE)

    (refusal,) = found.reasons(entry)
    assert isinstance(entry.by, Bot)
    assert refusal.detail == "1.1.0 stands there, and it says 1.0.0"
