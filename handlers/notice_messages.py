"""The sentences of notices: what is wrong, told once, and told again when it is over."""

from bot.cards import Notice
from handlers.card_messages import SHORT_COMMIT
from handlers.reasons import phrase
from handlers.spans import Code, Line, Link, Moment, Sign, Span, Strong, joined, line
from policies.entry import EntryError, parse_time

# code -> sentence while it lasts; names in braces are facts. Codes that are not here are said by their meaning.
_ON: dict[str, str] = {
    "first-look": "Countersign looks after {services} services in {environment}; {behind} could move. "
    "What was there before moves only when somebody asks for it.",
    "rules-broken": "The rules at {commit} cannot be read, so the last good ones stay in force.",
    "registry-silent": "The registry {host} gives no answer that can be used, so nothing new comes from it.",
    "external": "Somebody moved {service} in {environment} in Git, without Countersign.",
    "mismatch": "What landed for {service} in {environment} is not what was approved, so the environment is frozen.",
    "no-reference": "No file names the image of {service} in {environment}, so it cannot move there.",
    "ambiguous-references": "Several places name the image of {service} in {environment} differently, so it stays.",
    "unreadable-reference": "The place that names {service} in {environment} cannot be edited safely, so it stays.",
    "digest-moved": "The tag {version} of {service} names another digest than when it was first seen: it stays out.",
    "stuck": "{service} in {environment} could not be moved; it is tried again at the next pass.",
    "ledger-read-only": "The ledger can only be read, so nothing moves until an operator has looked.",
}
# code -> sentence when it is over
_OVER: dict[str, str] = {
    "first-look": "Countersign has looked at {environment}.",
    "rules-broken": "The rules can be read again.",
    "registry-silent": "The registry {host} answers again.",
    "external": "The move of {service} in {environment} without Countersign holds nothing up any more.",
    "mismatch": "What landed for {service} in {environment} was reviewed.",
    "no-reference": "The place of {service} in {environment} is found again.",
    "ambiguous-references": "The place of {service} in {environment} is clear again.",
    "unreadable-reference": "The place of {service} in {environment} can be edited again.",
    "digest-moved": "The tag {version} of {service} is no trouble any more.",
    "stuck": "{service} in {environment} can move again.",
    "ledger-read-only": "The ledger can be written again.",
}
_HIDDEN = frozenset({"count", "environment", "service"})  # said by the sentence, or of no use alone
_PROSE = frozenset({"detail", "what", "expected", "names", "services"})
_CALM = frozenset({"first-look"})  # nothing is wrong


def notice(of: Notice) -> Line:
    """Return the sentence of a notice."""
    known = (_OVER if of.is_over else _ON).get(of.code)
    said = _filled(known, of.facts) if known else _generic(of)
    if of.is_over:
        return line(Sign("white_check_mark"), " ", *said)
    return line(Sign("package" if of.code in _CALM else "warning"), " ", *said)


def notice_detail(of: Notice) -> tuple[Line, ...]:
    """Return the facts of a notice that its sentence does not name; none where it is over."""
    if of.is_over:
        return ()
    said = _ON.get(of.code, "{version}")
    left = {
        key: one for key, one in of.facts.items() if one and key not in _HIDDEN and f"{{{key}}}" not in said
    }
    found = []
    if "file" in left:
        place = ":".join([left.pop("file"), left.pop("line", "")]).rstrip(":")
        found.append(line(Code(place), ": ", left.pop("what", "cannot be read")))
    return (*found, *(line(f"{key}: ", _fact(key, one)) for key, one in left.items()))


def _fact(key: str, value: str) -> Span:
    if key == "until":
        try:
            return Moment(parse_time(value))
        except EntryError:
            return value
    if key == "url":
        return Link(value, value)
    if key == "why":
        return phrase(value)
    if key == "commit":
        return Code(value[:SHORT_COMMIT])
    return value if key in _PROSE else Code(value)


def _generic(of: Notice) -> Line:
    place = [
        line(Strong(of.facts[key])) for key in ("environment", "service", "version") if of.facts.get(key)
    ]
    over = " is over" if of.is_over else ""
    return line(*joined(place, " "), ": " if place else "", phrase(of.code), f"{over}.")


def _filled(template: str, facts: dict[str, str]) -> Line:
    """Return a template with facts in the place of their names; a fact that is missing is said to be."""
    spans: list[Span] = []
    for index, part in enumerate(template.replace("}", "{").split("{")):
        if index % 2 == 0:
            spans.append(part)
        else:
            shown = facts.get(part) or "?"
            spans.append(Strong(shown[:SHORT_COMMIT] if part == "commit" else shown))
    return tuple(spans)
