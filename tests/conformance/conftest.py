"""One pytest case for each case of the conformance data. A module says which files and kinds it judges.

``FILES`` names the files, ``in_scope(case)`` says whether a case can be reached by an ImagePolicy or an
ImageRepository. A test that asks for ``file`` and ``case`` gets the cases in scope; one that asks for ``file`` and
``cases`` gets whole files.
"""

import json
from typing import Any

import pytest

from tests.conformance_data import FOLDER


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Hand the cases of the module's files to its tests."""
    wanted = {"case", "cases"} & set(metafunc.fixturenames)
    files = getattr(metafunc.module, "FILES", ())
    if not wanted or not files:
        return
    name = wanted.pop()
    rows = [row for file in files if (FOLDER / file).is_file() for row in _rows(metafunc.module, file, name)]
    absent = pytest.mark.skip(reason=f"no conformance data in {FOLDER}")
    metafunc.parametrize(("file", name), rows or [pytest.param("", None, marks=absent)])


def _rows(module: Any, file: str, name: str) -> list[Any]:
    """Return the parameters of one file: a row for each case in scope, or one with all of its cases."""
    cases: list[dict[str, Any]] = json.loads((FOLDER / file).read_text(encoding="utf-8"))
    stem = file.removesuffix(".json")
    if name == "cases":
        return [pytest.param(file, cases, id=stem)]
    return [
        pytest.param(file, case, id=f"{stem}-{number}-{case['kind']}")
        for number, case in enumerate(cases)
        if module.in_scope(case)
    ]
