"""The names that a command may use: looked up exactly, by unique prefix, and guessed when mistyped."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from policies.rulebook.findings import near
from policies.rules.rules import Rules

MAX_GUESSES = 3  # buttons that are corrected commands


@dataclass(frozen=True, slots=True)
class Names:
    """Services, with the groups that move as one behind them, and environments, in the order of the rules."""

    services: tuple[str, ...]
    environments: tuple[str, ...]
    groups: tuple[str, ...] = ()  # of ``services``: which have no version of their own

    @classmethod
    def of(cls, rules: Rules) -> Self:
        """Return the names that rules have."""
        return cls((*rules.services, *rules.groups), tuple(rules.environments), tuple(rules.groups))


def look_up(word: str, among: Iterable[str]) -> str:
    """Return the one name that ``word`` is or begins; '' where there is none or more than one."""
    known = tuple(among)
    lower = word.lower()
    if lower in known:
        return lower
    found = [name for name in known if lower and name.startswith(lower)]
    return found[0] if len(found) == 1 else ""


def guesses(word: str, among: Iterable[str]) -> tuple[str, ...]:
    """Return at most three names that could have been meant: those that it begins, then those that look like it."""
    known = tuple(among)
    lower = word.lower()
    begun = [name for name in known if lower and name.startswith(lower)]
    return tuple(dict.fromkeys([*begun, *near(word, known, MAX_GUESSES)]))[:MAX_GUESSES]
