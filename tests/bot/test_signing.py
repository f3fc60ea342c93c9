"""Signatures: ours hold for git and ssh-keygen, theirs hold for us, and nothing else does."""

import subprocess
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import SettingsError
from bot.repository.mirror import Mirror
from bot.repository.push import Ok, RefUpdate
from bot.signing import Signer, split_signature, verify
from tests.repositories import git, make_bare

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SIGNER = Signer.generate()
OVERLONG = b64encode(b"SSHSIG" + bytes([0, 0, 0, 1, 255, 255])).decode()


def test_git_accepts_our_entries(tmp_path: Path, ssh_keygen: str) -> None:
    remote = make_bare(tmp_path / "r.git", [{"a": "1"}])
    mirror = Mirror.open(str(remote), tmp_path / "mirror")
    first = mirror.entry_commit(None, message="genesis: x (#1)\n\n{}", at=AT, signer=SIGNER)
    second = mirror.entry_commit(first, message="bump: y (#2)\n\n{}", at=AT, signer=SIGNER)
    assert mirror.push([RefUpdate("refs/heads/ledger/2026", None, second)]) == Ok()
    allowed = tmp_path / "allowed"
    allowed.write_text(f"countersign@localhost {SIGNER.public_key}\n", "utf-8")
    settings = ["-c", f"gpg.ssh.allowedSignersFile={allowed}", "-c", f"gpg.ssh.program={ssh_keygen}"]

    for entry in (first, second):
        shown = git(remote, *settings, "log", "-1", "--format=%G? %GS", entry)
        git(remote, *settings, "verify-commit", entry)
        assert shown == "G countersign@localhost"


def test_we_accept_what_ssh_keygen_signed(tmp_path: Path, ssh_keygen: str) -> None:
    key = tmp_path / "key"
    subprocess.run([ssh_keygen, "-q", "-t", "ed25519", "-N", "", "-C", "ada", "-f", str(key)], check=True)
    signed = subprocess.run(
        [ssh_keygen, "-q", "-Y", "sign", "-f", str(key), "-n", "git"],
        input=b"payload",
        capture_output=True,
        check=True,
    ).stdout.decode()
    signer = Signer.from_openssh(key.read_text("utf-8"))

    assert verify(key.with_suffix(".pub").read_text("utf-8"), b"payload", signed)
    assert signer.sign(b"payload") == signed
    assert key.with_suffix(".pub").read_text("utf-8").startswith(signer.public_key)


@given(st.binary(max_size=2000))
def test_what_we_sign_we_accept(payload: bytes) -> None:
    assert verify(SIGNER.public_key, payload, SIGNER.sign(payload))


def test_a_signature_holds_for_nothing_else() -> None:
    signed = SIGNER.sign(b"payload")

    assert not verify(SIGNER.public_key, b"payload ", signed)
    assert not verify(Signer.generate().public_key, b"payload", signed)
    assert not verify(SIGNER.public_key, b"payload", signed, namespace="file")
    assert not verify(SIGNER.public_key, b"payload", SIGNER.sign(b"payload", namespace="file"))


@given(st.data())
def test_a_signature_with_one_altered_character_is_refused(data: st.DataObject) -> None:
    signed = SIGNER.sign(b"payload").rstrip("\n")
    place = data.draw(st.integers(0, len(signed) - 1))
    other = data.draw(st.characters(exclude_characters=signed[place]))

    assert not verify(SIGNER.public_key, b"payload", signed[:place] + other + signed[place + 1 :])


@pytest.mark.parametrize(
    "armored",
    [
        "",
        "-----BEGIN SSH SIGNATURE-----\n-----END SSH SIGNATURE-----\n",
        "-----BEGIN SSH SIGNATURE-----\nU1NIU0lH\n-----END SSH SIGNATURE-----\n",
        f"-----BEGIN SSH SIGNATURE-----\n{OVERLONG}\n-----END SSH SIGNATURE-----\n",
        "-----BEGIN PGP SIGNATURE-----\nAAAA\n-----END PGP SIGNATURE-----\n",
        "\ud800",
        "A" * 100_000,
    ],
)
def test_what_is_no_signature_is_refused(armored: str) -> None:
    assert not verify(SIGNER.public_key, b"payload", armored)


@pytest.mark.parametrize(
    "key", ["", "ssh-ed25519", "ssh-rsa AAAA", "ssh-ed25519 !", "ssh-ed25519 AAAA", "é é"]
)
def test_what_is_no_public_key_accepts_nothing(key: str) -> None:
    assert not verify(key, b"payload", SIGNER.sign(b"payload"))


def test_a_key_survives_being_written_down() -> None:
    text = SIGNER.to_openssh()

    assert Signer.from_openssh(text).public_key == SIGNER.public_key
    assert SIGNER.public_key.startswith("ssh-ed25519 AAAA")


@pytest.mark.parametrize(
    "spelled",
    [
        pytest.param(lambda text: text.replace("\n", "\\n"), id="escaped"),
        pytest.param(lambda text: text.replace("\n", "\r\n"), id="crlf"),
        pytest.param(lambda text: text.replace("\n", "\\r\\n"), id="escaped-crlf"),
        pytest.param(lambda text: f"\n  {text.strip()}  \n", id="spaces-around"),
    ],
)
def test_a_key_in_a_variable_is_understood(spelled: Callable[[str], str]) -> None:
    assert Signer.from_openssh(spelled(SIGNER.to_openssh())).public_key == SIGNER.public_key


OTHER_TYPE = generate_private_key(SECP256R1()).private_bytes(
    Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()
)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("", "not an OpenSSH private key", id="empty"),
        pytest.param(SIGNER.public_key, "not an OpenSSH private key", id="public-key"),
        pytest.param(SIGNER.to_openssh()[:200], "not an OpenSSH private key", id="cut-short"),
        pytest.param("signing_key", "not an OpenSSH private key", id="file-name"),
        pytest.param("\ud800", "not an OpenSSH private key", id="not-text"),
        pytest.param(OTHER_TYPE.decode(), "of another type", id="ecdsa"),
    ],
)
def test_what_is_no_signing_key_is_refused_with_what_to_do(text: str, problem: str) -> None:
    with pytest.raises(SettingsError, match=f"{problem}.*ssh-keygen -t ed25519"):
        Signer.from_openssh(text)


def test_a_key_with_a_passphrase_is_refused(tmp_path: Path, ssh_keygen: str) -> None:
    key = tmp_path / "key"
    subprocess.run([ssh_keygen, "-q", "-t", "ed25519", "-N", "secret", "-f", str(key)], check=True)

    with pytest.raises(SettingsError, match="protected by a passphrase"):
        Signer.from_openssh(key.read_text("utf-8"))


def test_a_commit_is_parted_into_payload_and_signature() -> None:
    head, message = b"tree 1\nparent 2\nauthor A <a> 1 +0000\ncommitter A <a> 1 +0000", b"\n\ngpgsig no\n\n x"

    payload, signature = split_signature(head + b"\ngpgsig one\n two\n \n three" + message)

    assert payload == head + message
    assert signature == "one\ntwo\n\nthree\n"


def test_an_unsigned_commit_is_all_payload() -> None:
    assert split_signature(b"tree 1\n\nmessage") == (b"tree 1\n\nmessage", None)


def test_a_second_signature_spoils_the_first() -> None:
    payload = b"tree 1\n\nmessage"
    signed = SIGNER.sign(payload).rstrip("\n").replace("\n", "\n ").encode()

    parted, signature = split_signature(b"tree 1\ngpgsig " + signed + b"\ngpgsig " + signed + b"\n\nmessage")

    assert parted == payload
    assert signature is not None
    assert not verify(SIGNER.public_key, payload, signature)
