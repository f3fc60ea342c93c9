"""Put one fault into a module and run tests on it, in a child of the process that has everything loaded.

A fault inside of a function is put where the function is: its code is exchanged, whoever has imported it. Any other
fault, and any that nobody noticed that way, has all code loaded anew, since what runs while a module loads counts.
"""

import gc
import importlib.abc
import importlib.machinery
import importlib.util
import inspect
import os
import resource
import sys
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from types import CodeType, FunctionType, ModuleType

import pytest
from _pytest.runner import runtestprotocol

from tests.mutation.operators import Mutant, faulty
from tests.mutation.reach import QUIET
from tests.mutation.targets import ROOT, file_of

OWN = ("policies", "bot", "handlers", "sandbox", "tests")
MAX_CPU = 90  # seconds of one trial; a fault that never ends is noticed, too
MAX_BYTES = 4 << 30


class Verdict(StrEnum):
    """What the tests say of a fault."""

    KILLED = "killed"
    SURVIVED = "survived"
    UNREACHED = "unreached"


def started(mutant: Mutant, tests: Sequence[str], items: Mapping[str, pytest.Item], *, anew: bool) -> int:
    """Begin to run the tests on a fault; return the child's process id. It ends with 0 where nothing is noticed."""
    child = os.fork()
    if child == 0:
        os._exit(_noticed(mutant, tests, items, anew=anew))
    return child


def _noticed(mutant: Mutant, tests: Sequence[str], items: Mapping[str, pytest.Item], *, anew: bool) -> int:
    resource.setrlimit(resource.RLIMIT_CPU, (MAX_CPU, MAX_CPU))
    resource.setrlimit(resource.RLIMIT_AS, (MAX_BYTES, MAX_BYTES))
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    try:
        if anew:
            return _loaded_anew(mutant, tests)
        _exchange(mutant)
        return _failed([items[test] for test in tests if test in items])
    except BaseException:  # noqa: BLE001 - whatever a fault does, it was noticed
        return 1


def _failed(items: Sequence[pytest.Item]) -> int:
    for item in items:
        if any(report.failed for report in runtestprotocol(item, nextitem=None, log=False)):
            return 1
    return 0


def _exchange(mutant: Mutant) -> None:
    """Give functions that are loaded the code with the fault."""
    path = file_of(mutant.module)
    source = path.read_text()
    was = dict(_codes(compile(source, str(path), "exec")))
    now = dict(_codes(compile(faulty(mutant, source), str(path), "exec")))
    other = {place: code for place, code in now.items() if code != was[place]}
    for found in gc.get_objects():
        if isinstance(found, FunctionType) and found.__module__ == mutant.module:
            code = other.get((found.__code__.co_qualname, found.__code__.co_firstlineno))
            if code is not None:
                found.__code__ = code


def _codes(code: CodeType) -> Iterator[tuple[tuple[str, int], CodeType]]:
    """Return the code of the functions of a module and of its classes, by name and first line."""
    for one in code.co_consts:
        if isinstance(one, CodeType):
            yield (one.co_qualname, one.co_firstlineno), one
            if not one.co_flags & inspect.CO_OPTIMIZED:
                yield from _codes(one)


def _loaded_anew(mutant: Mutant, tests: Sequence[str]) -> int:
    for name in list(sys.modules):
        if name.split(".")[0] in OWN and name != "tests" and not name.startswith("tests.mutation"):
            del sys.modules[name]
    sys.meta_path.insert(0, _Faulty(mutant))
    os.chdir(ROOT)
    files = sorted({test.split("::")[0] for test in tests})
    return int(pytest.main([*QUIET, "-x", *files], plugins=[_Only(tests)]))


class _Faulty(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Finds and loads the one module that has a fault."""

    def __init__(self, mutant: Mutant) -> None:
        self.module = mutant.module
        self.path = file_of(mutant.module)
        self.code: CodeType = compile(faulty(mutant, self.path.read_text()), str(self.path), "exec")

    def find_spec(
        self, fullname: str, _path: object, _target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self.module:
            return None
        return importlib.util.spec_from_file_location(
            fullname,
            self.path,
            loader=self,
            submodule_search_locations=[str(self.path.parent)] if self.path.stem == "__init__" else None,
        )

    def get_source(self, _fullname: str) -> str:
        return self.path.read_text()

    def get_code(self, _fullname: str) -> CodeType:
        return self.code


class _Only:
    """Leaves the named tests of what was collected, in the order of the names."""

    def __init__(self, tests: Sequence[str]) -> None:
        self.order = {test: place for place, test in enumerate(tests)}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = sorted(
            (item for item in items if item.nodeid in self.order), key=lambda item: self.order[item.nodeid]
        )
