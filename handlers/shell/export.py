"""``ledger export``: one row a change, for a spreadsheet or a program. The shape is documented in docs/evidence.md."""

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any

from policies.ledger.population import Change, Word, who

EXPORT = "countersign.export/1"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would compute instead of showing

COLUMNS = (
    *("id", "sort", "kind", "outcome", "at", "environment", "service", "image", "previous"),
    *(
        "requested_by",
        "requested_at",
        "request_note",
        "approved_by",
        "refused",
        "ended_by",
        "end_note",
        "why",
    ),
    *("review", "reviewed_by", "reviewed_at", "review_note", "change", "rule_commit", "rule_hash"),
    *("commit", "pull_request", "entries", "between"),
)


def export_json(year: str, tip: str, changes: Iterable[Change], *, findings: int) -> Mapping[str, Any]:
    """Return all rows as one document; ``findings``: how much ``verify`` finds in the whole repository."""
    rows = [_row(one) for one in changes]
    return {"schema": EXPORT, "ledger": year, "tip": tip, "findings": findings, "rows": rows}


def export_csv(changes: Iterable[Change]) -> str:
    """Return all rows as CSV (RFC 4180); lists are joined by `` | ``."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for one in changes:
        row = _row(one)
        writer.writerow([_cell(row[name]) for name in COLUMNS])
    return out.getvalue()


def _row(change: Change) -> dict[str, Any]:
    asked, ended, review = change.asked, change.ended, change.review
    return {
        "id": change.id,
        "sort": change.sort.value,
        "kind": change.kind.value,
        "outcome": change.outcome,
        "at": change.at,
        "environment": change.environment,
        "service": change.service,
        "image": [str(one) for one in change.image],
        "previous": [str(one) for one in change.previous],
        "requested_by": who(asked.by) if asked else "",
        "requested_at": asked.at if asked else "",
        "request_note": asked.text if asked else "",
        "approved_by": [_said(one) for one in change.approvals],
        "refused": [f"{_said(one)}: {one.text}" for one in change.refusals],
        "ended_by": who(ended.by) if ended else "",
        "end_note": ended.text if ended else "",
        "why": change.why,
        "review": review_of(change),
        "reviewed_by": who(review.by) if review else "",
        "reviewed_at": review.at if review else "",
        "review_note": review.text if review else "",
        "change": change.change,
        "rule_commit": change.rule.commit if change.rule else "",
        "rule_hash": change.rule.hash if change.rule else "",
        "commit": change.commit,
        "pull_request": change.url,
        "entries": [f"#{entry.seq} {entry.kind} {oid}" for oid, entry in change.entries],
        "between": [change.between.after, change.between.before] if change.between else [],
    }


def review_of(change: Change) -> str:
    """Say whether a change was reviewed: ``done``, ``missing``, ``not asked``; ``under way`` while it is not over."""
    if change.review:
        return "done"
    if not change.needs_review:
        return "not asked"
    return "under way" if change.is_under_way else "missing"


def _said(word: Word) -> str:
    return f"{who(word.by)} {word.at} #{word.seq}"


def _cell(value: Any) -> str:
    text = " | ".join(value) if isinstance(value, list) else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
