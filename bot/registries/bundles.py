"""Bundles of Sigstore, as cosign leaves them since its third version: a statement in an envelope, and what signs it."""

import binascii
import json
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bot.registries.image_contents import SIGNS

STATEMENT = "application/vnd.in-toto+json"
_TYPES = frozenset({"https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0.1"})
MAX_SIGNATURES = 10  # of one envelope


@dataclass(frozen=True, slots=True)
class Envelope:
    """A payload of a type, and the signatures over both (DSSE, version 1)."""

    type: str
    payload: bytes
    signatures: tuple[bytes, ...]

    @property
    def signed(self) -> bytes:
        """The bytes that are signed: DSSE's "PAE"."""
        kind = self.type.encode()
        return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(self.payload), self.payload)


def envelope_of(content: bytes) -> Envelope | None:
    """Read a bundle's envelope; nothing where there is none that can be read."""
    try:
        envelope = json.loads(content)["dsseEnvelope"]
        signatures = tuple(_bytes(one["sig"]) for one in envelope["signatures"][:MAX_SIGNATURES])
        return Envelope(str(envelope["payloadType"]), _bytes(envelope["payload"]), signatures)
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _bytes(text: Any) -> bytes:
    if not isinstance(text, str):
        raise binascii.Error("this is no text")
    return b64decode(text, validate=True)


def is_about(kind: str, payload: bytes, digest: str) -> bool:
    """Whether an envelope's payload says that this digest is signed (in-toto, "Statement"; cosign's predicate)."""
    if kind != STATEMENT:
        return False
    try:
        statement = json.loads(payload)
    except (ValueError, RecursionError):
        return False
    if not isinstance(statement, dict):
        return False
    is_signature = statement.get("_type") in _TYPES and statement.get("predicateType") == SIGNS
    return is_signature and digest in _digests(statement.get("subject"))


def _digests(subjects: Any) -> Iterator[str]:
    for one in subjects if isinstance(subjects, list) else ():
        named = one.get("digest") if isinstance(one, dict) else None
        if isinstance(named, dict):
            yield f"sha256:{named.get('sha256')}"
