"""The gates: one small function each, in one visible table; asked by ``decide`` and by the entry validator alike."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from policies.codes import Code
from policies.entry import By, Pinned
from policies.rules import REQUESTER, EffectiveRule, Line, Rules
from policies.selection import newer
from policies.state import Place, Promotion, State, is_same
from policies.tally import Tally, tally
from policies.verdict import PASSED, Failed, Verdict, Waiting


@dataclass(frozen=True, slots=True)
class Case:
    """What is asked of a gate: may this image stand in the place of that one, there, at this time (UTC)?

    ``baseline`` holds what stood at genesis, for each place that matters; ``promotion`` is the one under way.
    """

    rules: Rules
    rule: EffectiveRule
    state: State
    image: tuple[Pinned, ...]
    current: tuple[Pinned, ...]
    at: datetime
    baseline: Mapping[Place, tuple[Pinned, ...]] = field(default_factory=dict)
    promotion: Promotion | None = None

    @property
    def environment(self) -> str:
        """The environment's name."""
        return self.rule.environment.name

    @property
    def service(self) -> str:
        """The service's name."""
        return self.rule.service.name


def downgrade(case: Case) -> Verdict:
    """Is it a step forward in the service's own order? No step back without a named person (promise 5)."""
    for old in case.current:
        for new in case.image:
            if old.repository == new.repository and old.tag and _is_back(case, old.tag, new.tag):
                return Failed(Code.DOWNGRADE, f"{new.tag} is not newer than {old.tag}")
    return PASSED


def went_back(case: Case) -> Verdict:
    """Is it a step forward also from what the ledger moved there last? What an entry says stood there may be a lie."""
    move = case.state.last_move(case.environment, case.service)
    for old in move.image if move else case.baseline.get((case.environment, case.service), ()):
        for new in case.image:
            if old.repository == new.repository and old.tag and _is_back(case, old.tag, new.tag):
                return Failed(Code.DOWNGRADE, f"{new.tag} is not newer than {old.tag}, which was moved there")
    return PASSED


def _is_back(case: Case, old: str, new: str) -> bool:
    """Whether new is known to be a step back; where the old tag has no place in the order, any version is a step on."""
    policy = case.rule.service.versions
    return old != new and newer(policy, new, old) is False


def digest(case: Case) -> Verdict:
    """Is the tag still what it was when a selection first picked it? A moved tag is bad evidence (promise 5)."""
    for image in case.image:
        seen = case.state.seen.get((case.service, image.repository, image.tag))
        if not image.digest:
            return Waiting(Code.DIGEST_UNKNOWN, f"the digest of {image.tag} is not known")
        if seen and seen.sighting.digest and seen.sighting.digest != image.digest:
            return Failed(
                Code.DIGEST_MOVED, f"{image.tag} was {seen.sighting.digest[:19]} when it was first seen"
            )
    return PASSED


def blocked(case: Case) -> Verdict:
    """Did nobody block it, or roll it back, here or in an environment before?"""
    standing = case.state.block_on(
        (case.environment, *case.rules.upstream(case.environment)), case.service, case.image
    )
    return Failed(Code.BLOCKED, standing.note or standing.why) if standing else PASSED


def previous(case: Case) -> Verdict:
    """Has it run, as exactly this digest, in every environment that comes before?"""
    for before in case.rule.environment.after:
        if not has_run(case, before, case.image):
            return Waiting(Code.NOT_IN_PREVIOUS, f"it has not run in {before}")
    return PASSED


def has_run(case: Case, environment: str, image: tuple[Pinned, ...]) -> bool:
    """Whether an image was ever in place there, by the ledger or since before it."""
    place = (environment, case.service)
    stood = [move.image for move in case.state.moves.get(place, ())] + [case.baseline.get(place, ())]
    return any(
        all(any(is_same(one, other) for other in images) for one in image) for images in stood if images
    )


def known_before(case: Case) -> Verdict:
    """Was it published after we looked first? What was there before moves by a person's word only (first start)."""
    if case.rule.environment.catch_up:
        return PASSED
    policy = case.rule.service.versions
    for seen in case.state.seen.values():
        old = seen.sighting
        if old.before and old.service == case.service:
            for image in case.image:
                if image.tag == old.tag or newer(policy, old.tag, image.tag):
                    return Waiting(Code.KNOWN_BEFORE, f"{image.tag} was there before the first look")
    return PASSED


def held(case: Case) -> Verdict:
    """Is the service free to move?"""
    standing = case.state.hold_on(case.environment, case.service, case.at)
    return Waiting(Code.HELD, standing.note or standing.why, standing.until) if standing else PASSED


def frozen(case: Case) -> Verdict:
    """Is the environment free to move?"""
    standing = case.state.freeze_on(case.environment, case.at)
    return Waiting(Code.FROZEN, standing.note or standing.why, standing.until) if standing else PASSED


def approvals(case: Case) -> Verdict:
    """Is every line of the rule filled, by different people who are not excluded?"""
    if case.promotion is None:
        return Waiting(Code.NOT_REQUESTED, "nobody has asked for it")
    count = count_approvals(case.rules, case.rule, case.promotion)
    if count.is_complete:
        return PASSED
    return Waiting(Code.APPROVALS_MISSING, f"{count.given} of {count.wanted} approvals")


def merge_within(case: Case) -> Verdict:
    """Is the last approval fresh enough to merge by itself (``merge-within``)?"""
    if case.promotion and case.promotion.approvals and not case.promotion.is_rollback:
        last = max(approval.at for approval in case.promotion.approvals)
        if case.at > last + case.rule.environment.merge_within:
            return Waiting(Code.WAITING_FOR_A_GO, "the last approval is too old")
    return PASSED


def expired(case: Case) -> Verdict:
    """Is the request still young enough (``expire``)? It counts from the request, or from when it was voided last."""
    if case.promotion:
        since = case.promotion.refreshed or case.promotion.opened
        if case.at > since + case.rule.environment.expire:
            return Failed(Code.EXPIRED, "the request is too old")
    return PASSED


Gate = Callable[[Case], Verdict]

# what stands before a version may be moved by the bot alone
ALONE: tuple[Gate, ...] = (downgrade, went_back, digest, blocked, previous, known_before, held, frozen)
# what stands before somebody may ask for it: what waiting cannot mend
ASKED: tuple[Gate, ...] = (downgrade, digest, blocked)
# what stands before an approved change may be merged
MERGED: tuple[Gate, ...] = (digest, blocked, previous, held, frozen, expired, approvals, merge_within)
# a rollback is a person's word: no soak, checks or age; freezes and holds do not stop it (promise 6)
ROLLED_BACK: tuple[Gate, ...] = (expired, approvals)


def ask(gates: tuple[Gate, ...], case: Case) -> tuple[Verdict, ...]:
    """Return each gate's verdict, in order."""
    return tuple(gate(case) for gate in gates)


def lines_of(rule: EffectiveRule, promotion: Promotion) -> tuple[Line, ...]:
    """Return the approval lines that judge this promotion: a rollback has its own."""
    return rule.environment.rollback.approvals if promotion.is_rollback else rule.environment.approvals


def is_excluded(rule: EffectiveRule, promotion: Promotion, person: str) -> bool:
    """Whether the rule bars this person: the requester, but not from a rollback."""
    asked = isinstance(promotion.by, By) and promotion.by.person == person
    return asked and REQUESTER in rule.environment.exclude and not promotion.is_rollback


def count_approvals(rules: Rules, rule: EffectiveRule, promotion: Promotion) -> Tally:
    """Return who fills which line of the rule for this promotion, as the rules stand."""
    people = [one.by.person for one in promotion.approvals if one.by.person in rules.people]
    counted = [person for person in people if not is_excluded(rule, promotion, person)]
    return tally(rules, rule.service, lines_of(rule, promotion), counted)
