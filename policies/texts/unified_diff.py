"""Unified diffs of texts that differ in a few lines, as ``git apply`` takes them."""

from dataclasses import dataclass

_CONTEXT = 3  # lines around a change
_NO_NEWLINE = "\n\\ No newline at end of file\n"


@dataclass(frozen=True, slots=True)
class _Change:
    """Lines ``start`` to ``end`` of the old text that become ``new``."""

    start: int
    end: int
    new: tuple[str, ...]


def unified(path: str, before: str, after: str) -> str:
    """Return the diff of one file, empty where nothing differs. Linear in time; never minimal by search."""
    old, new = _lines(before), _lines(after)
    changes = _changes(old, new)
    if not changes:
        return ""
    name = _quoted(path)
    pieces = [f"--- {_prefixed('a', name)}\n+++ {_prefixed('b', name)}\n"]
    shift = 0
    for group in _groups(changes):
        pieces.append(_hunk(old, group, shift))
        shift += sum(len(change.new) - (change.end - change.start) for change in group)
    return "".join(pieces)


def _lines(text: str) -> list[str]:
    """Split behind line feeds only, as git does."""
    lines = [f"{line}\n" for line in text.split("\n")]
    lines[-1] = lines[-1][:-1]
    return lines if lines[-1] else lines[:-1]


def _changes(old: list[str], new: list[str]) -> list[_Change]:
    """Compare line by line what lies between the equal ends, or take it as one change."""
    start, shorter = 0, min(len(old), len(new))
    while start < shorter and old[start] == new[start]:
        start += 1
    tail = 0
    while tail < shorter - start and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    end, new_end = len(old) - tail, len(new) - tail
    if len(old) == len(new):
        return [_Change(at, at + 1, (new[at],)) for at in range(start, end) if old[at] != new[at]]
    return [_Change(start, end, tuple(new[start:new_end]))]


def _groups(changes: list[_Change]) -> list[list[_Change]]:
    """Put changes together whose context meets."""
    groups = [[changes[0]]]
    for change in changes[1:]:
        if change.start - groups[-1][-1].end <= 2 * _CONTEXT:
            groups[-1].append(change)
        else:
            groups.append([change])
    return groups


def _hunk(old: list[str], group: list[_Change], shift: int) -> str:
    """Write one hunk; ``shift`` is how many lines earlier hunks have added."""
    begin = max(group[0].start - _CONTEXT, 0)
    end = min(group[-1].end + _CONTEXT, len(old))
    pieces: list[str] = []
    at = begin
    for change in _runs(group):
        pieces += [_marked(" ", line) for line in old[at : change.start]]
        pieces += [_marked("-", line) for line in old[change.start : change.end]]
        pieces += [_marked("+", line) for line in change.new]
        at = change.end
    pieces += [_marked(" ", line) for line in old[at:end]]
    count = end - begin
    new_count = count + sum(len(change.new) - (change.end - change.start) for change in group)
    # GNU diff: an empty side names the line before it.
    first, new_first = begin + (count > 0), begin + shift + (new_count > 0)
    return f"@@ -{first},{count} +{new_first},{new_count} @@\n" + "".join(pieces)


def _runs(group: list[_Change]) -> list[_Change]:
    """Join changes of lines that follow each other, so that what goes stands before what comes."""
    runs = [group[0]]
    for change in group[1:]:
        last = runs[-1]
        if change.start == last.end:
            runs[-1] = _Change(last.start, change.end, (*last.new, *change.new))
        else:
            runs.append(change)
    return runs


def _marked(sign: str, line: str) -> str:
    return sign + (line if line.endswith("\n") else line + _NO_NEWLINE)


def _quoted(path: str) -> str:
    """Write a path as git does where it holds quotes, control characters or anything beyond ASCII."""
    if path.isascii() and path.isprintable() and not set('"\\') & set(path):
        return path
    escapes = {0x22: '\\"', 0x5C: "\\\\", 0x09: "\\t", 0x0A: "\\n", 0x0D: "\\r"}
    raw = path.encode("utf-8", "surrogateescape")
    return "".join(
        escapes.get(byte) or (chr(byte) if 0x20 <= byte < 0x7F else f"\\{byte:03o}")  # noqa: PLR2004  ASCII
        for byte in raw
    )


def _prefixed(side: str, name: str) -> str:
    """Put a/ or b/ before a name; one with spaces gets the tab that ends it for patch tools."""
    if "\\" in name:
        return f'"{side}/{name}"'
    return f"{side}/{name}\t" if " " in name else f"{side}/{name}"
