"""The text of a rule as it was written: the lines of a file that say it, each with its number."""

from dataclasses import dataclass

MAX_LINES = 200  # of one excerpt; a file of rules has some sixty


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Lines of one file: pairs of number and text. ``about``: what they are the rule of."""

    about: str
    file: str
    lines: tuple[tuple[int, str], ...]


def excerpt(about: str, file: str, content: bytes, line: int) -> Excerpt:
    """Return the block that begins at a line: it, and what is indented deeper below it."""
    text = content.decode("utf-8", "replace").split("\n")
    if not 1 <= line <= len(text):
        return Excerpt(about, file, ())
    depth = _depth(text[line - 1])
    found = [(line, text[line - 1])]
    for number, one in enumerate(text[line:], start=line + 1):
        is_empty = not one.strip() or one.lstrip().startswith("#")
        if (not is_empty and _depth(one) <= depth) or len(found) >= MAX_LINES:
            break
        found.append((number, one))
    while len(found) > 1 and not found[-1][1].strip():
        found.pop()
    return Excerpt(about, file, tuple(found))


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
