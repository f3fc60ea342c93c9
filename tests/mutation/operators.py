"""Small faults in Python source: each one change of a module's syntax tree that a test should notice."""

import ast
import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

Made = tuple[ast.AST, str]  # what stands there instead, and what is said of it

_COMPARED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
_COUNTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
_NAMED = {"any": "all", "all": "any", "min": "max", "max": "min"}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One fault. ``place`` counts the nodes of the tree, ``nth`` the faults that can be made of that node.

    ``is_inside``: it stands in the body of a function, so that nothing else runs differently when the module loads.
    """

    module: str
    line: int
    place: int
    nth: int
    what: str
    is_inside: bool

    @property
    def name(self) -> str:
        """What it is, wherever the line has gone to."""
        return f"{self.module}: {self.what}"

    def __str__(self) -> str:
        return f"{self.module}:{self.line}: {self.what}"


def mutants(module: str, source: str) -> tuple[Mutant, ...]:
    """Return every fault that can be made of a module."""
    tree = ast.parse(source)
    quiet, lines = _quiet(tree), _lines(tree)
    inside = {id(node) for function in _functions(tree) for part in function.body for node in ast.walk(part)}
    return tuple(
        Mutant(module, lines[id(node)], place, nth, what, id(node) in inside)
        for place, node in enumerate(ast.walk(tree))
        if id(node) not in quiet
        for nth, (_, what) in enumerate(_faults(node))
    )


def faulty(mutant: Mutant, source: str) -> ast.Module:
    """Return the module's tree with that fault in it."""
    tree = ast.parse(source)
    node = next(node for place, node in enumerate(ast.walk(tree)) if place == mutant.place)
    made, _ = list(_faults(node))[mutant.nth]
    _Put(node, made).visit(tree)
    return ast.fix_missing_locations(tree)


def _functions(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    yield from (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def _lines(tree: ast.Module) -> dict[int, int]:
    """Return each node's line; that of the node around it where it has none."""
    found = {id(tree): 0}
    for node in ast.walk(tree):
        for child in ast.iter_child_nodes(node):
            found[id(child)] = getattr(child, "lineno", found[id(node)])
    return found


class _Put(ast.NodeTransformer):
    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self.old, self.new = old, new

    def visit(self, node: ast.AST) -> ast.AST:
        if node is self.old:
            return ast.copy_location(self.new, node)
        return self.generic_visit(node)


def _quiet(tree: ast.Module) -> set[int]:
    """Return nodes whose change means nothing when it runs: docstrings, types, decorators, what ``*`` would import."""
    found: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            found |= {id(node), id(node.value)}
        for name in ("annotation", "returns", "decorator_list"):
            told = getattr(node, name, None) or []
            for one in told if isinstance(told, list) else [told]:
                found |= {id(inside) for inside in ast.walk(one)}
        if isinstance(node, ast.Assign) and (_is_alias(node) or _is_export(node)):
            found |= {id(inside) for inside in ast.walk(node)}
    return found


def _is_alias(node: ast.Assign) -> bool:
    """Whether a type is given a name: ``Gate = Callable[[Case], Verdict]``."""
    return isinstance(node.value, ast.Subscript) and isinstance(node.targets[0], ast.Name)


def _is_export(node: ast.Assign) -> bool:
    """Whether names are listed that ``import *`` would bring; nobody here says that."""
    return isinstance(node.targets[0], ast.Name) and node.targets[0].id == "__all__"


def _faults(node: ast.AST) -> Iterator[Made]:
    for kind, make in _MAKERS:
        if isinstance(node, kind):
            yield from make(node)


def _of(node: ast.AST, **fields: object) -> ast.AST:
    made = copy.copy(node)
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def _shown(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) < 70 else f"{text[:67]}..."


def _not(node: ast.expr) -> ast.expr:
    return ast.UnaryOp(ast.Not(), node)


def _compared(node: ast.Compare) -> Iterator[Made]:
    for index, op in enumerate(node.ops):
        for other in _COMPARED[type(op)]:
            made = _of(node, ops=[*node.ops[:index], other(), *node.ops[index + 1 :]])
            yield made, f"{_shown(node)} -> {_shown(made)}"


def _joined(node: ast.BoolOp) -> Iterator[Made]:
    other = _of(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
    yield other, f"{_shown(node)} -> {_shown(other)}"
    for made, without in _without(node, "values", node.values):
        yield (made.values[0] if isinstance(made, ast.BoolOp) and len(made.values) == 1 else made), without


def _without(node: ast.AST, field: str, parts: Sequence[ast.AST]) -> Iterator[Made]:
    for index, part in enumerate(parts):
        left = [*parts[:index], *parts[index + 1 :]]
        yield _of(node, **{field: left}), f"{_shown(node)}: without {_shown(part)}"


def _listed(node: ast.Tuple | ast.List | ast.Set) -> Iterator[Made]:
    if isinstance(getattr(node, "ctx", ast.Load()), ast.Load) and not isinstance(node, ast.Tuple):
        yield from _without(
            node, "elts", node.elts if len(node.elts) > 1 or not isinstance(node, ast.Set) else []
        )


def _tabled(node: ast.Dict) -> Iterator[Made]:
    for index, value in enumerate(node.values):
        made = _of(
            node,
            keys=[*node.keys[:index], *node.keys[index + 1 :]],
            values=[*node.values[:index], *node.values[index + 1 :]],
        )
        yield made, f"{_shown(node)}: without the one of {_shown(value)}"


def _counted(node: ast.BinOp) -> Iterator[Made]:
    other = _COUNTED.get(type(node.op))
    if other is not None:
        made = _of(node, op=other())
        yield made, f"{_shown(node)} -> {_shown(made)}"
    if isinstance(node.op, (ast.BitOr, ast.BitAnd)):
        yield node.left, f"{_shown(node)} -> {_shown(node.left)}"
        yield node.right, f"{_shown(node)} -> {_shown(node.right)}"


def _denied(node: ast.UnaryOp) -> Iterator[Made]:
    if isinstance(node.op, (ast.Not, ast.USub)):
        yield node.operand, f"{_shown(node)} -> {_shown(node.operand)}"


def _asked(node: ast.If | ast.IfExp | ast.While) -> Iterator[Made]:
    if not isinstance(node.test, (ast.Compare, ast.UnaryOp)):
        yield _of(node, test=_not(node.test)), f"if {_shown(node.test)}: the other way"


def _filtered(node: ast.comprehension) -> Iterator[Made]:
    for made, what in _without(node, "ifs", node.ifs):
        yield made, f"for {what}"


def _constant(node: ast.Constant) -> Iterator[Made]:
    match node.value:
        case bool():
            yield ast.Constant(not node.value), f"{node.value} -> {not node.value}"
        case int():
            yield ast.Constant(node.value + 1), f"{node.value} -> {node.value + 1}"
        case str():
            yield ast.Constant(f"{node.value}~"), f"{node.value[:50]!r} -> {f'{node.value[:50]}~'!r}"
        case _:
            return


def _called(node: ast.Call) -> Iterator[Made]:
    if isinstance(node.func, ast.Name) and node.func.id in _NAMED:
        made = _of(node, func=ast.Name(_NAMED[node.func.id], ast.Load()))
        yield made, f"{_shown(node)} -> {_shown(made)}"


def _returned(node: ast.Return) -> Iterator[Made]:
    if node.value is None or (isinstance(node.value, ast.Constant) and node.value.value is None):
        return
    if not isinstance(node.value, (ast.Compare, ast.Constant, ast.BoolOp)):
        yield _of(node, value=ast.Constant(None)), f"{_shown(node)} -> return None"
    if isinstance(node.value, (ast.BoolOp, ast.Call)):
        yield _of(node, value=_not(node.value)), f"{_shown(node)} -> return not"


def _done(node: ast.Expr | ast.AugAssign | ast.Continue | ast.Break) -> Iterator[Made]:
    if isinstance(node, ast.Expr) and not isinstance(node.value, ast.Call):
        return
    yield ast.Pass(), f"{_shown(node)} -> pass"


_MAKERS: tuple[tuple[type | tuple[type, ...], Callable[..., Iterator[Made]]], ...] = (
    (ast.Compare, _compared),
    (ast.BoolOp, _joined),
    ((ast.Tuple, ast.List, ast.Set), _listed),
    (ast.Dict, _tabled),
    (ast.BinOp, _counted),
    (ast.UnaryOp, _denied),
    ((ast.If, ast.IfExp, ast.While), _asked),
    (ast.comprehension, _filtered),
    (ast.Constant, _constant),
    (ast.Call, _called),
    (ast.Return, _returned),
    ((ast.Expr, ast.AugAssign, ast.Continue, ast.Break), _done),
)
