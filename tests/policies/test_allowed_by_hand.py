"""What the holder of the ledger's own key may append of merges that people make."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from policies.canonical import Json
from policies.codes import Code
from policies.decide import tried_again_at
from policies.entries import stood
from policies.entries.carried import carry, restore
from policies.entries.entry import Bot, Entry, Kind, write_time
from policies.entries.membership import SKEW
from policies.entries.remembered import Span
from policies.entries.tables import Tables
from policies.ledger.by_hand import BY_HAND, MergedBy, clearance, merged_by
from policies.ledger.state import Stage
from policies.rules.rules import Apart, ConfigRule, Line, Merges
from tests.policies.gate_worlds import ruled
from tests.policies.ledger_builders import RULES, START, Story, change_rules, person, pinned, story

BY = "approvals: 2 of release-managers"
PEOPLE = RULES.replace(BY, f"{BY}\n    merges: by-hand")
NOW = START + timedelta(days=7)  # a Monday
assert NOW > stood.DECIDES > START
Made = Callable[[], tuple[Story, Entry]]


def _intent(found: Story, **evidence: Json) -> Entry:
    """Return an intent that clears the head for people, as the bot writes it."""
    entry = found.about(Kind.INTENT)
    return replace(entry, evidence={**entry.evidence, **clearance(), **evidence})


def _begun(text: str = PEOPLE, *, at: datetime = NOW) -> Story:
    found = story(text)
    found.at = at
    return found


def _approved(text: str = PEOPLE, **changes: Any) -> Story:
    found = _begun(text)
    return (ruled(found, **changes) if changes else found).asked().approved()


def _cleared(text: str = PEOPLE, **changes: Any) -> Story:
    found = _approved(text, **changes)
    found.add(_intent(found))
    assert found.promotion().is_cleared
    return found


def _who(found: Story, at: datetime | None = None, /, **changes: Json) -> dict[str, Json]:
    said = MergedBy(77, "bob", at or found.at, write_time(found.at)).as_json()
    return {BY_HAND: {**said, **changes}}


def _merged(found: Story, at: datetime | None = None, /, **changes: Json) -> tuple[Story, Entry]:
    return found, found.about(Kind.MERGED, evidence=_who(found, at, **changes))


def _then(found: Story, entry: Entry, **later: float) -> tuple[Story, Entry]:
    """Let somebody merge at this moment; say what is said next, and let the bot notice the merge after that."""
    at = found.at
    found.at += timedelta(minutes=1)
    found.add(entry)
    found.at += timedelta(**later)
    return _merged(found, at)


def _story_of(*said: Kind, found: Story | None = None, **changes: Any) -> tuple[Story, Entry]:
    """Say one thing after the other, by Ada, two minutes apart; the bot notices after all of it a merge at its time.

    The merge is where the list says `merged`.
    """
    found, at = found or _cleared(), None
    for kind in said:
        found.at += timedelta(minutes=2)
        if kind is Kind.MERGED:
            at = found.at
        else:
            found.add(found.stand(kind, person("ada"), **changes))
    found.at += timedelta(minutes=2)
    return _merged(found, at)


def _two_freezes(until: float, merged: float) -> tuple[Story, Entry]:
    """Freeze for so many minutes, again ten minutes after the first; somebody merges so long after the first."""
    found = _cleared()
    begun = found.at
    found.add(found.stand(Kind.FREEZE, person("ada"), until=write_time(begun + timedelta(minutes=until))))
    found.at = begun + timedelta(minutes=10)
    found.add(found.stand(Kind.FREEZE, person("ada")))
    return _merged(found, begun + timedelta(minutes=merged))


def _before_it(kind: Kind, **changes: Any) -> tuple[Story, Entry]:
    """Let something stand in the way, and somebody merge nevertheless."""
    found = _cleared()
    found.add(found.stand(kind, person("dan"), **changes))
    return _merged(found)


def _later(**span: float) -> tuple[Story, Entry]:
    found = _cleared()
    found.at += timedelta(**span)
    return _merged(found)


def _rollback(text: str = PEOPLE) -> Story:
    found = _cleared(text)
    found.add(_merged(found)[1])
    found.add(found.about(Kind.LANDED))
    found.add(found.rollback("1.0.0"))
    return found


def _uncovered() -> tuple[Story, Entry]:
    """Let the rules that judged it have the service no more."""
    found = _cleared()
    commit = found.promotion().rule.commit
    found.book.versions[commit] = replace(found.book.versions[commit], services={})
    return _merged(found)


def _since(found: Story) -> datetime:
    cleared = found.promotion().cleared
    assert cleared
    return cleared


def _cleared_at(at: datetime) -> Story:
    found = _begun(at=at - timedelta(hours=1)).asked().approved()
    found.at = at
    found.add(_intent(found))
    return found


def _blocked_twice() -> tuple[Story, Entry]:
    """Block it everywhere and there, and after the merge everywhere anew, as older programs remember it."""
    found, image = _of_old(), (pinned("1.1.0", digest=""),)
    found.add(found.stand(Kind.BLOCK, person("ada"), image=image))
    found.add(found.stand(Kind.BLOCK, person("ada"), image=image, environment="production"))
    return _then(found, found.stand(Kind.BLOCK, person("ada"), image=image))


def _with_files(later: timedelta) -> tuple[Story, Entry]:
    """Let a change of guarded files be found so long after somebody merged."""
    found = _cleared(config=ConfigRule.GUARD)
    at = found.at
    found.at += later
    found.add(found.config("a", why="guarded"))
    return _merged(found, at)


WINDOW = RULES.replace(
    BY, f"{BY}\n    merges: by-hand\n    freeze: Mon 10:00-12:00"
)  # the story begins on a Monday

FORBIDDEN: list[tuple[str, Made, Code]] = [
    (
        "an intent of the bot's own where people merge",
        lambda: (f := _approved(), f.about(Kind.INTENT)),
        Code.OUT_OF_LINE,
    ),
    (
        "a clearance for people where the bot merges",
        lambda: (f := _approved(RULES), _intent(f)),
        Code.OUT_OF_LINE,
    ),
    (
        "a clearance for people of a way back",
        lambda: (f := _rollback(), _intent(f)),
        Code.OUT_OF_LINE,
    ),
    (
        "a clearance without its approvals",
        lambda: (f := story(PEOPLE).asked().approved("ada"), _intent(f)),
        Code.APPROVALS_MISSING,
    ),
    (
        "a merge that names nobody",
        lambda: (f := _cleared(), f.about(Kind.MERGED)),
        Code.NOT_ATTESTED,
    ),
    (
        "a merge by a push of the bot",
        lambda: (f := _cleared(), f.about(Kind.MERGED, evidence={"pushed": True})),
        Code.NOT_ATTESTED,
    ),
    ("a merge at no time", lambda: _merged(_cleared(), at="soon"), Code.NOT_ATTESTED),
    ("a merge by a number that is none", lambda: _merged(_cleared(), id=True), Code.NOT_ATTESTED),
    ("a merge by nobody's login", lambda: _merged(_cleared(), login=7), Code.NOT_ATTESTED),
    ("a merge with more to it", lambda: _merged(_cleared(), more="x"), Code.NOT_ATTESTED),
    (
        "a merge that was looked up long ago",
        lambda: _merged(_cleared(), looked="2026-11-23T08:00:00Z"),
        Code.NOT_ATTESTED,
    ),
    (
        "a merge that people made before it was cleared",
        lambda: (f := _cleared(), _merged(f, f.at - timedelta(minutes=7))[1]),
        Code.MERGED_EARLY,
    ),
    (
        "a merge in the future",
        lambda: (f := _cleared(), _merged(f, f.at + timedelta(minutes=7))[1]),
        Code.MERGED_EARLY,
    ),
    ("a merge under a freeze", lambda: _before_it(Kind.FREEZE), Code.FROZEN),
    ("a merge of what is held", lambda: _before_it(Kind.HOLD), Code.HELD),
    (
        "a merge of what is blocked",
        lambda: _before_it(Kind.BLOCK, image=(pinned("1.1.0", digest=""),)),
        Code.BLOCKED,
    ),
    (
        "a merge within a window of the rules",
        lambda: (f := _cleared(WINDOW), _at_eleven(f))[1],
        Code.FREEZE_WINDOW,
    ),
    ("a merge long after the last approval", lambda: _later(hours=5), Code.WAITING_FOR_A_GO),
    ("a merge of what has expired", lambda: _later(hours=25), Code.EXPIRED),
    (
        "a merge after a freeze that is over",
        lambda: (f := _frozen_once(), _then(f, f.stand(Kind.UNFREEZE, person("ada"))))[1],
        Code.WAITING_FOR_A_GO,
    ),
    (
        "a merge under a freeze that was renewed since",
        lambda: _story_of(Kind.FREEZE, Kind.MERGED, Kind.FREEZE, Kind.FREEZE),
        Code.FROZEN,
    ),
    (
        "a merge under a freeze that was lifted and set again",
        lambda: _story_of(Kind.FREEZE, Kind.MERGED, Kind.UNFREEZE, Kind.FREEZE),
        Code.FROZEN,
    ),
    ("a merge under a freeze that ended before the next", lambda: _two_freezes(5, 4), Code.FROZEN),
    (
        "a merge between two freezes",
        lambda: _two_freezes(5, 6),
        Code.WAITING_FOR_A_GO,
    ),
    (
        "a merge of what is held, and was held anew since",
        lambda: _story_of(Kind.HOLD, Kind.MERGED, Kind.HOLD),
        Code.HELD,
    ),
    (
        "a merge of what is blocked, and was blocked anew since",
        lambda: _story_of(Kind.BLOCK, Kind.MERGED, Kind.BLOCK, image=(pinned("1.1.0", digest=""),)),
        Code.BLOCKED,
    ),
    (
        "a merge after a freeze, and another one after it",
        lambda: _story_of(Kind.FREEZE, Kind.UNFREEZE, Kind.MERGED, Kind.FREEZE, Kind.UNFREEZE),
        Code.WAITING_FOR_A_GO,
    ),
    ("a merge that the rules of then do not cover", _uncovered, Code.NO_RULE),
    (
        "a merge under a freeze that was renewed, cleared from the moment on that looks at it",
        lambda: _story_of(Kind.FREEZE, Kind.MERGED, Kind.FREEZE, found=_cleared_at(stood.DECIDES)),
        Code.FROZEN,
    ),
    ("a merge of what is blocked twice, and was blocked anew since", _blocked_twice, Code.BLOCKED),
    (
        "a merge when a change of files was found",
        lambda: _with_files(timedelta()),
        Code.CONFIG_UNREVIEWED,
    ),
    (
        "a merge by people where the bot's own stands",
        lambda: (f := _approved(RULES), f.add(f.about(Kind.INTENT)), _merged(f))[2],
        Code.OUT_OF_LINE,
    ),
    ("a merge of what was taken back", lambda: _merged(_withdrawn()), Code.CLOSED),
    (
        "a merge by people of a rollback",
        lambda: (f := _rollback(), f.add(f.about(Kind.INTENT)), _merged(f))[2],
        Code.OUT_OF_LINE,
    ),
]


def _at_eleven(found: Story) -> tuple[Story, Entry]:
    found.at = found.at.replace(hour=11)
    return _merged(found)


def _frozen_once() -> Story:
    found = _cleared()
    found.add(found.stand(Kind.FREEZE, person("dan")))
    return found


def _withdrawn() -> Story:
    found = _cleared()
    found.add(found.about(Kind.ABORT, why="withdrawn"))
    return found


@pytest.mark.parametrize(
    ("made", "code"), [(made, code) for _, made, code in FORBIDDEN], ids=[name for name, _, _ in FORBIDDEN]
)
def test_nobody_may_append(made: Made, code: Code) -> None:
    found, entry = made()

    assert code in {one.code for one in found.reasons(entry)}


def _frozen_after() -> tuple[Story, Entry]:
    found = _cleared()
    return _then(found, found.stand(Kind.FREEZE, person("dan")))


def _rules_after() -> tuple[Story, Entry]:
    found = _cleared()
    at = found.at
    change_rules(found, PEOPLE.replace("2 of release-managers", "3 of release-managers"))
    return _merged(found, at)


def _of_old() -> Story:
    found = _begun(at=START).asked().approved()
    found.add(_intent(found))
    return found


def _thawed_before() -> Story:
    found = _begun().asked()
    for kind in (Kind.FREEZE, Kind.UNFREEZE):
        found.add(found.stand(kind, person("ada")))
    found.approved().add(_intent(found))
    return found


ALLOWED: list[tuple[str, Made]] = [
    ("a merge by a person", lambda: _merged(_cleared())),
    ("a merge by an account that is gone", lambda: _merged(_cleared(), id=0, login="")),
    (
        "a merge by a clock that is behind",
        lambda: (f := _cleared(), _merged(f, f.at - timedelta(minutes=4))[1]),
    ),
    (
        "a merge as early as a clock may say",
        lambda: (f := _cleared(), _merged(f, _since(f) - SKEW)[1]),
    ),
    ("a merge as late as a clock may say", lambda: (f := _cleared(), _merged(f, f.at + SKEW)[1])),
    ("a merge before a change of files was found", lambda: _with_files(timedelta(minutes=1))),
    ("a merge before somebody froze it", _frozen_after),
    (
        "a merge before somebody froze it and lifted that",
        lambda: _story_of(Kind.MERGED, Kind.FREEZE, Kind.UNFREEZE, Kind.FREEZE, Kind.UNFREEZE),
    ),
    (
        "a merge before a freeze that was renewed",
        lambda: _story_of(Kind.MERGED, Kind.FREEZE, Kind.FREEZE),
    ),
    (
        "a merge long after a freeze that was lifted before the approvals",
        lambda: _story_of(Kind.MERGED, Kind.FREEZE, Kind.UNFREEZE, found=_thawed_before()),
    ),
    (
        "a merge of what was held and is free, and held again",
        lambda: _story_of(Kind.HOLD, Kind.MERGED, Kind.RESUME, Kind.HOLD),
    ),
    (
        "a merge of what older programs cleared, under a freeze that was renewed",
        lambda: _story_of(Kind.FREEZE, Kind.MERGED, Kind.FREEZE, found=_of_old()),
    ),
    ("a merge before the rules became others", _rules_after),
    ("an intent of the bot's own of a way back", lambda: (f := _rollback(), f.about(Kind.INTENT))),
    ("a clearance given anew", lambda: (f := _withdrawn(), _intent(f))),
]


@pytest.mark.parametrize("made", [made for _, made in ALLOWED], ids=[name for name, _ in ALLOWED])
def test_the_rule_lets_through(made: Made) -> None:
    found, entry = made()

    found.add(entry)


def test_what_is_taken_back_is_open_again_and_nobody_waits_for_another_try() -> None:
    found = _withdrawn()

    now = found.promotion()

    assert (now.stage, now.cleared, now.attempts) == (Stage.OPEN, None, 0)
    assert tried_again_at(now) is None
    assert len(now.approvals) == 2


def test_the_promotion_remembers_who_merged() -> None:
    found = _cleared()
    found.add(_merged(found)[1])
    found.add(found.about(Kind.LANDED))

    now = found.promotion()

    assert (now.stage, now.merger) == (Stage.LANDED, "bob")
    later = Tables("2027")
    restore(later, carry(found.state, found.entries, found.at))
    assert later.promotions[now.id] == now


def test_rules_that_cover_it_no_more_clear_nothing() -> None:
    found = _cleared()
    found.book.versions[found.promotion().rule.commit] = replace(
        found.book.versions[found.promotion().rule.commit], services={}
    )

    assert Code.NO_RULE in {one.code for one in found.reasons(_merged(found)[1])}


def test_a_merge_of_nothing_that_is_known_is_told_once() -> None:
    found = _cleared()
    entry = replace(_merged(found)[1], promotion="0" * 12, key="merged/" + "0" * 12)

    assert {one.code for one in found.reasons(entry)} == {Code.CLOSED}


@pytest.mark.parametrize("value", [None, "x", {}, {"id": 1}], ids=str)
def test_what_names_nobody_is_nobody(value: Json | None) -> None:
    assert merged_by({BY_HAND: value} if value is not None else {}) is None


def test_an_emergency_is_the_bots_to_merge() -> None:
    apart = Apart((Line(1, ("release-managers",)),), review=timedelta(days=2), skips=("previous",))
    found = ruled(story(PEOPLE), emergency=apart)
    found.add(found.seen("1.1.0"))
    entry = found.propose("1.1.0", "ada", rule=found.rule("production"), key="-")
    entry = replace(entry, kind=Kind.EMERGENCY, key="", promotion="", note="payments fail", by=person("ada"))
    entry = replace(entry, until=write_time(found.at + timedelta(days=2)), at=write_time(found.at))
    found.add(found.identified(entry))

    assert found.refusal(_intent(found)) is not None
    assert found.refusal(found.about(Kind.INTENT)) is None


def test_where_nobody_is_asked_the_bot_merges_whatever_is_said() -> None:
    text = RULES.replace("approvals: none}", "approvals: none, via: pull-request, merges: by-hand}", 1)
    found = story(text)
    assert found.book.versions[found.book.line[0]].environments["staging"].merges is Merges.BY_HAND
    found.add(found.seen("1.1.0"))
    entry = replace(
        found.propose("1.1.0", environment="staging", rule=found.rule("staging"), key="-"),
        by=Bot(), why="at-once", evidence={}, key="", promotion="",
    )  # fmt: skip
    found.add(found.identified(entry))
    promotion = found.promotion("staging")
    entry = found.word(
        Kind.INTENT,
        Bot(),
        promotion=promotion.id,
        environment="staging",
        service="web",
        image=promotion.image,
        change=promotion.change,
        rule=promotion.rule,
        head=promotion.head,
    )

    assert found.refusal(entry) is None
    assert found.refusal(replace(entry, evidence={"merges": "by-hand"})) is not None


def test_what_stood_is_kept_while_people_may_merge_and_no_longer() -> None:
    found = _begun().asked().approved()
    for _ in range(2):
        found.add(found.stand(Kind.HOLD, person("ada"), until=write_time(found.at + timedelta(seconds=30))))
    assert found.state.stood == {}
    found.add(_intent(found))
    for _ in range(2):
        found.add(found.stand(Kind.FREEZE, person("ada")))
    begun = [one.time for _, one in found.entries[-2:]]
    assert found.state.stood == {("production", "", None): (Span(*begun),)}

    taken_back = found.state.copy()
    taken_back.apply(found.complete(found.about(Kind.ABORT, why="withdrawn")), "")
    merged = found.state.copy()
    merged.apply(found.complete(_merged(found)[1]), "")
    stood.forget(found.state)

    assert found.state.stood
    assert taken_back.stood == merged.stood == {}
    assert "stood" not in str(carry(merged, found.entries, found.at))


def test_a_freeze_for_a_mismatch_takes_no_other_ones_place() -> None:
    found, _ = _before_it(Kind.FREEZE)
    at = found.at
    found.at += timedelta(minutes=2)
    wrong = Entry(kind=Kind.MISMATCH, at="", key="mismatch/x", environment="production", service="cart")
    found.state.apply(found.complete(wrong), "")

    assert Code.FROZEN in {one.code for one in found.reasons(_merged(found, at)[1])}


def test_a_hold_for_a_move_by_others_takes_no_other_ones_place() -> None:
    found, _ = _before_it(Kind.HOLD, environment="production", until="2026-11-30T10:00:00Z")
    at = found.at
    found.at += timedelta(minutes=2)
    found.state.apply(found.complete(found.external("1.9.0", why="unguarded")), "")

    assert Code.HELD in {one.code for one in found.reasons(_merged(found, at)[1])}
