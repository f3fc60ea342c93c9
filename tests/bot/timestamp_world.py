"""A little timestamp authority of a test's own (RFC 3161): a root, who signs for it, and what they sign."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.bot.sigstore_world import NOON, b64, new_key, sign

_SIGNED_DATA, _STAMP = "1.2.840.113549.1.7.2", "1.2.840.113549.1.9.16.1.4"  # RFC 5652; RFC 3161
_CONTENT_TYPE, _DIGEST = "1.2.840.113549.1.9.3", "1.2.840.113549.1.9.4"  # RFC 5652, section 11
_SHA256, _ECDSA = "2.16.840.1.101.3.4.2.1", "1.2.840.10045.4.3.2"
_POLICY = "1.3.6.1.4.1.57264.2"

Key = ec.EllipticCurvePrivateKey


# --- DER (X.690): what a timestamp is written in -----------------------------------------------------------------


def _tagged(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes([tag, 0x80 | len(length)]) + length + content


def _sequence(*parts: bytes) -> bytes:
    return _tagged(0x30, *parts)


def _set(*parts: bytes) -> bytes:
    return _tagged(0x31, *sorted(parts))


def _number(value: int) -> bytes:
    return _tagged(0x02, value.to_bytes(value.bit_length() // 8 + 1))


def _octets(content: bytes) -> bytes:
    return _tagged(0x04, content)


def _oid(text: str) -> bytes:
    first, second, *rest = map(int, text.split("."))
    found = bytearray()
    for arc in (first * 40 + second, *rest):
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.append(arc & 0x7F | 0x80)
        found += bytes(reversed(groups))
    return _tagged(0x06, bytes(found))


def _algorithm(name: str) -> bytes:
    return _sequence(_oid(name))


# --- the authority -----------------------------------------------------------------------------------------------


@dataclass
class Stamps:
    """An authority whose word says when something was signed. ``may_stamp``: its certificate is one for that."""

    root: Key = field(default_factory=new_key)
    key: Key = field(default_factory=new_key)
    may_stamp: bool = True

    def __post_init__(self) -> None:
        """Certify the root by itself, and who signs by the root."""
        self.authority = (
            self._builder("Stamps", self.root)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(self.root, SHA256())
        )
        purpose = ExtendedKeyUsageOID.TIME_STAMPING if self.may_stamp else ExtendedKeyUsageOID.CODE_SIGNING
        self.signer = (
            self._builder("Stamper", self.key)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([purpose]), critical=True)
            .sign(self.root, SHA256())
        )

    def _builder(self, name: str, key: Key) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Stamps")]))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOON - timedelta(days=30))
            .not_valid_after(NOON + timedelta(days=30))
        )

    def trusted(self, start: str = "2020-01-01T00:00:00Z") -> dict[str, Any]:
        """Return what a trust root says of it."""
        chain = [{"rawBytes": b64(one.public_bytes(Encoding.DER))} for one in (self.signer, self.authority)]
        return {
            "subject": {"organization": "example", "commonName": "Stamps"},
            "uri": "https://stamps.example.com",
            "certChain": {"certificates": chain},
            "validFor": {"start": start},
        }

    def stamp(self, signature: bytes, at: datetime = NOON) -> bytes:
        """Say that a signature was there at a time (UTC)."""
        content = _sequence(
            _number(1),
            _oid(_POLICY),
            _sequence(_algorithm(_SHA256), _octets(sha256(signature).digest())),
            _number(7),
            _tagged(0x18, f"{at:%Y%m%d%H%M%SZ}".encode()),
        )
        attributes = (
            _sequence(_oid(_CONTENT_TYPE), _set(_oid(_STAMP))),
            _sequence(_oid(_DIGEST), _set(_octets(sha256(content).digest()))),
        )
        signed = _set(*attributes)
        info = _sequence(
            _number(1),
            _sequence(self.signer.issuer.public_bytes(), _number(self.signer.serial_number)),
            _algorithm(_SHA256),
            b"\xa0" + signed[1:],
            _algorithm(_ECDSA),
            _octets(sign(self.key, signed)),
        )
        token = _sequence(
            _number(3),
            _set(_algorithm(_SHA256)),
            _sequence(_oid(_STAMP), _tagged(0xA0, _octets(content))),
            _tagged(0xA0, self.signer.public_bytes(Encoding.DER)),
            _set(info),
        )
        return _sequence(_sequence(_number(0)), _sequence(_oid(_SIGNED_DATA), _tagged(0xA0, token)))


def timed(bundle: dict[str, Any], stamps: Sequence[bytes]) -> dict[str, Any]:
    """Take from a bundle the log's word for its time, and put these stamps in its place."""
    material = bundle["verificationMaterial"]
    for entry in material["tlogEntries"]:
        entry["integratedTime"] = "0"
        del entry["inclusionPromise"]
    material["timestampVerificationData"] = {
        "rfc3161Timestamps": [{"signedTimestamp": b64(one)} for one in stamps]
    }
    return bundle
