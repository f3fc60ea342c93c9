"""The sentences of cards. *Approved* is said only of what the ledger has."""

from collections.abc import Callable, Iterator

from bot.cards import Card, CardLine, CardStage, Who
from handlers.slack.blocks import COMMAND
from handlers.slack.reasons import phrase, reason
from handlers.slack.spans import Code, Line, Link, Mention, Moment, Sign, Span, Strong, joined, line
from policies.verdict import Failed

SHORT_COMMIT = 7
SHORT_DIGEST = 12
MAX_IMAGES = 10
_ARROW = " \N{RIGHTWARDS ARROW} "


def headline(card: Card) -> Line:
    """Return the one full sentence of a card."""
    return _HEADLINES[card.stage](card)


def closing(card: Card) -> Line:
    """Return the second line of an episode that is over: why it ended, who asked and why, who approved, where it is."""
    parts: list[Line] = []
    if card.ended_note and card.stage is not CardStage.REMOVED:
        # of a mismatch it is a code, of all others somebody's words
        is_code = card.stage is CardStage.MISMATCH
        parts.append(line(phrase(card.ended_note)) if is_code else quoted(card.ended_note))
    parts += _asked(card)
    if card.number:
        parts.append(pull_request(card))
    if card.merger:
        parts.append(line("merged at GitHub by ", card.merger))
    if card.commit:
        parts.append(commit(card.commit))
    if card.instead:
        parts.append(line("asked for by now as ", Code(f"{COMMAND} {card.instead} to {card.environment}")))
    return _begun(joined(parts)) if parts else line("Nobody had asked for it.")


def review(card: Card) -> Line:
    """Return who has to look at it afterwards, until when, and by which words."""
    until = line(" until ", Moment(card.review_due)) if card.review_due else ()
    typed = Code(f"{COMMAND} review #{card.review} because ...")
    return line("Somebody who had no part in it reviews it", *until, ": ", typed)


def _asked(card: Card) -> list[Line]:
    """Return who asked and why, and who approved; whom the headline of a rollback names is not named again."""
    because = quoted(card.note) if card.note else ()
    who, asked = "", because
    if card.requester and _is_back(card):
        who = card.requester.name
    elif card.requester:
        asked = line("asked for by ", _who(card.requester), *(line(" because ", *because) if because else ()))
    approvers = _approvers(card, without=who)
    return [one for one in (asked, line("approved by ", *approvers) if approvers else ()) if one]


def quoted(words: str) -> Line:
    """Return somebody's words between quotation marks."""
    return line("\N{LEFT DOUBLE QUOTATION MARK}", words, "\N{RIGHT DOUBLE QUOTATION MARK}")


def _begun(spans: Line) -> Line:
    """Return a line that begins with a capital letter, where its first words are ours."""
    first, *rest = spans
    return (first[:1].upper() + first[1:], *rest) if isinstance(first, str) else spans


def facts(card: Card) -> tuple[Line, ...]:
    """Return what one looks at before one decides: who asked, the image, the pull request, when it expires."""
    found: list[Line] = []
    if card.voided:
        found.append(line(Sign("warning"), " The approvals are void: ", phrase(card.voided), "."))
    if card.requester:
        when = line(", ", Moment(card.asked)) if card.asked else ()
        found.append(line("Asked for by ", _who(card.requester), *when))
    if card.digest:
        found.append(
            line("Image ", Code(card.repository or card.service), " ", Code(short_digest(card.digest)))
        )
    found += _images(card)
    found += _authors(card)
    if card.number:
        found.append(line("Pull request ", *pull_request(card)))
    if card.branch:
        found.append(line("Promotion ", Code(card.promotion), ", its change on branch ", Code(card.branch)))
    if card.expires:
        found.append(line("Expires ", Moment(card.expires)))
    if card.newer:
        found.append(line("Newer: ", Code(card.newer)))
    if card.links:
        found.append(joined((line(Link(address, name)) for name, address in card.links), between=" · "))
    if card.notified:
        found.append(line("For ", *joined((line(_who(who)) for who in card.notified), between=" ")))
    return tuple(found)


def _images(card: Card) -> Iterator[Line]:
    """Yield what each service of a group becomes."""
    for name, digest in card.images[:MAX_IMAGES]:
        yield line("Image ", Code(name), " ", Code(short_digest(digest)))
    if len(card.images) > MAX_IMAGES:
        yield line(f"and {len(card.images) - MAX_IMAGES} images more")


def _authors(card: Card) -> Iterator[Line]:
    """Yield who wrote the code, or why that is not known."""
    if card.authors:
        wrote = joined((line(_who(one)) for one in card.authors), " and ")
        yield line("Code by ", *wrote, ", who may therefore not approve")
    if card.authors_unknown:
        yield line("Who wrote the code is not known: ", card.authors_unknown)


def rule_line(asked: CardLine) -> Line:
    """Return one line of the rule: what it asks, who fills it, how many are missing."""
    people = joined((_approver(one) for one in asked.people), " and ")
    if not people:
        return line(Sign("white_circle"), f" {asked.asks}: {asked.missing} missing")
    sign = Sign("white_circle") if asked.missing else Sign("large_green_circle")
    rest = f", {asked.missing} missing" if asked.missing else ""
    return line(sign, f" {asked.asks}: approved by ", *people, rest)


def tally(card: Card) -> str:
    """Return how many approvals of how many: "1 of 2"; '' where none are asked."""
    given = sum(len(one.people) for one in card.lines)
    wanted = given + sum(one.missing for one in card.lines)
    return f"{given} of {wanted}" if wanted else ""


def pull_request(card: Card) -> Line:
    """Return the link to the pull request."""
    return line(Link(card.url, f"#{card.number}"))


def commit(oid: str) -> Line:
    """Return a commit's short id."""
    return line(Code(oid[:SHORT_COMMIT]))


def short_digest(digest: str) -> str:
    """Return as much of a digest as eyes compare."""
    algorithm, _, value = digest.partition(":")
    return f"{algorithm}:{value[:SHORT_DIGEST]}…" if len(value) > SHORT_DIGEST else digest


def _approver(who: Who) -> Line:
    """Return somebody who approved, and that it was by a review: that shows more than a press."""
    return line(_who(who), " (review in GitHub)") if who.is_reviewer else line(_who(who))


def _who(who: Who) -> Span:
    return Mention(who.slack, who.name)


def _approvers(card: Card, without: str = "") -> Line:
    people = {one.name: one for asked in card.lines for one in asked.people if one.name != without}
    return joined((_approver(one) for one in people.values()), " and ")


def _move(card: Card) -> Line:
    if not card.previous:
        return line(Strong(card.service), " ", Code(card.version))
    return line(Strong(card.service), " ", Code(card.previous), _ARROW, Code(card.version))


def _where(card: Card) -> Line:
    return line(" in ", Strong(card.environment))


def _candidate(card: Card) -> Line:
    now = line(", which runs ", Code(card.previous)) if card.previous else ()
    what = line(
        Strong(card.service), " ", Code(card.version), " can be asked for in ", Strong(card.environment)
    )
    if card.is_observed:
        return line(Sign("eyes"), " ", *what, *now, ". Observing: nobody can decide yet.")
    return line(Sign("package"), " ", *what, *now, ".")


def _open(card: Card) -> Line:
    kind = _kind(card)
    missing = any(one.missing for one in card.lines)
    if any(isinstance(one, Failed) for one in card.waits):
        rest = f" cannot be merged as it is; it has {tally(card) or 'no'} approvals."
    elif missing:
        rest = f" waits for approvals: {tally(card)}."
    else:
        rest = f" waits ({tally(card) or 'nobody is asked'})."
    return line(kind, *_move(card), *_where(card), rest)


def _kind(card: Card) -> str:
    """Return what an episode is that is no plain step on."""
    return "Rollback: " if card.is_rollback else "Emergency: " if card.is_emergency else ""


def _approved(card: Card) -> Line:
    if not card.lines:
        return line(*_move(card), *_where(card), " is merged by itself when nothing waits any more.")
    by = line(" by ", *approvers) if (approvers := _approvers(card)) else ()
    return line(
        Sign("white_check_mark"),
        " ",
        _kind(card),
        *_move(card),
        *_where(card),
        " is approved",
        *by,
        " and waits.",
    )


def _cleared(card: Card) -> Line:
    by = line(" by ", *approvers) if (approvers := _approvers(card)) else ()
    what = line(" ", _kind(card), *_move(card), *_where(card), " is approved", *by)
    return line(Sign("white_check_mark"), *what, ": merge it at GitHub.")


def _merging(card: Card) -> Line:
    return line(
        Sign("hourglass_flowing_sand"), " ", _kind(card), *_move(card), *_where(card), " is being merged."
    )


def _landed(card: Card) -> Line:
    if card.is_rollback:
        return _back(card)
    sign = "warning" if card.health == "unhealthy" else "white_check_mark"
    where = line(" is in ", Strong(card.environment), *_health(card), ".")
    return line(Sign(sign), " ", _kind(card), *_move(card), *where)


def _health(card: Card) -> Line:
    """Say how it fares, where somebody reports it."""
    said = {"healthy": ", healthy", "unhealthy": ", and reported unhealthy"}
    return line(said[card.health]) if card.health in said else ()


def _is_back(card: Card) -> bool:
    return card.is_rollback and card.stage in {CardStage.LANDED, CardStage.MOVED}


def _back(card: Card) -> Line:
    """Say that a service went back, and by whom."""
    left = line(" from ", Code(card.previous)) if card.previous else ()
    by = line(" by ", _who(card.requester)) if card.requester else ()
    what = line(Strong(card.service), " was rolled back", *left, " to ", Code(card.version))
    return line(Sign("rewind"), " ", *what, *_where(card), *by, ".")


def _mismatch(card: Card) -> Line:
    rest = (
        ": what landed is not what was approved, so the environment stands still until somebody reviews it."
    )
    return line(Sign("warning"), " ", *_move(card), *_where(card), rest)


def _ended(sign: str, verb: str) -> Callable[[Card], Line]:
    def say(card: Card) -> Line:
        by = line(" by ", _who(card.ended_by)) if card.ended_by else ()
        return line(Sign(sign), " ", *_move(card), *_where(card), f" {verb}", *by, ".")

    return say


def _removed(card: Card) -> Line:
    what = f"it {card.ended_note}" if card.ended_note else "the rules do not have it any more"
    return _ended("white_circle", f"ended: {what}")(card)


def _closed(card: Card) -> Line:
    what = "branch was taken away or changed" if card.branch else "pull request was closed"
    return _ended("x", f"ended: its {what}")(card)


def _superseded(card: Card) -> Line:
    newer = line(" by ", Code(card.newer)) if card.newer else ()
    return line(Sign("white_circle"), " ", *_move(card), *_where(card), " was superseded", *newer, ".")


def _moved(card: Card) -> Line:
    if card.is_rollback:
        return _back(card)
    landed = line(" ", *commit(card.commit)) if card.commit else ()
    return line(_kind(card), Strong(card.environment), ": ", *_move(card), *landed, *_health(card))


def _gone(card: Card) -> Line:
    newer = line("; ", Code(card.newer), " took its place") if card.newer else ()
    why = line(": ", *reason(card.waits[0])) if card.waits and not newer else ()
    what = line(Strong(card.service), " ", Code(card.version), " is no candidate any more for ")
    return line(Sign("white_circle"), " ", *what, Strong(card.environment), *newer, *why, ".")


def _retired(card: Card) -> Line:
    what = line(Strong(card.service), " ", Code(card.version), *_where(card))
    return line(
        Sign("white_circle"), " ", *what, " can no longer be asked for here: Countersign was retired."
    )


_HEADLINES: dict[CardStage, Callable[[Card], Line]] = {
    CardStage.CANDIDATE: _candidate,
    CardStage.OPEN: _open,
    CardStage.APPROVED: _approved,
    CardStage.CLEARED: _cleared,
    CardStage.MERGING: _merging,
    CardStage.LANDED: _landed,
    CardStage.MISMATCH: _mismatch,
    CardStage.REJECTED: _ended("x", "was rejected"),
    CardStage.CANCELLED: _ended("white_circle", "was cancelled"),
    CardStage.EXPIRED: _ended("white_circle", "has expired"),
    CardStage.SUPERSEDED: _superseded,
    CardStage.REMOVED: _removed,
    CardStage.CLOSED: _closed,
    CardStage.MOVED: _moved,
    CardStage.GONE: _gone,
    CardStage.RETIRED: _retired,
}
