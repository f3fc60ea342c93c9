"""The codes of ``verify``: what each finding means for an auditor, what was expected, what one does next."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Means(StrEnum):
    """What a finding means, the gravest first; the text is its heading."""

    RECORD = "The record cannot be relied on as it stands"
    UNKNOWN_MOVE = "Something moved that the record does not know, or the record tells of a move that is none"
    OTHER_MOVE = "What stands on the target branch is not what the record says"
    UNREVIEWED = "An exception that nobody has reviewed"


@dataclass(frozen=True, slots=True)
class AuditCode:
    """One code: its heading, what it finds, what was expected instead, and what one does next."""

    means: Means
    what: str
    expected: str
    then: str


CODES: Final[Mapping[str, AuditCode]] = {
    "ledger-missing": AuditCode(
        Means.RECORD,
        "there is no branch `ledger/*`",
        "the ledger's branch beside the target branch",
        "fetch it, as docs/verify-with-git.md shows; if it is gone, push it back from a clone or the second remote",
    ),
    "ledger-cut": AuditCode(
        Means.RECORD,
        "an end of the ledger that is known elsewhere is not in it",
        "every end that a commit, the second remote or you know of, or a `fork` that two people gave it up by",
        "ask who rewrote the branch; push the lost entries back from a clone, the second remote or a backup",
    ),
    "entry-invalid": AuditCode(
        Means.RECORD,
        "an entry is not signed by the ledger's key, malformed, out of line, or was not allowed where it stands",
        "an entry that this key signed and that the rules of its moment let through",
        "read it with `git log -1 --format=%B` and its number; whoever could push it had the key or the branch",
    ),
    "other-branch": AuditCode(
        Means.RECORD,
        "the ledger is about another target branch",
        "the branch that its first entry names",
        "set COUNTERSIGN_BRANCH to that branch and verify again",
    ),
    "branch-rewritten": AuditCode(
        Means.RECORD,
        "the target branch does not contain the commit at which the ledger begins",
        "a target branch that only grows",
        "ask who rewrote it; a clone from before shows what was taken out",
    ),
    "unrecorded-move": AuditCode(
        Means.UNKNOWN_MOVE,
        "a commit moves an image, and no entry says so",
        "an entry for each move: by the bot, or an `external` that its next pass writes",
        "let the bot make a pass; if it is there still, `git show` the commit and ask its author",
    ),
    "entry-made-up": AuditCode(
        Means.UNKNOWN_MOVE,
        "an `external` tells of a move that its commit does not make",
        "an entry that says what the commit did",
        "compare `git show` of the commit with the entry; only a holder of the key can have written it",
    ),
    "commit-missing": AuditCode(
        Means.UNKNOWN_MOVE,
        "an entry names a commit that is not on the target branch",
        "each commit that an entry names, on the first-parent line",
        "look for it in other clones (`git branch --all --contains`); the target branch was rewritten",
    ),
    "content-differs": AuditCode(
        Means.OTHER_MOVE,
        "a commit is not exactly the change that its entry says, or another image stood there before",
        "the approved scalars replaced, the same bytes, no other file",
        "compare `git show` of the commit with the entry's image and change; roll back if it should not run",
    ),
    "trailers-differ": AuditCode(
        Means.OTHER_MOVE,
        "the trailers of a landing are not what the ledger makes of it",
        "the trailers as docs/ledger.md has them, word for word",
        "the ledger counts; ask who wrote the commit's message (a merge by hand, an edited title)",
    ),
    "merged-early": AuditCode(
        Means.OTHER_MOVE,
        "people merge there, and this commit is older than the clearance that let them",
        "a commit that was made after the `intent` which cleared it",
        "ask who merged it (`by_hand` of its `merged` entry), and why the check `countersign` did not stop them",
    ),
    "rule-older": AuditCode(
        Means.OTHER_MOVE,
        "a move was judged by a rule that was not in force any more",
        "the rule that stood on the target branch when it moved",
        "compare both rules (`git diff` of the two commits, `promotion/`) and see whether the newer one let it",
    ),
    "review-missing": AuditCode(
        Means.UNREVIEWED,
        "an emergency, a move by others, a mismatch, a guarded change of files or a rollback was not reviewed",
        "a `review` by somebody who had no part in it",
        "that somebody looks at it, and says `review #NUMBER because WHY` in Slack",
    ),
}
# evidence that an entry rests on -> who said so, outside of the clone; what is not here the clone shows itself
ATTESTED: Final[Mapping[str, str]] = {
    "account": "chat",
    "accounts": "chat",
    "forge": "forge",
    "forge_account": "forge",
    "forge_accounts": "forge",
    "by_hand": "forge",
    "pull_request": "forge",
    "review": "forge",
    "reviews": "forge",
    "authors": "forge",
    "movers": "forge",
    "members": "teams",
    "registry": "registry",
    "built": "registry",
    "empty": "registry",
    "sighted": "registry",
    "statuses": "health",
    "facts": "gates",
    "about": "other input",
}


def attested_by(evidence: Mapping[str, object]) -> frozenset[str]:
    """Return who said what an entry rests on, outside of the clone; nobody = the clone shows all of it."""
    return frozenset(who for name, who in ATTESTED.items() if name in evidence)
