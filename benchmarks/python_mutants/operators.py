"""The mutations of a node of the syntax tree: each a plausible slip of the hand.

What a program says is left alone (messages, help texts), as is what only a type checker reads.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitOr,
    ast.MatMult: ast.Add,
}
NAMES = {"min": "max", "any": "all", "minimum": "maximum", "argmin": "argmax", "floor": "ceil"}
"""Functions that are easily taken for each other."""
NAMES |= {second: first for first, second in NAMES.items()}
TYPES = {"int", "str", "float", "bool", "bytes", "dict", "list", "tuple", "set"}
TEXTS = {"help", "metavar", "title", "description", "epilog", "message", "short_help", "text"}
"""Keywords whose value is read by people alone."""
UNORDERED = {"isinstance", "issubclass", "cast", "getattr", "hasattr", "setattr"}
"""Functions whose arguments nobody would exchange."""
DEFAULTS = {
    "bool": ("False", "True"),
    "int": ("0",),
    "float": ("0.0",),
    "str": ("''",),
    "list": ("[]",),
    "tuple": ("()",),
    "dict": ("{}",),
    "set": ("set()",),
}
"""What a function of a type might return without any thought."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """A mutation of a node: its operator, and the new text of the node."""

    operator: str
    after: str


def expression_changes(node: ast.expr) -> Iterator[Change]:
    """The mutations of an expression itself, not of its parts."""
    match node:
        case ast.Compare():
            for at, operator in enumerate(node.ops):
                changed = copy.deepcopy(node)
                changed.ops[at] = COMPARISONS[type(operator)]()
                yield _change("comparison", changed)
        case ast.BinOp() if not (_speaks(node) or _is_type(node)):
            changed = copy.deepcopy(node)
            changed.op = ARITHMETIC[type(node.op)]()
            yield _change("arithmetic", changed)
        case ast.BoolOp():
            changed = copy.deepcopy(node)
            changed.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
            yield _change("and/or", changed)
        case ast.UnaryOp(op=ast.Not() | ast.USub() | ast.Invert()):
            yield _change("dropped sign", node.operand)
        case ast.Constant(value=bool() as value):
            yield Change(operator="constant", after=str(not value))
        case ast.Constant(value=int() as value):
            yield Change(operator="constant", after=str(value + 1))
            yield Change(operator="constant", after=str(value - 1))
        case ast.Constant(value=float() as value):
            yield Change(operator="constant", after=repr(value * 2 or 1.0))
        case ast.Call():
            yield from _call_changes(node)
        case _:
            pass


def _call_changes(node: ast.Call) -> Iterator[Change]:
    for at, keyword in enumerate(node.keywords):
        if keyword.arg is not None and keyword.arg not in TEXTS:
            changed = copy.deepcopy(node)
            del changed.keywords[at]
            yield _change("dropped keyword", changed)
    called = name_of(node.func)
    ordered = called not in UNORDERED and not any(_speaks(one) for one in node.args)
    if ordered and not any(isinstance(one, ast.Starred) for one in node.args):
        for at in range(len(node.args) - 1):
            changed = copy.deepcopy(node)
            changed.args[at : at + 2] = reversed(changed.args[at : at + 2])
            if ast.dump(changed) != ast.dump(node):
                yield _change("exchanged arguments", changed)
    if called in NAMES:
        changed = copy.deepcopy(node)
        if isinstance(changed.func, ast.Attribute):
            changed.func.attr = NAMES[called]
        elif isinstance(changed.func, ast.Name):
            changed.func.id = NAMES[called]
        yield _change("other function", changed)


def statement_changes(node: ast.stmt, returns: ast.expr | None) -> Iterator[Change]:
    """The mutations of a statement itself; `returns` annotates the function around it."""
    match node:
        case ast.Expr(value=ast.Call()) | ast.AugAssign() | ast.Delete():
            yield Change(operator="dropped statement", after="pass")
        case ast.Raise() | ast.Break() | ast.Continue():
            yield Change(operator="dropped statement", after="pass")
        case ast.Assign() if not any(isinstance(one, ast.Name) for one in node.targets):
            # A name that is never assigned fails at once, and says nothing about the tests.
            if not any(isinstance(one, ast.Tuple) for one in node.targets):
                yield Change(operator="dropped statement", after="pass")
        case ast.Return(value=ast.expr() as value):
            for default in _defaults(returns):
                if default != ast.unparse(value):
                    yield Change(operator="returned default", after=f"return {default}")
        case _:
            pass
    if isinstance(node, ast.AugAssign):
        changed = copy.deepcopy(node)
        changed.op = ARITHMETIC[type(node.op)]()
        yield _change("arithmetic", changed)


def negated(test: ast.expr) -> Change | None:
    """The condition, turned round; None where another mutation does the same."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return None
    ordered = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
    if isinstance(test, ast.Compare) and len(test.ops) == 1 and type(test.ops[0]) not in ordered:
        return None
    return Change(operator="negated condition", after=f"not ({ast.unparse(test)})")


def name_of(function: ast.expr) -> str:
    """The last name of what is called: `argmax` of `np.argmax`."""
    match function:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
        case _:
            return ""


def _change(operator: str, node: ast.AST) -> Change:
    return Change(operator=operator, after=ast.unparse(node))


def _speaks(node: ast.expr) -> bool:
    """Whether an expression is, or is made from, text."""
    match node:
        case ast.JoinedStr() | ast.Constant(value=str() | bytes()):
            return True
        case ast.BinOp():
            return _speaks(node.left) or _speaks(node.right)
        case _:
            return False


def _is_type(node: ast.expr) -> bool:
    """Whether an expression is a union of types: `Shift | Decay | None`."""
    match node:
        case ast.BinOp(op=ast.BitOr()):
            return _is_type(node.left) and _is_type(node.right)
        case ast.Constant(value=None):
            return True
        case ast.Subscript():
            return _is_type(node.value)
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in TYPES or (name[:1].isupper() and not name.isupper())
        case _:
            return False


def _defaults(returns: ast.expr | None) -> tuple[str, ...]:
    match returns:
        case ast.BinOp(op=ast.BitOr(), right=ast.Constant(value=None)):
            return ("None",)
        case ast.Subscript(value=ast.Name(id=name)) | ast.Name(id=name):
            return DEFAULTS.get(name, ())
        case _:
            return ()
