"""Signatures as cosign makes them with a key: over a payload that names the image, beside it or in a bundle."""

import binascii
import json
from base64 import b64decode
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from bot.registries import bundles
from bot.registries.image_contents import Bundled, Signed
from policies.errors import PolicyError
from policies.images.image import Repository

TYPE = "cosign container image signature"
_MAX_PAYLOAD = 64 * 1024
_MIN_RSA = 2048  # bits

PublicKey = EllipticCurvePublicKey | Ed25519PublicKey | RSAPublicKey


def key_of(pem: str) -> PublicKey:
    """Read a public key. Raises: PolicyError."""
    try:
        key = load_pem_public_key(pem.strip().encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise PolicyError(
            "a key of the rules cannot be read; expected PEM of an ECDSA, Ed25519 or RSA key"
        ) from error
    if isinstance(key, RSAPublicKey) and key.key_size < _MIN_RSA:
        raise PolicyError(f"a key of the rules has {key.key_size} bits; expected {_MIN_RSA} at least")
    if isinstance(key, EllipticCurvePublicKey | Ed25519PublicKey | RSAPublicKey):
        return key
    raise PolicyError("a key of the rules is of another kind; expected ECDSA, Ed25519 or RSA")


def is_signed(
    found: Iterable[Signed | Bundled], keys: Sequence[PublicKey], *, repository: str, digest: str
) -> bool:
    """Whether one of the signatures is by one of the keys, and over this very image."""
    return any(
        _verifies(key, signature, payload)
        for one in found
        for signature, payload in _about(one, repository, digest)
        for key in keys
    )


def _about(one: Signed | Bundled, repository: str, digest: str) -> Iterator[tuple[bytes, bytes]]:
    """Yield signatures, each with what it has to be over, where that is about the image."""
    if isinstance(one, Signed):
        with suppress(binascii.Error, ValueError):
            if is_about(one.payload, repository=repository, digest=digest):
                yield b64decode(one.signature, validate=True), one.payload
        return
    envelope = bundles.envelope_of(one.content)
    if envelope and bundles.is_about(envelope.type, envelope.payload, digest):
        yield from ((signature, envelope.signed) for signature in envelope.signatures)


def is_about(payload: bytes, *, repository: str, digest: str) -> bool:
    """Whether a payload names this digest in this repository (containers/image, "simple signing")."""
    if len(payload) > _MAX_PAYLOAD:
        return False
    try:
        critical = json.loads(payload)["critical"]
        named, of = critical["image"]["docker-manifest-digest"], critical["identity"]["docker-reference"]
        same = Repository.parse(_without_tag(of)).canonical == Repository.parse(repository).canonical
    except (ValueError, KeyError, TypeError, RecursionError, PolicyError):
        return False
    return bool(same and named == digest and critical.get("type") == TYPE)


def _without_tag(reference: str) -> str:
    """Return a reference without tag and digest; the port of a host is none."""
    head, slash, last = str(reference).partition("@")[0].rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}"


def _verifies(key: PublicKey, signature: bytes, payload: bytes) -> bool:
    try:
        if isinstance(key, EllipticCurvePublicKey):
            key.verify(signature, payload, ECDSA(SHA256()))
        elif isinstance(key, RSAPublicKey):
            key.verify(signature, payload, PKCS1v15(), SHA256())
        else:
            key.verify(signature, payload)
    except (InvalidSignature, ValueError):
        return False
    return True
