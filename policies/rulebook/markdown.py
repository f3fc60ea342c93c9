"""Words of others within Markdown that a forge shows: they bring no links, no pictures, and call nobody."""

import re

from policies.rulebook.findings import visible

_PLAIN = re.compile(
    r"[A-Za-z0-9 ,.;:'()/+-]*", re.ASCII
)  # no @, #, `, *, _, [, <, |, \ or what else means something
_LINKS = re.compile(
    r"://|\bwww\.|\bmailto:|\bxmpp:|\bgh-[0-9]", re.ASCII | re.IGNORECASE
)  # what GitHub makes a link of


def in_code(text: str) -> str:
    """Return one line as a code span: nothing within it means anything."""
    return f"`{_one_line(text)}`"


def inert(text: str) -> str:
    """Return one line as it is where nothing in it means anything to Markdown or to GitHub, else as a code span."""
    plain = _one_line(text)
    return plain if _PLAIN.fullmatch(plain) and not _LINKS.search(plain) else f"`{plain}`"


def _one_line(text: str) -> str:
    return visible(" ".join(text.replace("`", "'").split()))
