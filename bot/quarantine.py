"""What came from outside and could not be read: noted by its hash, a few a day, so that nobody fills the branch."""

from bot.survey import Answers, Survey
from policies.allowed_repair import MAX_QUARANTINES
from policies.canonical import digest_of
from policies.entry import Entry, Kind, write_time
from policies.evidence import Silence, Silent
from policies.fold_repair import quarantined_on

_DETAIL = 200  # characters of what went wrong


def quarantines(look: Survey, answers: Answers) -> list[Entry]:
    """Return an entry for each answer of a registry that was no answer, as far as the day has room for it."""
    found: dict[str, Entry] = {}
    for about, answer in (*answers.tags.items(), *answers.digests.items()):
        if not isinstance(answer, Silence) or answer.code is not Silent.INVALID:
            continue
        name = about if isinstance(about, str) else ":".join(about)
        entry = _entry(look, name, answer.detail)
        if entry.key not in look.state.keys:
            found.setdefault(entry.key, entry)
    room = MAX_QUARANTINES - look.state.count(quarantined_on(_entry(look, "", "")))
    return list(found.values())[: max(0, room)]


def _entry(look: Survey, about: str, detail: str) -> Entry:
    plain = "".join(one if " " <= one <= "~" else "?" for one in detail)[:_DETAIL]
    what = digest_of(["registry", about, plain])
    return Entry(
        kind=Kind.QUARANTINE,
        at=write_time(look.at),
        key=f"quarantine/{what}",
        input=what,
        why="registry",
        evidence={"about": about, "detail": plain} if about else {},
    )
