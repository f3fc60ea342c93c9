"""Keyless signatures: by an identity to which Fulcio gave a certificate, held by Rekor's log; verified without network.

Needs ``countersign[sigstore]``. Bundles are verified by the library as they are. What cosign left at an image's tag
before there were bundles has Rekor's promise and no proof of inclusion, which the library does not take: there its
parts are put together here. Both ask for the same: certificate, its time, its log, identity, entry, payload.
"""

import json
from base64 import b64decode
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import (
    Certificate,
    ExtendedKeyUsage,
    KeyUsage,
    RFC822Name,
    SubjectAlternativeName,
    UniformResourceIdentifier,
    load_pem_x509_certificate,
)
from cryptography.x509.oid import ExtendedKeyUsageOID
from sigstore._internal.sct import verify_sct
from sigstore._internal.timestamp import TimestampSource, TimestampVerificationResult
from sigstore._internal.trust import KeyringPurpose
from sigstore._utils import KeyID
from sigstore.errors import VerificationError
from sigstore.hashes import Hashed
from sigstore.models import Bundle, TrustedRoot
from sigstore.verify import Verifier, policy
from sigstore_models.common.v1 import HashAlgorithm

from bot.registries import bundles, cosign
from bot.registries.image_contents import Bundled, Signed
from policies.errors import PolicyError
from policies.images.tag_filter import compiled

_KEPT = 8  # trust roots
_MAX_NAMED = 120  # characters of an identity, in one line for people
_MAX_ENTRY = 64 * 1024  # bytes of Rekor's promise


@dataclass(frozen=True, slots=True)
class Signers:
    """Who may have signed: one of the identities, or one that the pattern fits; ``issuer`` vouched for it."""

    identities: tuple[str, ...]
    pattern: str
    issuer: str

    def verify(self, cert: Certificate) -> None:
        """Hold a certificate to it: what the library calls a policy. Raises: VerificationError."""
        issuers = [policy.OIDCIssuerV2(self.issuer), policy.OIDCIssuer(self.issuer)]
        named = " and ".join(named_by(cert))[:_MAX_NAMED]
        if not any(_holds(one, cert) for one in issuers):
            raise VerificationError(f"another than {self.issuer} vouches for {named}")
        if self.pattern and any(compiled(self.pattern).fullmatch(one) for one in named_by(cert)):
            return
        if not any(_holds(policy.Identity(identity=one), cert) for one in self.identities):
            raise VerificationError(f"it is by {named}, whom the rule does not name")


def _holds(wanted: policy.VerificationPolicy, cert: Certificate) -> bool:
    try:
        wanted.verify(cert)
    except VerificationError:
        return False
    return True


def named_by(cert: Certificate) -> tuple[str, ...]:
    """Return whom a certificate names: addresses, then mail addresses."""
    names = cert.extensions.get_extension_for_class(SubjectAlternativeName).value
    return (*names.get_values_for_type(UniformResourceIdentifier), *names.get_values_for_type(RFC822Name))


@dataclass(frozen=True, slots=True)
class Trusted:
    """A trust root that was read: its certificates and logs, and the library's verifier for it."""

    root: TrustedRoot
    verifier: Verifier


@lru_cache(maxsize=_KEPT)
def trusted(root: bytes) -> Trusted:
    """Read a trust root, as Sigstore hands it out. Raises: PolicyError."""
    try:
        with TemporaryDirectory() as folder:
            path = Path(folder) / "trusted_root.json"
            path.write_bytes(root)
            read = TrustedRoot.from_file(str(path))
        read.rekor_keyring(KeyringPurpose.VERIFY)
        read.ct_keyring(KeyringPurpose.VERIFY)
        return Trusted(read, Verifier(trusted_root=read))
    except Exception as error:  # whatever a library says of bytes that anybody may have written
        raise PolicyError(f"it is no trust root: {_said(error)}") from error


def signed_by(
    one: Signed | Bundled, trust: Trusted, signers: Signers, *, repository: str, digest: str
) -> str:
    """Return who signed the image. Raises: PolicyError, with what is wrong with the signature."""
    try:
        if isinstance(one, Bundled):
            cert = _of_bundle(one.content, trust, signers, digest)
        else:
            cert = _of_parts(one, trust, signers, repository=repository, digest=digest)
        return ", ".join(named_by(cert))
    except Exception as error:  # a registry holds what anybody has pushed, and the next may be right
        raise PolicyError(_said(error)) from error


def _said(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _of_bundle(content: bytes, trust: Trusted, signers: Signers, digest: str) -> Certificate:
    bundle = Bundle.from_json(content)
    if bundles.envelope_of(content) is None:
        wanted = Hashed(
            algorithm=HashAlgorithm.SHA2_256, digest=bytes.fromhex(digest.removeprefix("sha256:"))
        )
        trust.verifier.verify_artifact(wanted, bundle, signers)
    else:
        kind, payload = trust.verifier.verify_dsse(bundle, signers)
        if not bundles.is_about(kind, payload, digest):
            raise VerificationError("what is signed is not this image")
    cert: Certificate = bundle.signing_certificate
    return cert


# --- what stands at an image's tag ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Entry:
    """An entry of Rekor, and its promise, signed, that the log holds it since then (UTC)."""

    body: str
    integrated: int
    index: int
    log: str
    promise: bytes

    @property
    def time(self) -> datetime:
        return datetime.fromtimestamp(self.integrated, UTC)

    @property
    def signed(self) -> bytes:
        """The bytes that the promise is over (RFC 8785: these four keys, sorted)."""
        found = {
            "body": self.body,
            "integratedTime": self.integrated,
            "logID": self.log,
            "logIndex": self.index,
        }
        return json.dumps(found, sort_keys=True, separators=(",", ":")).encode()


def _of_parts(one: Signed, trust: Trusted, signers: Signers, *, repository: str, digest: str) -> Certificate:
    """Verify a payload with its annotations. Raises: what the parts raise."""
    if not (one.certificate and one.logged):
        raise VerificationError("the signature has no certificate, or Rekor's log does not hold it")
    if not cosign.is_about(one.payload, repository=repository, digest=digest):
        raise VerificationError("what is signed is not this image")
    cert, entry = load_pem_x509_certificate(one.certificate.encode()), _entry(one.logged)
    log = trust.root.rekor_keyring(KeyringPurpose.VERIFY)
    log.verify(key_id=KeyID(bytes.fromhex(entry.log)), signature=entry.promise, data=entry.signed)
    _certified(cert, entry.time, trust)
    signers.verify(cert)
    key = cert.public_key()
    if not isinstance(key, EllipticCurvePublicKey):
        raise VerificationError("the certificate's key is of another kind than ECDSA")
    key.verify(b64decode(one.signature, validate=True), one.payload, ECDSA(SHA256()))
    _same(json.loads(b64decode(entry.body, validate=True)), one, cert)
    return cert


def _entry(logged: str) -> _Entry:
    if len(logged) > _MAX_ENTRY:
        raise VerificationError(f"the log's entry has over {_MAX_ENTRY} bytes")
    found = json.loads(logged)
    said = found["Payload"]
    return _Entry(
        body=str(said["body"]),
        integrated=int(said["integratedTime"]),
        index=int(said["logIndex"]),
        log=str(said["logID"]),
        promise=b64decode(found["SignedEntryTimestamp"], validate=True),
    )


def _certified(cert: Certificate, at: datetime, trust: Trusted) -> None:
    """Hold a certificate to the trust root, at the time at which the log took it in; and to its own log."""
    when = TimestampVerificationResult(source=TimestampSource.TRANSPARENCY_SERVICE, time=at)
    chain = trust.verifier._verify_chain_at_time(cert, when)  # noqa: SLF001  see docs/adr/0040
    verify_sct(cert, chain, trust.root.ct_keyring(KeyringPurpose.VERIFY))
    usage = cert.extensions.get_extension_for_class(KeyUsage).value
    extended = cert.extensions.get_extension_for_class(ExtendedKeyUsage).value
    if not usage.digital_signature or ExtendedKeyUsageOID.CODE_SIGNING not in extended:
        raise VerificationError("the certificate is not one for signing code")


def _same(body: Any, one: Signed, cert: Certificate) -> None:
    """Hold the log's entry to what it has to be an entry of (CVE-2022-36056)."""
    spec = body["spec"]
    pem = b64decode(spec["signature"]["publicKey"]["content"], validate=True)
    is_same = (
        (body["kind"], body["apiVersion"]) == ("hashedrekord", "0.0.1")
        and spec["data"]["hash"] == {"algorithm": "sha256", "value": sha256(one.payload).hexdigest()}
        and spec["signature"]["content"] == one.signature
        and load_pem_x509_certificate(pem) == cert
    )
    if not is_same:
        raise VerificationError("the log's entry is of another signature")
