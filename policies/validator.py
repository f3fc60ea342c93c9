"""Whether an entry is allowed where it stands. Authorisation lives here, and nowhere else (version 1)."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from policies.canonical import Json, canonical
from policies.codes import Code
from policies.entry import MAX_NOTE, Bot, By, Entry, Kind, Pinned, is_exact, parse_time
from policies.gates import (
    ALONE,
    ASKED,
    MERGED,
    ROLLED_BACK,
    Case,
    ask,
    count_approvals,
    has_run,
    is_excluded,
    lines_of,
)
from policies.keys import expected_key, promotion_id
from policies.rules import EffectiveRule, Rules, effective
from policies.rules_hash import rules_hash
from policies.state import (
    ENDINGS,
    Place,
    Promotion,
    Stage,
    Standing,
    State,
    lifted_blocks,
    lifted_holds,
)
from policies.tally import may_fill
from policies.verdict import not_yet

ACCOUNT_FLAGS = {"active": True, "bot": False, "guest": False, "home": True}
SPOKEN = frozenset(
    {"button", "command", "modal", "shortcut"}
)  # the ways whose account this version can judge
MAX_SKEW = timedelta(minutes=5)  # between the clocks of two replicas; the order itself comes from the chain


class Book(Protocol):
    """What the validator reads from the clone beside the ledger: nothing that changes, everything by commit."""

    def rules(self, commit: str) -> Rules | None:
        """Return the rules as they stood at a commit, or nothing where they did not parse."""

    def baseline(self, commit: str, rules: Rules, environment: str, service: str) -> tuple[Pinned, ...]:
        """Return what stood in a place at a commit, as these rules say where to look."""

    def follows(self, old: str, new: str) -> bool:
        """Whether ``new`` is ``old`` or came after it on the target branch."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an entry is not allowed: a stable code and one line for people."""

    code: StrEnum
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}" if self.detail else str(self.code)


@dataclass(frozen=True, slots=True)
class _Asked:
    """One entry, the state that it follows, and the rules that are in force there."""

    state: State
    entry: Entry
    book: Book
    rules: Rules | None

    @property
    def promotion(self) -> Promotion | None:
        return self.state.promotion_of(self.entry)

    @property
    def rule(self) -> EffectiveRule | None:
        if self.rules is None:
            return None
        return effective(self.rules, self.entry.environment, self.entry.service)


_No = Iterator[Refusal]


def refuse(state: State, entry: Entry, book: Book) -> Refusal | None:
    """Return why an entry may not follow this state, or nothing where it may."""
    asked = _Asked(state, entry, book, _rules_in_force(state, book))
    for refusal in _place(asked):
        return refusal
    for refusal in _WHO[entry.kind](asked):
        return refusal
    for refusal in _CHECKS[entry.kind](asked):
        return refusal
    return None


def _rules_in_force(state: State, book: Book) -> Rules | None:
    return book.rules(state.rules.commit) if state.rules else None


def _place(asked: _Asked) -> _No:
    """Is it in line: number, parent, key?"""
    entry, state = asked.entry, asked.state
    if entry.seq != state.seq + 1 or entry.prev != state.tip:
        yield Refusal(
            Code.OUT_OF_LINE, f"it is #{entry.seq} after {entry.prev[:12]}, expected #{state.seq + 1}"
        )
    if (entry.kind is Kind.GENESIS) != (state.seq == 0):
        yield Refusal(Code.OUT_OF_LINE, "a branch begins with genesis, once")
    if entry.key in state.keys:
        yield Refusal(Code.OUT_OF_LINE, f"its key stands already at #{state.keys[entry.key]}")
    expected = expected_key(state, entry)
    if entry.key != expected:
        yield Refusal(Code.OUT_OF_LINE, f"its key is {entry.key[:120]}, expected {expected[:120]}")
    if asked.promotion and entry.time < _last_word(asked.promotion) - MAX_SKEW:
        yield Refusal(Code.OUT_OF_LINE, "it is older than what was said of the promotion before")


def _last_word(promotion: Promotion) -> datetime:
    times = [promotion.opened, promotion.refreshed, promotion.done, *(one.at for one in promotion.approvals)]
    return max(time for time in times if time)


# --- who may say it ---------------------------------------------------------------------------------------


def _bot(asked: _Asked) -> _No:
    if not isinstance(asked.entry.by, Bot):
        yield Refusal(Code.NOT_AN_APPROVER, f"{asked.entry.kind} is the bot's to say")


def _person(asked: _Asked) -> _No:
    """Is it a linked human, with an account that may speak, as looked up when it was said?"""
    by = asked.entry.by
    if not isinstance(by, By):
        yield Refusal(Code.UNKNOWN_PERSON, f"{asked.entry.kind} is a person's to say")
        return
    person = asked.rules.people.get(by.person) if asked.rules else None
    if person is None or not person.slack or person.slack != by.slack_user:
        yield Refusal(
            Code.UNKNOWN_PERSON, f"the rules do not link {by.person} to {by.slack_user or 'this account'}"
        )
    if person and by.forge_login and by.forge_login.lower() != person.github.lower():
        yield Refusal(Code.UNKNOWN_PERSON, f"the rules do not link {by.person} to {by.forge_login}")
    if by.via not in SPOKEN:
        yield Refusal(Code.ACCOUNT, f"nothing in the entry shows who spoke by {by.via}")
    if not _is_allowed(asked.entry.evidence.get("account")):
        yield Refusal(
            Code.ACCOUNT, "expected an active member of the bot's own workspace, no guest and no bot"
        )


def _is_allowed(flags: Json | None) -> bool:
    """Whether an account, as it was looked up, may speak: compared as written, for 1 is not true."""
    return isinstance(flags, Mapping) and canonical(flags) == canonical(ACCOUNT_FLAGS)


def _either(asked: _Asked) -> _No:
    """May the bot (with a code) or a linked person say it?"""
    if isinstance(asked.entry.by, By):
        yield from _person(asked)
    elif not asked.entry.why:
        yield Refusal(Code.NOTE_MISSING, "the bot gives a code")


# --- what each kind asks ------------------------------------------------------------------------------------


def _nothing(_asked: _Asked) -> _No:
    yield from ()


def _rules(asked: _Asked) -> _No:
    entry, state, book = asked.entry, asked.state, asked.book
    rules = book.rules(entry.commit)
    if rules is None:
        yield Refusal(Code.NO_RULE, f"the rules at {entry.commit[:12]} do not parse")
        return
    if state.rules and not book.follows(state.rules.commit, entry.commit):
        yield Refusal(Code.OUT_OF_LINE, f"{entry.commit[:12]} does not come after {state.rules.commit[:12]}")
    start = state.genesis.commit if state.genesis else ""
    if not state.rules and not (book.follows(entry.commit, start) or book.follows(start, entry.commit)):
        yield Refusal(Code.OUT_OF_LINE, f"{entry.commit[:12]} is not on the line of {start[:12]}")
    if entry.rule is None or entry.rule.commit != entry.commit or entry.rule.hash != rules_hash(rules):
        yield Refusal(Code.RULE_MOVED, "the rules named are not those of its commit")


def _seen(asked: _Asked) -> _No:
    if not all(one.digest for one in asked.entry.seen):
        yield Refusal(Code.DIGEST_UNKNOWN, "a first sighting says what the tag was")


def _bound(asked: _Asked) -> _No:
    """Does the entry name the effective rule that is in force?"""
    entry, rule, last = asked.entry, asked.rule, asked.state.rules
    if rule is None or last is None:
        yield Refusal(Code.NO_RULE, f"no rule covers {entry.service} in {entry.environment}")
    elif entry.rule is None or entry.rule.commit != last.commit or entry.rule.hash != rule.hash:
        yield Refusal(Code.RULE_MOVED, f"the rule in force is {rule.hash[:12]} at {last.commit[:12]}")


def _covered(asked: _Asked) -> _No:
    """Are these the service's images, each with tag and digest?"""
    rule, image = asked.rule, asked.entry.image
    if rule and [one.repository for one in image] != [rule.service.image]:
        yield Refusal(Code.NO_RULE, f"{asked.entry.service} is {rule.service.image}")
    if not is_exact(image):
        yield Refusal(Code.DIGEST_UNKNOWN, "an image is named by tag and digest")


def _case(asked: _Asked, rule: EffectiveRule, promotion: Promotion | None = None) -> Case:
    entry = asked.entry
    baseline: dict[Place, tuple[Pinned, ...]] = {
        (name, entry.service): _baseline(asked, name) for name in (entry.environment, *rule.environment.after)
    }
    return Case(
        rules=asked.rules or Rules({}, {}),
        rule=rule,
        state=asked.state,
        image=entry.image or (promotion.image if promotion else ()),
        current=entry.previous or (promotion.previous if promotion else ()),
        at=entry.time,
        baseline=baseline,
        promotion=promotion,
    )


def _baseline(asked: _Asked, environment: str) -> tuple[Pinned, ...]:
    genesis, rules = asked.state.genesis, asked.rules
    if genesis is None or rules is None:
        return ()
    return asked.book.baseline(genesis.commit, rules, environment, asked.entry.service)


def _bump(asked: _Asked) -> _No:
    yield from _bound(asked)
    yield from _covered(asked)
    rule, entry = asked.rule, asked.entry
    if rule is None:
        return
    if rule.environment.is_guarded:
        yield Refusal(Code.GUARDED, f"{entry.environment} asks for approvals")
    if not all((entry.service, one.repository, one.tag) in asked.state.seen for one in entry.image):
        yield Refusal(Code.NOT_SEEN, "its first sighting is not in the ledger")
    if asked.state.live_at(entry.environment, entry.service):
        yield Refusal(Code.OPEN_ELSEWHERE, "a promotion is under way there")
    yield from _new(asked)
    for verdict in not_yet(ask(ALONE, _case(asked, rule))):
        yield Refusal(verdict.code, verdict.detail)


def _new(asked: _Asked) -> _No:
    """Is the commit one that no entry has named?"""
    if found := asked.state.commits.get(asked.entry.commit):
        yield Refusal(Code.OUT_OF_LINE, f"the commit has its entry: #{found}")


def _identified(asked: _Asked) -> _No:
    entry = asked.entry
    if entry.promotion != promotion_id(asked.state.year, entry.key):
        yield Refusal(Code.OUT_OF_LINE, "the promotion is not the one that its key makes")
    if asked.state.live_at(entry.environment, entry.service):
        yield Refusal(Code.OPEN_ELSEWHERE, "another promotion is open there")


def _propose(asked: _Asked) -> _No:
    yield from _bound(asked)
    yield from _covered(asked)
    yield from _identified(asked)
    rule = asked.rule
    if rule and not rule.environment.is_guarded:
        yield Refusal(Code.NOT_GUARDED, f"{asked.entry.environment} asks nobody")
    if rule:
        for verdict in not_yet(ask(ASKED, _case(asked, rule))):
            yield Refusal(verdict.code, verdict.detail)


def _rollback(asked: _Asked) -> _No:
    yield from _noted(asked)
    yield from _bound(asked)
    yield from _covered(asked)
    yield from _identified(asked)
    entry, rule = asked.entry, asked.rule
    if rule is None or not isinstance(entry.by, By) or asked.rules is None:
        return
    if not has_run(_case(asked, rule), entry.environment, entry.image):
        yield Refusal(Code.NEVER_RAN, f"{entry.image[0].tag} has never run in {entry.environment}")
    if not may_fill(asked.rules, rule.service, rule.environment.rollback, entry.by.person):
        yield Refusal(Code.NOT_AN_APPROVER, f"the rule does not let {entry.by.person} roll back")
    if bool(entry.commit) == rule.environment.is_guarded or bool(entry.head) == bool(entry.commit):
        yield Refusal(Code.OUT_OF_LINE, "it goes by pull request where approvals are asked, else by commit")
    if entry.commit and sum(line.count for line in rule.environment.rollback) > 1:
        yield Refusal(Code.APPROVALS_MISSING, "one person alone may not roll back here")
    yield from _new(asked)


def _live(asked: _Asked) -> _No:
    """Is the promotion there, about the same place, and open for decisions?"""
    promotion, entry = asked.promotion, asked.entry
    if promotion is None:
        yield Refusal(Code.CLOSED, f"there is no promotion {entry.promotion}")
    elif (promotion.environment, promotion.service) != (entry.environment, entry.service):
        yield Refusal(Code.OUT_OF_LINE, "the promotion is about another place")
    elif promotion.stage is not Stage.OPEN:
        yield Refusal(Code.CLOSED, f"the promotion is {promotion.stage}")


def _same(asked: _Asked, *, image: bool = False) -> _No:
    """Is it about the present change, rule and images?"""
    promotion, entry = asked.promotion, asked.entry
    if promotion is None:
        return
    if entry.change != promotion.change or (image and entry.image != promotion.image):
        yield Refusal(Code.CHANGE_MOVED, f"the change is {promotion.change[:12]}")
    if entry.rule is None or entry.rule.hash != promotion.rule.hash:
        yield Refusal(Code.RULE_MOVED, f"the promotion stands under rule {promotion.rule.hash[:12]}")


def _approver(asked: _Asked) -> _No:
    """Does the rule let this person fill one of its lines?"""
    promotion, rule, by = asked.promotion, asked.rule, asked.entry.by
    if promotion is None or rule is None or asked.rules is None or not isinstance(by, By):
        return
    if is_excluded(rule, promotion, by.person):
        yield Refusal(Code.REQUESTER, f"{by.person} asked for it")
    if not may_fill(asked.rules, rule.service, lines_of(rule, promotion), by.person):
        yield Refusal(Code.NOT_AN_APPROVER, f"the rule does not name {by.person}")


def _approve(asked: _Asked) -> _No:
    yield from _live(asked)
    yield from _same(asked, image=True)
    yield from _bound(asked)
    yield from _approver(asked)
    promotion, rule, by = asked.promotion, asked.rule, asked.entry.by
    if promotion is None or rule is None or not isinstance(by, By):
        return
    if asked.entry.head and asked.entry.head != promotion.head:
        yield Refusal(Code.HEAD_MOVED, f"the head that was built is {promotion.head[:12]}")
    if any(one.by.person == by.person for one in promotion.approvals):
        yield Refusal(Code.ALREADY_APPROVED, f"{by.person} has approved it")
    since = promotion.refreshed or promotion.opened
    if asked.entry.time > since + rule.environment.expire:
        yield Refusal(Code.EXPIRED, "the request is too old")


def _unapprove(asked: _Asked) -> _No:
    yield from _live(asked)
    yield from _same(asked)
    yield from _bound(asked)
    promotion, by = asked.promotion, asked.entry.by
    if (
        promotion
        and isinstance(by, By)
        and not any(one.by.person == by.person for one in promotion.approvals)
    ):
        yield Refusal(Code.NOT_APPROVED, f"{by.person} has not approved it")


def _noted(asked: _Asked) -> _No:
    if not asked.entry.note:
        yield Refusal(Code.NOTE_MISSING, f"a reason of at most {MAX_NOTE} characters")


def _reject(asked: _Asked) -> _No:
    yield from _live(asked)
    yield from _approver(asked)
    yield from _noted(asked)


def _cancel(asked: _Asked) -> _No:
    yield from _live(asked)
    promotion, by = asked.promotion, asked.entry.by
    if promotion and not (
        isinstance(by, By) and isinstance(promotion.by, By) and by.person == promotion.by.person
    ):
        yield from _approver(asked)


def _rebased(asked: _Asked) -> _No:
    yield from _live(asked)
    yield from _same(asked)
    yield from _bound(asked)


def _intent(asked: _Asked) -> _No:
    yield from _live(asked)
    yield from _same(asked, image=True)
    yield from _bound(asked)
    promotion, rule = asked.promotion, asked.rule
    if promotion is None or rule is None:
        return
    if asked.entry.head != promotion.head:
        yield Refusal(Code.HEAD_MOVED, f"the head that was built is {promotion.head[:12]}")
    gates = ROLLED_BACK if promotion.is_rollback else MERGED
    for verdict in not_yet(ask(gates, _case(asked, rule, promotion))):
        yield Refusal(verdict.code, verdict.detail)
    yield from _looked_up_again(asked, rule, promotion)


def _looked_up_again(asked: _Asked, rule: EffectiveRule, promotion: Promotion) -> _No:
    """Were the accounts of all whose approval counts looked up before the merge, and may they still speak?"""
    looked = asked.entry.evidence.get("accounts")
    flags = looked if isinstance(looked, Mapping) else {}
    count = count_approvals(asked.rules or Rules({}, {}), rule, promotion)
    for person in sorted({one for _, people in count.lines for one in people}):
        if not _is_allowed(flags.get(person)):
            yield Refusal(Code.ACCOUNT, f"the account of {person} was not looked up, or may not speak")


def _at(stage: Stage) -> Callable[[_Asked], _No]:
    def check(asked: _Asked) -> _No:
        promotion, entry = asked.promotion, asked.entry
        if promotion is None or promotion.stage is not stage:
            found = promotion.stage if promotion else "unknown"
            yield Refusal(Code.CLOSED, f"the promotion is {found}, expected {stage}")
        elif (promotion.environment, promotion.service) != (entry.environment, entry.service):
            yield Refusal(Code.OUT_OF_LINE, "the promotion is about another place")
        elif entry.head and entry.head != promotion.head:
            yield Refusal(Code.HEAD_MOVED, f"the head that was built is {promotion.head[:12]}")

    return check


def _landed(asked: _Asked) -> _No:
    yield from _at(Stage.MERGED)(asked)
    promotion, entry = asked.promotion, asked.entry
    if promotion and entry.commit != promotion.commit:
        yield Refusal(Code.OUT_OF_LINE, "another commit was merged")
    if promotion and entry.kind is Kind.LANDED and entry.image != promotion.image:
        yield Refusal(Code.CHANGE_MOVED, "another image was approved")


def _void(asked: _Asked) -> _No:
    yield from _live(asked)
    yield from _bound(asked)
    yield from _covered(asked)
    promotion, entry = asked.promotion, asked.entry
    if promotion is None or entry.rule is None:
        return
    has_change_moved = entry.change != promotion.change
    if not has_change_moved and entry.rule.hash == promotion.rule.hash:
        yield Refusal(Code.OUT_OF_LINE, "neither the change nor the rule has moved")
    if entry.voided != (promotion.change if has_change_moved else promotion.rule.hash):
        yield Refusal(Code.OUT_OF_LINE, "what it voids is not what has moved")
    yield from _same_version(promotion, entry)


def _same_version(promotion: Promotion, entry: Entry) -> _No:
    """Does it stay the version that was asked for, and for a rollback the very image?"""
    if entry.image == promotion.image:
        return
    if [(one.repository, one.tag) for one in entry.image] != [
        (one.repository, one.tag) for one in promotion.image
    ]:
        yield Refusal(Code.CHANGE_MOVED, f"{promotion.image[0].tag} was asked for")
    if promotion.is_rollback:
        yield Refusal(Code.CHANGE_MOVED, "a rollback puts back what ran, as exactly this digest")
    if entry.why != Code.DIGEST_MOVED or entry.change == promotion.change:
        yield Refusal(Code.OUT_OF_LINE, f"another digest is said by {Code.DIGEST_MOVED}, with its change")


def _ended(asked: _Asked) -> _No:
    yield from _live(asked)
    promotion, entry, rule = asked.promotion, asked.entry, asked.rule
    if entry.why not in ENDINGS:
        yield Refusal(Code.OUT_OF_LINE, f"{entry.why!r} is no way to end; expected {', '.join(ENDINGS)}")
    if promotion is None:
        return
    if entry.why == "expired":
        since = promotion.refreshed or promotion.opened
        if rule is None or entry.time <= since + rule.environment.expire:
            yield Refusal(Code.OUT_OF_LINE, "it has not expired")
    if entry.why == "removed" and rule:
        yield Refusal(Code.OUT_OF_LINE, "the rules still have it")
    if entry.why == "superseded" and promotion.approvals and not promotion.is_rollback:
        yield Refusal(Code.OUT_OF_LINE, "somebody has approved it: the requester decides")


def _review(asked: _Asked) -> _No:
    yield from _noted(asked)
    opened = asked.state.open.get(asked.entry.closes)
    by = asked.entry.by
    if opened is None:
        yield Refusal(Code.NOT_STANDING, f"nothing that waits for a review is #{asked.entry.closes}")
    elif isinstance(by, By) and by.person in opened.people:
        yield Refusal(Code.REQUESTER, f"{by.person} had a part in it")


def _standing(asked: _Asked) -> _No:
    entry = asked.entry
    if isinstance(entry.by, By):
        yield from _noted(asked)
    if entry.until and parse_time(entry.until) <= entry.time:
        yield Refusal(Code.OUT_OF_LINE, "it ends before it begins")
    yield from _known_names(asked)
    yield from _replaced(asked)


def _replaced(asked: _Asked) -> _No:
    """Does it take the place of one that it may not lift? Else a short freeze would end a long one."""
    entry, rules = asked.entry, asked.rules
    for old in _in_its_place(asked):
        if isinstance(entry.by, Bot):
            is_longer = not entry.until or (old.until and old.until <= parse_time(entry.until))
            if isinstance(old.by, By) or not is_longer:
                yield Refusal(Code.NOT_AN_APPROVER, "one is in force there that the bot may not change")
        elif rules and not _may_lift(rules, entry.environment, entry.service, old, entry.by.person):
            who = old.by.person if isinstance(old.by, By) else "the bot"
            yield Refusal(
                Code.NOT_AN_APPROVER, f"one by {who} is in force; {entry.by.person} may not change it"
            )


def _in_its_place(asked: _Asked) -> Iterator[Standing]:
    entry, state = asked.entry, asked.state
    found: list[Standing | None]
    if entry.kind is Kind.FREEZE:
        found = [state.freezes.get(entry.environment)]
    elif entry.kind is Kind.HOLD:
        found = [state.holds.get((entry.environment, entry.service))]
    else:
        found = [state.blocks.get((entry.environment, entry.service, image)) for image in entry.image]
    for standing in found:
        if standing and standing.is_on(entry.time):
            yield standing


def _known_names(asked: _Asked) -> _No:
    entry, rules = asked.entry, asked.rules
    if rules is None:
        return
    if entry.environment and entry.environment not in rules.environments:
        yield Refusal(Code.NO_RULE, f"no environment is called {entry.environment}")
    if entry.service and entry.service not in rules.services:
        yield Refusal(Code.NO_RULE, f"no service is called {entry.service}")


def _lifted(asked: _Asked) -> _No:
    """Is there something to lift, and did this person set it, or may they approve there?"""
    yield from _noted(asked)
    found = list(_in_force(asked))
    if not found:
        yield Refusal(Code.NOT_STANDING, "nothing of the kind is in force there")
    by, rules = asked.entry.by, asked.rules
    if rules is None or not isinstance(by, By):
        return
    for environment, service, standing in found:
        if not _may_lift(rules, environment, service, standing, by.person):
            yield Refusal(Code.NOT_AN_APPROVER, f"{by.person} neither set it nor may approve there")


def _in_force(asked: _Asked) -> Iterator[tuple[str, str, Standing]]:
    """Yield what the entry would lift: environment, service, and what stands there."""
    entry, state = asked.entry, asked.state
    found: list[tuple[str, str, Standing]] = []
    if entry.kind is Kind.RESUME:
        found = [(*place, state.holds[place]) for place in lifted_holds(state, entry)]
    elif entry.kind is Kind.UNBLOCK:
        found = [(place[0], place[1], state.blocks[place]) for place in lifted_blocks(state, entry)]
    elif entry.environment in state.freezes:
        found = [(entry.environment, "", state.freezes[entry.environment])]
    yield from (one for one in found if one[2].is_on(entry.time))


def _may_lift(rules: Rules, environment: str, service: str, standing: Standing, person: str) -> bool:
    mine = isinstance(standing.by, By) and standing.by.person == person
    return mine or _may_approve(rules, environment, service, person)


def _may_approve(rules: Rules, environment: str, service: str, person: str) -> bool:
    """Whether a person could approve something there; where nobody is asked, every linked person may.

    ``environment`` '' is everywhere: then somebody who may approve in one that asks, if there is one.
    """
    known = rules.environments
    guarded = [one for one in known.values() if one.is_guarded]
    places = [known[environment]] if environment in known else guarded
    services = [rules.services[service]] if service in rules.services else rules.services.values()
    return not any(place.is_guarded for place in places) or any(
        may_fill(rules, what, place.approvals, person) for place in places for what in services
    )


def _external(asked: _Asked) -> _No:
    entry, rules = asked.entry, asked.rules
    if found := asked.state.ours.get(entry.commit):
        yield Refusal(Code.OUT_OF_LINE, f"the commit has its entry: #{found}")
    yield from _known_names(asked)
    if rules is None:
        yield Refusal(Code.NO_RULE, "there are no rules yet")
    elif entry.environment in rules.environments:
        expected = "guarded" if rules.environments[entry.environment].is_guarded else "unguarded"
        if entry.why != expected:  # it decides whether somebody has to review it
            yield Refusal(Code.OUT_OF_LINE, f"{entry.environment} is {expected}")


def _refused(asked: _Asked) -> _No:
    promotion = asked.promotion
    if promotion is None:
        yield Refusal(Code.CLOSED, f"there is no promotion {asked.entry.promotion}")
    if asked.rules and asked.entry.evidence.get("person") not in asked.rules.people:
        yield Refusal(Code.UNKNOWN_PERSON, "a refusal names a known person")


_Check = Callable[[_Asked], _No]

_WHO: dict[Kind, _Check] = {
    Kind.GENESIS: _bot,
    Kind.RULES: _bot,
    Kind.SEEN: _bot,
    Kind.SHOWN: _bot,
    Kind.BUMP: _bot,
    Kind.PROPOSE: _person,
    Kind.APPROVE: _person,
    Kind.UNAPPROVE: _person,
    Kind.REJECT: _person,
    Kind.CANCEL: _person,
    Kind.REBASED: _bot,
    Kind.INTENT: _bot,
    Kind.ABORT: _bot,
    Kind.VOID: _bot,
    Kind.ENDED: _bot,
    Kind.MERGED: _bot,
    Kind.LANDED: _bot,
    Kind.MISMATCH: _bot,
    Kind.ROLLBACK: _person,
    Kind.EXTERNAL: _bot,
    Kind.REVIEW: _person,
    Kind.HOLD: _either,
    Kind.RESUME: _person,
    Kind.BLOCK: _either,
    Kind.UNBLOCK: _person,
    Kind.FREEZE: _either,
    Kind.UNFREEZE: _person,
    Kind.REFUSED: _bot,
}

_CHECKS: dict[Kind, _Check] = {
    Kind.GENESIS: _nothing,
    Kind.RULES: _rules,
    Kind.SEEN: _seen,
    Kind.SHOWN: _nothing,
    Kind.BUMP: _bump,
    Kind.PROPOSE: _propose,
    Kind.APPROVE: _approve,
    Kind.UNAPPROVE: _unapprove,
    Kind.REJECT: _reject,
    Kind.CANCEL: _cancel,
    Kind.REBASED: _rebased,
    Kind.INTENT: _intent,
    Kind.ABORT: _at(Stage.MERGING),
    Kind.VOID: _void,
    Kind.ENDED: _ended,
    Kind.MERGED: _at(Stage.MERGING),
    Kind.LANDED: _landed,
    Kind.MISMATCH: _landed,
    Kind.ROLLBACK: _rollback,
    Kind.EXTERNAL: _external,
    Kind.REVIEW: _review,
    Kind.HOLD: _standing,
    Kind.RESUME: _lifted,
    Kind.BLOCK: _standing,
    Kind.UNBLOCK: _lifted,
    Kind.FREEZE: _standing,
    Kind.UNFREEZE: _lifted,
    Kind.REFUSED: _refused,
}
