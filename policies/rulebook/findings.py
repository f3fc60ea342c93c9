"""What is wrong with written rules: findings with their place, collected until all of them are known."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import StrEnum

from policies.errors import PolicyError
from policies.rules.rules import Position

_EXPECTED = re.compile("[;,:] expected ")
MAX_FINDINGS = 100  # nobody reads more at once, and a hostile file must not make us write a book
MAX_SLIP = 4  # letters by which a word may be longer or shorter than what was meant
MAX_COMPARED = 1_000  # words, for comparing takes time


class Weight(StrEnum):
    """What a finding stops: an error the rules or a move, a warning may be meant, a note is good to know."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: where, what was found, and what is expected there instead.

    ``patch`` is a unified diff that mends it, to be shown below; '' = none is known.
    """

    at: Position
    what: str
    expected: str
    weight: Weight = Weight.ERROR
    patch: str = ""

    def __str__(self) -> str:
        return visible(f"{self.at}: {self.what}; expected {self.expected}")


class RulesError(PolicyError):
    """Written rules that cannot be used. ``findings`` are all that is wrong, in the order of the files."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("\n".join(str(finding) for finding in self.findings))


@dataclass(slots=True)
class Findings:
    """Collect findings, at most ``MAX_FINDINGS``; the reading goes on, so that one look shows all.

    ``is_blind`` says that a file could not be read: names that are missing elsewhere may be in it.
    """

    found: dict[Finding, None] = field(default_factory=dict)
    is_blind: bool = False

    def add(self, at: Position, what: str, expected: str) -> None:
        """Note one finding, once; those beyond the cap are dropped."""
        if not self.is_full:
            self.found[Finding(at, visible(what), visible(expected))] = None

    def unreadable(self, at: Position, what: str, expected: str) -> None:
        """Note why a file cannot be read as a whole."""
        self.add(at, what, expected)
        self.is_blind = True

    @property
    def is_full(self) -> bool:
        """Whether the cap is reached: nothing more needs to be looked for."""
        return len(self.found) >= MAX_FINDINGS

    def unknown(self, at: Position, kind: str, word: str, known: Iterable[str]) -> None:
        """Note a word that is none of the known ones, with the one that was probably meant."""
        if not self.is_full:
            self.add(at, f"unknown {kind} {shown(word)}", _choice(word, sorted(set(known))))

    def refuse(self, at: Position, error: PolicyError) -> None:
        """Note what a value's own parser says: what was found, ``expected`` and what."""
        what, *expected = _EXPECTED.split(str(error), maxsplit=1)
        self.add(at, what, expected[0] if expected else "a value that can be read")

    def check(self) -> None:
        """Raise what was found, in the order of the files. Raises: RulesError."""
        if self.found:
            raise RulesError(sorted(self.found, key=lambda one: (one.at.file, one.at.line, one.at.column)))


def shown(text: str, limit: int = 60) -> str:
    """Quote what was found, so that hidden characters show and a long text stays short."""
    return ascii(text) if len(text) <= limit else f"{text[:limit]!a}..."


def visible(text: str) -> str:
    """Escape what would not show, so that a name in a sentence cannot break or reorder it."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)


def near(word: str, known: Iterable[str], most: int = 1) -> tuple[str, ...]:
    """Return at most so many known words that were probably meant, the likeliest first."""
    likely = [one for one in known if abs(len(one) - len(word)) <= MAX_SLIP][:MAX_COMPARED]
    return tuple(get_close_matches(word.lower(), likely, n=most, cutoff=0.6))


def _choice(word: str, known: list[str]) -> str:
    if not known:
        return "one that is defined; there is none"
    if meant := near(word, known):
        return f"{meant[0]!r}, did you mean that?"
    listed = ", ".join(known[:30])
    return f"one of {listed}, ..." if len(known) > len(known[:30]) else f"one of {listed}"
