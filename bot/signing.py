"""Signatures of entries: an Ed25519 key as OpenSSH writes it, SSHSIG made and verified in this process."""

import binascii
import hashlib
import re
import struct
import textwrap
from base64 import b64decode, b64encode
from collections.abc import Iterable
from functools import lru_cache
from typing import Self

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_ssh_private_key,
)

from bot.errors import SettingsError

# OpenSSH, PROTOCOL.sshsig: magic, version, public key, namespace, reserved, hash, signature.
_MAGIC = b"SSHSIG"
_VERSION = struct.pack(">I", 1)
_KEY_TYPE = b"ssh-ed25519"
_HASH = b"sha512"
_BEGIN, _END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"
_LINE = 70  # as ssh-keygen wraps
_ARMOR = re.compile(rf"{_BEGIN}\n((?:[A-Za-z0-9+/=]{{1,76}}\n)+){_END}\n?", re.ASCII)
_MAX_ARMOR = 4096
_ADVICE = "expected an Ed25519 key without passphrase, made by: ssh-keygen -t ed25519 -N '' -f signing_key"
_HEADER = b"gpgsig "
_BARE = 64  # bytes of an Ed25519 signature
_WORD = 88  # characters of such a signature in base64
_WIRE = 51  # bytes of an Ed25519 public key on the wire


class Signer:
    """One private key, and what it signs."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        """Keep the key; nothing of it is ever shown."""
        self._key = key
        self._public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode("ascii")

    @classmethod
    def generate(cls) -> Self:
        """Make a new key."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def from_openssh(cls, text: str) -> Self:
        r"""Read an OpenSSH private key; a variable may spell its line ends ``\n``. Raises: SettingsError."""
        lines = text.replace("\\r", "").replace("\\n", "\n").strip().replace("\r\n", "\n") + "\n"
        try:
            key = load_ssh_private_key(lines.encode("utf-8", "replace"), password=None)
        except TypeError as error:
            raise SettingsError(f"the signing key is protected by a passphrase; {_ADVICE}") from error
        except (ValueError, UnsupportedAlgorithm) as error:
            raise SettingsError(f"the signing key is not an OpenSSH private key; {_ADVICE}") from error
        if not isinstance(key, Ed25519PrivateKey):
            raise SettingsError(f"the signing key is of another type; {_ADVICE}")
        return cls(key)

    def to_openssh(self) -> str:
        """Write the private key as ssh-keygen would."""
        return self._key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode("ascii")

    @property
    def public_key(self) -> str:
        """The public key on one line, without a comment: ``ssh-ed25519 AAAA...``."""
        return self._public

    def sign_bare(self, payload: bytes) -> bytes:
        """Return the 64 bytes of an Ed25519 signature."""
        return self._key.sign(payload)

    def sign(self, payload: bytes, namespace: str = "git") -> str:
        """Sign ``payload`` and return an armored SSHSIG that ends with a line end."""
        signature = self._key.sign(_signed(payload, namespace.encode()))
        blob = _head(b64decode(self._public.split()[1]), namespace.encode()) + signature
        lines = textwrap.wrap(b64encode(blob).decode("ascii"), _LINE)
        return "\n".join((_BEGIN, *lines, _END, ""))


def vouch(signer: Signer, oid: str) -> str:
    """Return the signer's word that the ledger once ended at a commit: one line, for a trailer."""
    return b64encode(signer.sign_bare(_vouched(oid))).decode("ascii")


def is_vouched(public_keys: Iterable[str], oid: str, said: str) -> bool:
    """Whether one of these keys gave its word for a commit. Anything malformed is no word."""
    return len(said) <= _WORD and any(_is_vouched(key, oid, said) for key in public_keys)


@lru_cache(maxsize=4096)  # the newest moves are asked again before each entry
def _is_vouched(key: str, oid: str, said: str) -> bool:
    try:
        _public(b64decode(key.split()[1], validate=True)).verify(
            b64decode(said, validate=True), _vouched(oid)
        )
    except (InvalidSignature, ValueError, IndexError, binascii.Error):
        return False
    return True


def _vouched(oid: str) -> bytes:
    return f"countersign: the ledger ended at {oid}\n".encode()


def verify(public_key: str, payload: bytes, armored: str, namespace: str = "git") -> bool:
    """Is ``armored`` this key's signature of ``payload`` in this namespace? Anything malformed is not."""
    wire = verified(payload, armored, namespace)
    return wire is not None and wire == wire_of(public_key)


def verified(payload: bytes, armored: str, namespace: str = "git") -> bytes | None:
    """Return the public key, as it is on the wire, whose signature of ``payload`` this is; None where it is none's."""
    try:
        wire, signature = _opened(armored, namespace.encode())
        _public(wire).verify(signature, _signed(payload, namespace.encode()))
    except (InvalidSignature, ValueError, IndexError, binascii.Error):
        return None
    return wire


@lru_cache(maxsize=64)
def wire_of(public_key: str) -> bytes | None:
    """Return a public key, ``ssh-ed25519 AAAA...``, as it is on the wire; None where it is none."""
    try:
        words = public_key.split()
        wire = b64decode(words[1], validate=True)
    except (ValueError, IndexError, binascii.Error):
        return None
    return wire if words[0].encode() == _KEY_TYPE else None


def split_signature(commit: bytes) -> tuple[bytes, str | None]:
    """Part a raw commit into what was signed and its signature; None where it has none.

    Several signatures come as one text, which no key has signed.
    """
    head, blank, message = commit.partition(b"\n\n")
    kept: list[bytes] = []
    signature: list[bytes] = []
    within = False
    for line in head.split(b"\n"):
        within = line.startswith(_HEADER) or (within and line.startswith(b" "))
        if within:
            signature.append(line.removeprefix(_HEADER) if line.startswith(_HEADER) else line[1:])
        else:
            kept.append(line)
    text = b"\n".join(signature).decode("ascii", "replace") + "\n" if signature else None
    return b"\n".join(kept) + blank + message, text


def _string(content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + content


def _signed(payload: bytes, namespace: bytes) -> bytes:
    digest = hashlib.sha512(payload).digest()
    return _MAGIC + _string(namespace) + _string(b"") + _string(_HASH) + _string(digest)


def _opened(armored: str, namespace: bytes) -> tuple[bytes, bytes]:
    """Return the public key on the wire and the bare signature. Raises: ValueError."""
    found = _ARMOR.fullmatch(armored) if len(armored) <= _MAX_ARMOR else None
    if found is None:
        raise ValueError("not an armored SSH signature")
    blob = b64decode(found[1].replace("\n", ""), validate=True)
    if plain := _plain(blob[:-_BARE], namespace):
        return plain, blob[-_BARE:]
    if not blob.startswith(_MAGIC + _VERSION):
        raise ValueError("not an SSH signature of version 1")
    wire, said, reserved, algorithm, signature = _strings(blob[len(_MAGIC) + len(_VERSION) :], 5)
    kind, bare = _strings(signature, 2)
    if (said, reserved, algorithm, kind) != (namespace, b"", _HASH, _KEY_TYPE):
        raise ValueError("an SSH signature for another purpose, or of another type")
    return wire, bare


def _head(wire: bytes, namespace: bytes) -> bytes:
    """Return all of an SSH signature by a key but the bare signature at its end."""
    about = _string(wire) + _string(namespace) + _string(b"") + _string(_HASH)
    kind = _string(_KEY_TYPE) + struct.pack(">I", _BARE)
    return _MAGIC + _VERSION + about + struct.pack(">I", len(kind) + _BARE) + kind


@lru_cache(maxsize=64)
def _plain(head: bytes, namespace: bytes) -> bytes:
    """Return the key on the wire of a signature that begins like this, as we write it; b'' where it does not."""
    start = len(_MAGIC) + len(_VERSION) + 4
    wire = head[start : start + _WIRE]
    return wire if head == _head(wire, namespace) else b""


def _strings(blob: bytes, count: int) -> list[bytes]:
    """Take exactly ``count`` strings from ``blob``. Raises: ValueError."""
    found: list[bytes] = []
    while blob:
        length = int.from_bytes(blob[:4], "big")
        if len(blob) < 4 + length:
            raise ValueError("an SSH string that ends too early")
        found.append(blob[4 : 4 + length])
        blob = blob[4 + length :]
    if len(found) != count:
        raise ValueError("not the expected number of SSH strings")
    return found


@lru_cache(maxsize=64)
def _public(wire: bytes) -> Ed25519PublicKey:
    kind, key = _strings(wire, 2)
    if kind != _KEY_TYPE:
        raise ValueError("not an Ed25519 key")
    return Ed25519PublicKey.from_public_bytes(key)
