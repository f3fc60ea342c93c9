"""The codes that the table names of a gate are those that its function can answer with."""

import ast
import inspect
import sys
from collections.abc import Callable, Iterator
from types import FunctionType

import pytest

from policies.codes import Code
from policies.gates import TABLE, outside
from policies.gates.table import Row
from policies.verdict import Failed, Waiting

OF_GATES = "policies.gates"
VERDICTS = {Waiting.__name__, Failed.__name__}
# what a gate asks another one for, and answers with a code of its own
ASKED_ONLY = {"merge-within": {Code.FREEZE_WINDOW, Code.FROZEN, Code.REVIEW_OVERDUE}}


def said_by(function: Callable[..., object]) -> set[Code]:
    """Return the codes of all verdicts that a function, and what it names of the gates' modules, is written to make."""
    found: set[Code] = set()
    left, known = [function], {function}
    while left:
        one = left.pop()
        for node in ast.walk(ast.parse(inspect.getsource(one))):
            found |= set(_made(node))
            for named in _named(node, one):
                if named not in known:
                    known.add(named)
                    left.append(named)
    return found


def _made(node: ast.AST) -> Iterator[Code]:
    """Yield the code of a verdict that is made here; it stands first, by its name."""
    made = node.func if isinstance(node, ast.Call) else None
    if isinstance(node, ast.Call) and isinstance(made, ast.Name) and made.id in VERDICTS:
        (code,) = (one for one in node.args[:1] if isinstance(one, ast.Attribute))
        assert isinstance(code.value, ast.Name)
        assert code.value.id == Code.__name__
        yield Code[code.attr]


def _named(node: ast.AST, where: Callable[..., object]) -> Iterator[FunctionType]:
    names = vars(sys.modules[where.__module__])
    said = names.get(node.id) if isinstance(node, ast.Name) else None
    found = inspect.unwrap(said) if callable(said) else None
    if isinstance(found, FunctionType) and found.__module__.startswith(OF_GATES):
        yield found


OURS = [row for row in TABLE if row.gate not in outside.GATES]
THEIRS = [row for row in TABLE if row.gate in outside.GATES]


@pytest.mark.parametrize("row", OURS, ids=[row.name for row in OURS])
def test_a_gate_answers_with_the_codes_that_the_table_names_and_with_each(row: Row) -> None:
    assert said_by(row.gate) - ASKED_ONLY.get(row.name, set()) == set(row.codes)
    assert len(set(row.codes)) == len(row.codes)


@pytest.mark.parametrize("row", THEIRS, ids=[row.name for row in THEIRS])
def test_a_gate_that_asks_outside_answers_with_what_was_looked_up_and_makes_none_itself(row: Row) -> None:
    assert said_by(row.gate) == set()
    assert Code.GATE_UNKNOWN in row.codes


def test_what_the_table_does_not_name_is_found() -> None:
    assert said_by(outside.checks) == set()
    assert {Code.APPROVALS_MISSING, Code.REVIEW_MISSING, Code.MEMBERS_UNKNOWN} <= said_by(
        next(row.gate for row in TABLE if row.name == "approvals")
    )
