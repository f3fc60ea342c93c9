"""The gates: one small function each, in one visible table; asked by ``decide`` and by the entry validator alike."""

from policies.gates.before import has_run, healthy, previous, takes
from policies.gates.case import Case, Gate, holds
from policies.gates.clock import Clock, clock
from policies.gates.content import blocked, digest, jump
from policies.gates.counting import (
    approvals,
    count_approvals,
    counts_presses,
    excluded_because,
    is_excluded,
    lines_of,
    skips,
)
from policies.gates.notes import notes
from policies.gates.order import downgrade, went_back
from policies.gates.outside import PLATFORMS, checks, http, labels, platforms, prometheus, signature
from policies.gates.promised import expired, expires, is_expired, merge_within, reminds, was_frozen
from policies.gates.sightings import known_before
from policies.gates.standing import frozen, held, reviewed
from policies.gates.table import (
    ALONE,
    ASKED,
    MERGED,
    OFFERED,
    OPENED,
    ROLLED_BACK,
    SKIPPABLE,
    TABLE,
    Before,
    Row,
    ask,
    at_once,
    before_merge,
)
from policies.gates.waits import age, freeze, limit, soak, window_at

__all__ = [
    "ALONE",
    "ASKED",
    "MERGED",
    "OFFERED",
    "OPENED",
    "PLATFORMS",
    "ROLLED_BACK",
    "SKIPPABLE",
    "TABLE",
    "Before",
    "Case",
    "Clock",
    "Gate",
    "Row",
    "age",
    "approvals",
    "ask",
    "at_once",
    "before_merge",
    "blocked",
    "checks",
    "clock",
    "count_approvals",
    "counts_presses",
    "digest",
    "downgrade",
    "excluded_because",
    "expired",
    "expires",
    "freeze",
    "frozen",
    "has_run",
    "healthy",
    "held",
    "holds",
    "http",
    "is_excluded",
    "is_expired",
    "jump",
    "known_before",
    "labels",
    "limit",
    "lines_of",
    "merge_within",
    "notes",
    "platforms",
    "previous",
    "prometheus",
    "reminds",
    "reviewed",
    "signature",
    "skips",
    "soak",
    "takes",
    "was_frozen",
    "went_back",
    "window_at",
]
