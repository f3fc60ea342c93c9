"""A private key out of a setting: the text itself, as people paste it, or the file that the text names."""

from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from bot.errors import SettingsError

_MAX_BYTES = 64 << 10
_LEAST_BITS = 2048  # RFC 7518, RS256


def read(name: str, text: str) -> RSAPrivateKey:
    """Read an RSA key in PEM (RFC 7468). Nothing of it is shown. Raises: SettingsError."""
    pem = text if "-----BEGIN" in text else _file(name, text)
    # Where a variable can hold one line only, people write the line ends as \\n.
    lines = pem.replace("\\n", "\n").strip() + "\n"
    try:
        key = load_pem_private_key(lines.encode("ascii"), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):  # the cause would say what is in it
        raise SettingsError(f"{name}: it is no private key that can be read; {_EXPECTED}") from None
    if not isinstance(key, RSAPrivateKey) or key.key_size < _LEAST_BITS:
        raise SettingsError(f"{name}: it is no RSA key of {_LEAST_BITS} bits or more; {_EXPECTED}")
    return key


_EXPECTED = "expected the .pem file that the App's page gave you, as it is"


def _file(name: str, text: str) -> str:
    try:
        path = Path(text).expanduser()
        with path.open("rb") as file:
            return file.read(_MAX_BYTES).decode("ascii")
    except (OSError, ValueError, RuntimeError) as error:
        reason = (
            (error.strerror or "no reason given") if isinstance(error, OSError) else "it is no plain text"
        )
        raise SettingsError(
            f"{name}: it is neither the text of a key nor the path of a file that can be read ({reason})"
        ) from None
