"""The model's ledger: which entry may follow, what it makes, and what it breaks that was promised."""

from tests.campaign.model import QUORUM_OF, REQUESTER, Entry, Keeps, Rule, State, Step


def is_allowed(state: State, entry: Entry, on: Keeps) -> bool:  # noqa: C901, PLR0911  a row for each kind
    """Say whether the validator lets an entry follow."""
    ledger = state.ledger
    is_open = ledger.stage == "open"
    match entry.kind:
        case "propose":
            is_free = Rule.ONE not in on or ledger.stage in {"none", "landed", "ended"}
            return is_free and (Rule.BLOCK not in on or entry.about not in ledger.blocked)
        case "approve":
            person, seen = divmod(entry.about, 10)
            if Rule.EXCLUDE in on and person == REQUESTER:
                return False
            if any(one == person for one, _ in ledger.approvals):
                return False
            return is_open and (Rule.BIND not in on or seen == ledger.change)
        case "unapprove":
            return is_open and any(one == entry.about for one, _ in ledger.approvals)
        case "reject":
            return is_open
        case "void":
            return is_open and ledger.change != entry.about
        case "intent" | "moved":
            return is_open and all(rule not in on or holds(state, entry, rule) for rule in _INTENT)
        case "abort" | "landed" | "mismatch":
            return ledger.stage == "merging"
        case "rollback":
            return ledger.stage == "landed"
        case "external":
            return ledger.recorded < len(state.merges) and ledger.stage != "merging"
        case _:  # freeze, unfreeze
            return True


_INTENT = (Rule.QUORUM, Rule.IN_FORCE, Rule.EXPIRE, Rule.FREEZE, Rule.BLOCK, Rule.HEAD)


def holds(state: State, entry: Entry, rule: Rule) -> bool:
    """Say whether an intent keeps to one rule."""
    ledger = state.ledger
    match rule:
        case Rule.QUORUM:
            return len({one for one, _ in ledger.approvals}) >= QUORUM_OF
        case Rule.IN_FORCE:
            return ledger.change == state.rule
        case Rule.EXPIRE:
            return not state.is_old
        case Rule.FREEZE:
            return not ledger.is_frozen
        case Rule.BLOCK:
            return ledger.version not in ledger.blocked
        case _:
            return entry.about == ledger.head


def append(state: State, entry: Entry, on: Keeps) -> Step:  # noqa: C901, PLR0912  a row for each kind: a table
    """Add an entry, and say what that breaks."""
    ledger, breaks = state.ledger, judged(state, entry)
    keys = ledger.keys | {entry.key}
    if entry.key in ledger.keys:
        breaks = breaks or f"{entry.key} took effect twice"
    match entry.kind:
        case "propose":
            if ledger.stage in {"open", "merging"}:
                breaks = "two promotions are open for one place"
            ledger = ledger._replace(
                stage="open",
                version=entry.about,
                change=state.rule,
                head=state.rule,
                approvals=(),
                proposals=ledger.proposals + 1,
            )
            state = state._replace(branch=state.rule, is_old=False)
        case "approve":
            ledger = ledger._replace(approvals=(*ledger.approvals, (entry.about // 10, entry.about % 10)))
        case "unapprove":
            kept = tuple(one for one in ledger.approvals if one[0] != entry.about)
            ledger = ledger._replace(approvals=kept, undone=ledger.undone + 1)
        case "reject":
            ledger = ledger._replace(stage="ended")
        case "void":
            kept = ledger.approvals if Rule.VOID not in on else ()
            ledger = ledger._replace(change=entry.about, head=entry.about, approvals=kept)
            state = state._replace(branch=entry.about)
        case "intent":
            ledger = ledger._replace(stage="merging", intents=ledger.intents | {entry.about})
        case "moved":
            ledger = ledger._replace(stage="landed", recorded=ledger.recorded + 1)
            state = state._replace(merges=(*state.merges, (entry.about, entry.about)))
        case "abort":
            ledger = ledger._replace(stage="open", undone=ledger.undone + 1)
        case "landed":
            ledger = ledger._replace(stage="landed", recorded=ledger.recorded + 1)
        case "mismatch":
            frozen = ledger.is_frozen or Rule.STANDSTILL in on
            breaks = breaks or ("" if frozen else "a mismatch, and the environment goes on")
            ledger = ledger._replace(stage="ended", recorded=ledger.recorded + 1, is_frozen=frozen)
        case "rollback":
            ledger = ledger._replace(stage="none", blocked=ledger.blocked | {ledger.version})
        case "external":
            stage = "ended" if ledger.stage == "open" else ledger.stage
            ledger = ledger._replace(stage=stage, recorded=ledger.recorded + 1)
        case "freeze" | "unfreeze":
            ledger = ledger._replace(is_frozen=entry.kind == "freeze")
        case _:
            raise ValueError(entry.kind)
    return Step(entry.key, state._replace(ledger=ledger._replace(keys=keys)), breaks)


def judged(state: State, entry: Entry) -> str:  # noqa: PLR0911  one row for each way
    """Say what an entry breaks, whatever the validator said of it: the safety that is promised."""
    ledger = state.ledger
    match entry.kind:
        case "approve" if ledger.stage != "open":
            return f"an approval stands where nothing is open ({ledger.stage})"
        case "intent" | "moved":
            counted = {one for one, seen in ledger.approvals if seen == state.rule} - {REQUESTER}
            if ledger.stage != "open":
                return f"an intent stands where nothing is open ({ledger.stage})"
            if len(counted) < QUORUM_OF:
                return "a merge was intended without two people who may and who saw exactly this"
            if ledger.is_frozen:
                return "a merge was intended under a freeze"
            if ledger.version in ledger.blocked:
                return "a version that was rolled back moves again"
            if state.is_old:
                return "a merge was intended on a request that is too old"
            if entry.about != state.rule:
                return "a merge was intended of a head that nobody approved"
        case "landed" if state.merges[-1][1] != ledger.change:
            return "what landed is not what was approved, and nobody says so"
    return ""
