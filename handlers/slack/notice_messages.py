"""The sentences of notices: what is wrong, told once, and told again when it is over."""

from collections.abc import Mapping, Sequence

from bot.cards import Notice
from bot.looking.troubles import BEHIND, DECIDING, SEPARATOR, SERVICES, STAYING, Wrong
from handlers.slack.blocks import COMMAND
from handlers.slack.card_messages import SHORT_COMMIT, short_digest
from handlers.slack.reasons import phrase
from handlers.slack.spans import Code, Line, Link, Moment, Sign, Span, Strong, joined, line
from policies.entries.entry import EntryError, parse_time

# code -> sentence while it lasts; names in braces are facts. Codes that are not here are said by their meaning.
_ON: dict[str, str] = {
    "rules-broken": "The rules at {commit} cannot be read, so the last good ones stay in force.",
    "registry-silent": "The registry {host} gives no answer that can be used, so nothing new comes from it.",
    "external": "Somebody moved {service} in {environment} in Git, without Countersign.",
    "mismatch": "What landed for {service} in {environment} is not what was approved, so the environment is frozen.",
    "no-reference": "No file names the image of {service} in {environment}, so it cannot move there.",
    "ambiguous-references": "Several places name the image of {service} in {environment} differently, so it stays.",
    "unreadable-reference": "The place that names {service} in {environment} cannot be edited safely, so it stays.",
    "digest-moved": "The tag {version} of {service} names another image than when it was first seen, so that image "
    "stays out of {environments}. To use it, push it under a tag of its own.",
    "tags-lost": "The registry's list of tags for {service} lost too many at once, so the service is held everywhere. "
    "If that is right, resume it with a reason.",
    "tags-cut-short": "The registry's list of tags for {service} was cut short, so the service is held everywhere. "
    "To take it as it is, resume it with a reason.",
    "major-jump": "{version} of {service} skips a major version in {environment}, so it stays out. "
    "If it may come, unblock it with a reason.",
    "downgrade": "The selection takes {version} of {service}, which is older than what runs in {environment}, so the "
    "service is held there. If that step back is meant, resume it with a reason.",
    "age-unknown": "Nobody knows since when {version} of {service} is there, and {environment} asks for its age, so "
    "the service is held there. If it may move all the same, resume it with a reason.",
    "reminder": "{version} of {service} in {environment} still waits for approvals.",
    "unhealthy": "{version} of {service} does not run well in {environment}. Its card offers the way back.",
    "emergency": "Emergency: {by} moves {service} in {environment} to {version}. "
    "Somebody who had no part in it reviews it, as {number}.",
    "rolled-back": "Rollback: {by} puts {service} in {environment} back to {version}.",
    "config-unreviewed": "Somebody changed files of {environment} in Git, up to {commit}, so only rollbacks move "
    "there until somebody who may approve reviews {number}.",
    "review-reminder": "The {kind} of {service} in {environment} still waits for its review: somebody who had no part "
    "in it closes {number} with a sentence.",
    "review-overdue": "The {kind} of {service} in {environment} was not reviewed in time, so only rollbacks "
    "move there until somebody reviews {number}.",
    "made-up-trailers": "Commit {commit} says in its trailers that it is Countersign's, and the ledger does not "
    "know it: they are copied or made up. Nothing follows from them.",
    "stuck": "{service} in {environment} could not be moved; it is tried again at the next pass.",
    "farewell": "Countersign was retired: it asks and moves nothing any more. The history stays in Git.",
    "repository-refused": "The GitOps repository does not let Countersign in, so nothing moves until an operator has "
    "looked.",
    "push-refused": "The GitOps repository refuses what Countersign writes. An operator has to look; it is tried again "
    "at each pass.",
    "anchor": "The ledger ends at {seq} {oid}. Who has this line can tell later whether it still has that entry.",
    "caught-up": "{count} services in {environment} caught up with what was there at the first look, in one go.",
    "would-move": "Observing: Countersign would move {service} in {environment} to {version}. Nothing was written.",
    "ledger-read-only": "The ledger can only be read, so nothing moves until an operator has looked.",
}
# code -> sentence when it is over
_OVER: dict[str, str] = {
    "rules-broken": "The rules can be read again.",
    "registry-silent": "The registry {host} answers again.",
    "external": "The move of {service} in {environment} without Countersign holds nothing up any more.",
    "mismatch": "What landed for {service} in {environment} was reviewed.",
    "no-reference": "The place of {service} in {environment} is found again.",
    "ambiguous-references": "The place of {service} in {environment} is clear again.",
    "unreadable-reference": "The place of {service} in {environment} can be edited again.",
    "digest-moved": "The tag {version} of {service} names the image again that it named first.",
    "tags-lost": "{service} is not held for its list of tags any more.",
    "tags-cut-short": "{service} is not held for its list of tags any more.",
    "major-jump": "{version} of {service} is not kept out of {environment} any more.",
    "downgrade": "{service} is not held in {environment} any more for the step back to {version}.",
    "age-unknown": "{service} is not held in {environment} any more for the age of {version}.",
    "reminder": "{version} of {service} in {environment} waits for nobody any more.",
    "unhealthy": "{service} runs well again in {environment}, or {version} stands there no more.",
    "emergency": "The emergency of {service} in {environment} is closed.",
    "rolled-back": "The rollback of {service} in {environment} is over.",
    "config-unreviewed": "The change of the files of {environment} was reviewed.",
    "review-reminder": "What happened to {service} in {environment} does not wait for a review any more.",
    "review-overdue": "What happened to {service} in {environment} was reviewed.",
    "made-up-trailers": "The trailers of {commit} are not Countersign's.",
    "caught-up": "{environment} caught up with what was there at the first look.",
    "stuck": "{service} in {environment} can move again.",
    "farewell": "Countersign is back.",
    "repository-refused": "The GitOps repository lets Countersign in again.",
    "push-refused": "The GitOps repository takes again what Countersign writes.",
    "anchor": "The ledger ended at {seq} {oid}.",
    "would-move": "Observing: the move of {service} in {environment} to {version} is not due any more.",
    "observing": "Countersign does not only observe any more: from here on it does what it says.",
    "ledger-read-only": "The ledger can be written again.",
}
_FIRST: Mapping[str, str] = {
    Wrong.FIRST_LOOK: "",
    Wrong.OBSERVING: " It observes: it says here what it would do, and writes nothing.",
}
_SIGNS: Mapping[str, str] = {
    Wrong.FIRST_LOOK: "package",
    Wrong.CAUGHT_UP: "package",
    Wrong.OBSERVING: "eyes",
    Wrong.WOULD_MOVE: "eyes",
    Wrong.FAREWELL: "wave",
    Wrong.REMINDER: "hourglass_flowing_sand",
    Wrong.REVIEW_REMINDER: "hourglass_flowing_sand",
    Wrong.ANCHOR: "anchor",
}
_HIDDEN = frozenset({"count", "environment", "kind", "service"})  # said by the sentence, or of no use alone
_PROSE = frozenset(
    {"detail", "lost", "next", "what", "expected", "names", "services", "commits", "movers", "movers-unknown"}
)
_LABELS = {
    "was": "first seen as",
    "now": "names now",
    "movers": "by, who may not review it",
    "movers-unknown": "by whom it came is not known in full",
}
# what becomes of those that are behind, of one and of several
_FATES = (
    (DECIDING, "needs a decision", "need a decision", ""),
    (STAYING, "stays", "stay", " until a newer version comes or the rules say catch-up: true"),
)
MAX_IN_SENTENCE = 5  # names; more of them are a point
MAX_IN_LINE = 10  # names, of one environment among several
MAX_PULLS = 10  # in a point
MAX_NAMES = 50  # in a point


def notice(of: Notice) -> Line:
    """Return the sentence of a notice."""
    if of.code in _FIRST and not of.is_over:
        return line(Sign(_SIGNS[of.code]), " ", *_first_look(of.facts), _FIRST[of.code])
    known = (_OVER if of.is_over else _ON).get(of.code)
    said = _filled(known, of.facts) if known else _generic(of)
    return line(Sign("white_check_mark" if of.is_over else _SIGNS.get(of.code, "warning")), " ", *said)


def notice_detail(of: Notice) -> tuple[Line, ...]:
    """Return the facts of a notice that its sentence does not name; none where it is over."""
    if of.is_over:
        return ()
    if of.code in _FIRST:
        return _first_numbers(of.facts)
    said = _ON.get(of.code, "{version}")
    left = {
        key: one for key, one in of.facts.items() if one and key not in _HIDDEN and f"{{{key}}}" not in said
    }
    found = []
    if "file" in left:
        place = ":".join([left.pop("file"), left.pop("line", "")]).rstrip(":")
        found.append(line(Code(place), ": ", left.pop("what", "cannot be read")))
    if "pulls" in left:
        found.append(_pulls(left.pop("pulls")))
    return (
        *found,
        *(line(f"{_LABELS.get(key, key)}: ", _fact(key, one), *_typed(of, key)) for key, one in left.items()),
    )


def _typed(of: Notice, key: str) -> Line:
    """Return the command that does what a fact says comes next, where one does."""
    is_fork = of.code == "ledger-read-only" and key == "next"
    return line(": ", Code(f"{COMMAND} fork because WHY")) if is_fork else ()


def _pulls(named: str) -> Line:
    """Return the pull requests that brought something, with a way to each that the forge has told."""
    told = [one.partition(" ") for one in _names(named)]
    links = [line(Link(url, number) if url else number) for number, _, url in told[:MAX_PULLS]]
    links += [line(f"{len(told) - MAX_PULLS} more")] if len(told) > MAX_PULLS else []
    return line("pull requests: " if len(told) > 1 else "pull request: ", *joined(links, ", "))


def _fact(key: str, value: str) -> Span:
    match key:
        case "until":
            return _moment(value)
        case "url":
            return Link(value, value)
        case "why":
            return phrase(value)
        case "commit":
            return Code(value[:SHORT_COMMIT])
        case "was" | "now":
            return Code(short_digest(value))
        case _:
            return value if key in _PROSE else Code(value)


def _moment(value: str) -> Span:
    try:
        return Moment(parse_time(value))
    except EntryError:
        return value


# --- the first look -----------------------------------------------------------------------------------------


def _first_look(facts: Mapping[str, str]) -> Line:
    """Return the sentence of a first look: what is looked after where; of one environment alone with its numbers."""
    environments = _names(facts.get("environments", "?"))
    head = line(
        "Countersign looks after ", _counted(facts.get("services", "?")), " in ", Strong(_named(environments))
    )
    if len(environments) == 1:
        (where,) = environments
        head = line(*head, f", {_way(facts, where)}: {_behind(facts, where, MAX_IN_SENTENCE)}")
    asked = _names(facts.get("asked", ""))
    if not any(facts.get(f"{BEHIND}{one}") for one in asked):
        return line(*head, ".")
    which = "Versions" if asked == environments else f"In {_named(asked)}, versions"
    said = f". {which} that were there before move only when somebody asks for them; "
    return line(*head, said, Code(f"{COMMAND} all"), " lists what may be asked for.")


def _way(facts: Mapping[str, str], where: str) -> str:
    """Return who is asked in an environment."""
    if where in _names(facts.get("observed", "")):
        return "which is only observed"
    return f"where {'nobody is' if where in _names(facts.get('alone', '')) else 'people are'} asked"


def _first_numbers(facts: Mapping[str, str]) -> tuple[Line, ...]:
    """Return a line for each environment with its numbers; of one alone the names that its sentence has no room for."""
    environments = _names(facts.get("environments", "?"))
    if len(environments) == 1:
        lists = {"behind": _names(facts.get(f"{BEHIND}{environments[0]}", ""))}
        lists["a decision is needed for"] = _names(facts.get(f"{DECIDING}{environments[0]}", ""))
        lists["staying"] = _names(facts.get(f"{STAYING}{environments[0]}", ""))
        return tuple(
            line(f"{said}: {_named(names)}")
            for said, names in lists.items()
            if len(names) > MAX_IN_SENTENCE and (said == "behind" or names != lists["behind"])
        )
    return tuple(
        line(
            Strong(where),
            f", {_way(facts, where)}: {_counted(facts.get(f'{SERVICES}{where}', '?'))}, ",
            _behind(facts, where, MAX_IN_LINE, cut=True),
        )
        for where in environments
    )


def _counted(services: str) -> str:
    return f"{services} service" if services == "1" else f"{services} services"


def _behind(facts: Mapping[str, str], where: str, most: int, *, cut: bool = False) -> str:
    """Return how many services are behind there, and what moves these, with names where there is room.

    More names than ``most`` are left out, or counted where the list may be ``cut``.
    """

    def named(names: Sequence[str]) -> str:
        return f" ({_named(names, most)})" if names and (cut or len(names) <= most) else ""

    behind = _names(facts.get(f"{BEHIND}{where}", ""))
    if not behind:
        return "none behind"
    said = f"{len(behind)} behind{named(behind)}"
    for kind, one, more, end in _FATES:
        mine = _names(facts.get(f"{kind}{where}", ""))
        if mine == behind:
            said += f", {f'which {one}' if len(mine) == 1 else f'and each {one}'}{end}"
        elif mine:
            said += f", {len(mine)} {one if len(mine) == 1 else more}{named(mine)}{end}"
    return said


def _names(listed: str) -> list[str]:
    return listed.split(SEPARATOR) if listed else []


def _named(names: Sequence[str], most: int = MAX_NAMES) -> str:
    """Return names as a sentence lists them; what is too much is counted."""
    *firsts, last = [*names[:most], *([f"{len(names) - most} more"] if len(names) > most else [])]
    return f"{SEPARATOR.join(firsts)} and {last}" if firsts else last


def _generic(of: Notice) -> Line:
    place = [
        line(Strong(of.facts[key])) for key in ("environment", "service", "version") if of.facts.get(key)
    ]
    over = " is over" if of.is_over else ""
    return line(*joined(place, " "), ": " if place else "", phrase(of.code), f"{over}.")


def _filled(template: str, facts: Mapping[str, str]) -> Line:
    """Return a template with facts in the place of their names; a fact that is missing is said to be."""
    spans: list[Span] = []
    for index, part in enumerate(template.replace("}", "{").split("{")):
        if index % 2 == 0:
            spans.append(part)
        else:
            spans.append(_filling(part, facts.get(part, "?")))
    return tuple(spans)


def _filling(name: str, value: str) -> Span:
    if name == "commit":
        return Strong(value[:SHORT_COMMIT])
    return Strong(_named(value.split(SEPARATOR)) if name == "environments" else value or "?")
