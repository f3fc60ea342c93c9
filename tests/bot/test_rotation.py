"""A signing key that changes: named by an entry that the old key signs, followed by everybody who reads."""

from dataclasses import replace
from pathlib import Path

import pytest

from bot.ledger import NotWritten
from bot.promoting.desk import Desk
from bot.signing import Signer, split_signature, verify
from policies.entries.entry import Entry, Kind, write_time
from tests.bot.ledger_worlds import World, bot, world


@pytest.fixture
def told(tmp_path: Path) -> World:
    """Move a version with the first key."""
    found = world(tmp_path)
    found.stage("1.1.0")
    found.promote("1.1.0")
    return found


def signed_by(told: World, oid: str) -> str:
    """Say which of the two keys signed an entry."""
    (raw,) = [one for one in told.desk.mirror.raw_commits(told.ledger_tip) if one.oid == oid]
    payload, signature = split_signature(raw.data)
    assert signature
    successor = told.desk.ledger.successor
    assert successor
    names = {"old": told.signer.public_key, "new": successor.public_key}
    return next(name for name, key in names.items() if verify(key, payload, signature))


def rotated(told: World) -> Signer:
    """Let the next look bring in another key."""
    successor = Signer.generate()
    told.desk.ledger.successor = successor
    told.stage("1.2.0")
    return successor


def with_key(told: World, folder: Path, signer: Signer) -> Desk:
    """Return a bot with one key alone."""
    return bot(told.remote, folder, signer)


def test_the_old_key_names_the_new_one_which_signs_from_there_on(told: World, tmp_path: Path) -> None:
    before = len(told.entries)
    successor = rotated(told)

    new = told.entries[before:]
    assert [entry.kind for _, entry in new] == [Kind.IDENTITY, Kind.SEEN, Kind.BUMP]
    assert (new[0][1].signer, new[0][1].by) == (successor.public_key, told.entries[0][1].by)
    assert [signed_by(told, oid) for oid, _ in new] == ["old", "new", "new"]
    report = told.audit(tmp_path / "audit")
    assert (report.findings, report.notes) == ([], [])


def test_it_happens_once_and_the_new_key_alone_goes_on(told: World, tmp_path: Path) -> None:
    successor = rotated(told)
    told.stage("1.3.0")
    kinds = [entry.kind for _, entry in told.entries]

    alone = replace(told, desk=with_key(told, tmp_path / "alone", successor), tags=list(told.tags))
    alone.desk.mirror.fetch()
    alone.stage("1.4.0")

    assert kinds.count(Kind.IDENTITY) == 1
    assert told.audit(tmp_path / "audit").findings == []


def test_who_has_only_the_old_key_only_reads(told: World, tmp_path: Path) -> None:
    rotated(told)

    left = replace(told, desk=with_key(told, tmp_path / "left", told.signer))
    answer = left.append(lambda look, _tip: left.desk.open(look))

    assert isinstance(answer, NotWritten)
    assert "another key" in answer.detail


def test_an_entry_by_the_old_key_after_the_change_is_a_finding(told: World, tmp_path: Path) -> None:
    rotated(told)
    told.ask("1.2.0")

    oid = told.sneak(told.approval("ada"), signer=told.signer)

    assert [(one.what, one.oid) for one in told.audit(tmp_path / "audit").findings] == [
        ("entry-invalid", oid)
    ]


@pytest.mark.parametrize("by", ["a stranger", "the new key itself"])
def test_a_change_that_the_old_key_did_not_sign_is_a_finding(told: World, tmp_path: Path, by: str) -> None:
    successor = Signer.generate()
    entry = Entry(kind=Kind.IDENTITY, at=write_time(told.at), key="", signer=successor.public_key)

    oid = told.sneak(entry, signer=successor if by == "the new key itself" else Signer.generate())

    report = told.audit(tmp_path / "audit")
    assert [(one.what, one.oid) for one in report.findings] == [("entry-invalid", oid)]
    assert "signature" in report.findings[0].text
