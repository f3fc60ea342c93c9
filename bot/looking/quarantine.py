"""What came from outside and could not be read: noted by its hash, a few a day, so that nobody fills the branch."""

import threading
from dataclasses import dataclass, field

from bot.errors import UnreadableError
from bot.looking.survey import Answers, Survey
from policies.allowed.repair import MAX_QUARANTINES
from policies.entries.entry import Entry, Kind, write_time
from policies.images.evidence import Silence, Silent
from policies.ledger.repair import quarantine_input, quarantined_on

MAX_KEPT = 50  # of a process, until a pass has written them down: more of the like is not kept
_DETAIL = 200  # characters of what went wrong
REGISTRY, SLACK, FORGE, TEAMS = "registry", "slack", "forge", "teams"  # who sent it
GATES, SIGN_IN = "gates", "sign-in"  # the same


@dataclass(frozen=True, slots=True)
class Junk:
    """One input that was none: who sent it, what it was about, what is wrong with it. Nothing of the input itself."""

    source: str
    about: str
    detail: str

    @property
    def key(self) -> str:
        """What it is known by: the same junk is noted once."""
        return quarantine_input(self.source, self.about, self.detail)


@dataclass(slots=True)
class Jar:
    """Keeps junk until it is written down. Thread-safe; lost with the process."""

    _kept: dict[str, Junk] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def put(self, source: str, about: str, detail: str) -> None:
        """Keep a note of junk, as far as there is room."""
        junk = Junk(source, _plain(about), _plain(detail))
        with self._lock:
            if len(self._kept) < MAX_KEPT:
                self._kept.setdefault(junk.key, junk)

    def hear(self, source: str, about: str, error: Exception) -> None:
        """Keep a note where an error says that something could not be read; other errors are no junk."""
        if isinstance(error, UnreadableError):
            self.put(source, about, str(error))

    def kept(self, look: Survey) -> list[Junk]:
        """Return what is not written down yet, and let go of the rest."""
        with self._lock:
            self._kept = {
                key: one for key, one in self._kept.items() if f"quarantine/{key}" not in look.state.keys
            }
            return list(self._kept.values())


def quarantines(look: Survey, answers: Answers, jar: Jar | None = None) -> list[Entry]:
    """Return an entry for each input that was none, as far as the day has room for it."""
    found: dict[str, Entry] = {}
    for junk in (*_of_registries(answers), *(jar.kept(look) if jar else ())):
        entry = _entry(look, junk)
        if entry.key not in look.state.keys:
            found.setdefault(entry.key, entry)
    room = MAX_QUARANTINES - look.state.count(quarantined_on(_entry(look, Junk(REGISTRY, "", ""))))
    return list(found.values())[: max(0, room)]


def _of_registries(answers: Answers) -> list[Junk]:
    return [
        Junk(REGISTRY, about if isinstance(about, str) else ":".join(about), _plain(answer.detail))
        for about, answer in (*answers.tags.items(), *answers.digests.items())
        if isinstance(answer, Silence) and answer.code is Silent.INVALID
    ]


def _plain(text: str) -> str:
    return "".join(one if " " <= one <= "~" else "?" for one in text)[:_DETAIL]


def _entry(look: Survey, junk: Junk) -> Entry:
    return Entry(
        kind=Kind.QUARANTINE,
        at=write_time(look.at),
        key=f"quarantine/{junk.key}",
        input=junk.key,
        why=junk.source,
        evidence={"about": junk.about, "detail": junk.detail},
    )
