"""What is wrong, as small values: found in a look, told once in each channel, and told again when it is over."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from bot.cards import Notice
from bot.looking.survey import Survey
from policies.codes import Code
from policies.decide import Decision, Row, Standing
from policies.entries.entry import Bot, By, Kind, Pinned, write_time
from policies.entries.redacted import is_hidden
from policies.gates import expires, reminds
from policies.images.evidence import Silence, TagList
from policies.images.image import Digest, Repository, Tag
from policies.ledger.emergency import reminds as reminds_of_review
from policies.ledger.state import Move, Open, Promotion
from policies.rules.rules import Rules, moving_rule


class Wrong(StrEnum):
    """What a notice is about; each has its sentence in handlers/slack/messages.py."""

    FIRST_LOOK = "first-look"
    CAUGHT_UP = "caught-up"  # nothing is wrong: what a first start moved in one commit
    RULES_BROKEN = "rules-broken"
    REGISTRY_SILENT = "registry-silent"
    EXTERNAL = "external"
    MISMATCH = "mismatch"
    NO_REFERENCE = "no-reference"
    AMBIGUOUS = "ambiguous-references"
    UNREADABLE = "unreadable-reference"
    DIGEST_MOVED = "digest-moved"
    TAGS_LOST = "tags-lost"
    TAGS_CUT_SHORT = "tags-cut-short"
    MAJOR_JUMP = "major-jump"
    DOWNGRADE = "downgrade"
    AGE_UNKNOWN = "age-unknown"
    EMERGENCY = "emergency"
    ROLLED_BACK = "rolled-back"
    REVIEW_REMINDER = "review-reminder"
    REVIEW_OVERDUE = "review-overdue"
    CONFIG_UNREVIEWED = "config-unreviewed"
    MADE_UP = "made-up-trailers"
    STUCK = "stuck"
    UNHEALTHY = "unhealthy"
    REMINDER = "reminder"
    READ_ONLY = "ledger-read-only"
    REPOSITORY_REFUSED = "repository-refused"
    PUSH_REFUSED = "push-refused"
    OBSERVING = "observing"  # the first look of a bot that writes nothing
    WOULD_MOVE = "would-move"
    FAREWELL = "farewell"
    ANCHOR = "anchor"  # nothing is wrong: where the ledger ends, once a day


# what the subject of a notice is called among its facts
_SUBJECTS: Mapping[str, str] = {
    Wrong.RULES_BROKEN: "commit",
    Wrong.REGISTRY_SILENT: "host",
    Wrong.EXTERNAL: "commit",
    Wrong.MISMATCH: "commit",
    Wrong.MADE_UP: "commit",
    Wrong.DIGEST_MOVED: "version",
    Wrong.MAJOR_JUMP: "version",
    Wrong.DOWNGRADE: "version",
    Wrong.AGE_UNKNOWN: "version",
    Wrong.WOULD_MOVE: "version",
    Wrong.UNHEALTHY: "version",
    Wrong.REMINDER: "version",
}
_HOLDS = frozenset({Wrong.TAGS_LOST, Wrong.TAGS_CUT_SHORT, Wrong.DOWNGRADE, Wrong.AGE_UNKNOWN})  # by guards
_PLACES = frozenset({Code.NO_REFERENCE.value, Code.AMBIGUOUS.value, Code.UNREADABLE.value})
_TOLD_OF_ROLLBACKS = timedelta(days=1)  # then nobody is told of it any more who was not
_PARTS = 5  # of a notice's name
MAX_NAMES = 50  # in a list of services, for one message
MAX_SUBJECT = 128  # characters, of a notice's name
SEPARATOR = ", "  # between names in a fact
# with an environment's name: facts of a first look about it
SERVICES = "services in "  # how many services have a place there
BEHIND = "behind in "  # which of them something newer is known of
DECIDING = "deciding in "  # for which of these only a person's word is missing
STAYING = "staying in "  # which of these nobody's word moves: only what is newer, or ``catch-up``
_BETWEEN = ","  # between environments in the name of a first look


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that is wrong now. No environment: every channel is told. ``subject`` tells two of a kind apart."""

    code: str
    environment: str = ""
    service: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    subject: str = ""
    channel: str = ""  # where it is told; none = where the place is spoken of

    @property
    def what(self) -> str:
        """Our name of its notice: code, environment, service, subject; ``-`` where one does not apply."""
        subject = re.sub(r"[^!-.0-~]", "-", self.subject)[:MAX_SUBJECT]
        parts = [self.code, self.environment, self.service, subject]
        return "/".join(["notice", *(part or "-" for part in parts)])


def notices(look: Survey, troubles: Sequence[Trouble], known: Collection[str]) -> tuple[Notice, ...]:
    """Return what is to be told: each trouble that stands, and those told before that stand no more."""
    rules = look.world.rules
    current = {one.what: one for trouble in troubles for one in _told(rules, trouble)}
    told = [
        Notice(
            what=what,
            channel=one.channel or rules.channel_for(one.environment, one.service),
            code=one.code,
            facts={**_about(one), **one.facts},
        )
        for what, one in current.items()
    ]
    over = [_named(what) for what in sorted(known) if what not in current]
    return (*told, *(_over(look, one) for one in over if one and _is_over(look, one, current)))


def anchored(look: Survey, known: Collection[str], end: tuple[int, str]) -> tuple[Notice, ...]:
    """Return the daily line that says where the ledger ends, number and commit: an anchor that is not in Git.

    From the second day of a ledger on; in the channel of the first environment that asks for approvals.
    """
    state, rules = look.state, look.world.rules
    day = f"{look.at:%Y-%m-%d}"
    what = f"{Wrong.ANCHOR}/{day}"
    if state.genesis is None or not end[1] or state.genesis.at[: len(day)] >= day or what in known:
        return ()
    first = sorted(rules.environments.values(), key=lambda one: not one.is_guarded)[:1]
    facts = {"seq": f"#{end[0]}", "oid": end[1][:12]}
    return tuple(Notice(what=what, channel=one.channel, code=Wrong.ANCHOR, facts=facts) for one in first)


def _told(rules: Rules, trouble: Trouble) -> Iterable[Trouble]:
    """Return one trouble for each channel that has to hear of it, named by the first environment that uses it."""
    if trouble.environment:
        return [trouble] if trouble.environment in rules.environments else []
    return [
        Trouble(trouble.code, name, trouble.service, trouble.facts, trouble.subject)
        for name in _firsts(rules).values()
    ]


def _firsts(rules: Rules) -> dict[str, str]:
    """Return the first environment of each channel: it names what is told to the whole channel."""
    found: dict[str, str] = {}
    for environment in rules.environments.values():
        found.setdefault(environment.channel, environment.name)
    return found


def _about(trouble: Trouble) -> dict[str, str]:
    about = {"environment": trouble.environment, "service": trouble.service}
    if name := _SUBJECTS.get(trouble.code):
        about[name] = trouble.subject
    return {name: value for name, value in about.items() if value}


def _named(what: str) -> Trouble | None:
    """Read a notice's name."""
    parts = what.split("/")
    if len(parts) != _PARTS or parts[0] != "notice":
        return None
    _, code, environment, service, subject = ("" if part == "-" else part for part in parts)
    return Trouble(code, environment, service, {}, subject)


def _over(look: Survey, trouble: Trouble) -> Notice:
    rules, place = look.world.rules, look.state.shown.get(trouble.what)
    channel = place.channel if place else ""
    if trouble.environment in rules.environments:
        channel = rules.channel_for(trouble.environment, trouble.service)
    return Notice(what=trouble.what, channel=channel, code=trouble.code, facts=_about(trouble), is_over=True)


def _is_over(look: Survey, told: Trouble, current: Mapping[str, Trouble]) -> bool:
    """Whether a trouble that does not show any more is over: what was not asked is not answered."""
    if told.environment not in look.world.rules.environments and told.what not in look.state.shown:
        return False  # nobody knows where to say so
    match told.code:
        case (
            Wrong.FIRST_LOOK | Wrong.CAUGHT_UP | Wrong.ROLLED_BACK | Wrong.MADE_UP
        ):  # what was told stays, unless its words were hidden since
            promotion = look.state.promotions.get(told.subject)
            return promotion is not None and is_hidden(promotion.note)
        case Wrong.RULES_BROKEN:
            return all(one.code != Wrong.RULES_BROKEN for one in current.values())
        case Wrong.REGISTRY_SILENT:
            mine = [one.image for one in look.world.rules.services.values() if one.image.host == told.subject]
            return all(isinstance(look.world.tags.get(image), TagList) for image in mine)
        case Wrong.DIGEST_MOVED:
            return _is_back(look, told)
        case _:
            return True


def _is_back(look: Survey, told: Trouble) -> bool:
    """Whether a tag that moved names what it named first again. That nobody waits for it any more is no news."""
    return any(
        (service, tag) == (told.service, told.subject)
        and look.world.digests.get((Repository(image), Tag(tag))) == seen.sighting.digest
        for (service, image, tag), seen in look.state.seen.items()
    )


# --- found in a look ----------------------------------------------------------------------------------------


def troubles_of(look: Survey, decision: Decision) -> tuple[Trouble, ...]:
    """Return what a look shows to be wrong: rules, registries, places, digests, and moves by others."""
    return (
        *_rules_broken(look),
        *_silent(look),
        *_by_hand(look),
        *_mismatches(look),
        *_unhealthy(look),
        *_reminders(look, decision),
        *(found for row in decision.rows for found in _place(look, row)),
        *_digests_moved(look, decision),
        *_guarded(look),
        *_reviews(look),
        *_rollbacks(look),
        *_configurations(look),
    )


def _rules_broken(look: Survey) -> list[Trouble]:
    error = look.rules.newer_is_broken
    if error is None:
        return []
    facts = {"commit": look.rules.broken_at, "count": str(len(error.findings))}
    for first in error.findings[:1]:
        facts |= {"file": first.at.file, "line": str(first.at.line), "what": first.what}
        facts["expected"] = first.expected
    return [Trouble(Wrong.RULES_BROKEN, facts=facts, subject=look.rules.broken_at[:12])]


def _silent(look: Survey) -> list[Trouble]:
    """Find registries that were asked and gave no usable answer, one for each host."""
    silent: dict[str, list[tuple[str, Silence]]] = {}
    for service in look.world.rules.services.values():
        answer = look.world.tags.get(service.image)
        if isinstance(answer, Silence):
            silent.setdefault(service.image.host, []).append((service.name, answer))
    return [
        Trouble(
            Wrong.REGISTRY_SILENT,
            facts={
                "host": host,
                "services": _listed(name for name, _ in found),
                "why": found[0][1].code.value,
                "detail": found[0][1].detail,
            },
            subject=host,
        )
        for host, found in silent.items()
    ]


def _by_hand(look: Survey) -> list[Trouble]:
    """Find moves by others: unreviewed where approvals are asked, else while they hold the service."""
    found: dict[int, str] = {seq: "" for seq, one in look.state.open.items() if one.kind is Kind.EXTERNAL}
    for standing in look.state.holds.values():
        if standing.why == "external" and standing.is_on(look.at):
            found[standing.seq] = write_time(standing.until) if standing.until else ""
    return [
        Trouble(
            Wrong.EXTERNAL,
            *place,
            {**_of(move), "until": found[move.seq], **_by_whom(look.state.open.get(move.seq))},
            move.commit[:12],
        )
        for place, moves in look.state.moves.items()
        for move in moves
        if move.seq in found
    ]


def _by_whom(opened: Open | None) -> dict[str, str]:
    """Return by whose hands came what waits for a review, who may therefore not review it; or why it is not known."""
    movers = opened.movers if opened else None
    if movers is None:
        return {}
    named = _listed(dict.fromkeys((*movers.people, *movers.logins)))
    return {"movers": named, "movers-unknown": movers.why}


def _of(move: Move) -> dict[str, str]:
    return {
        "commit": move.commit,
        "version": move.image[0].tag if move.image else "",
        "previous": move.previous[0].tag if move.previous else "",
    }


def _mismatches(look: Survey) -> list[Trouble]:
    ended = {one.commit: one for one in look.state.promotions.values()}
    found = []
    for one in look.state.open.values():
        if one.kind is Kind.MISMATCH:
            facts = {"commit": one.commit, **_by_whom(one)}
            if promotion := ended.get(one.commit):
                facts |= {
                    "promotion": promotion.id,
                    "version": promotion.image[0].tag,
                    "why": promotion.why,
                }
            found.append(Trouble(Wrong.MISMATCH, one.environment, one.service, facts, one.commit[:12]))
    return found


def _unhealthy(look: Survey) -> list[Trouble]:
    """Find what stands somewhere and is reported not to run."""
    found = []
    for where in look.world.pins:
        seen = look.state.health_of(*where)
        if seen and not seen.is_healthy:
            found.append(Trouble(Wrong.UNHEALTHY, *where, {"commit": seen.commit}, seen.image[0].tag))
    return found


def _reminders(look: Survey, decision: Decision) -> list[Trouble]:
    """Find requests whose approvals are still missing when half of their time is over."""
    found = []
    rules = look.world.rules
    for promotion in look.state.under_way():
        where = (promotion.environment, promotion.service)
        moving = moving_rule(rules, *where)
        parts = moving.moving([one.service for one in promotion.members]) if moving else ()
        rule = min(parts, key=lambda one: expires(rules.calendar, one, promotion), default=None)
        row = decision.row(*where)
        mine = [one for one in row.candidates if one.promotion == promotion.id] if row else []
        missing = [why.detail for one in mine for why in one.reasons if why.code == Code.APPROVALS_MISSING]
        if rule and missing and look.at >= reminds(rules.calendar, rule, promotion):
            facts = {
                "detail": missing[0],
                "until": write_time(expires(rules.calendar, rule, promotion)),
            }
            facts |= {"version": promotion.version}
            named = promotion.id if promotion.group else promotion.version
            found.append(Trouble(Wrong.REMINDER, *where, facts, named))
    return found


def _place(look: Survey, row: Row) -> list[Trouble]:
    """Find a place that cannot be read. A service that never ran in an environment is no trouble there."""
    if row.verdict is not Standing.WAITING or row.candidates or not _PLACES & set(row.codes):
        return []
    place = (row.environment, row.service)
    ran = look.state.moves.get(place) or look.world.baseline.get(place) or place in look.state.live
    if row.codes[0] == Code.NO_REFERENCE and not ran:
        return []
    return [Trouble(row.codes[0], *place, {"detail": row.detail})]


def _digests_moved(look: Survey, decision: Decision) -> list[Trouble]:
    """Find tags that moved, one trouble for each channel, which names the environments that it concerns."""
    rules = look.world.rules
    concerned: dict[tuple[str, str, str], list[str]] = {}
    facts: dict[tuple[str, str, str], dict[str, str]] = {}
    for row in decision.rows:
        for image, tag in _tags(look, row):
            seen = look.state.seen.get((row.service, image, tag))
            now = look.world.digests.get((image, tag))
            if not isinstance(now, Digest) or look.state.is_accepted(row.service, Pinned(image, tag, now)):
                continue
            if seen and seen.sighting.digest not in {"", now}:
                where = (rules.channel_for(row.environment, row.service), row.service, tag)
                concerned.setdefault(where, []).append(row.environment)
                facts[where] = {"was": seen.sighting.digest, "now": now}
    first = _firsts(rules)
    return [
        Trouble(
            Wrong.DIGEST_MOVED,
            first.get(channel, concerned[channel, service, tag][0]),
            service,
            {"environments": SEPARATOR.join(concerned[channel, service, tag]), **found},
            tag,
        )
        for (channel, service, tag), found in facts.items()
    ]


def _reviews(look: Survey) -> list[Trouble]:
    """Find emergencies and rollbacks that wait for their review: reminded of in time, told again once it is overdue.

    An emergency is told from its first moment on, where the rule says; a rollback is told by its card until then.
    """
    found = []
    for seq, one in look.state.open.items():
        promotion = look.state.promotions.get(one.promotion)
        if promotion is None or not promotion.is_apart or one.due is None:
            continue
        where, what, tell = one.environment, one.service, _tell(look, promotion)
        facts = _of_review(seq, promotion, one.due)
        if promotion.is_emergency:
            found.append(Trouble(Wrong.EMERGENCY, where, what, facts, promotion.id, tell))
        if look.at >= reminds_of_review(one.at, one.due):
            found.append(Trouble(Wrong.REVIEW_REMINDER, where, what, facts, promotion.id))
        if one.due < look.at:
            found.append(Trouble(Wrong.REVIEW_OVERDUE, where, what, facts, promotion.id))
            if tell:
                found.append(Trouble(Wrong.REVIEW_OVERDUE, where, what, facts, f"{promotion.id}-told", tell))
    return found


def _of_review(seq: int, promotion: Promotion, due: datetime) -> dict[str, str]:
    return {
        "kind": promotion.kind.value,
        "version": promotion.version if promotion.group else promotion.image[0].tag,
        "by": promotion.by.person if isinstance(promotion.by, By) else "",
        "number": f"#{seq}",
        "note": promotion.note,
        "until": write_time(due),
        "promotion": promotion.id,
    }


def _rollbacks(look: Survey) -> list[Trouble]:
    """Find rollbacks that somebody asked for in the last day, where the rule says who hears of them."""
    found = []
    for promotion in look.state.promotions.values():
        tell = _tell(look, promotion) if promotion.is_rollback else ""
        is_news = look.at - promotion.opened <= _TOLD_OF_ROLLBACKS and not is_hidden(promotion.note)
        if tell and is_news:
            by = promotion.by.person if isinstance(promotion.by, By) else ""
            facts = {"version": promotion.version, "by": by, "note": promotion.note}
            where, what = promotion.environment, promotion.service
            found.append(Trouble(Wrong.ROLLED_BACK, where, what, facts, promotion.id, tell))
    return found


def _configurations(look: Survey) -> list[Trouble]:
    """Find changes of guarded files that wait for their review."""
    return [
        Trouble(
            Wrong.CONFIG_UNREVIEWED,
            one.environment,
            "",
            {"commit": one.commit, "number": f"#{seq}", **_pulls(one), **_by_whom(one)},
            str(seq),
        )
        for seq, one in look.state.open.items()
        if one.kind is Kind.CONFIG
    ]


def _pulls(opened: Open) -> dict[str, str]:
    """Name the pull requests that brought it, each with its address."""
    named = SEPARATOR.join(f"#{number} {url}".rstrip() for number, url in opened.pulls)
    return {"pulls": named} if named else {}


def _tell(look: Survey, promotion: Promotion) -> str:
    """Return the channel that the rule names for what goes apart, of a group the first; '' = none of its own."""
    rule = moving_rule(look.world.rules, promotion.environment, promotion.service)
    for part in rule.moving([one.service for one in promotion.members]) if rule else ():
        apart = part.environment.emergency if promotion.is_emergency else part.environment.rollback
        if apart and apart.tell:
            return apart.tell
    return ""


def _guarded(look: Survey) -> list[Trouble]:
    """Find the holds and blocks that guards set: each waits for a person's word."""
    held = [
        Trouble(
            standing.why,
            where[0],
            where[1],
            {"detail": standing.note},
            ",".join(one.tag for one in standing.image[:1]),
        )
        for where, standing in look.state.holds.items()
        if isinstance(standing.by, Bot) and standing.why in _HOLDS
    ]
    blocked = [
        Trouble(standing.why, where, service, {"detail": standing.note}, image.tag)
        for (where, service, image), standing in look.state.blocks.items()
        if isinstance(standing.by, Bot) and standing.why == Wrong.MAJOR_JUMP
    ]
    return [*held, *blocked]


def _tags(look: Survey, row: Row) -> list[tuple[Repository, Tag]]:
    """Return what runs in a place, what is under way there, and what could come first."""
    image = look.world.rules.services[row.service].image
    live = look.state.live_at(row.environment, row.service)
    under_way = live.image_of(row.service) if live else ()
    tags = [row.current, *(one.tag for one in under_way[:1]), row.best.version if row.best else ""]
    return [(image, Tag(tag)) for tag in dict.fromkeys(tags) if tag]


# --- the first look -----------------------------------------------------------------------------------------


def first_looks(
    look: Survey, decision: Decision, known: Collection[str], code: Wrong = Wrong.FIRST_LOOK
) -> tuple[Notice, ...]:
    """Return a notice for each channel about its environments that were never spoken of: which services are behind.

    ``code`` is theirs: one that observes says so. Nothing before the ledger begins, or while no registry has answered.
    """
    answered = any(isinstance(answer, TagList) for answer in look.world.tags.values())
    if look.state.genesis is None or not answered:
        return ()
    spoken = _spoken_of(known, code)
    new: dict[str, list[str]] = {}
    for environment in look.world.rules.environments.values():
        if environment.name not in spoken:
            new.setdefault(environment.channel, []).append(environment.name)
    return tuple(
        _first_look(look, decision, channel, part, code)
        for channel, names in new.items()
        for part in _parted(names)
    )


def _spoken_of(known: Collection[str], code: Wrong) -> set[str]:
    """Return the environments that a first look was told of: by the names of their notices."""
    told = [one for one in map(_named, known) if one and one.code == code]
    return {name for one in told for name in (one.environment, *one.subject.split(_BETWEEN))}


def _parted(names: Iterable[str]) -> list[list[str]]:
    """Return environments in parts whose notices can carry all their names."""
    parts: list[list[str]] = []
    for name in names:
        if not parts or len(_BETWEEN.join([*parts[-1][1:], name])) > MAX_SUBJECT:
            parts.append([])
        parts[-1].append(name)
    return parts


def _first_look(
    look: Survey, decision: Decision, channel: str, environments: Sequence[str], code: Wrong
) -> Notice:
    """Return what is told of environments: who is asked, how many services, which are behind, and what moves these."""
    rules = look.world.rules
    rows = {
        name: [row for row in decision.rows if row.environment == name and row.current]
        for name in environments
    }
    numbers: dict[str, str] = {}
    for name, mine in rows.items():
        numbers[f"{SERVICES}{name}"] = str(len(mine))
        numbers[f"{BEHIND}{name}"] = SEPARATOR.join(row.service for row in mine if _could_move(row))
        numbers[f"{DECIDING}{name}"] = SEPARATOR.join(
            row.service for row in mine if _waits_for_people(rules, row)
        )
        numbers[f"{STAYING}{name}"] = SEPARATOR.join(row.service for row in mine if _stays(rules, row))
    named = [rules.environments[name] for name in environments]
    first = Trouble(code, environments[0], subject=_BETWEEN.join(environments[1:]))
    facts = {
        "environments": SEPARATOR.join(environments),
        "services": str(len({row.service for mine in rows.values() for row in mine})),
        "asked": SEPARATOR.join(one.name for one in named if one.has_promotions and not one.catch_up),
        "alone": SEPARATOR.join(one.name for one in named if not one.is_guarded and not one.is_observed),
        "observed": SEPARATOR.join(one.name for one in named if one.is_observed),
        **numbers,
    }
    return Notice(what=first.what, channel=channel, code=first.code, facts=facts)


def _could_move(row: Row) -> bool:
    return any(one.verdict is not Standing.REFUSED for one in row.candidates)


def _waits_for_people(rules: Rules, row: Row) -> bool:
    """Whether something newer is there for which nothing but a person's word is missing."""
    is_heard = rules.environment_for(row.environment, row.service).has_promotions
    return is_heard and any(one.reasons and one.may_be_asked_for for one in row.candidates)


def _stays(rules: Rules, row: Row) -> bool:
    """Whether what is newer was there before the first look, where nobody's word moves it."""
    is_heard = rules.environment_for(row.environment, row.service).has_promotions
    return not is_heard and any(Code.KNOWN_BEFORE in one.codes for one in row.candidates)


def _listed(names: Iterable[str]) -> str:
    listed = list(names)
    return SEPARATOR.join(listed[:MAX_NAMES]) + (", ..." if len(listed) > MAX_NAMES else "")
