"""Keys: what is decided, never the click. Two clicks for one decision make one key, and the second is dropped."""

import hashlib
import re

from policies.canonical import digest_of
from policies.entries.entry import By, Entry, Kind, Pinned, RuleAt, content_of, digests_of
from policies.ledger.state import State


def promotion_id(year: str, key: str) -> str:
    """Return a promotion's id: the first 12 hexadecimal digits of sha256(``<year>/<key>``)."""
    return hashlib.sha256(f"{year}/{key}".encode()).hexdigest()[:12]


def propose_key(
    state: State, environment: str, service: str, image: tuple[Pinned, ...], group: str = ""
) -> str:
    """Return the key of a proposal: 1 + earlier proposals of the same digests."""
    what = f"propose/{environment}/{service}/{content_of(image, group)}"
    return f"{what}/{state.count(what) + 1}"


def rollback_key(
    state: State, environment: str, service: str, left: tuple[Pinned, ...], group: str = ""
) -> str:
    """Return the key of a rollback: the digests left, or their tags where no digest is known."""
    what = f"rollback/{environment}/{service}/{content_of(left, group)}"
    return f"{what}/{state.count(what) + 1}"


def emergency_key(state: State, environment: str, service: str, image: tuple[Pinned, ...]) -> str:
    """Return the key of an emergency: 1 + earlier ones of the same digests."""
    what = f"emergency/{environment}/{service}/{digests_of(image)}"
    return f"{what}/{state.count(what) + 1}"


def health_key(state: State, entry: Entry) -> str:
    """Return the key of ``healthy`` or ``unhealthy``: 1 + how often it was said of this commit there."""
    what = f"{entry.kind}/{entry.environment}/{entry.service}/{entry.commit}"
    return f"{what}/{state.count(what) + 1}"


def _identity_key(state: State, entry: Entry) -> str:
    """Return the key of a link (1 + earlier links of that person), or of a signing key."""
    if entry.linked is None:
        return f"identity/key/{hashlib.sha256(entry.signer.encode()).hexdigest()}"
    what = f"identity/person/{entry.linked.person}"
    return f"{what}/{state.count(what) + 1}"


def word_key(
    state: State,
    kind: Kind,
    *,
    promotion: str,
    change: str,
    rule: RuleAt | None,
    person: str,
    renews: bool = False,
) -> str:
    """Return the key of ``approve`` or ``unapprove``: 1 + that person's earlier approvals of it that were undone.

    An approval that renews one undoes it.
    """
    rule_hash = rule.hash if rule else ""
    undone = state.count(f"undone/{promotion}/{change}/{rule_hash}/{person}")
    return f"{kind}/{promotion}/{change}/{rule_hash}/{person}/{undone + 1 + renews}"


def attempt_key(state: State, kind: Kind, promotion: str, head: str) -> str:
    """Return the key of ``intent`` or ``abort``: 1 + earlier aborts of this head."""
    return f"{kind}/{promotion}/{head}/{state.count(f'abort/{promotion}/{head}') + 1}"


def bump_key(environment: str, before: str, change: str) -> str:
    """Return the key of a move without approvals: the commit before it and the change."""
    return f"bump/{environment}/{before}/{change}"


def standing_key(entry: Entry) -> str:
    """Return the key of a hold, block, freeze or of what lifts it: what it is about, and the click that caused it."""
    what = "/".join(
        part for part in (entry.environment, entry.service, *(one.tag for one in entry.image)) if part
    )
    return f"{entry.kind}/{what}/{entry.trigger}"


def _list_key(entry: Entry) -> str:
    rows = entry.seen if entry.kind is Kind.SEEN else entry.shown
    plain = [[str(getattr(row, name)) for name in row.__slots__] for row in rows]
    return f"{entry.kind}/{digest_of(plain)}"


_BEFORE = re.compile(r"bump/[^/]+/([0-9a-f]{40})/[^/]+", re.ASCII)


def _before(key: str) -> str:
    """Return the commit that a bump's key names; that it is the parent of the move is held against the branch."""
    found = _BEFORE.fullmatch(key)
    return found[1] if found else "<commit>"


def expected_key(state: State, entry: Entry) -> str:  # noqa: C901, PLR0911, PLR0912  one row a kind: a table
    """Return the key that an entry must carry where it stands."""
    who = entry.by.person if isinstance(entry.by, By) else ""
    match entry.kind:
        case Kind.GENESIS:
            return f"genesis/{state.year}"
        case Kind.RULES:
            return f"rules/{entry.commit}"
        case Kind.SEEN | Kind.SHOWN:
            return _list_key(entry)
        case Kind.BUMP:
            return bump_key(entry.environment, _before(entry.key), entry.change)
        case Kind.PROPOSE:
            return propose_key(state, entry.environment, entry.service, entry.image, entry.group)
        case Kind.ROLLBACK:
            return rollback_key(state, entry.environment, entry.service, entry.previous, entry.group)
        case Kind.APPROVE | Kind.UNAPPROVE:
            return word_key(
                state,
                entry.kind,
                promotion=entry.promotion,
                change=entry.change,
                rule=entry.rule,
                person=who,
                renews=entry.kind is Kind.APPROVE and "renews" in entry.evidence,
            )
        case Kind.INTENT | Kind.ABORT:
            return attempt_key(state, entry.kind, entry.promotion, entry.head)
        case Kind.REBASED:
            return f"rebased/{entry.promotion}/{entry.head}"
        case Kind.VOID:
            return f"void/{entry.promotion}/{entry.voided}"
        case Kind.REJECT | Kind.CANCEL | Kind.ENDED | Kind.MERGED | Kind.LANDED | Kind.MISMATCH:
            return f"{entry.kind}/{entry.promotion}"
        case Kind.EXTERNAL:
            return f"external/{entry.commit}/{entry.environment}/{entry.service}"
        case Kind.REVIEW:
            return f"review/{state.year}/{entry.closes}"
        case Kind.HOLD | Kind.RESUME | Kind.BLOCK | Kind.UNBLOCK | Kind.FREEZE | Kind.UNFREEZE:
            return standing_key(entry)
        case Kind.EMERGENCY:
            return emergency_key(state, entry.environment, entry.service, entry.image)
        case Kind.HEALTHY | Kind.UNHEALTHY:
            return health_key(state, entry)
        case Kind.CONFIG:
            return f"config/{entry.environment}/{entry.since}/{entry.commit}"
        case Kind.IDENTITY:
            return _identity_key(state, entry)
        case Kind.CHECKPOINT:
            return f"checkpoint/{entry.state}"
        case Kind.REDACT:
            return f"redact/{entry.erases}"
        case Kind.FORK:
            return f"fork/{entry.lost}"
        case Kind.QUARANTINE:
            return f"quarantine/{entry.input}"
        case Kind.REFUSED:  # pragma: no branch  mypy sees that nothing is left
            return f"refused/{entry.promotion}/{entry.evidence.get('person', '')}/{entry.why}"
