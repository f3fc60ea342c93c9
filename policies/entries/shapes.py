"""The shape of each kind of entry: the fields that it must have, and those that it may have."""

from collections.abc import Mapping
from typing import Final

from policies.entries.values import Kind

ALWAYS: Final = frozenset({"v", "seq", "prev", "key", "kind", "at", "by"})
FREE: Final = frozenset({"evidence", "why", "note"})
_WHERE: Final = frozenset({"environment", "service"})
_MOVE: Final = _WHERE | {"image", "change", "rule"}
# Where several services move as one: ``service`` then is the group's name, as ``group`` is; ``members`` says whose the
# images are, on the kinds that bring them.
_TOGETHER: Final = frozenset({"group"})
_SHARED: Final = _TOGETHER | {"members"}

# kind -> (fields it must have, fields it may have), beside those that all have
SHAPES: Final[Mapping[Kind, tuple[frozenset[str], frozenset[str]]]] = {
    Kind.GENESIS: (frozenset({"commit", "branch", "signer"}), frozenset({"carried"})),
    Kind.RULES: (frozenset({"commit", "rule"}), frozenset()),
    Kind.SEEN: (frozenset({"seen"}), frozenset()),
    Kind.SHOWN: (frozenset({"shown"}), frozenset()),
    Kind.BUMP: (_MOVE | {"previous", "commit"}, _SHARED | {"also"}),
    Kind.PROPOSE: (_MOVE | {"promotion", "previous", "head"}, _SHARED),
    Kind.APPROVE: (_MOVE | {"promotion"}, _TOGETHER | {"head"}),
    Kind.UNAPPROVE: (_WHERE | {"promotion", "change", "rule"}, _TOGETHER),
    Kind.REJECT: (_WHERE | {"promotion"}, _TOGETHER),
    Kind.CANCEL: (_WHERE | {"promotion"}, _TOGETHER),
    Kind.REBASED: (_WHERE | {"promotion", "change", "rule", "head"}, _TOGETHER),
    Kind.INTENT: (_MOVE | {"promotion", "head"}, _TOGETHER),
    Kind.ABORT: (_WHERE | {"promotion", "head", "why"}, _TOGETHER),
    Kind.VOID: (_MOVE | {"promotion", "previous", "head", "voided", "why"}, _SHARED),
    Kind.ENDED: (_WHERE | {"promotion", "why"}, _TOGETHER),
    Kind.MERGED: (_WHERE | {"promotion", "head", "commit"}, _TOGETHER),
    Kind.LANDED: (_WHERE | {"promotion", "image", "commit"}, _TOGETHER | {"previous"}),
    Kind.MISMATCH: (_WHERE | {"promotion", "commit", "why"}, _TOGETHER | {"image"}),
    Kind.ROLLBACK: (_MOVE | {"promotion", "previous"}, _SHARED | {"head", "commit", "until"}),
    Kind.EXTERNAL: (_WHERE | {"commit"}, frozenset({"image", "previous"})),
    Kind.REVIEW: (frozenset({"closes"}), frozenset({"environment", "service"})),
    Kind.HOLD: (
        frozenset({"service", "trigger"}),
        frozenset({"environment", "until", "image", "previous"}),
    ),
    Kind.RESUME: (frozenset({"service", "trigger"}), frozenset({"environment"})),
    Kind.BLOCK: (frozenset({"service", "trigger", "image"}), frozenset({"environment"})),
    Kind.UNBLOCK: (frozenset({"service", "trigger", "image"}), frozenset({"environment"})),
    Kind.FREEZE: (frozenset({"environment", "trigger"}), frozenset({"until"})),
    Kind.UNFREEZE: (frozenset({"environment", "trigger"}), frozenset()),
    Kind.REFUSED: (_WHERE | {"promotion", "why"}, _TOGETHER),
    Kind.HEALTHY: (_WHERE | {"commit", "image"}, frozenset()),
    Kind.UNHEALTHY: (_WHERE | {"commit", "image"}, frozenset()),
    Kind.EMERGENCY: (_MOVE | {"promotion", "previous", "until"}, _SHARED | {"head", "commit"}),
    Kind.CONFIG: (frozenset({"environment", "since", "commit", "commits", "why"}), frozenset()),
    Kind.IDENTITY: (frozenset(), frozenset({"linked", "signer"})),
    Kind.CHECKPOINT: (frozenset({"state"}), frozenset()),
    Kind.REDACT: (frozenset({"erases"}), frozenset()),
    Kind.FORK: (frozenset({"lost"}), frozenset()),
    Kind.QUARANTINE: (frozenset({"input", "why"}), frozenset()),
}
