"""What is under way: how it stands, in a line, and whose approval it waits for."""

from handlers.engine import Look
from handlers.slack.spans import Code, Line, Mention, Strong, line
from policies.entries.entry import By, Pinned
from policies.gates import count_approvals, count_of, counts_presses
from policies.ledger.digest_versions import told_apart
from policies.ledger.state import Promotion, Stage
from policies.rules.rules import moving_rule


def live(look: Look) -> list[Promotion]:
    """Return what is under way, what was asked for first first."""
    return sorted(look.state.under_way(), key=lambda one: one.seq)


def under_way(look: Look, promotion: Promotion) -> Line:
    """Return how a promotion stands."""
    kind = "rollback of " if promotion.is_rollback else "emergency of " if promotion.is_emergency else ""
    move = line(Code(promotion.version)) if promotion.group else versions(promotion.previous, promotion.image)
    place = line(Code(promotion.id), " ", Strong(promotion.environment), f": {kind}{promotion.service} ")
    stage = "approved, somebody merges it at GitHub" if promotion.is_cleared else promotion.stage
    return line(*place, *move, *progress(look, promotion), f", {stage}")


def progress(look: Look, promotion: Promotion) -> Line:
    """Return by whom it was asked for, and how many agree."""
    rule = moving_rule(look.rules, promotion.environment, promotion.service)
    by = line(", asked for by ", Mention("", promotion.by.person)) if isinstance(promotion.by, By) else ()
    if rule is None:
        return by
    tally = count_approvals(look.rules, rule, promotion, look.members)
    return line(*by, f", {tally.given} of {tally.wanted} approvals")


def versions(previous: tuple[Pinned, ...], image: tuple[Pinned, ...]) -> Line:
    """Return from which version to which."""
    before, after = told_apart(previous[:1], image[:1])
    new = line(Code(after)) if after else line("?")
    return line(Code(before), " \N{RIGHTWARDS ARROW} ", *new) if before else new


def may_approve(look: Look, promotion: Promotion, person: str) -> bool:
    """Whether a line that lacks somebody names the person, who has not spoken yet; the validator has the last word."""
    rule = moving_rule(look.rules, promotion.environment, promotion.service)
    if promotion.stage is not Stage.OPEN or rule is None:
        return False
    is_requester = isinstance(promotion.by, By) and promotion.by.person == person
    has_spoken = any(one.by.person == person for one in promotion.approvals)
    parts = rule.moving([one.service for one in promotion.members])
    is_excluded = is_requester and any("requester" in one.environment.exclude for one in parts)
    if has_spoken or is_excluded:
        return False
    return any(
        len(people) < asked.count and person in look.rules.members(asked.of, part.service, look.members)
        for part in parts
        for asked, people in count_of(look.rules, part, promotion, look.members).lines
    )


def takes_a_press(look: Look, promotion: Promotion) -> bool:
    """Whether an approval that is given in Slack counts; else the rule asks for a review of the pull request."""
    rule = moving_rule(look.rules, promotion.environment, promotion.service)
    return rule is not None and counts_presses(rule, promotion)
