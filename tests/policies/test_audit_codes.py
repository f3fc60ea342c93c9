"""The codes of verify: every one that the code gives has its row, and what rests on others' word is told by whom."""

import ast
from pathlib import Path

from policies.audit_codes import ATTESTED, CODES, attested_by
from policies.ledger.population import UNRECORDED

VERIFY = Path(__file__).parents[2] / "bot" / "verify.py"


def test_every_code_that_is_given_has_a_row_and_every_row_is_given() -> None:
    given = {
        call.args[0].value if isinstance(call.args[0], ast.Constant) else UNRECORDED
        for call in ast.walk(ast.parse(VERIFY.read_text("utf-8")))
        if isinstance(call, ast.Call)
        and ast.unparse(call.func) in {"report.add", "self.report.add"}
        and ast.unparse(call.args[0]).startswith(("'", "UNRECORDED"))
    }

    assert given == CODES.keys()


def test_each_row_says_what_was_expected_and_what_one_does() -> None:
    assert all(one.what and one.expected and one.then for one in CODES.values())
    assert len({one.then for one in CODES.values()}) == len(CODES)


def test_what_an_entry_rests_on_is_told_by_who_said_it() -> None:
    assert attested_by({"account": {}, "looked": "", "registry": {}, "members": {}}) == {
        "chat",
        "registry",
        "teams",
    }
    assert attested_by({"renamed": {}, "marked": True, "pushed": True}) == frozenset()
    assert attested_by({"built": []}) == {"registry"}
    assert set(ATTESTED.values()) >= {"chat", "forge", "registry"}
