"""Signatures beside images, as cosign leaves them: made by keys of a test, pushed to a registry of the sandbox."""

import json
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bot.registries import cosign
from bot.registries.image_contents import SIGNATURE, SIMPLE_SIGNING
from sandbox.registry import images
from sandbox.registry.images import Blob, Image
from sandbox.registry.twin import RegistryTwin


def payload_of(repository: str, digest: str, kind: str = cosign.TYPE) -> bytes:
    """Return what cosign signs: digest and repository of an image."""
    critical = {
        "identity": {"docker-reference": repository},
        "image": {"docker-manifest-digest": digest},
        "type": kind,
    }
    return json.dumps({"critical": critical, "optional": None}).encode()


def signature_of(key: Any, payload: bytes) -> bytes:
    """Sign by a key of any kind."""
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(payload, ec.ECDSA(SHA256()))
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(payload, PKCS1v15(), SHA256())
    return bytes(key.sign(payload))


def pem_of(key: Any) -> str:
    """Return a key's public part as the rules name it."""
    written: bytes = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return written.decode()


def tagged(layers: Mapping[bytes, Mapping[str, str]]) -> Image:
    """Return what hangs at the tag of an image's signatures: payloads, each with its annotations."""
    blobs = {Blob(SIMPLE_SIGNING, payload): annotations for payload, annotations in layers.items()}
    config = Blob(images.CONFIG, b"{}")
    manifest = {
        "schemaVersion": 2,
        "mediaType": images.MANIFEST,
        "config": config.descriptor(),
        "layers": [one.descriptor(annotations=annotations) for one, annotations in blobs.items()],
    }
    top = Blob(images.MANIFEST, json.dumps(manifest).encode())
    return Image(top, {"any": top}, (*blobs, config))


def sign(
    registry: RegistryTwin, name: str, digest: str, key: Any, *, payload: bytes, more: Mapping[str, str] = {}
) -> None:
    """Put a signature beside an image at its tag, instead of what was there; ``more`` annotations stand with it."""
    signature = b64encode(signature_of(key, payload)).decode()
    place = digest.replace(":", "-") + ".sig"
    registry.push(name, place, tagged({payload: {SIGNATURE: signature, **more}}))
