"""Where the bot writes to the outside, found in its source, and whether each such call stands between crash points."""

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

# the calls by which something leaves the process: last names of what is called, and on what
WRITES: Mapping[str, tuple[str, ...]] = {
    "push": ("mirror",),
    "write": ("wire",),
    "change": ("acts",),
    "show": ("chat",),
    "withdraw": ("chat",),
    "commit": ("db", "_db"),
    "chat_postMessage": ("client",),
    "chat_postEphemeral": ("client",),
    "chat_update": ("client",),
    "chat_delete": ("client",),
    "conversations_open": ("client",),
    "views_open": ("client",),
    "views_push": ("client",),
    "views_update": ("client",),
    "views_publish": ("client",),
    "files_upload_v2": ("client",),
    "reactions_add": ("client",),
    "send": ("hook",),
}
# whose calls are their callers': they speak for a port (`Outbox` and the forge have the points), or are ways in a list
ADAPTERS = frozenset({"SlackChat", "Acts", "Replies"})


Private = tuple[str, str]  # a class ('' = none), and a private function of it that writes


@dataclass(frozen=True, slots=True)
class Call:
    """One call that writes: where, in which function of which class, and how it is spelled."""

    file: str
    line: int
    owner: str
    function: str
    spelled: str

    def __str__(self) -> str:
        """Name it."""
        return f"{self.file}:{self.line}: {self.spelled} in {self.owner}{'.' if self.owner else ''}{self.function}"


@dataclass(frozen=True)
class _Function:
    file: str
    owner: str
    node: ast.FunctionDef

    @cached_property
    def calls(self) -> dict[str, list[ast.Call]]:
        """What it calls, by the last name of each."""
        found: dict[str, list[ast.Call]] = {}
        for node in ast.walk(self.node):
            if isinstance(node, ast.Call):
                found.setdefault(_last(node.func), []).append(node)
        return found

    @cached_property
    def points(self) -> dict[str, list[int]]:
        """Its crash points by what is before their name: ``before`` or ``after``, and their lines."""
        found: dict[str, list[int]] = {"before": [], "after": []}
        for node in self.calls.get("point", []):
            if node.args:
                spelled = ast.unparse(node.args[0]).lstrip("f'\"")
                found.setdefault(spelled.partition("-")[0], []).append(node.lineno)
        return found

    def is_between(self, call: ast.Call) -> bool:
        """Whether a crash point stands before the call and one behind it."""
        points = self.points
        end = call.end_lineno or call.lineno
        return any(line < call.lineno for line in points["before"]) and any(
            line > end for line in points["after"]
        )


def outside(folders: Iterable[Path]) -> list[Call]:
    """Return every writing call that is not between crash points, neither itself nor wherever its function is called.

    A private function that writes is a write of those who call it; a public one, and one that nobody calls, has to
    have points of its own.
    """
    functions = [
        one for folder in folders for path in sorted(folder.rglob("*.py")) for one in _functions(path)
    ]
    private: set[Private] = set()
    while True:
        naked = list(_naked(functions, private))
        inner = {
            (one.owner, one.function)
            for one in naked
            if _is_inner(one) and _is_called(functions, one.function)
        }
        if inner <= private:
            break
        private |= inner
    return [one for one in naked if (one.owner, one.function) not in private and one.owner not in ADAPTERS]


def _is_inner(call: Call) -> bool:
    return call.function.startswith("_") and not call.function.startswith("__")


def _is_called(functions: list[_Function], name: str) -> bool:
    return any(name in one.calls for one in functions if one.node.name != name)


def _naked(functions: list[_Function], private: set[Private]) -> Iterator[Call]:
    own = {(one.file, one.owner, one.node.name) for one in functions}
    for function in functions:
        some = {*WRITES, *(name for _, name in private)}.intersection(function.calls)
        for node in (one for name in sorted(some) for one in function.calls[name]):
            name = _last(node.func)
            is_own = (function.file, function.owner, name) in own and ast.unparse(node.func) == f"self.{name}"
            owners = {function.owner} if is_own else {owner for owner, one in private if one == name}
            if not (_writes(node) or any((owner, name) in private for owner in owners)):
                continue
            if not function.is_between(node):
                spelled = ast.unparse(node.func)
                yield Call(function.file, node.lineno, function.owner, function.node.name, spelled)


def _writes(call: ast.Call) -> bool:
    name = _last(call.func)
    if name not in WRITES or not isinstance(call.func, ast.Attribute):
        return False
    return _last(call.func.value).lstrip("_") in {one.lstrip("_") for one in WRITES[name]}


def _last(node: ast.expr) -> str:
    match node:
        case ast.Attribute():
            return node.attr
        case ast.Name():
            return node.id
        case _:
            return ""


def _functions(path: Path) -> Iterator[_Function]:
    """Yield a module's functions; what is written within one belongs to it."""
    tree = ast.parse(path.read_text("utf-8"))
    name = f"{path.parent.name}/{path.name}"
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            yield from (
                _Function(name, node.name, one) for one in node.body if isinstance(one, ast.FunctionDef)
            )
        elif isinstance(node, ast.FunctionDef):
            yield _Function(name, "", node)
