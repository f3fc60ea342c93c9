"""A little Sigstore: an authority, two logs and a trust root of a test's own; what it signs lies beside images."""

import json
import struct
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from bot.registries.bundles import STATEMENT
from bot.registries.image_contents import BUNDLE, SIGNS
from sandbox.registry import images
from sandbox.registry.images import Blob, Image

BUNDLE_TYPE = f"{BUNDLE}.v0.3+json"
IDENTITY = "https://github.com/acme/web/.github/workflows/release.yml@refs/heads/main"
ISSUER = "https://token.actions.githubusercontent.com"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
_ISSUERS = {"v1": "1.3.6.1.4.1.57264.1.1", "v2": "1.3.6.1.4.1.57264.1.8"}  # Fulcio, "OID information"
_SCTS = ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")  # RFC 6962, section 3.3
_ORIGIN = "log.example.com - 1"

Key = ec.EllipticCurvePrivateKey


def new_key() -> Key:
    """Make a key."""
    return ec.generate_private_key(ec.SECP256R1())


def sign(key: Key, content: bytes) -> bytes:
    """Sign with ECDSA over SHA-256."""
    return key.sign(content, ec.ECDSA(SHA256()))


def b64(content: bytes) -> str:
    """Write in base64."""
    return b64encode(content).decode()


def spki(key: Key) -> bytes:
    """Return a public key in DER."""
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _octets(content: bytes) -> bytes:
    """Write an ASN.1 OCTET STRING, or another tag in place of its own."""
    size = len(content)
    return b"\x04" + (bytes([size]) if size < 128 else b"\x82" + struct.pack("!H", size)) + content


@dataclass
class Leaf:
    """A certificate for a short time, and its key."""

    key: Key
    cert: x509.Certificate

    @property
    def pem(self) -> str:
        """The certificate, as cosign writes it beside a signature."""
        return self.cert.public_bytes(Encoding.PEM).decode()

    @property
    def der(self) -> str:
        """The certificate, as bundles have it."""
        return b64(self.cert.public_bytes(Encoding.DER))


@dataclass
class Sigstore:
    """An authority, a log of certificates, a log of signatures."""

    root: Key = field(default_factory=new_key)
    certificates: Key = field(default_factory=new_key)
    log: Key = field(default_factory=new_key)
    has_promises: bool = True

    def __post_init__(self) -> None:
        """Certify the authority by itself."""
        self.authority = (
            self._builder("Authority", self.root, days=3650)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .sign(self.root, SHA256())
        )

    def _builder(self, name: str, key: Key, *, days: float, at: datetime = NOON) -> x509.CertificateBuilder:
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)] if name else [])
        issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Authority")])
        begin = at - timedelta(days=30) if days > 1 else at - timedelta(minutes=1)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(begin + timedelta(days=days))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.root.public_key()), critical=False
            )
        )

    def leaf(
        self, identity: str = IDENTITY, issuer: str = ISSUER, *, version: str = "v2", is_logged: bool = True
    ) -> Leaf:
        """Certify an identity for ten minutes."""
        key = new_key()
        name: x509.GeneralName = x509.UniformResourceIdentifier(identity)
        if "://" not in identity:
            name = x509.RFC822Name(identity)
        text = issuer.encode()
        said = text if version == "v1" else b"\x0c" + _octets(text)[1:]
        builder = (
            self._builder("", key, days=10 / 24 / 60)
            .add_extension(x509.SubjectAlternativeName([name]), critical=True)
            .add_extension(_usage(), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
            .add_extension(
                x509.UnrecognizedExtension(ObjectIdentifier(_ISSUERS[version]), said), critical=False
            )
        )
        if is_logged:
            before = builder.sign(self.root, SHA256())
            scts = x509.UnrecognizedExtension(_SCTS, self._sct(before.tbs_certificate_bytes))
            builder = builder.add_extension(scts, critical=False)
        return Leaf(key, builder.sign(self.root, SHA256()))

    def _sct(self, before: bytes) -> bytes:
        """Promise that the log of certificates holds one (RFC 6962, section 3.2)."""
        time = int(NOON.timestamp() * 1000)
        entry = sha256(spki(self.root)).digest() + struct.pack("!I", len(before))[1:] + before
        signed = struct.pack("!BBQH", 0, 0, time, 1) + entry + b"\0\0"
        signature = sign(self.certificates, signed)
        sct = b"\0" + sha256(spki(self.certificates)).digest() + struct.pack("!QH", time, 0)
        sct += b"\x04\x03" + struct.pack("!H", len(signature)) + signature
        listed = struct.pack("!H", len(sct)) + sct
        return _octets(struct.pack("!H", len(listed)) + listed)

    def trust_root(self, **changes: Any) -> bytes:
        """Write the trust root, as Sigstore hands it out."""
        valid = {"start": "2020-01-01T00:00:00Z"}
        authority = {
            "subject": {"organization": "example", "commonName": "Authority"},
            "uri": "https://fulcio.example.com",
            "certChain": {"certificates": [{"rawBytes": b64(self.authority.public_bytes(Encoding.DER))}]},
            "validFor": valid,
        }
        found = {
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [_log_of(self.log, valid)],
            "certificateAuthorities": [authority],
            "ctlogs": [_log_of(self.certificates, valid)],
            "timestampAuthorities": [],
        }
        return json.dumps(found | changes).encode()

    # --- entries of the log ---------------------------------------------------------------------------------

    @property
    def _log_id(self) -> bytes:
        return sha256(spki(self.log)).digest()

    def promise(self, body: bytes, at: datetime) -> bytes:
        """Sign that the log holds an entry since then."""
        said = {
            "body": b64(body),
            "integratedTime": int(at.timestamp()),
            "logID": self._log_id.hex(),
            "logIndex": 7,
        }
        return sign(self.log, json.dumps(said, sort_keys=True, separators=(",", ":")).encode())

    def logged(self, body: bytes, at: datetime) -> dict[str, Any]:
        """Return what cosign keeps of an entry beside a signature."""
        payload = {
            "body": b64(body),
            "integratedTime": int(at.timestamp()),
            "logIndex": 7,
            "logID": self._log_id.hex(),
        }
        return {"SignedEntryTimestamp": b64(self.promise(body, at)), "Payload": payload}

    def entry(self, body: bytes, at: datetime, kind: str) -> dict[str, Any]:
        """Return an entry as bundles have it: second of a log of two."""
        other, mine = sha256(b"\0other").digest(), sha256(b"\0" + body).digest()
        top = sha256(b"\1" + other + mine).digest()
        note = f"{_ORIGIN}\n2\n{b64(top)}\n"
        signature = b64(self._log_id[:4] + sign(self.log, note.encode()))
        proof = {
            "logIndex": "1",
            "rootHash": b64(top),
            "treeSize": "2",
            "hashes": [b64(other)],
            "checkpoint": {"envelope": f"{note}\n\N{EM DASH} log.example.com {signature}\n"},
        }
        return {
            "logIndex": "7",
            "logId": {"keyId": b64(self._log_id)},
            "kindVersion": {"kind": kind, "version": "0.0.1"},
            "integratedTime": str(int(at.timestamp())),
            "inclusionPromise": {"signedEntryTimestamp": b64(self.promise(body, at))},
            "inclusionProof": proof,
            "canonicalizedBody": b64(body),
        }

    # --- signatures -----------------------------------------------------------------------------------------

    def annotations(
        self, leaf: Leaf, payload: bytes, *, at: datetime = NOON, entry_of: bytes = b""
    ) -> dict[str, str]:
        """Sign a payload, and return what cosign writes beside it; ``entry_of``: what the log's entry is of."""
        signature = b64(sign(leaf.key, payload))
        body = _hashedrekord(leaf, sha256(entry_of or payload).hexdigest(), signature)
        return {
            "dev.cosignproject.cosign/signature": signature,
            "dev.sigstore.cosign/certificate": leaf.pem,
            "dev.sigstore.cosign/bundle": json.dumps(self.logged(body, at)),
        }

    def bundle(
        self, leaf: Leaf, digest: str, *, at: datetime = NOON, predicate: str = SIGNS, entry_of: str = ""
    ) -> dict[str, Any]:
        """Sign a statement about a digest; ``entry_of``: the digest that the log's entry is about."""
        envelope = enveloped(leaf.key, statement(digest, predicate))
        logged = enveloped(leaf.key, statement(entry_of, predicate)) if entry_of else envelope
        body = json.dumps(
            {
                "apiVersion": "0.0.1",
                "kind": "dsse",
                "spec": {
                    "envelopeHash": {"algorithm": "sha256", "value": "0" * 64},
                    "payloadHash": {
                        "algorithm": "sha256",
                        "value": sha256(statement(entry_of or digest, predicate)).hexdigest(),
                    },
                    "signatures": [
                        {"signature": logged["signatures"][0]["sig"], "verifier": b64(leaf.pem.encode())}
                    ],
                },
            }
        ).encode()
        return {
            "mediaType": BUNDLE_TYPE,
            "verificationMaterial": {
                "certificate": {"rawBytes": leaf.der},
                "tlogEntries": [self.entry(body, at, "dsse")],
            },
            "dsseEnvelope": envelope,
        }

    def message(self, leaf: Leaf, manifest: bytes, *, at: datetime = NOON) -> dict[str, Any]:
        """Sign a manifest itself."""
        signature, digest = b64(sign(leaf.key, manifest)), sha256(manifest)
        body = _hashedrekord(leaf, digest.hexdigest(), signature)
        return {
            "mediaType": BUNDLE_TYPE,
            "verificationMaterial": {
                "certificate": {"rawBytes": leaf.der},
                "tlogEntries": [self.entry(body, at, "hashedrekord")],
            },
            "messageSignature": {
                "messageDigest": {"algorithm": "SHA2_256", "digest": b64(digest.digest())},
                "signature": signature,
            },
        }


def _usage(*, signs_certificates: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _log_of(key: Key, valid: Mapping[str, str]) -> dict[str, Any]:
    return {
        "baseUrl": "https://log.example.com",
        "hashAlgorithm": "SHA2_256",
        "publicKey": {"rawBytes": b64(spki(key)), "keyDetails": "PKIX_ECDSA_P256_SHA_256", "validFor": valid},
        "logId": {"keyId": b64(sha256(spki(key)).digest())},
    }


def _hashedrekord(leaf: Leaf, digest: str, signature: str) -> bytes:
    spec = {
        "data": {"hash": {"algorithm": "sha256", "value": digest}},
        "signature": {"content": signature, "publicKey": {"content": b64(leaf.pem.encode())}},
    }
    return json.dumps({"apiVersion": "0.0.1", "kind": "hashedrekord", "spec": spec}).encode()


def statement(digest: str, predicate: str = SIGNS) -> bytes:
    """Say that an image is signed, as cosign does."""
    subject = [{"name": "", "digest": {"sha256": digest.removeprefix("sha256:")}}]
    said = {"_type": "https://in-toto.io/Statement/v1", "subject": subject, "predicateType": predicate}
    return json.dumps(said | {"predicate": {}}).encode()


def enveloped(key: Key, payload: bytes) -> dict[str, Any]:
    """Put a payload into a signed envelope (DSSE, version 1)."""
    signed = b"DSSEv1 %d %b %d %b" % (len(STATEMENT), STATEMENT.encode(), len(payload), payload)
    return {
        "payload": b64(payload),
        "payloadType": STATEMENT,
        "signatures": [{"sig": b64(sign(key, signed))}],
    }


def keyed(key: Key, digest: str) -> dict[str, Any]:
    """Sign a statement about a digest with a key, as `cosign sign --key` does since its third version."""
    return {
        "mediaType": BUNDLE_TYPE,
        "verificationMaterial": {"publicKey": {"hint": "mine"}, "tlogEntries": []},
        "dsseEnvelope": enveloped(key, statement(digest)),
    }


def referring(subject: Blob, bundle: Mapping[str, Any] | bytes, predicate: str = SIGNS) -> Image:
    """Return a manifest that refers to an image and holds a bundle."""
    content = bundle if isinstance(bundle, bytes) else json.dumps(bundle).encode()
    layer, config = Blob(BUNDLE_TYPE, content), Blob("application/vnd.oci.empty.v1+json", b"{}")
    manifest = {
        "schemaVersion": 2,
        "mediaType": images.MANIFEST,
        "artifactType": BUNDLE_TYPE,
        "config": config.descriptor(),
        "layers": [layer.descriptor()],
        "subject": subject.descriptor(),
        "annotations": {
            "dev.sigstore.bundle.content": "dsse-envelope",
            "dev.sigstore.bundle.predicateType": predicate,
        },
    }
    top = Blob(images.MANIFEST, json.dumps(manifest).encode())
    return Image(top, {"any": top}, (layer, config))


def listing(referring_: Sequence[Image]) -> Image:
    """Return the index that stands at the tag of a digest where a registry does not list what refers to it."""
    listed = [one.top.descriptor(artifactType=BUNDLE_TYPE) for one in referring_]
    body = {"schemaVersion": 2, "mediaType": images.INDEX, "manifests": listed}
    top = Blob(images.INDEX, json.dumps(body).encode())
    return Image(top, {"any": referring_[0].top}, ())
