"""A table's keys, typed by their names: text, names, flags, durations, lists; what does not fit is noted."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TypeVar

from policies.errors import PolicyError
from policies.rulebook.findings import Findings, shown
from policies.rulebook.keys import Keys
from policies.rulebook.text import Items, Node, Table, Text
from policies.rules.rules import Position
from policies.times.duration import duration, spell

MAX_NAME = 63  # as Kubernetes names, DNS label
Word = TypeVar("Word", bound=StrEnum)
_NAME = re.compile(r"[a-z0-9][a-z0-9-]*", re.ASCII)
# What stands where a name could stand in a command or a rule, DESIGN section 9.
RESERVED = frozenset(
    "approve unapprove reject cancel freeze unfreeze hold resume block unblock emergency review redact fork status "  # noqa: SIM905  a list of words reads best as a sentence
    "why changes history pending who check link whoami stats help all rollback to in because until none observe "
    "owners of or".split()
)


@dataclass(frozen=True, slots=True)
class Fields:
    """One table and where its findings go; each method reads one key and returns nothing where it is absent."""

    at: Position
    entries: Mapping[str, Node]
    findings: Findings
    is_whole: bool = True

    def missing(self, at: Position, what: str, expected: str) -> None:
        """Note that a key is missing, but where a refused key may have meant it."""
        if self.is_whole:
            self.findings.add(at, what, expected)

    def node(self, key: str) -> Node | None:
        """Return what is written under a key."""
        return self.entries.get(key)

    def place(self, key: str) -> Position:
        """Return where a key's value is written, or the table where it is absent."""
        node = self.entries.get(key)
        return node.at if node else self.at

    def text(self, key: str) -> Text | None:
        """Return a key's text, not empty."""
        node = self.entries.get(key)
        return None if node is None else text_of(node, f"{key}", self.findings)

    def flag(self, key: str, *, default: bool) -> bool:
        """Return whether a key says ``true``; only true and false are understood."""
        word = self.text(key)
        if word is not None and word.value not in {"true", "false"}:
            self.findings.add(word.at, f"{key} is {shown(word.value)}", "true or false")
        return default if word is None else word.value == "true"

    def span(self, key: str, *, default: timedelta, least: timedelta, most: timedelta) -> timedelta:
        """Return a key's duration, in whole seconds, between two bounds."""
        word = self.text(key)
        if word is None:
            return default
        try:
            span = duration(word.value)
        except PolicyError as error:
            self.findings.refuse(word.at, error)
            return default
        if not least <= span <= most or span.microseconds:
            expected = f"whole seconds, from {spell(least)} to {spell(most)}"
            self.findings.add(word.at, f"{key} is {shown(word.value)}", expected)
        return span

    def number(self, key: str, *, default: int, most: int) -> int:
        """Return a key's whole number from 1 up to a bound."""
        word = self.text(key)
        if word is None:
            return default
        if re.fullmatch(r"[1-9][0-9]{0,8}", word.value, re.ASCII) is None or int(word.value) > most:
            self.findings.add(word.at, f"{key} is {shown(word.value)}", f"a whole number from 1 to {most}")
            return default
        return int(word.value)

    def choice(self, key: str, words: type[Word], default: Word) -> Word:
        """Return which of some words a key says."""
        word = self.text(key)
        if word is None:
            return default
        if word.value not in set(words):
            self.findings.add(word.at, f"{key} is {shown(word.value)}", " or ".join(words))
            return default
        return words(word.value)

    def texts(self, key: str) -> tuple[Text, ...] | None:
        """Return a key's list of texts; one text is a list of one."""
        node = self.entries.get(key)
        return None if node is None else texts_of(node, key, self.findings)


def fields(node: Node, keys: Keys, findings: Findings) -> Fields | None:
    """Return a table's fields with the keys that are read; other keys, and what is no table, are noted."""
    if not isinstance(node, Table):
        findings.add(node.at, f"{keys.what} is {kind_of(node)}", f"a table with {', '.join(keys.known)}")
        return None
    entries: dict[str, Node] = {}
    is_whole = True
    for key, value in node.entries:
        if key.value in keys.known:
            entries[key.value] = value
        else:
            is_whole = False
            if key.value in keys.elsewhere:
                findings.add(key.at, f"{keys.what} has {key.value}", f"{key.value} outside of {keys.what}")
            else:
                findings.unknown(key.at, f"key in {keys.what}", key.value, keys.known)
    return Fields(node.at, entries, findings, is_whole)


def text_of(node: Node, what: str, findings: Findings) -> Text | None:
    """Return a node as text that is not empty."""
    if not isinstance(node, Text):
        findings.add(node.at, f"{what} is {kind_of(node)}", "text")
        return None
    if not node.value:
        findings.add(node.at, f"{what} is empty", "text (what begins with # is a comment, unless quoted)")
        return None
    return node


def texts_of(node: Node, what: str, findings: Findings) -> tuple[Text, ...] | None:
    """Return a node as a list of texts; one text is a list of one, nothing where one of them is no text."""
    if isinstance(node, Table):
        findings.add(node.at, f"{what} is a table", "text, or a list of texts")
        return None
    texts = [text_of(item, what, findings) for item in (node.items if isinstance(node, Items) else (node,))]
    good = tuple(text for text in texts if text is not None)
    return good if len(good) == len(texts) else None


def kind_of(node: Node) -> str:
    """Say what a node is, for people."""
    if isinstance(node, Text):
        return shown(node.value) if node.value else "empty"
    return "a list" if isinstance(node, Items) else "a table"


def is_name(name: Text, what: str, findings: Findings, *, can_say_was: bool = False) -> bool:
    """Return whether a key can name something in a rule and in a command."""
    if not _is_spelled_as_one(name, what, findings):
        return False
    if name.value in RESERVED:
        keeps = f", and `was: [{name.value}]`, which keeps what the ledger knows of it" if can_say_was else ""
        expected = f"another name for {what}{keeps}"
        findings.add(name.at, f"{name.value} is a word of the commands", expected)
        return False
    return True


def _is_spelled_as_one(name: Text, what: str, findings: Findings) -> bool:
    if len(name.value) <= MAX_NAME and _NAME.fullmatch(name.value):
        return True
    expected = f"at most {MAX_NAME} of a-z 0-9 -, not beginning with -"
    findings.add(name.at, f"{shown(name.value)} cannot be {what}'s name", expected)
    return False


def former_names(found: Fields, what: str) -> tuple[str, ...]:
    """Return the names that something had before; a word that became one of the commands may be among them."""
    texts = found.texts("was") or ()
    names = [text for text in texts if _is_spelled_as_one(text, what, found.findings)]
    return once(names, "name", found.findings)


def once(texts: Collection[Text], what: str, findings: Findings) -> tuple[str, ...]:
    """Return texts as values; one that is written twice is noted."""
    seen: dict[str, Text] = {}
    for text in texts:
        if text.value in seen:
            findings.add(text.at, f"{shown(text.value)} is written twice", f"each {what} once")
        seen.setdefault(text.value, text)
    return tuple(seen)
