"""The faults that are made: each is one other program, and put where it was said to be."""

import ast

import pytest

from tests.mutation.argued import ARGUED
from tests.mutation.operators import faulty, mutants
from tests.mutation.targets import TARGETS, file_of

SOURCE = '''\
"""A module."""

LIMIT = 3
NAMES = ["a", "b"]


def may(count: int, names: list[str]) -> bool:
    """Say whether it may."""
    if count < LIMIT and not names:
        return any(name in NAMES for name in names if name)
    return False
'''


def test_every_fault_is_another_program_that_compiles() -> None:
    made = {ast.dump(faulty(one, SOURCE)) for one in mutants("m", SOURCE)}

    assert len(made) == len(mutants("m", SOURCE))
    assert ast.dump(ast.parse(SOURCE)) not in made
    for one in mutants("m", SOURCE):
        compile(faulty(one, SOURCE), "m.py", "exec")


@pytest.mark.parametrize(
    "what",
    [
        "count < LIMIT -> count <= LIMIT",
        "count < LIMIT -> count >= LIMIT",
        "count < LIMIT and (not names) -> count < LIMIT or not names",
        "count < LIMIT and (not names): without not names",
        "not names -> names",
        "name in NAMES -> name not in NAMES",
        "for for name in names if name: without name",
        "False -> True",
        "3 -> 4",
        "['a', 'b']: without 'b'",
    ],
)
def test_what_a_tired_hand_would_write_is_among_the_faults(what: str) -> None:
    assert what in {one.what for one in mutants("m", SOURCE)}


def test_words_for_people_and_types_are_left_alone() -> None:
    assert not [one for one in mutants("m", SOURCE) if "module" in one.what or "Say" in one.what]
    assert {one.line for one in mutants("m", SOURCE)} == {3, 4, 9, 10, 11}


def test_a_list_of_what_a_module_hands_out_is_left_alone() -> None:
    assert mutants("m", '__all__ = ["a", "b"]\n') == ()


def test_what_is_argued_is_a_fault_that_can_be_made() -> None:
    modules = {module for part in TARGETS.values() for module in part}
    known = {one.name for module in modules for one in mutants(module, file_of(module).read_text())}

    assert set(ARGUED) <= known
