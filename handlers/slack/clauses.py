"""A command's words, taken apart: its subject words, and what stands behind to, in and until."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from handlers.slack.blocks import COMMAND
from handlers.slack.names import Names, guesses, look_up
from handlers.slack.spans import MAX_WORD, visible
from policies.errors import PolicyError
from policies.images.image import Tag
from policies.ledger.digest_versions import is_digest

MAX_QUOTED = 60  # characters of what somebody typed, in a sentence; all of it is given back below
MAX_LISTED = 10  # names in a sentence
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
            raise UnclearError(f"Which service? Say `{COMMAND} {usage}`.")
        return self._name(self.free[0], self.names.services, "service")

    def version(self, *, needed: str = "") -> str:
        """Return the version that the second free word is, '' where there is none. Raises: UnclearError."""
        rest = self.free[1:]
        if not rest:
            if needed:
                raise UnclearError(f"Which version? Say `{COMMAND} {needed}`.")
            return ""
        if len(rest) == 1:
            return self.tag(rest[0])
        where = next((word for word in rest if word.lower() in self.names.environments), "")
        corrected = [self.instead(where, f"to {where.lower()}")] if where else []
        raise UnclearError(
            f"Too many words: {quoted(' '.join(rest))}. A service and one version are enough.", corrected
        )

    def version_of(self, service: str, *, needed: str = "") -> str:
        """Return the same of a service; a group's services have versions of their own. Raises: UnclearError."""
        if service not in self.names.groups:
            return self.version(needed=needed)
        end = "name one of them" if needed else "leave the version out"
        if needed or len(self.free) > 1:
            corrected = [] if needed else [self.without(self.free[1])]
            sentence = f"`{service}` is a group, whose services have versions of their own: {end}."
            raise UnclearError(sentence, corrected)
        return ""

    def tag(self, word: str) -> str:
        """Return a word as a version. Raises: UnclearError."""
        if word.lower() in self.names.environments:
            corrected = [self.instead(word, f"to {word.lower()}")]
            raise UnclearError(f"{quoted(word)} is an environment; say `to {word.lower()}`.", corrected)
        if is_digest(word):
            return word
        try:
            return str(Tag.parse(word))
        except PolicyError as error:
            raise UnclearError(f"{inert(str(error))}.") from None

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
            raise UnclearError(f"I do not know what to do with {quoted(' '.join(self.free[count:]))}.")

    def because(self, usage: str) -> str:
        """Return the reason, which has to be there. Raises: UnclearError."""
        if not self.reason:
            raise UnclearError(f"Say why, so that the record does: `{COMMAND} {usage}`.")
        return self.reason

    def instead(self, word: str, other: str) -> str:
        """Return the whole command with one word replaced."""
        found = list(self.words)
        if word in found:
            found[found.index(word)] = other
        return " ".join(found) + (f" because {self.reason}" if self.reason else "")

    def without(self, word: str) -> str:
        """Return the whole command without one word."""
        return self.instead(word, "").replace("  ", " ").strip()

    def _name(self, word: str, among: tuple[str, ...], what: str) -> str:
        if found := look_up(word, among):
            return found
        near = guesses(word, among)
        begins = len([name for name in among if name.startswith(word.lower())]) > 1
        sentence = (
            f"More than one {what} begins with {quoted(word)}"
            if begins
            else f"No {what} is called {quoted(word)}"
        )
        raise UnclearError(f"{sentence}{meant(near, among)}", [self.instead(word, name) for name in near])


def inert(text: str, most: int = MAX_WORD) -> str:
    """Return somebody's words as a part of a sentence that they cannot mark up: on one line, without backticks."""
    return visible(text.replace("`", "'"), most)


def quoted(text: str) -> str:
    """Return somebody's words as a sentence shows them: as code, and short."""
    return f"`{inert(text, MAX_QUOTED)}`"


def meant(near: Sequence[str], known: Sequence[str] = ()) -> str:
    """Return the end of a sentence about a name that is not known: which were probably meant, else which there are."""
    if near:
        return f"; did you mean {_either(near)}?"
    if not known:
        return "; there is none."
    more = len(known) - MAX_LISTED
    listed = ", ".join(f"`{name}`" for name in known[:MAX_LISTED])
    return f"; there {'is' if len(known) == 1 else 'are'} {listed}{f' and {more} more' if more > 0 else ''}."


def _either(names: Sequence[str]) -> str:
    *firsts, last = [f"`{name}`" for name in names]
    return f"{', '.join(firsts)} or {last}" if firsts else last


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
