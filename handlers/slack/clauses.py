"""A command's words, taken apart: its subject words, and what stands behind to, in and until."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from handlers.slack.names import Names, guesses, look_up
from policies.errors import PolicyError
from policies.images.image import Tag
from policies.ledger.digest_versions import is_digest

SINGLE = frozenset({"to"})  # takes one word; in and until take all up to the next such word


class UnclearError(Exception):
    """The words cannot be read; ``corrected`` are whole commands that can."""

    def __init__(self, sentence: str, corrected: Iterable[str] = ()) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.corrected = tuple(corrected)


@dataclass(frozen=True, slots=True)
class Clauses:
    """``free`` words in order, and clauses by the word that opens them. All words and the reason, to correct them."""

    words: tuple[str, ...]
    reason: str
    names: Names
    free: tuple[str, ...] = ()
    parts: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def service(self, usage: str) -> str:
        """Return the service that the first free word names. Raises: UnclearError."""
        if not self.free:
            raise UnclearError(f"Which service? Say `{usage}`.")
        return self._name(self.free[0], self.names.services, "service")

    def version(self, *, needed: str = "") -> str:
        """Return the version that the second free word is, '' where there is none. Raises: UnclearError."""
        rest = self.free[1:]
        if not rest:
            if needed:
                raise UnclearError(f"Which version? Say `{needed}`.")
            return ""
        if len(rest) == 1:
            return self.tag(rest[0])
        where = next((word for word in rest if word.lower() in self.names.environments), "")
        corrected = [self.instead(where, f"to {where.lower()}")] if where else []
        raise UnclearError(
            f"Too many words: {' '.join(rest)}. A service and one version are enough.", corrected
        )

    def tag(self, word: str) -> str:
        """Return a word as a version. Raises: UnclearError."""
        if word.lower() in self.names.environments:
            corrected = [self.instead(word, f"to {word.lower()}")]
            raise UnclearError(f"{word} is an environment; say `to {word.lower()}`.", corrected)
        if is_digest(word):
            return word
        try:
            return str(Tag.parse(word))
        except PolicyError as error:
            raise UnclearError(f"{error}.") from None

    def environment(self, *openers: str) -> str:
        """Return the one environment behind the first of these words that is there, or ''. Raises: UnclearError."""
        for opener in openers:
            found = self.environments(opener)
            if len(found) > 1:
                raise UnclearError(f"One environment at a time; you named {', '.join(found)}.")
            if found:
                return found[0]
        return ""

    def environments(self, opener: str) -> tuple[str, ...]:
        """Return the environments behind a word. Raises: UnclearError."""
        if opener not in self.parts:
            return ()
        words = [word for word in self.parts[opener] if word.lower() != "and"]
        if not words:
            raise UnclearError(f"Which environment? There is none behind `{opener}`.")
        return tuple(dict.fromkeys(self.name_environment(word) for word in words))

    def name_environment(self, word: str) -> str:
        """Return the environment that a word names. Raises: UnclearError."""
        return self._name(word, self.names.environments, "environment")

    def no_more(self, count: int) -> None:
        """Refuse free words beyond so many. Raises: UnclearError."""
        if len(self.free) > count:
            raise UnclearError(f"I do not know what to do with: {' '.join(self.free[count:])}.")

    def because(self, usage: str) -> str:
        """Return the reason, which has to be there. Raises: UnclearError."""
        if not self.reason:
            raise UnclearError(f"Say why, so that the record does: `{usage}`.")
        return self.reason

    def instead(self, word: str, other: str) -> str:
        """Return the whole command with one word replaced."""
        found = list(self.words)
        if word in found:
            found[found.index(word)] = other
        return " ".join(found) + (f" because {self.reason}" if self.reason else "")

    def _name(self, word: str, among: tuple[str, ...], what: str) -> str:
        if found := look_up(word, among):
            return found
        near = guesses(word, among)
        begins = len([name for name in among if name.startswith(word.lower())]) > 1
        sentence = f"More than one {what} begins with {word}." if begins else f"No {what} is called {word}."
        raise UnclearError(sentence, [self.instead(word, name) for name in near])


def take_apart(
    words: tuple[str, ...], reason: str, names: Names, *, skip: int, openers: Iterable[str] = ()
) -> Clauses:
    """Sort words behind the first ``skip`` into free ones and clauses. Raises: UnclearError."""
    allowed = frozenset(openers)
    free: list[str] = []
    parts: dict[str, list[str]] = {}
    open_ = ""
    for word in words[skip:]:
        lower = word.lower()
        if lower in allowed:
            if lower in parts and lower != "in":
                raise UnclearError(f"`{lower}` stands there twice.")
            parts.setdefault(lower, [])
            open_ = lower
        elif open_:
            parts[open_].append(word)
            open_ = "" if open_ in SINGLE else open_
        else:
            free.append(word)
    done = {opener: tuple(found) for opener, found in parts.items()}
    return Clauses(words, reason, names, tuple(free), done)
