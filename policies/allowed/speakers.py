"""Who may say an entry: the bot, or a linked person whose account may speak."""

from collections.abc import Mapping

from policies.allowed.asked import Asked, No, Refusal
from policies.canonical import Json, canonical
from policies.codes import Code
from policies.entries.emails import is_attested
from policies.entries.entry import MAX_NOTE, Bot, Both, By, Kind
from policies.entries.membership import is_fresh
from policies.ledger.people import Known, known
from policies.ledger.tally import may_approve

ACCOUNT_FLAGS = {"active": True, "bot": False, "guest": False, "home": True}
_MAY_SPEAK = canonical(ACCOUNT_FLAGS)

SPOKEN = frozenset(
    {"button", "command", "modal", "shortcut"}
)  # the ways whose account this version can judge


# what somebody may say who is known by an e-mail address alone, where the rules do not let such a match approve
MATCHED_MAY = frozenset({Kind.PROPOSE, Kind.CANCEL, Kind.UNAPPROVE, Kind.HOLD, Kind.BLOCK, Kind.FREEZE})


def by_bot(asked: Asked) -> No:
    """Is it the bot that says it?"""
    if not isinstance(asked.entry.by, Bot):
        yield Refusal(Code.NOT_AN_APPROVER, f"{asked.entry.kind} is the bot's to say")


def by_person(asked: Asked) -> No:
    """Is it a linked human, with an account that may speak, as looked up when it was said?"""
    by = asked.entry.by
    if not isinstance(by, By):
        yield Refusal(Code.UNKNOWN_PERSON, f"{asked.entry.kind} is a person's to say")
        return
    yield from _speaks(asked, by, asked.entry.evidence.get("account"))
    yield from looked_up(asked)


def by_two(asked: Asked) -> No:
    """Are they two linked humans, each with an account that may speak, who may approve somewhere?"""
    by = asked.entry.by
    if not isinstance(by, Both):
        yield Refusal(Code.APPROVALS_MISSING, f"{asked.entry.kind} is for two people to say")
        return
    if by.one.person == by.other.person or by.one.slack_user == by.other.slack_user:
        yield Refusal(Code.APPROVALS_MISSING, f"{by.one.person} is one person")
    looked = asked.entry.evidence.get("accounts")
    flags = looked if isinstance(looked, Mapping) else {}
    for one in (by.one, by.other):
        yield from _speaks(asked, one, flags.get(one.person))
        if asked.rules and not may_approve(asked.rules, "", "", one.person, asked.members):
            yield Refusal(Code.NOT_AN_APPROVER, f"{one.person} may approve nowhere")
    yield from looked_up(asked)


def _speaks(asked: Asked, by: By, account: Json | None) -> No:
    state = asked.state
    person = known(asked.rules, state.links, state.forge_ids, by.person) if asked.rules else None
    if person is None or not person.slack or person.slack != by.slack_user:
        yield Refusal(
            Code.UNKNOWN_PERSON, f"the rules do not link {by.person} to {by.slack_user or 'this account'}"
        )
    if person and by.forge_login and not person.owns(by.forge_id, by.forge_login):
        yield Refusal(Code.UNKNOWN_PERSON, f"nobody linked {by.person} to {by.forge_login} ({by.forge_id})")
    if person and person.domain:
        yield from _matched(asked, person)
    if by.via not in SPOKEN:
        yield Refusal(Code.ACCOUNT, f"nothing in the entry shows who spoke by {by.via}")
    if not may_speak(account):
        yield Refusal(
            Code.ACCOUNT, "expected an active member of the bot's own workspace, no guest and no bot"
        )


def _matched(asked: Asked, person: Known) -> No:
    """May somebody say this who is known by an address alone, and do both accounts still have it?"""
    may = asked.rules is not None and asked.rules.identity.approve
    if asked.entry.kind not in MATCHED_MAY and not may:
        yield Refusal(Code.MATCHED, f"{person.name} is known by an address at {person.domain}")
    if isinstance(asked.entry.by, Both):
        yield Refusal(Code.MATCHED, f"{person.name} is known by an address, expected by `people` or a link")
    if not is_attested(asked.entry.evidence, person.name, person.domain, asked.entry.time):
        yield Refusal(
            Code.EVIDENCE_MISSING, f"nothing shows that the accounts of {person.name} have one address"
        )


def may_speak(flags: Json | None) -> bool:
    """Whether an account, as it was looked up, may speak: compared as written, for 1 is not true."""
    return isinstance(flags, Mapping) and canonical(flags) == _MAY_SPEAK


def looked_up(asked: Asked) -> No:
    """Were the accounts looked up shortly before? What a chat said yesterday says nothing of today."""
    if asked.is_told_rightly and not is_fresh(asked.entry.evidence.get("looked"), asked.entry.time):
        yield Refusal(Code.ACCOUNT, "nothing in the entry shows that the accounts were looked up just then")


def by_either(asked: Asked) -> No:
    """May the bot (with a code) or a linked person say it?"""
    if isinstance(asked.entry.by, By):
        yield from by_person(asked)
    elif isinstance(asked.entry.by, Both):
        yield Refusal(Code.NOT_AN_APPROVER, f"{asked.entry.kind} is one speaker's to say")
    elif not asked.entry.why:
        yield Refusal(Code.NOTE_MISSING, "the bot gives a code")


def noted(asked: Asked) -> No:
    """Does it give a reason?"""
    if not asked.entry.note:
        yield Refusal(Code.NOTE_MISSING, f"a reason of at most {MAX_NOTE} characters")
