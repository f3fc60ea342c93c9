"""Whether a hold, block or freeze may be set, changed or lifted."""

from collections.abc import Iterator
from dataclasses import replace

from policies.allowed.asked import Asked, No, Refusal
from policies.allowed.cases import case_of
from policies.allowed.facts import known_names
from policies.allowed.speakers import noted
from policies.allowed.stands import stood
from policies.codes import Code
from policies.entries.entry import Bot, By, Entry, Kind, is_exact, parse_time
from policies.gates import age, ask, downgrade
from policies.ledger.people import ACCOUNTS_DECIDE, known
from policies.ledger.standing import DOUBTED
from policies.ledger.state import LIFTS, Standing, lifted_blocks, lifted_holds, lifts_of
from policies.ledger.tally import may_approve
from policies.rules.rules import Rules, effective
from policies.verdict import not_yet


def standing(asked: Asked) -> No:
    """May it be set: names that are known, a reason, an end after its beginning?"""
    entry = asked.entry
    if isinstance(entry.by, By):
        yield from noted(asked)
    if entry.until and parse_time(entry.until) <= entry.time:
        yield Refusal(Code.OUT_OF_LINE, "it ends before it begins")
    yield from known_names(asked)
    yield from _doubted(asked)
    yield from _replaced(asked)


def _doubted(asked: Asked) -> No:
    """Is what a hold names as doubted what a guard doubts? Lifting it lets exactly that through."""
    entry = asked.entry
    rule = effective(asked.rules, entry.environment, entry.service) if asked.rules else None
    if entry.kind is not Kind.HOLD or not (entry.image or entry.previous or _is_doubt(entry)):
        return
    if not _is_doubt(entry) or not is_exact(entry.image):
        yield Refusal(
            Code.OUT_OF_LINE, "an image is named by a guard's hold for a step back or an unknown age"
        )
    elif rule is None:
        yield Refusal(Code.NO_RULE, f"no rule covers {entry.service} in {entry.environment or 'every place'}")
    elif not any(
        verdict.code == entry.why for verdict in not_yet(ask((downgrade, age), case_of(asked, rule)))
    ):
        yield Refusal(Code.OUT_OF_LINE, f"nothing is wrong with {entry.image[0].tag} as it says")
    elif entry.previous:
        yield from stood(asked)


def _is_doubt(entry: Entry) -> bool:
    return isinstance(entry.by, Bot) and entry.why in DOUBTED


def _replaced(asked: Asked) -> No:
    """Does it take the place of one that it may not lift? Else a short freeze would end a long one."""
    entry = asked.entry
    for old in _in_its_place(asked):
        if isinstance(entry.by, Bot):
            if isinstance(old.by, By) or not _is_no_shorter(entry, old):
                yield Refusal(Code.NOT_AN_APPROVER, "one is in force there that the bot may not change")
        elif isinstance(entry.by, By) and not _may_replace(asked, old, entry.by.person):
            who = old.by.person if isinstance(old.by, By) else "the bot"
            yield Refusal(
                Code.NOT_AN_APPROVER, f"one by {who} is in force; {entry.by.person} may not change it"
            )


def _is_no_shorter(entry: Entry, old: Standing) -> bool:
    return not entry.until or bool(old.until and old.until <= parse_time(entry.until))


def _may_replace(asked: Asked, old: Standing, person: str) -> bool:
    """Whether somebody may lift it; who is known by an address alone ends nothing of others sooner."""
    entry, state, rules = asked.entry, asked.state, asked.rules or Rules({}, {})
    who = known(rules, state.links, state.forge_ids, person)
    is_weak = bool(who and who.domain) and not rules.identity.approve and entry.time >= ACCOUNTS_DECIDE
    if is_weak and not _is_by(old, person) and not _is_no_shorter(entry, old):
        return False
    return _may_lift(asked, entry.environment, entry.service, old, person)


def _in_its_place(asked: Asked) -> Iterator[Standing]:
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


def lifted(asked: Asked) -> No:
    """Is there something to lift, and did this person set it, or may they approve there?"""
    yield from noted(asked)
    yield from _named(asked)
    found = list(_in_force(asked))
    if not found:
        yield Refusal(Code.NOT_STANDING, _nothing(asked))
    by = asked.entry.by
    if not isinstance(by, By):
        return
    for environment, service, standing in found:
        if not _may_lift(asked, environment, service, standing, by.person):
            yield Refusal(Code.NOT_AN_APPROVER, f"{by.person} neither set it nor may approve there")


def _named(asked: Asked) -> No:
    """Does each hold that a resume names stand there? The place of one may have been taken since it was looked at."""
    entry, state = asked.entry, asked.state
    named = lifts_of(entry) if entry.kind is Kind.RESUME else None
    if named is None:
        return
    if entry.evidence[LIFTS] != sorted(named):
        yield Refusal(Code.OUT_OF_LINE, f"{LIFTS} is a list of numbers of holds, each once, in order")
    for seq in sorted(named - {state.holds[place].seq for place in lifted_holds(state, entry)}):
        yield Refusal(Code.NOT_STANDING, f"#{seq} is no hold that stands there")


def _nothing(asked: Asked) -> str:
    """Say why nothing would be lifted: nothing stands there, or only what the word is not about."""
    entry, state = asked.entry, asked.state
    if entry.kind is Kind.RESUME:
        everything = lifted_holds(state, replace(entry, evidence={}))
        unseen = sorted(one.seq for place in everything if (one := state.holds[place]).is_on(entry.time))
        if unseen:
            numbers = ", ".join(f"#{seq}" for seq in unseen)
            return f"{numbers} came after what was looked at last; look at it, then say it again"
    return "nothing of the kind is in force there"


def _in_force(asked: Asked) -> Iterator[tuple[str, str, Standing]]:
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


def _may_lift(asked: Asked, environment: str, service: str, standing: Standing, person: str) -> bool:
    rules = asked.rules or Rules({}, {})
    return _is_by(standing, person) or may_approve(rules, environment, service, person, asked.members)


def _is_by(standing: Standing, person: str) -> bool:
    return isinstance(standing.by, By) and standing.by.person == person
