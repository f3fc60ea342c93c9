"""Tag filters of Flux: an RE2 pattern that a tag must hold, and a template that extracts what is ordered."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Self

import re2

from policies.errors import PolicyError

_OPTIONS = re2.Options()
_OPTIONS.log_errors = False  # an invalid pattern is an answer, not a line on stderr

_LITERAL_TEXT = re.compile(r"\\Q.*?(?:\\E|\Z)", re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)

_REMEMBERED = 1 << 17  # tags, for all filters together; about 40 MB


@dataclass(frozen=True, slots=True)
class TagFilter:
    """A filter as it was written. ``extract`` is empty where the tag itself is ordered."""

    pattern: str
    extract: str = ""

    @classmethod
    def parse(cls, pattern: str, extract: str = "") -> Self:
        """Check the pattern. Raises: PolicyError."""
        compiled(pattern)
        return cls(pattern, extract)

    def value(self, tag: str) -> str | None:
        """Return what the tag is ordered by, None where the pattern is not found in it. Raises: PolicyError."""
        return _value(self.pattern, self.extract, tag)

    def values(self, tags: Iterable[str]) -> dict[str, str]:
        """Return extracted value to tag. Of two tags with one value the smaller stays. Raises: PolicyError.

        Flux walks its list in descending order and overwrites, so the last one is the smallest.
        """
        originals: dict[str, str] = {}
        for tag in tags:
            value = self.value(tag)
            if value is not None and tag <= originals.get(value, tag):
                originals[value] = tag
        return originals


@lru_cache(maxsize=1024)
def compiled(pattern: str) -> Any:
    """Compile an RE2 pattern, searched anywhere in a text. Raises: PolicyError."""
    try:
        program = re2.compile(pattern, _OPTIONS)
    except (re2.error, UnicodeEncodeError) as error:
        raise PolicyError(
            f"{pattern[:140]!r} is not a pattern: {_reason(error)}; expected RE2 syntax"
        ) from error
    if any(escape[1] == "C" for escape in _ESCAPE.finditer(_LITERAL_TEXT.sub("", pattern))):
        # Go has no single bytes, the C++ library has.
        raise PolicyError(f"{pattern[:140]!r} is not a pattern: invalid escape \\C; expected RE2 syntax")
    if not all(name.isascii() for name in program.groupindex):
        raise PolicyError(f"{pattern[:140]!r} is not a pattern: expected ASCII names of groups")
    return program


def _reason(error: Exception) -> str:
    """Return what the library says, as text: it hands over bytes."""
    said = error.args[0] if error.args else ""
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(error)


@lru_cache(maxsize=_REMEMBERED)
def _value(pattern: str, extract: str, tag: str) -> str | None:
    """Answer ``TagFilter.value``. A search costs some microseconds and most tags of a poll were there before."""
    try:
        match = compiled(pattern).search(tag)
    except UnicodeEncodeError:  # half a character: no registry can have sent it
        return None
    if match is None:
        return None
    if not extract:
        return tag
    return "".join(
        part if isinstance(part, str) else match[part] or "" for part in _template(pattern, extract)
    )


@lru_cache(maxsize=1024)
def _template(pattern: str, extract: str) -> tuple[str | int, ...]:
    """Return the template as literal texts and numbers of groups (Go, ``Regexp.Expand``).

    Behind a dollar stands another one, a name, or a name in braces; else the dollar is literal.
    """
    groups = compiled(pattern)
    parts: list[str | int] = []
    end = 0
    while (dollar := extract.find("$", end)) >= 0:
        parts.append(extract[end:dollar])
        name, end = _name_at(extract, dollar + 1)
        if not name:
            end += extract.startswith("$", end)
            parts.append("$")
        elif (number := _group_number(name, groups)) is not None:
            parts.append(number)
    return (*parts, extract[end:])


def _name_at(extract: str, start: int) -> tuple[str, int]:
    """Return the name of a place and where the text goes on; no name and ``start`` where none stands there."""
    begin = start + extract.startswith("{", start)
    end = begin
    while end < len(extract) and (extract[end].isalpha() or extract[end].isdecimal() or extract[end] == "_"):
        end += 1
    if begin == start:
        return extract[begin:end], end
    return (extract[begin:end], end + 1) if extract.startswith("}", end) and end > begin else ("", start)


def _group_number(name: str, groups: Any) -> int | None:
    """Return the group that a name or a number without leading zero means, None where there is none."""
    if re.fullmatch(r"0|[1-9][0-9]{0,8}", name, re.ASCII):
        return int(name) if int(name) <= groups.groups else None
    number: int | None = groups.groupindex.get(name)
    return number
