"""What the command line prints: text tables for people; JSON shapes, whose names carry their version, for programs."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import Any

from rich.table import Table
from rich.text import Text

from handlers.slack.reasons import happens, moment, phrase
from policies.decide import Candidate, Decision, Row, Standing
from policies.entries.entry import Both, By, Entry, Voice, write_time
from policies.rulebook.findings import Finding, Weight, visible
from policies.rules.rules import Rules
from policies.verdict import NotYet, Waiting

PLAN = "countersign.plan/1"
WHY = "countersign.why/1"
LINT = "countersign.lint/1"
LEDGER = "countersign.ledger/1"

Json = dict[str, Any]
NOTHING: Mapping[int, int] = MappingProxyType({})
NO_STEPS: Mapping[str, str] = MappingProxyType({})

_COLOURS = {
    Standing.READY: "green",
    Standing.CURRENT: "dim",
    Standing.WAITING: "yellow",
    Standing.REFUSED: "red",
}


# --- plan -----------------------------------------------------------------------------------------------------


def plan_json(decision: Decision) -> Json:
    """Return every row with its candidates; those of groups apart, where there are some."""
    groups = [
        {"group": row.service, **_row_json(row), "detail": row.detail, "candidates": _moves_json(row)}
        for row in decision.groups
    ]
    return {
        "schema": PLAN,
        "at": write_time(decision.at),
        "commit": decision.commit,
        "rows": [
            {
                "service": row.service,
                **_row_json(row),
                "candidates": [_candidate_json(one) for one in row.candidates],
            }
            for row in decision.rows
        ],
        **({"groups": groups} if groups else {}),
    }


def _row_json(row: Row) -> Json:
    return {
        "environment": row.environment,
        "current": row.current,
        "verdict": row.verdict.value,
        "codes": list(row.codes),
    }


def _moves_json(row: Row) -> list[Json]:
    """Return what a group could move to, with the services that would move."""
    return [
        _candidate_json(one) | {"members": [member.service for member in one.members]}
        for one in row.candidates
    ]


def _candidate_json(candidate: Candidate) -> Json:
    return {
        "version": candidate.version,
        "digest": candidate.digest,
        "verdict": candidate.verdict.value,
        "codes": list(candidate.codes),
        "until": write_time(candidate.until) if candidate.until else None,
    }


def only(decision: Decision, environment: str) -> Decision:
    """Return the rows of one environment; '' = all."""
    if not environment:
        return decision
    rows, groups = (
        tuple(row for row in found if row.environment == environment)
        for found in (decision.rows, decision.groups)
    )
    return replace(decision, rows=rows, groups=groups)


def plan_table(decision: Decision) -> Table:
    """Return one line for each service and environment, and behind them one for each group where it moves as one."""
    table = table_of("SERVICE", "ENVIRONMENT", "CURRENT", "NEXT", "VERDICT", "WHY")
    named = [*((row.service, row) for row in decision.rows)]
    named += [(f"{row.service} (group)", row) for row in decision.groups]
    for name, row in named:
        best = row.best
        why = _why(row, decision.at) + (f": {row.detail}" if row.detail and not best else "")
        cells = (name, row.environment, row.current or "-", best.version if best else "-")
        verdict = Text(row.verdict.value, style=_COLOURS[row.verdict])
        table.add_row(*map(cell, cells), verdict, cell(why))
    return table


def _why(row: Row, at: datetime) -> str:
    """Return the codes of a row, each with what happens next and when, where that is known."""
    best = row.best
    if best is None or not best.reasons:
        return ", ".join(row.codes)
    said = {one.code.value: happens(one, at) for one in best.reasons}
    parts = [f"{code} ({said[code]})" if said.get(code) else code for code in row.codes]
    return ", ".join([*parts, *_expires(best, at)])


def _expires(candidate: Candidate, at: datetime) -> list[str]:
    return [f"expires {moment(candidate.expires, at)}"] if candidate.expires else []


def would_move(decision: Decision, rules: Rules, environment: str = "") -> list[str]:
    """Return what the next pass would move by itself."""
    return [
        visible(f"{row.environment}: {row.service} {row.current} -> {row.best.version}")
        for row in decision.rows
        if not rules.environment_for(row.environment, row.service).is_guarded
        and environment in {"", row.environment}
        and row.best
        and row.best.verdict is Standing.READY
    ]


def silent(decision: Decision) -> list[str]:
    """Return the rows about which nothing could be found out, with the reason."""
    return [
        visible(f"{row.environment}/{row.service}: {', '.join(row.codes)}: {row.detail}")
        for row in decision.rows
        if row.detail and row.verdict is Standing.WAITING and not row.candidates
    ]


# --- why ------------------------------------------------------------------------------------------------------


def why_json(
    decision: Decision,
    row: Row,
    versions: Sequence[Candidate],
    since: datetime | None = None,
    steps: Mapping[str, str] = NO_STEPS,
) -> Json:
    """Return one place with the verdict of each version that was asked about; ``since``: when what runs there came.

    ``steps``: what happens next to those that wait, by version.
    """
    return {
        "schema": WHY,
        "at": write_time(decision.at),
        "commit": decision.commit,
        "service": row.service,
        "environment": row.environment,
        "current": row.current,
        "since": write_time(since) if since else None,
        "verdict": row.verdict.value,
        "codes": list(row.codes),
        "detail": row.detail,
        "versions": [
            _candidate_json(one)
            | {
                "expires": write_time(one.expires) if one.expires else None,
                "next": steps.get(one.version) or None,
                "reasons": [_reason_json(reason) for reason in one.reasons],
            }
            for one in versions
        ],
    }


def _reason_json(reason: NotYet) -> Json:
    until = reason.until if isinstance(reason, Waiting) else None
    return {
        "code": reason.code.value,
        "meaning": phrase(reason.code.value),
        "detail": reason.detail,
        "until": write_time(until) if until else None,
    }


def why_lines(
    row: Row,
    versions: Sequence[Candidate],
    at: datetime,
    since: datetime | None = None,
    steps: Mapping[str, str] = NO_STEPS,
) -> list[str]:
    """Return what stands in the way of each version: code, meaning, detail, what happens next and when.

    ``at`` is the time of the decision, ``since`` when what runs there came (UTC); ``steps`` as in ``why_json``.
    """
    stands = f"{row.service} in {row.environment}: {row.current or 'nothing that can be read'} is there now"
    lines = [f"{stands}, since {moment(since, at)}" if since and row.current else stands]
    if not versions:
        lines += [f"  {code}: {phrase(code)}" for code in row.codes]
        lines += [f"    {row.detail}"] if row.detail else []
    for one in versions:
        ends = [f"at the earliest {moment(one.until, at)}"] if one.until else []
        lines.append(", ".join([f"{one.version}: {one.verdict.value}", *ends, *_expires(one, at)]))
        if not one.reasons:
            code = "current" if one.verdict is Standing.CURRENT else "ready"
            lines.append(f"  {code}: {phrase(code)}")
        for reason in one.reasons:
            meaning = phrase(reason.code.value)
            detail = "" if reason.detail in meaning else f" ({reason.detail})"
            then = f"; {found}" if (found := happens(reason, at)) else ""
            lines.append(f"  {reason.code.value}: {meaning}{detail}{then}")
        if step := steps.get(one.version):
            lines.append(f"  next: {step}")
    return [visible(line) for line in lines]


# --- lint -----------------------------------------------------------------------------------------------------


def lint_json(findings: Iterable[Finding]) -> Json:
    """Return findings with their places."""
    return {
        "schema": LINT,
        "findings": [
            {
                "file": one.at.file,
                "line": one.at.line,
                "column": one.at.column,
                "weight": one.weight.value,
                "what": one.what,
                "expected": one.expected,
                "patch": one.patch,
            }
            for one in findings
        ],
    }


def lint_lines(findings: Iterable[Finding]) -> list[str]:
    """Return a line for each finding: ``file:line:column: what; expected what``; what is no error says so.

    Below it stand the lines of the patch that mends it, where one is known.
    """
    return [
        line
        for one in findings
        for line in (
            str(one if one.weight is Weight.ERROR else replace(one, what=f"{one.weight}: {one.what}")),
            *one.patch.splitlines(),
        )
    ]


def lint_sum(findings: Iterable[Finding]) -> str:
    """Sum up in one line."""
    count = Counter(one.weight for one in findings)
    return ", ".join(f"{count[weight]} {weight}{'' if count[weight] == 1 else 's'}" for weight in Weight)


# --- ledger ---------------------------------------------------------------------------------------------------


def ledger_json(
    year: str, entries: Iterable[tuple[str, Entry]], tip: str, redacted: Mapping[int, int] = NOTHING
) -> Json:
    """Return entries as the ledger holds them, each with its commit; ``redacted``: by which entry its words are hidden.

    The words that are hidden stand in Git, so a hash of such an entry is made there.
    """
    return {
        "schema": LEDGER,
        "year": year,
        "tip": tip,
        "entries": [
            {
                "oid": oid,
                "subject": entry.subject,
                "entry": json.loads(entry.line()),
                **({"redacted": redacted[entry.seq]} if entry.seq in redacted else {}),
            }
            for oid, entry in entries
        ],
    }


def speakers(by: Voice) -> str:
    """Return who says an entry: a person, two people, or the bot."""
    if isinstance(by, Both):
        return f"{by.one.person} and {by.other.person}"
    return by.person if isinstance(by, By) else "bot"


def ledger_table(entries: Iterable[tuple[str, Entry]]) -> Table:
    """Return one line for each entry."""
    table = table_of("#", "TIME", "WHO", "WHAT", "COMMIT")
    for oid, entry in entries:
        who = speakers(entry.by)
        what = f"{entry.subject} ({entry.note})" if entry.note else entry.subject
        table.add_row(*map(cell, (str(entry.seq), entry.at, who, what, oid[:12])))
    return table


def cell(text: str) -> Text:
    """Return a text of others as it is: no mark-up, nothing hidden."""
    return Text(visible(text))


def table_of(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in columns:
        table.add_column(name, overflow="fold")
    return table
