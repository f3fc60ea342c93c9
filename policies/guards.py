"""Guards against bad evidence: what a registry says is not obeyed where it is not to be believed (promise 5).

A guard opens nothing. It finds; what it finds stops one service, is written down as a hold or a block after a second
sighting, and is answered by a person (`resume`, `unblock`). What was written down once is not found again.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain, count
from typing import Final

from policies.canonical import Json, digest_of
from policies.codes import Code
from policies.entries.entry import MAX_NOTE, Entry, Kind, Pinned, digests_of, write_time
from policies.images.evidence import DigestAnswer, TagList
from policies.images.image import Digest, Repository, Tag
from policies.ledger.keys import standing_key
from policies.ledger.standing import DOUBTED
from policies.ledger.state import State
from policies.rules.rules import Rules
from policies.verdict import Waiting

MAX_SHARE: Final = (1, 3)  # of the tags may go at once, as a fraction
MIN_LOST: Final = 3  # fewer are no sign of anything
MAX_TRIGGER: Final = 200  # characters
MAX_TOLD: Final = 200  # lost tags that an entry names

Sight = tuple[str, str, str]  # environment, service, trigger: what tells one finding from another


@dataclass(frozen=True, slots=True)
class Finding:
    """Evidence that is not to be believed: of which service, why, and what tells it from other evidence.

    ``image`` is what is blocked for it, or doubted; none = the service is held whatever comes. ``previous`` is what
    stands there, where the step from it is doubted. ``lost`` are tags that are gone.
    """

    service: str
    code: Code
    trigger: str
    detail: str
    image: tuple[Pinned, ...] = ()
    environment: str = ""
    lost: tuple[str, ...] = ()
    previous: tuple[Pinned, ...] = ()

    @property
    def kind(self) -> Kind:
        """What it becomes: a block of the image; a hold where nothing may be believed, or somebody has to answer."""
        return Kind.BLOCK if self.image and self.code not in DOUBTED else Kind.HOLD

    @property
    def sight(self) -> Sight:
        """What tells it from other findings."""
        return (self.environment, self.service, self.trigger)

    @property
    def waiting(self) -> Waiting:
        """What it is for a decision, before it is written down."""
        return Waiting(self.code, self.detail)


# --- what is found ----------------------------------------------------------------------------------------


def lost(service: str, before: Collection[str], answer: TagList, told: Collection[str]) -> Finding | None:
    """Find that a list lost more tags than may go at once; ``told`` are those whose loss was written down."""
    known = set(before) - set(told)
    gone = known.difference(answer.tags)
    share, of = MAX_SHARE
    if len(gone) < MIN_LOST or len(gone) * of <= len(known) * share:
        return None
    names = tuple(sorted(gone))
    return Finding(
        service=service,
        code=Code.TAGS_LOST,
        trigger=f"{Code.TAGS_LOST}/{digest_of(names)[:16]}",
        detail=f"{len(names)} of {len(known)} tags are gone: {', '.join(names[:3])}, ...",
        lost=names,
    )


def cut_short(service: str, answer: TagList) -> Finding | None:
    """Find that a list ends where we stopped reading it, so that the newest may be missing."""
    if answer.whole:
        return None
    return Finding(
        service=service,
        code=Code.TAGS_CUT_SHORT,
        trigger=Code.TAGS_CUT_SHORT.value,
        detail=f"the list goes on behind its first {len(answer.tags)} tags",
    )


def moved(
    rules: Rules, state: State, digests: Mapping[tuple[Repository, Tag], DigestAnswer]
) -> Iterator[Finding]:
    """Find tags that ran or were selected and name another image now than when they were first seen."""
    names = {name: number for number, name in enumerate(rules.services)}
    followed = {name: {one.versions.followed for one in rules.meanings(name)} for name in names}
    whose: dict[tuple[str, str], list[str]] = defaultdict(list)  # made once, for there are many of each
    for name, repository, tag in state.seen:
        # to move is what a tag does that is followed
        if (repository, tag) in digests and name in names and tag not in followed[name]:
            whose[repository, tag].append(name)
    for (repository, tag), answer in digests.items():
        if isinstance(answer, Digest):
            for name in sorted(whose.get((repository, tag), ()), key=names.__getitem__):
                yield from _moved(state, name, Pinned(repository, tag, answer))


def _moved(state: State, service: str, now: Pinned) -> Iterator[Finding]:
    seen = state.seen.get((service, now.repository, now.tag))
    if seen and seen.sighting.digest not in {"", now.digest} and not state.is_accepted(service, now):
        was = seen.sighting.digest[:19]
        yield Finding(
            service=service,
            code=Code.DIGEST_MOVED,
            trigger=f"{Code.DIGEST_MOVED}/{now.digest}",
            detail=f"{now.tag} was {was} when it was first seen and is {now.digest[:19]} now",
            image=(now,),
        )


def jumped(service: str, environment: str, image: tuple[Pinned, ...], detail: str) -> Finding:
    """Find that a version climbs more major versions than one step may."""
    return Finding(
        service=service,
        code=Code.MAJOR_JUMP,
        trigger=f"{Code.MAJOR_JUMP}/{image[0].digest or image[0].tag}",
        detail=detail,
        image=image,
        environment=environment,
    )


def step_back(
    service: str,
    environment: str,
    image: tuple[Pinned, ...],
    previous: tuple[Pinned, ...],
    detail: str,
) -> Finding:
    """Find that the selection takes an older version than what runs where nobody is asked."""
    step = digest_of([[str(one) for one in images] for images in (previous, image)])
    return Finding(
        service=service,
        code=Code.DOWNGRADE,
        trigger=f"{Code.DOWNGRADE}/{step[:16]}",
        detail=detail,
        image=image,
        environment=environment,
        previous=previous,
    )


def ageless(service: str, environment: str, image: tuple[Pinned, ...], detail: str) -> Finding:
    """Find that nobody knows since when an image is there, where the rule asks for its age."""
    return Finding(
        service=service,
        code=Code.AGE_UNKNOWN,
        trigger=f"{Code.AGE_UNKNOWN}/{digests_of(image)}"[:MAX_TRIGGER],
        detail=detail,
        image=image,
        environment=environment,
    )


# --- a second sighting, and what is written ---------------------------------------------------------------


def still_open(state: State, findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings that were not written down yet: those that were are in force, or were answered.

    A doubt that was written down and is neither is open again: a person's hold took its place.
    """
    return tuple(one for one in findings if _key(one) not in state.keys or _is_displaced(state, one))


def _is_displaced(state: State, finding: Finding) -> bool:
    place = (finding.environment, finding.service)
    hold = state.holds.get(place)
    if finding.code not in DOUBTED or (hold and (hold.why, hold.image) == (finding.code, finding.image)):
        return False
    steps = zip(finding.image, finding.previous or finding.image, strict=False)
    return not all(state.is_answered(place, finding.code, new, old) for new, old in steps)


def anew(state: State, finding: Finding) -> Finding:
    """Return a finding as it is written down: by a trigger that nothing was written by before."""
    again = (f"{finding.trigger[: MAX_TRIGGER - 6]}/{number}" for number in count(2))
    triggers = (replace(finding, trigger=one) for one in chain((finding.trigger,), again))
    return next(one for one in triggers if _key(one) not in state.keys)


def sighted(
    findings: Iterable[Finding], before: Mapping[Sight, datetime], looked: Mapping[str, datetime]
) -> dict[Sight, datetime]:
    """Return when each finding was sighted first; ``looked`` says when each service was asked last (UTC)."""
    return {
        one.sight: before.get(one.sight, looked[one.service]) for one in findings if one.service in looked
    }


def confirmed(
    findings: Iterable[Finding],
    first: Mapping[Sight, datetime],
    looked: Mapping[str, datetime],
    interval: timedelta,
) -> tuple[Finding, ...]:
    """Return the findings that were sighted twice, at least an interval apart."""
    return tuple(
        one for one in findings if one.sight in first and looked[one.service] >= first[one.sight] + interval
    )


def entry_of(finding: Finding, *, at: datetime, first: datetime) -> Entry:
    """Return the hold or block that a finding becomes; ``first`` is when it was sighted first."""
    lost: dict[str, Json] = {"lost": list(finding.lost[:MAX_TOLD])} if finding.lost else {}
    sighted = [write_time(first), write_time(at)]
    evidence: dict[str, Json] = {"detail": finding.detail, "sighted": sighted, **lost}
    note = finding.detail[:MAX_NOTE]
    return replace(_about(finding), at=write_time(at), key=_key(finding), evidence=evidence, note=note)


def _about(finding: Finding) -> Entry:
    return Entry(
        kind=finding.kind,
        at="",
        key="",
        environment=finding.environment,
        service=finding.service,
        image=finding.image,
        previous=finding.previous,
        trigger=finding.trigger,
        why=finding.code.value,
    )


def _key(finding: Finding) -> str:
    return standing_key(_about(finding))
