"""Reason codes: stable words for why something may move, waits, or may not. docs/codes.md is made from this table."""

from enum import StrEnum


class Code(StrEnum):
    """Why. The value is shown to people, written to the ledger and to ``--json``, and never changes its meaning."""

    # nothing to do
    CURRENT = "current"
    # a verdict on a version
    READY = "ready"
    OLDER = "older"
    NEWER_AVAILABLE = "newer-available"
    DOWNGRADE = "downgrade"
    KNOWN_BEFORE = "known-before"
    DIGEST_MOVED = "digest-moved"
    DIGEST_UNKNOWN = "digest-unknown"
    NOT_SEEN = "not-seen"
    MAJOR_JUMP = "major-jump"
    TAGS_LOST = "tags-lost"
    TAGS_CUT_SHORT = "tags-cut-short"
    BLOCKED = "blocked"
    HELD = "held"
    FROZEN = "frozen"
    REVIEW_OVERDUE = "review-overdue"
    CONFIG_UNREVIEWED = "config-unreviewed"
    NO_EMERGENCY = "no-emergency"
    NOT_OVER = "not-over"
    FREEZE_WINDOW = "freeze-window"
    NOT_IN_PREVIOUS = "not-in-previous"
    NOT_THERE_NOW = "not-there-now"
    NOT_HEALTHY = "not-healthy"
    UNHEALTHY = "unhealthy"
    SOAKING = "soaking"
    TOO_YOUNG = "too-young"
    AGE_UNKNOWN = "age-unknown"
    LIMIT_REACHED = "limit-reached"
    GATE_UNKNOWN = "gate-unknown"
    CHECKS_PENDING = "checks-pending"
    CHECKS_FAILED = "checks-failed"
    CONDITION_NOT_MET = "condition-not-met"
    SIGNATURE_MISSING = "signature-missing"
    SIGNATURE_INVALID = "signature-invalid"
    TRUST_ROOT_MISSING = "trust-root-missing"
    SIGSTORE_MISSING = "sigstore-missing"
    LABEL_DIFFERS = "label-differs"
    PLATFORM_MISSING = "platform-missing"
    NOT_REQUESTED = "not-requested"
    APPROVALS_MISSING = "approvals-missing"
    WAITING_FOR_A_GO = "waiting-for-a-go"
    LOOKED_AGAIN = "looked-up-again"
    MERGING = "merging"
    BY_HAND = "merges-by-hand"
    MERGED_EARLY = "merged-early"
    FORGE_REFUSED = "forge-refused"
    FORGE_REVIEW = "forge-review"
    OPEN_ELSEWHERE = "other-promotion-open"
    GROUP_WAITS = "group-waits"
    # the place in Git
    NO_REFERENCE = "no-reference"
    AMBIGUOUS = "ambiguous-references"
    UNREADABLE = "unreadable-reference"
    AUTOMATION_ACTIVE = "automation-active"
    FLUX_AMBIGUOUS = "flux-ambiguous"
    FLUX_INVALID = "flux-invalid"
    FLUX_MISSING = "flux-missing"
    FLUX_SUSPENDED = "flux-suspended"
    # a person's decision that the rule does not let through
    UNKNOWN_PERSON = "unknown-person"
    ACCOUNT = "account-not-allowed"
    REQUESTER = "requester"
    AUTHOR = "author"
    MOVER = "mover"
    MATCHED = "matched-by-email"
    NOT_AN_APPROVER = "not-an-approver"
    ALREADY_APPROVED = "already-approved"
    ALREADY_ASKED = "already-asked"
    NOT_APPROVED = "not-approved"
    CLOSED = "closed"
    EXPIRED = "expired"
    CHANGE_MOVED = "change-moved"
    RULE_MOVED = "rule-moved"
    HEAD_MOVED = "head-moved"
    LINKED_ELSEWHERE = "linked-elsewhere"
    NOT_ATTESTED = "not-attested"
    MEMBERS_UNKNOWN = "members-unknown"
    REVIEW_MISSING = "review-missing"
    NO_RULE = "no-rule"
    IN_GROUP = "in-group"
    NOT_WHOLE = "group-not-whole"
    NOTE_MISSING = "reason-missing"
    NEVER_RAN = "never-ran-here"
    NOT_GUARDED = "not-guarded"
    GUARDED = "guarded"
    OBSERVED = "observed"
    NOT_STANDING = "nothing-to-lift"
    OUT_OF_LINE = "out-of-line"
    EVIDENCE_MISSING = "evidence-missing"
    TOO_MANY = "too-many"


MEANINGS: dict[Code, str] = {
    Code.CURRENT: "it is what runs there now",
    Code.READY: "nothing stands in the way: the next pass moves it",
    Code.OLDER: "it is older than what runs there",
    Code.NEWER_AVAILABLE: "a newer version that may move goes first",
    Code.DOWNGRADE: "it would be a step back; a rollback is a person's word, and so is `resume` after the hold for it",
    Code.KNOWN_BEFORE: "it was there before Countersign looked first, so it does not move by itself",
    Code.DIGEST_MOVED: "the tag names another digest than when it was first seen",
    Code.DIGEST_UNKNOWN: "the registry did not say which digest the tag names",
    Code.NOT_SEEN: "the ledger has no entry of its first sighting",
    Code.MAJOR_JUMP: "it climbs more major versions than `jump` lets it; a person says that it may, by `unblock`",
    Code.TAGS_LOST: "the registry's list of tags lost too many at once; a person says that this is right, by `resume`",
    Code.TAGS_CUT_SHORT: "the registry's list of tags was cut short; a person takes it as it is, by `resume`",
    Code.BLOCKED: "somebody blocked the version, or it was rolled back here or in an environment before",
    Code.HELD: "somebody holds the service where it is",
    Code.FROZEN: "the environment stands still",
    Code.FREEZE_WINDOW: "the rules let nothing move at these times (`freeze`)",
    Code.NOT_THERE_NOW: "the environment before runs another version at this moment (`takes: same`)",
    Code.NOT_HEALTHY: "it has not been reported healthy in the environment before",
    Code.UNHEALTHY: "it is reported unhealthy in the environment before",
    Code.SOAKING: "it has not run long enough in the environment before (`soak`)",
    Code.TOO_YOUNG: "it has not been known long enough (`age`)",
    Code.AGE_UNKNOWN: "the ledger has no first sighting of it: nobody knows its age; a person answers, by `resume`",
    Code.LIMIT_REACHED: "as many moves as the rules let through have been made (`limit`)",
    Code.GATE_UNKNOWN: "an outside gate gave no answer that can be used; it is asked again, and never taken as passed",
    Code.CHECKS_PENDING: "a check that the rules name has not succeeded yet",
    Code.CHECKS_FAILED: "a check that the rules name has failed",
    Code.CONDITION_NOT_MET: "an outside condition that the rules name does not hold now",
    Code.SIGNATURE_MISSING: "the image has no signature",
    Code.SIGNATURE_INVALID: "the image's signature is by nobody whom the rules name, or is about another image",
    Code.TRUST_ROOT_MISSING: "the file with the trust root that the rule names is not there, or cannot be read",
    Code.SIGSTORE_MISSING: "countersign[sigstore] is not installed here, so that no keyless signature can be read",
    Code.LABEL_DIFFERS: "the image lacks a label or annotation that the rules name",
    Code.REVIEW_OVERDUE: "an emergency or a rollback there was not reviewed in time; `review` closes it",
    Code.CONFIG_UNREVIEWED: "guarded files of the environment changed in Git, and nobody has reviewed it",
    Code.NO_EMERGENCY: "the rule knows no emergency there",
    Code.NOT_OVER: "it is still under way",
    Code.PLATFORM_MISSING: "the image is not built for a platform that the service names (`platforms`)",
    Code.NOT_IN_PREVIOUS: "it has not run in the environment before, as exactly this digest",
    Code.NOT_REQUESTED: "nobody has asked for it yet",
    Code.APPROVALS_MISSING: "approvals are missing",
    Code.WAITING_FOR_A_GO: "the last approval is too old to merge by itself; an approver gives it anew",
    Code.LOOKED_AGAIN: "it is approved, and what was looked up again before the merge stands in the way",
    Code.MERGING: "it is being merged",
    Code.BY_HAND: "it is approved, and nothing stands in the way: somebody merges its pull request at the forge",
    Code.MERGED_EARLY: "it was merged at the forge before it was allowed",
    Code.FORGE_REVIEW: "the forge's own rules ask for reviews before it merges; it is asked again later",
    Code.FORGE_REFUSED: "the forge did not merge it; it is tried again later",
    Code.OPEN_ELSEWHERE: "another promotion of the service is open there",
    Code.GROUP_WAITS: "a service of its group is not ready, and they move together or not at all",
    Code.NO_REFERENCE: "no file under the environment's path names the service's image",
    Code.AMBIGUOUS: "several places name the image with different tags",
    Code.UNREADABLE: "the place that names the image cannot be read or edited safely",
    Code.AUTOMATION_ACTIVE: "a Flux ImageUpdateAutomation that is not suspended writes there; `lint` prints the patch",
    Code.FLUX_AMBIGUOUS: "several Flux documents have the name that the rules follow",
    Code.FLUX_INVALID: "the Flux document that the rules follow cannot be used; the detail has Flux's reason",
    Code.FLUX_MISSING: "no Flux document there has the name that the rules follow",
    Code.FLUX_SUSPENDED: "the Flux document that the rules follow is suspended: Flux keeps a choice that no file says",
    Code.UNKNOWN_PERSON: "the rules link nobody to this account",
    Code.ACCOUNT: "the account is deactivated, a guest, a bot, or from another workspace",
    Code.REQUESTER: "who asked may not approve",
    Code.AUTHOR: "who wrote code between the two images may not approve",
    Code.MATCHED: "who is known by an e-mail address alone may ask and stop, but not this",
    Code.MOVER: "who wrote, committed, merged or pushed a change may not review it",
    Code.NOT_AN_APPROVER: "the rule does not name this person",
    Code.ALREADY_APPROVED: "this person has approved it already",
    Code.ALREADY_ASKED: "it was asked for there before; the bot does not ask again, a person may",
    Code.NOT_APPROVED: "this person has not approved it",
    Code.CLOSED: "the promotion has ended",
    Code.EXPIRED: "the promotion has expired",
    Code.CHANGE_MOVED: "the change is another one than the one that was seen",
    Code.RULE_MOVED: "the rule is another one than the one that was seen",
    Code.HEAD_MOVED: "the pull request's head is another one than the one that was approved",
    Code.LINKED_ELSEWHERE: "the account is linked to somebody else; one human has one account on each side",
    Code.NOT_ATTESTED: "the entry does not show what it leans on, as it was looked up just then",
    Code.MEMBERS_UNKNOWN: "who is in a team that the rule names could not be looked up, so it has nobody",
    Code.REVIEW_MISSING: "the rule asks for a review in GitHub, of exactly this pull request",
    Code.NO_RULE: "no rule covers this service and environment",
    Code.IN_GROUP: "the service moves with its group; ask for the group",
    Code.NOT_WHOLE: "it is not what the whole group has to move",
    Code.NOTE_MISSING: "a reason has to be given",
    Code.NEVER_RAN: "it has never run there",
    Code.NOT_GUARDED: "the environment asks nobody: it moves by itself",
    Code.GUARDED: "the environment asks for approvals",
    Code.OBSERVED: "the environment is only observed: nothing is moved there",
    Code.NOT_STANDING: "there is nothing in force to lift",
    Code.OUT_OF_LINE: "the entry does not fit where it stands",
    Code.EVIDENCE_MISSING: "what it relies on has to be said with it",
    Code.TOO_MANY: "so many of the kind are enough",
}
