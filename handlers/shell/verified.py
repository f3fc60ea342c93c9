"""What ``verify`` prints: for an auditor by what it means, for a program as JSON whose shape docs/verify.md has."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from bot.verify import Finding, Report
from policies.audit_codes import Means

VERIFY = "countersign.verify/1"
_ORDER = list(Means)


def to_json(report: Report) -> dict[str, Any]:
    """Return what was checked and what was found."""
    return {
        "schema": VERIFY,
        "tip": report.tip,
        "newest": report.newest,
        "entries": report.entries,
        "commits": report.commits,
        "attested": report.attested,
        "attested_by": dict(report.attested_by),
        "notes": list(report.notes),
        "findings": [_finding(one) for one in report.findings],
    }


def _finding(one: Finding) -> dict[str, Any]:
    return {
        "what": one.what,
        "oid": one.oid,
        "seq": one.seq,
        "text": one.text,
        "means": one.code.means.name.lower().replace("_", "-"),
        "expected": one.code.expected,
        "next": one.code.then,
    }


def to_lines(report: Report) -> list[str]:
    """Return the findings by what they mean, the gravest first; notes; and the sum."""
    return [
        *_findings(report),
        *(f"note: {one}" for one in report.notes),
        *_attested(report),
        summary(report),
    ]


def _findings(report: Report) -> Iterator[str]:
    ordered = sorted(report.findings, key=lambda one: (_ORDER.index(one.code.means), one.what))
    for means, of_means in groupby(ordered, key=lambda one: one.code.means):
        yield f"{means}:"
        for _, of_code in groupby(of_means, key=lambda one: one.what):
            found = list(of_code)
            yield from map(str, found)
            yield f"  expected: {found[0].code.expected}"
            yield f"  next: {found[0].code.then}"


def _attested(report: Report) -> Iterator[str]:
    if report.attested:
        by = ", ".join(f"{who} {count}" for who, count in report.attested_by.items())
        yield f"attested from outside, not re-performed: {report.attested} of {report.entries} entries ({by})"


def summary(report: Report) -> str:
    """Sum up what was checked."""
    found = f"{len(report.findings)} finding{'' if len(report.findings) == 1 else 's'}"
    return (
        f"{report.entries} entries ({report.attested} attested), {report.commits} commits, {found};"
        f" the ledger ends at {report.tip[:12] or 'nothing'}"
        + (f", {report.newest}" if report.newest else "")
    )
