"""A place in a JSON document, as RFC 6901 names it."""

from typing import Any

from policies.errors import PolicyError

_MAX_INDEX = 9  # digits


def at(document: Any, pointer: str) -> Any:
    """Return what stands there; ``/a/0`` is the first of the list under ``a``. Raises: PolicyError."""
    found = document
    for part in pointer.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        is_index = name.isascii() and name.isdigit() and len(name) <= _MAX_INDEX
        if isinstance(found, dict) and name in found:
            found = found[name]
        elif isinstance(found, list) and is_index and int(name) < len(found):
            found = found[int(name)]
        else:
            raise PolicyError(f"there is nothing at {pointer[:80]!r}; expected the document to have it")
    return found


def spelled(value: Any) -> str:
    """Write a value as the rules write it: text as it is, true, false, numbers; '' for what is none of these."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) else ""
