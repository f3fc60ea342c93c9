"""The gates: one small function each, in one visible table; asked by ``decide`` and by the entry validator alike."""

from policies.gates.before import has_run, previous
from policies.gates.case import Case, Gate
from policies.gates.content import blocked, digest
from policies.gates.counting import approvals, count_approvals, is_excluded, lines_of
from policies.gates.order import downgrade, went_back
from policies.gates.promised import expired, merge_within
from policies.gates.sightings import known_before
from policies.gates.standing import frozen, held
from policies.gates.table import ALONE, ASKED, MERGED, OFFERED, ROLLED_BACK, TABLE, Before, Row, ask

__all__ = [
    "ALONE",
    "ASKED",
    "MERGED",
    "OFFERED",
    "ROLLED_BACK",
    "TABLE",
    "Before",
    "Case",
    "Gate",
    "Row",
    "approvals",
    "ask",
    "blocked",
    "count_approvals",
    "digest",
    "downgrade",
    "expired",
    "frozen",
    "has_run",
    "held",
    "is_excluded",
    "known_before",
    "lines_of",
    "merge_within",
    "previous",
    "went_back",
]
