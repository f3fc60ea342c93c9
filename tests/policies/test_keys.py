"""Keys say what is decided: the same decision has the same key, whoever pressed how often."""

import hashlib
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.canonical import digest_of
from policies.entries.entry import Bot, Entry, Kind
from policies.ledger.keys import (
    attempt_key,
    bump_key,
    expected_key,
    promotion_id,
    propose_key,
    rollback_key,
    word_key,
)
from policies.ledger.state import Stage, State
from tests.policies.ledger_builders import (
    SIGNER,
    Story,
    at_stage,
    hash_of,
    oid,
    person,
    pinned,
    shown,
    story,
)


def _about(kind: Kind) -> Entry:
    return at_stage(Stage.OPEN).about(
        kind, person("dan") if kind in {Kind.APPROVE, Kind.UNAPPROVE} else Bot()
    )


NOW = at_stage(Stage.OPEN).promotion()
DIGEST = pinned("1.1.0").digest
KEYS: dict[str, tuple[Entry, str]] = {
    "genesis": (story().genesis(), "genesis/2026"),
    "rules": (story().rules_at(oid("first")), f"rules/{oid('first')}"),
    "propose": (
        replace(story().propose("1.1.0"), key=""),
        f"propose/production/web/{DIGEST}/1",
    ),
    "rollback": (
        replace(story().rollback("1.0.0"), key="", previous=(pinned("1.1.0"),)),
        f"rollback/production/web/{DIGEST}/1",
    ),
    "a rollback from a tag alone": (
        replace(story().rollback("1.0.0"), key="", previous=(pinned("1.1.0", digest=""),)),
        "rollback/production/web/1.1.0/1",
    ),
    "approve": (_about(Kind.APPROVE), f"approve/{NOW.id}/{NOW.change}/{NOW.rule.hash}/dan/1"),
    "unapprove": (_about(Kind.UNAPPROVE), f"unapprove/{NOW.id}/{NOW.change}/{NOW.rule.hash}/dan/1"),
    "reject": (_about(Kind.REJECT), f"reject/{NOW.id}"),
    "cancel": (_about(Kind.CANCEL), f"cancel/{NOW.id}"),
    "rebased": (replace(_about(Kind.REBASED), head=oid("h")), f"rebased/{NOW.id}/{oid('h')}"),
    "intent": (_about(Kind.INTENT), f"intent/{NOW.id}/{NOW.head}/1"),
    "abort": (_about(Kind.ABORT), f"abort/{NOW.id}/{NOW.head}/1"),
    "void": (_about(Kind.VOID), f"void/{NOW.id}/{NOW.change}"),
    "ended": (_about(Kind.ENDED), f"ended/{NOW.id}"),
    "merged": (_about(Kind.MERGED), f"merged/{NOW.id}"),
    "landed": (_about(Kind.LANDED), f"landed/{NOW.id}"),
    "mismatch": (_about(Kind.MISMATCH), f"mismatch/{NOW.id}"),
    "external": (story().external("1.2.0", commit=oid("c")), f"external/{oid('c')}/production/web"),
    "review": (Entry(kind=Kind.REVIEW, at="", key="", closes=7), "review/2026/7"),
    "hold": (story().stand(Kind.HOLD, person("ada"), trigger="t"), "hold/web/t"),
    "hold there": (
        story().stand(Kind.HOLD, person("ada"), trigger="t", environment="staging"),
        "hold/staging/web/t",
    ),
    "resume": (story().stand(Kind.RESUME, person("ada"), trigger="t"), "resume/web/t"),
    "block": (story().stand(Kind.BLOCK, person("ada"), trigger="t"), "block/web/1.2.0/t"),
    "unblock": (story().stand(Kind.UNBLOCK, person("ada"), trigger="t"), "unblock/web/1.2.0/t"),
    "freeze": (story().stand(Kind.FREEZE, person("ada"), trigger="t"), "freeze/production/t"),
    "unfreeze": (story().stand(Kind.UNFREEZE, person("ada"), trigger="t"), "unfreeze/production/t"),
    "refused": (_about(Kind.REFUSED), f"refused/{NOW.id}/carol/requester"),
    "emergency": (
        replace(story().propose("1.1.0"), kind=Kind.EMERGENCY, key=""),
        f"emergency/production/web/{DIGEST}/1",
    ),
    "healthy": (story().health(commit=oid("c")), f"healthy/staging/web/{oid('c')}/1"),
    "unhealthy": (
        story().health(Kind.UNHEALTHY, commit=oid("c")),
        f"unhealthy/staging/web/{oid('c')}/1",
    ),
    "config": (
        story().config("a", "b"),
        f"config/production/{oid('first')}/{oid('b')}",
    ),
    "a link": (story().linked("carol"), "identity/person/carol/1"),
    "a key": (
        Entry(kind=Kind.IDENTITY, at="", key="", signer=SIGNER),
        f"identity/key/{hash_of(SIGNER)}",
    ),
    "checkpoint": (
        Entry(kind=Kind.CHECKPOINT, at="", key="", state=hash_of("s")),
        f"checkpoint/{hash_of('s')}",
    ),
    "redact": (Entry(kind=Kind.REDACT, at="", key="", erases=7), "redact/7"),
    "fork": (Entry(kind=Kind.FORK, at="", key="", lost=oid("l")), f"fork/{oid('l')}"),
    "quarantine": (replace(story().junk("x"), input=hash_of("x")), f"quarantine/{hash_of('x')}"),
    "bump": (
        replace(story().bump("1.1.0"), key=f"bump/staging/{oid('b')}/{hash_of('staging 1.1.0')}"),
        f"bump/staging/{oid('b')}/{hash_of('staging 1.1.0')}",
    ),
    "seen": (
        story().seen("1.1.0"),
        f"seen/{digest_of([['web', 'ghcr.io/example/web', '1.1.0', DIGEST, 'False']])}",
    ),
    "shown": (shown(), f"shown/{digest_of([['card/web', 'C0DEPLOYS', '1763.0001', '1']])}"),
}


@pytest.mark.parametrize(("entry", "key"), KEYS.values(), ids=KEYS)
def test_each_kind_has_its_key(entry: Entry, key: str) -> None:
    assert expected_key(State("2026"), entry) == key


def test_every_kind_is_in_the_table() -> None:
    assert {entry.kind for entry, _ in KEYS.values()} == set(Kind)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "bump",
        "bump/staging/x/y",
        f"bump/staging/{oid('b')}",
        f"bump/a/b/{oid('b')}/c",
        f"void/{'0' * 12}/{oid('b')}",
    ],
)
def test_a_bump_whose_key_names_no_commit_has_none_that_fits(key: str) -> None:
    assert expected_key(State("2026"), replace(story().bump("1.1.0"), key=key)) != key


def test_the_id_of_a_promotion_is_the_hash_of_its_years_key() -> None:
    assert promotion_id("2026", "k") == hashlib.sha256(b"2026/k").hexdigest()[:12]
    assert promotion_id("2027", "k") != promotion_id("2026", "k")


@given(st.integers(1, 5), st.sampled_from(["button", "command", "modal"]))
def test_a_double_click_never_makes_a_second_key(clicks: int, via: str) -> None:
    found = story().asked()
    keys = {found.complete(found.about(Kind.APPROVE, person("ada", via))).key for _ in range(clicks)}
    keys.add(found.complete(found.about(Kind.APPROVE, person("ada", "shortcut"))).key)

    assert len(keys) == 1


def _propose(found: Story) -> None:
    found.add(found.propose("1.1.0"))
    found.add(found.about(Kind.CANCEL, person("carol")))


def _change_ones_mind(found: Story) -> None:
    found.add(found.about(Kind.APPROVE, person("ada")))
    found.add(found.about(Kind.UNAPPROVE, person("ada")))


def _try_to_merge(found: Story) -> None:
    found.add(found.about(Kind.INTENT))
    found.add(found.about(Kind.ABORT))


def _back(found: Story) -> None:
    found.add(found.rollback("1.0.0"))
    found.add(found.about(Kind.CANCEL, person("bob")))


@pytest.mark.parametrize(
    ("start", "again"),
    [
        (lambda: story().staged("1.1.0"), _propose),
        (lambda: story().asked(), _change_ones_mind),
        (lambda: at_stage(Stage.OPEN), _try_to_merge),
        (lambda: at_stage(Stage.LANDED), _back),
    ],
    ids=["propose", "approve", "intent", "rollback"],
)
def test_what_was_undone_may_be_said_again_under_a_new_key(
    start: Callable[[], Story], again: Callable[[Story], None]
) -> None:
    found = start()
    for _ in range(3):
        again(found)

    ends = [key.rsplit("/", 1)[1] for key in found.state.keys][-6:]
    assert [end for end in ends if end in {"1", "2", "3"}] in (
        ["1", "2", "3"],
        ["1", "1", "2", "2", "3", "3"],
    )


def test_an_approval_after_a_void_and_back_again_has_a_new_key() -> None:
    found = story().asked()
    first = found.promotion()
    found.approved("ada")
    found.add(found.about(Kind.VOID))
    back = {"image": first.image, "change": first.change, "voided": found.promotion().change}
    found.add(found.about(Kind.VOID, **back))
    approved = found.add(found.about(Kind.APPROVE, person("ada")))

    assert approved.key.endswith("/ada/2")


def test_the_single_keys_agree_with_the_table() -> None:
    state, entry = State("2026"), _about(Kind.APPROVE)

    assert propose_key(state, "production", "web", (pinned("1.1.0"),)) == KEYS["propose"][1]
    assert rollback_key(state, "production", "web", (pinned("1.1.0"),)) == KEYS["rollback"][1]
    assert attempt_key(state, Kind.INTENT, NOW.id, NOW.head) == KEYS["intent"][1]
    assert bump_key("staging", oid("b"), hash_of("staging 1.1.0")) == KEYS["bump"][1]
    word = word_key(state, Kind.APPROVE, promotion=NOW.id, change=NOW.change, rule=entry.rule, person="dan")
    assert word == KEYS["approve"][1]
    bare = word_key(state, Kind.APPROVE, promotion="p", change="c", rule=None, person="dan")
    assert bare == "approve/p/c//dan/1"


@given(st.integers(0, 3))
def test_other_rows_are_another_key(count: int) -> None:
    tags = [f"1.{number}.0" for number in range(count + 1)]
    found = story()

    assert found.complete(found.seen(*tags)).key != found.complete(found.seen(*tags, "2.0.0")).key
    assert found.complete(found.seen(*tags, before=True)).key != found.complete(found.seen(*tags)).key
