"""Files after a run of the setters, held against what image-automation-controller wrote."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from policies.errors import PolicyError
from policies.manifests import setters
from policies.manifests.places import ProblemCode
from tests.conformance.setters_differences import RULES, rule_of, same_values
from tests.conformance_data import FOLDER, Conformance

FOLDERS = ("setters", "setters_observed")
Change = tuple[str, str, str, str]  # file, old, new, setter
BYTE_ORDER_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"
MARKER = '{"$imagepolicy": "n:a:tag"}'


@dataclass(frozen=True, slots=True)
class Run:
    """What became of a tree."""

    files: Mapping[str, bytes]
    changes: list[Change]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make one test of each case."""
    if "case" not in metafunc.fixturenames:
        return
    rows = [
        pytest.param(folder, case, id=f"{folder}-{case['id']}")
        for folder in FOLDERS
        if (FOLDER / folder / "cases.json").is_file()
        for case in json.loads((FOLDER / folder / "cases.json").read_text(encoding="utf-8"))
    ]
    absent = pytest.mark.skip(reason=f"no conformance data in {FOLDER}")
    metafunc.parametrize(("folder", "case"), rows or [pytest.param("", None, marks=absent)])


def test_the_scalars_are_those_of_the_original(
    folder: str, case: dict[str, Any], conformance: Conformance
) -> None:
    conformance.case(folder)
    place = FOLDER / folder / case["id"]
    original = tree(place / "original")

    if case["want"] == "error":
        with pytest.raises(PolicyError):
            run(case, original)
        return
    ours, theirs = run(case, original), tree(place / "expected")

    assert_only_scalars_changed(original, ours)
    if same_values(ours.files, theirs):
        assert sorted(ours.changes) == sorted(wanted_changes(case, original))
    else:
        rule = rule_of(original, ours.files, theirs)
        assert rule in RULES
        conformance.different(rule)


def tree(root: Path) -> dict[str, bytes]:
    """Read every file below ``root``; a link is not a file of its own."""
    paths = (path for path in sorted(root.rglob("*")) if path.is_file() and not path.is_symlink())
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in paths}


def run(case: dict[str, Any], original: Mapping[str, bytes]) -> Run:
    """Set the markers of a tree as the case says. Raises: PolicyError, where nothing may be done."""
    policies = {
        f"{policy['namespace']}:{policy['name']}": setters.latest(policy["ref"])
        for policy in case["policies"]
        if policy.get("ref")  # one without a latest image sets nothing
    }
    folder = setters.scope(case["update"])
    chosen = [path for path in original if setters.in_scope(path, folder)]
    if folder and not chosen:
        raise PolicyError(f"there is nothing at {folder!r}; expected a file or a folder of the repository")
    settings = {path: setters.set_markers(path, original[path], policies, folder=folder) for path in chosen}
    stopped = [
        problem.detail
        for setting in settings.values()
        for problem in setting.problems
        if problem.code == ProblemCode.FOREIGN_PATH
    ]
    if stopped:
        raise PolicyError(stopped[0])
    return Run(
        {path: settings[path].content if path in settings else content for path, content in original.items()},
        [
            (path, change.old, change.new, change.where.removeprefix("marker:"))
            for path, setting in settings.items()
            for change in setting.changes
        ],
    )


def wanted_changes(case: dict[str, Any], original: Mapping[str, bytes]) -> list[Change]:
    """Return the case's changes, their files counted from the root as ours are.

    Flux writes through a link as well, and says so; we meet that file under its own name only.
    """
    folder = setters.scope(case["update"])
    changes = []
    for change in case["changes"]:
        is_file = folder == change["file"] or folder.endswith("/" + change["file"])
        file = folder if is_file else f"{folder}/{change['file']}" if folder else change["file"]
        if file in original:
            changes.append((file, change["old"], change["new"], change["setter"]))
    return changes


def assert_only_scalars_changed(original: Mapping[str, bytes], ours: Run) -> None:
    """Compare line by line: a changed line is the old one, with one of its scalars become a new value."""
    assert ours.files.keys() == original.keys()
    for path, before in original.items():
        if before == ours.files[path]:
            continue
        changes = [(old, new) for file, old, new, _ in ours.changes if file == path]
        old_lines, new_lines = before.decode().split("\n"), ours.files[path].decode().split("\n")
        pairs = zip(old_lines, new_lines, strict=True)
        changed = [(number, new) for number, (old, new) in enumerate(pairs) if old != new]
        assert len(changed) == len(changes)
        scalars = scalars_by_line(before)
        for number, new in changed:
            assert any(new in replaced(old_lines[number], scalars[number], *change) for change in changes)


def scalars_by_line(content: bytes) -> dict[int, list[tuple[str, int, int]]]:
    """Return the values of each line, and where they begin and end in it."""
    text = content.decode()
    ahead = len(text) - len(text.removeprefix(BYTE_ORDER_MARK))
    found: dict[int, list[tuple[str, int, int]]] = {}
    for event in yaml.parse(text.removeprefix(BYTE_ORDER_MARK), Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.ScalarEvent):
            begin, end = cast("yaml.Mark", event.start_mark), cast("yaml.Mark", event.end_mark)
            shift = ahead if begin.line == 0 else 0
            found.setdefault(begin.line, []).append((event.value, begin.column + shift, end.column + shift))
    return found


def replaced(line: str, scalars: list[tuple[str, int, int]], old: str, new: str) -> set[str]:
    """Return the line with a scalar that says ``old`` become ``new``: in its quotes, or in new ones."""
    results = set()
    for value, begin, end in scalars:
        if value == old:
            properties = re.match(r"(?:[&!]\S*\s+)*", line[begin:end])
            start = begin + (properties.end() if properties else 0)
            quotes = {line[start]} if line[start:end][:1] in {"'", '"'} else {"", '"'}
            results |= {line[:start] + quote + new + quote + line[end:] for quote in quotes}
    return results


def case_of(text: str, wanted: str, *, tag: str = "v2", made: str = "") -> tuple[str | None, bool]:
    """Run one file with one policy; say which rule forgives the difference from ``wanted``, and if there is none."""
    original, theirs = {"a.yaml": text.encode()}, {"a.yaml": wanted.encode()}
    if made:
        theirs["made.yaml"] = made.encode()
    case = {"policies": [{"namespace": "n", "name": "a", "ref": f"r/a:{tag}"}], "update": {"path": ""}}
    ours = run(case, original).files
    return rule_of(original, ours, theirs), same_values(ours, theirs)


def test_each_file_may_differ_by_a_rule_of_its_own() -> None:
    original = {
        "a": f"a: 1.0 # {MARKER}".encode(),
        "b": f"a: |- # {MARKER}\n  v1\n".encode(),
        "c": b"{{ .x }}",
    }
    ours = {**original, "a": f"a: v2 # {MARKER}".encode()}

    assert rule_of(original, ours, {**original, "a": b"a: !!float v2", "b": b"a: v2"}) == "typed-value"
    assert rule_of(original, ours, {**original, "a": b"a: !!float v2", "b": b"a: v3"}) is not None
    assert rule_of(original, ours, {**original, "a": b"a: !!float v3", "b": b"a: v2"}) is None
    assert rule_of(original, ours, {**original, "a": b"a: !!float v2", "c": b"a: v2"}) is None


LIST = f"kind: List\nitems:\n- kind: A\n  tag: TAG # {MARKER}\n- kind: B\n"


@pytest.mark.parametrize(
    ("text", "wanted", "rule", "same"),
    [
        (f"tag: 1.0 # {MARKER}", "tag: !!float v2", "typed-value", False),
        (f"tag: '1.0' # {MARKER}", "tag: !!float v2", None, False),
        (f"tag: v1 # {MARKER}", "tag: !!float v2", None, False),
        (f"tag: 1.0 # {MARKER}", "tag: !!float v3", None, False),
        (f"tag: 1.0 # {MARKER}\nb: 1", "tag: !!float v2\nb: '1'", None, False),
        (f"tag: 1.0 # {MARKER}\nb: 1", "tag: !!float v2", None, False),
        (f"tag: 1.0 # {MARKER}", "tag: 'v2'", "typed-value", True),
        ("tag: 1.0", "tag: v2", None, False),
        (f"a: |- # {MARKER}\n  v1\n", "a: v2", "several-lines", False),
        (f"a: |- # {MARKER}\n  v1\nb: v1 # {MARKER}", "a: v2\nb: v2", "several-lines", False),
        (f"a: |- # {MARKER}\n  v1\nb: v1 # {MARKER}", "a: v2\nb: v3", None, False),
        (f"a: |- # {MARKER}\n  v1\nb: v1 # {MARKER}", "a: v2", None, False),
        ("a: |-\n  v1\n", "a: v2", None, False),
        (f"tag: 1e3 # {MARKER}", "tag: !!float v2", "typed-value", False),
        (f"tag: !!int 3 # {MARKER}", "tag: !!int v2", "typed-value", False),
        (f"tag: !!int 3 # {MARKER}\nb: 1", "tag: !!int v2\nb: 2", None, False),
        (f"# {MARKER}\ntag: 1.0", "tag: !!float v2", None, False),
        (f"a:\n# {MARKER}\n- 1.0", "a:\n- !!float v2", "typed-value", False),
        (f"%YAML 1.1\n---\na: v1 # {MARKER}", f"%YAML 1.1\n---\na: v1 # {MARKER}", "cut-wrongly", False),
        (f"%YAML 1.1\n---\na: v1 # {MARKER}", "a: v3", None, False),
        (f"a: v1 # {MARKER}\n--- {{b: 1}}", f"a: v1 # {MARKER}\n--- {{b: 1}}", "cut-wrongly", False),
        (f"a: v1 # {MARKER}\n--- # b\nb: 1", f"a: v1 # {MARKER}\n--- # b\nb: 1", None, False),
        (f"a: &x 1\nb: &x v1 # {MARKER}", "a: &x 1\nb: &x v2", None, True),
        (f"tag:   v1  #  {MARKER}\n\n\nb:\n    - c\n", f"tag: v2 # {MARKER}\nb:\n- c\n", None, True),
    ],
)
def test_a_rule_is_narrow(text: str, wanted: str, rule: str | None, same: bool) -> None:  # noqa: FBT001  a table
    found, is_same = case_of(text, wanted)

    assert (is_same or found, is_same) == (same or rule, same)


@pytest.mark.parametrize(
    ("kept", "made", "rule"),
    [
        ("v1", "kind: A\ntag: v2\n", "kind-list"),
        ("v1", "kind: A\ntag: v3\n", None),
        ("v1", "kind: B\ntag: v2\n", None),
        ("v3", "kind: A\ntag: v2\n", None),
        ("v1", "", None),
    ],
)
def test_only_a_file_that_is_an_item_of_the_list_is_forgiven(kept: str, made: str, rule: str | None) -> None:
    assert case_of(LIST.replace("TAG", "v1"), LIST.replace("TAG", kept), made=made) == (rule, False)
