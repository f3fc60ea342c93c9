"""The shape of each kind of entry: the fields that it must have, and those that it may have."""

from collections.abc import Mapping
from typing import Final

from policies.entry_values import Kind

ALWAYS: Final = frozenset({"v", "seq", "prev", "key", "kind", "at", "by"})
FREE: Final = frozenset({"evidence", "why", "note"})
_WHERE: Final = frozenset({"environment", "service"})
_MOVE: Final = _WHERE | {"image", "change", "rule"}

# kind -> (fields it must have, fields it may have), beside those that all have
SHAPES: Final[Mapping[Kind, tuple[frozenset[str], frozenset[str]]]] = {
    Kind.GENESIS: (frozenset({"commit", "branch", "signer"}), frozenset()),
    Kind.RULES: (frozenset({"commit", "rule"}), frozenset()),
    Kind.SEEN: (frozenset({"seen"}), frozenset()),
    Kind.SHOWN: (frozenset({"shown"}), frozenset()),
    Kind.BUMP: (_MOVE | {"previous", "commit"}, frozenset()),
    Kind.PROPOSE: (_MOVE | {"promotion", "previous", "head"}, frozenset()),
    Kind.APPROVE: (_MOVE | {"promotion"}, frozenset({"head"})),
    Kind.UNAPPROVE: (_WHERE | {"promotion", "change", "rule"}, frozenset()),
    Kind.REJECT: (_WHERE | {"promotion"}, frozenset()),
    Kind.CANCEL: (_WHERE | {"promotion"}, frozenset()),
    Kind.REBASED: (_WHERE | {"promotion", "change", "rule", "head"}, frozenset()),
    Kind.INTENT: (_MOVE | {"promotion", "head"}, frozenset()),
    Kind.ABORT: (_WHERE | {"promotion", "head", "why"}, frozenset()),
    Kind.VOID: (_MOVE | {"promotion", "previous", "head", "voided", "why"}, frozenset()),
    Kind.ENDED: (_WHERE | {"promotion", "why"}, frozenset()),
    Kind.MERGED: (_WHERE | {"promotion", "head", "commit"}, frozenset()),
    Kind.LANDED: (_WHERE | {"promotion", "image", "commit"}, frozenset({"previous"})),
    Kind.MISMATCH: (_WHERE | {"promotion", "commit", "why"}, frozenset({"image"})),
    Kind.ROLLBACK: (_MOVE | {"promotion", "previous"}, frozenset({"head", "commit"})),
    Kind.EXTERNAL: (_WHERE | {"commit"}, frozenset({"image", "previous"})),
    Kind.REVIEW: (frozenset({"closes"}), frozenset({"environment", "service"})),
    Kind.HOLD: (frozenset({"service", "trigger"}), frozenset({"environment", "until"})),
    Kind.RESUME: (frozenset({"service", "trigger"}), frozenset({"environment"})),
    Kind.BLOCK: (frozenset({"service", "trigger", "image"}), frozenset({"environment"})),
    Kind.UNBLOCK: (frozenset({"service", "trigger", "image"}), frozenset({"environment"})),
    Kind.FREEZE: (frozenset({"environment", "trigger"}), frozenset({"until"})),
    Kind.UNFREEZE: (frozenset({"environment", "trigger"}), frozenset()),
    Kind.REFUSED: (_WHERE | {"promotion", "why"}, frozenset()),
}
