"""Canonical JSON: the one way to write a value, so that equal values have equal bytes and hashes (ledger contract)."""

import hashlib
import json
from collections.abc import Mapping, Sequence

_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)

Json = str | int | bool | Sequence["Json"] | Mapping[str, "Json"]


def canonical(value: Json) -> bytes:
    """Return ``value`` as one line of ASCII: keys sorted, no spaces. No floats and no null can be handed in."""
    return _ENCODER.encode(value).encode()


def digest_of(value: Json) -> str:
    """Return the sha256 of the canonical form, 64 hexadecimal digits."""
    return hashlib.sha256(canonical(value)).hexdigest()
