"""What an entry says of gates that had passed: for its trailers, ``Gate-Soak: passed 3h12m``."""

import re
from collections.abc import Mapping

from policies.canonical import Json

Notes = tuple[tuple[str, str], ...]

MAX_NOTES = 32
_NAME = re.compile(r"[a-z]+(?:-[a-z]+)*", re.ASCII)
_SERVICE = re.compile(r"[a-z0-9][a-z0-9-]{0,62}", re.ASCII)
_NOTE = re.compile(r"(?:passed|skipped)(?: [0-9dhms]{2,20})?", re.ASCII)


def read(evidence: Mapping[str, Json]) -> Notes:
    """Return the notes of an entry's evidence, by name; what is not of the form is left out.

    Of a group they stand by member, whose name then comes before what is said.
    """
    found = evidence.get("gates")
    if not isinstance(found, Mapping):
        return ()
    told = [
        (name, f"{service} {note}")
        for service, notes in found.items()
        if isinstance(notes, Mapping) and _SERVICE.fullmatch(service)
        for name, note in _noted(notes)
    ]
    return (*_noted(found), *sorted(told))


def _noted(found: Mapping[str, Json]) -> Notes:
    if len(found) > MAX_NOTES:
        return ()
    return tuple(
        (name, note)
        for name, note in sorted(found.items())
        if isinstance(note, str) and _NAME.fullmatch(name) and _NOTE.fullmatch(note)
    )


def trailers(notes: Notes) -> list[tuple[str, str]]:
    """Return the notes as trailers of a landing commit."""
    return [(f"Gate-{name.title()}", note) for name, note in notes]
