"""What the holder of the ledger's own key may not do with approvals that are brought along to the next region."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from policies.codes import Code
from policies.entries.entry import Bot, Entry, Kind
from policies.ledger.rollout import evidence_of, is_source, lent, source
from policies.ledger.state import Stage
from policies.rules.rules import effective
from tests.policies.ledger_builders import RULES, Story, person, pinned, story

US = "us"
ROLLOUT = RULES.replace(
    "services:\n",
    "  us: {path: apps/us, channel: deploys, after: production, approvals: as production}\n"
    "  at-once: {path: apps/at-once, channel: deploys, after: staging, approvals: 1, opens: at-once}\n"
    "services:\n",
)


def ready() -> Story:
    """1.1.0 runs in production, approved by Ada and Bob; the region after it runs 1.0.0."""
    found = story(ROLLOUT)
    for where in ("us", "at-once"):
        found.book.stood[where, "web"] = (pinned("1.0.0"),)
    return found.asked("1.1.0").approved().landed()


def asks(found: Story, tag: str = "1.1.0", where: str = US, **changes: object) -> Entry:
    """Let the bot ask for a version, with the approvals of production."""
    rule = found.rule(where)
    meant = effective(found.book.versions[rule.commit], where, "web")
    assert meant
    entry = replace(
        found.propose(tag),
        by=Bot(),
        environment=where,
        previous=(pinned("1.0.0"),),
        rule=rule,
        why="at-once",
        evidence=evidence_of(source(found.state, meant, (pinned(tag),))),
        key="",
        promotion="",
    )
    return found.identified(replace(entry, **changes))  # type: ignore[arg-type]  # fields of an entry


def test_the_approvals_of_the_region_before_fill_the_lines_of_the_next() -> None:
    found = ready()

    found.add(asks(found))

    promotion = found.promotion(US)
    assert [one.by.person for one in promotion.approvals] == ["ada", "bob"]
    found.add(
        replace(
            found.about(Kind.INTENT),
            environment=US,
            promotion=promotion.id,
            key="",
            image=promotion.image,
            change=promotion.change,
            rule=found.rule(US),
            head=promotion.head,
            evidence={"accounts": {one: found_flags() for one in ("ada", "bob")}},
        )
    )
    assert found.promotion(US).stage is Stage.MERGING


def found_flags() -> dict[str, bool]:
    return {"active": True, "bot": False, "guest": False, "home": True}


def _again() -> tuple[Story, Entry]:
    found = ready()
    found.add(asks(found))
    promotion = found.promotion(US)
    ended = found.word(Kind.REJECT, person("ada"), environment=US, service="web", promotion=promotion.id)
    found.add(replace(ended, note="not here"))
    return found, asks(found)


def _open_source() -> tuple[Story, Entry]:
    found = ready()
    found.staged("1.2.0").add(found.propose("1.2.0"))
    named = evidence_of(found.promotion())
    return found, asks(found, evidence=named)


FORBIDDEN: dict[str, tuple[Callable[[], tuple[Story, Entry]], Code]] = {
    "the bot asks where people ask": (
        lambda: (f := ready(), asks(f.staged("1.2.0"), "1.2.0", "production")),
        Code.UNKNOWN_PERSON,
    ),
    "the bot asks again": (_again, Code.ALREADY_ASKED),
    "approvals of one that has not landed": (_open_source, Code.CHANGE_MOVED),
    "approvals of another version": (
        lambda: (f := ready(), asks(f, image=(pinned("1.1.0", digest=pinned("moved").digest),))),
        Code.DIGEST_MOVED,
    ),
    "approvals of nothing": (
        lambda: (f := ready(), asks(f, evidence={"as": {"promotion": "0" * 12}})),
        Code.CHANGE_MOVED,
    ),
    "approvals of what has no name": (
        lambda: (f := ready(), asks(f, evidence={"as": "production"})),
        Code.CHANGE_MOVED,
    ),
    "approvals where the rule takes none": (
        lambda: (f := ready(), asks(f, where="at-once", evidence=evidence_of(f.promotion()))),
        Code.CHANGE_MOVED,
    ),
    "approvals that a person brings along": (
        lambda: (
            f := ready(),
            replace(
                asks(f),
                by=person("carol"),
                evidence={"account": found_flags(), **evidence_of(f.promotion())},
            ),
        ),
        Code.NOT_AN_APPROVER,
    ),
    "a version that has not run before": (
        lambda: (f := ready(), asks(f, "1.2.0", "at-once", evidence={})),
        Code.NOT_IN_PREVIOUS,
    ),
    "no code": (lambda: (f := ready(), asks(f, why="")), Code.NOTE_MISSING),
}


@pytest.mark.parametrize(("made", "code"), FORBIDDEN.values(), ids=FORBIDDEN)
def test_it_is_refused(made: Callable[[], tuple[Story, Entry]], code: Code) -> None:
    found, entry = made()

    refusal = found.refusal(entry)

    assert refusal
    assert refusal.code is code


def test_a_proposal_without_approvals_brings_nothing() -> None:
    found = ready()

    assert lent(found.propose("1.1.0")) == ""
    assert evidence_of(None) == {}


def test_only_what_was_asked_for_and_landed_there_lends_its_approvals() -> None:
    found = ready()
    rule = effective(found.book.versions[found.rule(US).commit], US, "web")
    assert rule
    landed = found.promotion()

    assert is_source(landed, rule, (pinned("1.1.0"),))
    assert not is_source(landed, rule, (pinned("1.2.0"),))
    assert not is_source(landed, rule, ())
    assert not is_source(replace(landed, kind=Kind.ROLLBACK), rule, landed.image)
    assert not is_source(replace(landed, stage=Stage.MISMATCH), rule, landed.image)
    assert not is_source(replace(landed, environment="staging"), rule, landed.image)
    unknown = (pinned("1.1.0", digest=""),)
    assert not is_source(replace(landed, image=unknown), rule, unknown)
