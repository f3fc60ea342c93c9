"""When a plain scalar has to be quoted, so that readers of YAML 1.1 and of YAML 1.2 take it as text."""

import re

from policies.errors import PolicyError

# Plain text that is never a matter of context: no indicator in front, no ": ", no " #", no flow indicator.
_PLAIN = re.compile(r"[A-Za-z0-9_./](?:[A-Za-z0-9_./@+:-]*[A-Za-z0-9_./@+-])?", re.ASCII)
_PRINTABLE = re.compile(r"[ -~]*")

# YAML 1.1 "Bool", "Null", "Value", "Merge"; YAML 1.2 core schema keeps true, false and null.
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "~", "", "=", "<<"})
# One pattern for what any of the readers takes as a number: YAML 1.1 (octal 010, binary, underscores, base 60),
# YAML 1.2 core (0o10, 089, 1e3, 12345e7), and Go's libraries, which drop underscores first and know 0b-1.
_NUMBER = re.compile(
    r"""
    [-+]?(?:
        0[bB][-+]?[01_]+ | 0[oO]?[-+]?[0-7_]+ | 0[xX][0-9a-fA-F_]+ |
        [0-9][0-9_]* | (?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9_]+)(?:[eE][-+]?[0-9_]+)? |
        0[xX][0-9a-fA-F_]*\.?[0-9a-fA-F_]*[pP][-+]?[0-9_]+ |
        [0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)? |
        \.?inf(?:inity)? | \.?nan
    )
    """,
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)
_TIMESTAMP = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt ].*)?", re.ASCII)


def needs_quotes(value: str) -> bool:
    """Say whether ``value``, written plain, would be anything but this very text to some reader."""
    return (
        _PLAIN.fullmatch(value) is None
        or value.lower() in _WORDS
        or value.startswith(("---", "..."))
        or _NUMBER.fullmatch(value) is not None
        or _NUMBER.fullmatch(value.replace("_", "")) is not None
        or _TIMESTAMP.fullmatch(value) is not None
    )


def written(value: str, style: str) -> str:
    """Write ``value`` in ``style`` (``''``, ``'`` or ``"``); plain becomes double-quoted where it has to.

    Raises: PolicyError, where ``value`` is not one line of printable ASCII.
    """
    if _PRINTABLE.fullmatch(value) is None:
        raise PolicyError(f"{value[:140]!r} cannot be written; expected one line of printable ASCII")
    if style == "'":
        return "'" + value.replace("'", "''") + "'"
    if style == '"' or needs_quotes(value):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return value
