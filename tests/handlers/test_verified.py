"""What ``verify`` prints: by what it means for an auditor, with what was expected and what one does next."""

from bot.verify import Report
from handlers.shell.verified import to_json, to_lines
from policies.audit_codes import CODES, Means

OID = "0123456789abcdef0123456789abcdef01234567"


def _report() -> Report:
    report = Report(entries=12, commits=5, attested=7, attested_by={"chat": 6, "registry": 2}, tip=OID)
    report.add("review-missing", OID, "external of web in production has no review", 9)
    report.add("unrecorded-move", OID, "it moves web in staging to 1.2.0 without an entry")
    report.add("ledger-cut", OID[:8], "--anchor names this entry; the ledger does not have it")
    report.add("unrecorded-move", OID[::-1], "it moves api in staging to 1.2.0 without an entry")
    report.notes.append("something odd")
    return report


def test_findings_stand_by_what_they_mean_the_gravest_first() -> None:
    assert to_lines(_report()) == [
        f"{Means.RECORD}:",
        "ledger-cut 01234567: --anchor names this entry; the ledger does not have it",
        f"  expected: {CODES['ledger-cut'].expected}",
        f"  next: {CODES['ledger-cut'].then}",
        f"{Means.UNKNOWN_MOVE}:",
        "unrecorded-move 0123456789ab: it moves web in staging to 1.2.0 without an entry",
        "unrecorded-move 76543210fedc: it moves api in staging to 1.2.0 without an entry",
        f"  expected: {CODES['unrecorded-move'].expected}",
        f"  next: {CODES['unrecorded-move'].then}",
        f"{Means.UNREVIEWED}:",
        "review-missing 0123456789ab #9: external of web in production has no review",
        f"  expected: {CODES['review-missing'].expected}",
        f"  next: {CODES['review-missing'].then}",
        "note: something odd",
        "attested from outside, not re-performed: 7 of 12 entries (chat 6, registry 2)",
        "12 entries (7 attested), 5 commits, 4 findings; the ledger ends at 0123456789ab",
    ]


def test_nothing_found_is_one_line() -> None:
    assert to_lines(Report(entries=1, tip=OID)) == [
        "1 entries (0 attested), 0 commits, 0 findings; the ledger ends at 0123456789ab"
    ]


def test_a_program_reads_the_same() -> None:
    read = to_json(_report())

    assert (read["schema"], read["attested_by"]) == ("countersign.verify/1", {"chat": 6, "registry": 2})
    assert read["findings"][0] == {
        "what": "review-missing",
        "oid": OID,
        "seq": 9,
        "text": "external of web in production has no review",
        "means": "unreviewed",
        "expected": CODES["review-missing"].expected,
        "next": CODES["review-missing"].then,
    }
