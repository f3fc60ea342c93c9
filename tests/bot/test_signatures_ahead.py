"""A second process checks signatures; what it cannot answer is checked here, so that the answer never depends on it."""

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from bot.chains import signatures_ahead as module
from bot.chains.signatures_ahead import Ahead, ahead, signed_by
from bot.repository.objects import BOT, EMPTY_TREE, Oid, RawCommit, write_commit
from bot.signing import Signer, wire_of

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SIGNER, OTHER = Signer.generate(), Signer.generate()


def _commit(number: int, signer: Signer | None, *, forged: bool = False) -> RawCommit:
    message = f"entry {number}\n"
    payload = write_commit(EMPTY_TREE, [], BOT, AT, message)
    signature = signer.sign(b"something else" if forged else payload) if signer else ""
    return RawCommit(Oid("1" * 40), write_commit(EMPTY_TREE, [], BOT, AT, message, signature=signature))


COMMITS = [
    _commit(0, SIGNER),
    _commit(1, OTHER),
    _commit(2, None),
    _commit(3, SIGNER, forged=True),
    RawCommit(Oid("1" * 40), b"no commit at all"),
    *(_commit(number, SIGNER) for number in range(5, 150)),
]
MEANT = [signed_by(one) for one in COMMITS]


def test_the_key_that_signed_is_named() -> None:
    ours, others = wire_of(SIGNER.public_key), wire_of(OTHER.public_key)

    assert MEANT[:6] == [ours, others, None, None, None, ours]
    assert None not in {ours, others}
    assert [wire_of(text) for text in ("ssh-rsa AAAA", "ssh-ed25519", "ssh-ed25519 !", "")] == [None] * 4


@pytest.mark.parametrize("processors", [1, 2])
def test_the_answers_are_the_same_with_any_number_of_processors(
    monkeypatch: pytest.MonkeyPatch, processors: int
) -> None:
    monkeypatch.setattr(module, "MANY", 1)
    monkeypatch.setattr(module, "_PART", 7)
    monkeypatch.setattr(module, "_processors", lambda: processors)

    with ahead(COMMITS) as signatures:
        assert (signatures._process is not None) == (processors > 1)
        found = [signatures.signed_by(one) for one in COMMITS]

    assert found == MEANT


def test_few_are_checked_here() -> None:
    with ahead(COMMITS) as signatures:
        assert signatures._process is None
        assert [signatures.signed_by(one) for one in COMMITS] == MEANT


def test_a_process_that_dies_is_not_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MANY", 1)
    monkeypatch.setattr(module, "_processors", lambda: 2)

    with ahead(COMMITS) as signatures:
        process = signatures._process
        assert process is not None
        assert signatures.signed_by(COMMITS[0]) == MEANT[0]
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert [signatures.signed_by(one) for one in COMMITS[1:]] == MEANT[1:]
    assert process.returncode == -signal.SIGKILL


def test_who_stops_early_leaves_nobody_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MANY", 1)
    monkeypatch.setattr(module, "_processors", lambda: 2)

    with ahead(COMMITS * 200) as signatures:
        process = signatures._process

    assert process is not None
    assert process.returncode is not None


def test_a_process_that_cannot_be_started_is_not_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MANY", 1)
    monkeypatch.setattr(module, "_processors", lambda: 2)
    monkeypatch.setattr(module, "sys", SimpleNamespace(executable="/nowhere/python"))

    with ahead(COMMITS) as signatures:
        assert [signatures.signed_by(one) for one in COMMITS] == MEANT


def test_a_no_of_the_other_process_is_asked_again_here() -> None:
    said = subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdout.buffer.write(bytes(51))"], stdout=subprocess.PIPE
    )

    with said:
        assert Ahead(said).signed_by(COMMITS[0]) == MEANT[0]
