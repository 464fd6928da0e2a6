"""Every mutant of a module: where it is, what it reads before and after."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from python_mutants.operators import (
    TEXTS,
    Change,
    expression_changes,
    name_of,
    negated,
    statement_changes,
)

MESSAGES = {"note", "step", "track", "debug", "info", "warning"}
"""Methods that speak to a person: of the console, and of a logger."""
GATEWARE = "Module"
"""A function that is given Amaranth's module belongs to `elaborate`."""
IMPORT = ""
"""The function of a mutant that takes effect when its module is imported."""


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """A change of one place in one module.

    Attributes:
        module: path of the file, from the root.
        function: qualified name of the function around it, or `IMPORT`.
        operator: kind of the mutation.
        before: text of the mutated node.
        after: text in its place.
        source: its line, for a reader and for the name.
        number: among mutants that read the same in the same function.
        start: offset of the node in the file, in bytes.
        end: its end.
        lines: first and last line of the node.
    """

    module: str
    function: str
    operator: str
    before: str
    after: str
    source: str
    number: int = 0
    start: int
    end: int
    lines: tuple[int, int]

    @property
    def name(self) -> str:
        """Tells the mutant from all others, and stays when lines are added above it."""
        number = f" #{self.number}" if self.number else ""
        change = f"{_short(self.before)} => {_short(self.after)}"
        return f"{self.module} {self.function or '(import)'}: {change} in {self.source}{number}"

    def apply(self, text: bytes) -> bytes:
        """The mutated file."""
        return text[: self.start] + self.after.encode() + text[self.end :]


def find_mutants(module: str, text: bytes) -> list[Mutant]:
    """All mutants of a module, in the order of its lines."""
    finder = _Finder(module, text)
    found = sorted(finder.module(ast.parse(text)), key=lambda one: (one.start, one.end))
    seen: Counter[str] = Counter()
    numbered = []
    for mutant in found:
        numbered.append(replace(mutant, number=seen[mutant.name]))
        seen[mutant.name] += 1
    return numbered


def sources(root: Path) -> list[str]:
    """The modules that are mutated."""
    packages = ("sw/spikeloom", "hw/spikeloom_hw", "cosim/spikeloom_cosim")
    found = (path for package in packages for path in (root / package).rglob("*.py"))
    # A property of the formal proof is gateware too: an assertion in the netlist.
    kept = (path for path in found if path.parent.name != "properties")
    return sorted(str(path.relative_to(root)) for path in kept)


class _Finder:
    def __init__(self, module: str, text: bytes) -> None:
        self._module = module
        self._text = text
        self._starts = [0]
        for line in text.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))

    def module(self, tree: ast.Module) -> Iterator[Mutant]:
        for node in tree.body:
            yield from self._statement(node, (), None, inside=False)

    def _statement(
        self, node: ast.stmt, names: tuple[str, ...], returns: ast.expr | None, *, inside: bool
    ) -> Iterator[Mutant]:
        function = ".".join(names) if inside else IMPORT
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                if _is_gateware(node):
                    return
                for value in (*node.decorator_list, *node.args.defaults, *node.args.kw_defaults):
                    if value is not None:
                        yield from self._expression(value, function)
                for one in node.body:
                    yield from self._statement(one, (*names, node.name), node.returns, inside=True)
                return
            case ast.ClassDef():
                for value in node.decorator_list:
                    yield from self._expression(value, function)
                for one in node.body:
                    yield from self._statement(one, (*names, node.name), None, inside=inside)
                return
            case ast.Import() | ast.ImportFrom() | ast.Assert():
                return
            case ast.Expr(value=ast.Call(func=called)) if name_of(called) in MESSAGES:
                return
            case ast.Raise():
                yield from self._made(node, statement_changes(node, returns), function)
                return
            case ast.AnnAssign():
                yield from self._limits(node.annotation, function)
                if node.value is not None:
                    yield from self._expression(node.value, function)
                return
            case ast.Assign(targets=[ast.Name(id="__all__")]):
                return
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                return
            case ast.If(test=ast.Compare(left=ast.Name(id="__name__"))):
                return
            case ast.If() | ast.While():
                yield from self._made(node.test, _one(negated(node.test)), function)
            case _:
                pass
        yield from self._made(node, statement_changes(node, returns), function)
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.stmt):
                yield from self._statement(child, names, returns, inside=inside)
            elif isinstance(child, ast.ExceptHandler | ast.match_case):
                yield from self._block(child, names, returns, inside=inside)
            elif isinstance(child, ast.withitem):
                yield from self._expression(child.context_expr, function)
            elif isinstance(child, ast.expr):
                yield from self._expression(child, function)

    def _block(
        self,
        node: ast.ExceptHandler | ast.match_case,
        names: tuple[str, ...],
        returns: ast.expr | None,
        *,
        inside: bool,
    ) -> Iterator[Mutant]:
        function = ".".join(names) if inside else IMPORT
        if isinstance(node, ast.match_case) and node.guard is not None:
            yield from self._made(node.guard, _one(negated(node.guard)), function)
            yield from self._expression(node.guard, function)
        for one in node.body:
            yield from self._statement(one, names, returns, inside=inside)

    def _expression(self, node: ast.expr, function: str) -> Iterator[Mutant]:
        match node:
            case ast.JoinedStr():  # a message; and Python 3.11 does not know the places in it
                return
            case ast.Lambda():
                yield from self._expression(node.body, function)
                return
            case ast.IfExp():
                yield from self._made(node.test, _one(negated(node.test)), function)
            case _:
                pass
        yield from self._made(node, expression_changes(node), function)
        speaks = isinstance(node, ast.Call) and name_of(node.func) in MESSAGES
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr) and not speaks:
                yield from self._expression(child, function)
            elif isinstance(child, ast.keyword) and child.arg not in TEXTS:
                yield from self._expression(child.value, function)
            elif isinstance(child, ast.comprehension):
                yield from self._expression(child.iter, function)
                for test in child.ifs:
                    yield from self._made(test, _one(negated(test)), function)
                    yield from self._expression(test, function)

    def _limits(self, annotation: ast.expr, function: str) -> Iterator[Mutant]:
        """What an annotation asks of a value that is decoded: `Meta(ge=1)`."""
        for node in ast.walk(annotation):
            if isinstance(node, ast.Call):
                yield from self._expression(node, function)

    def _made(
        self, node: ast.expr | ast.stmt, changes: Iterator[Change], function: str
    ) -> Iterator[Mutant]:
        start = self._starts[node.lineno - 1] + node.col_offset
        end_line = node.end_lineno or node.lineno
        end = self._starts[end_line - 1] + (node.end_col_offset or 0)
        line = self._text[self._starts[node.lineno - 1] : self._starts[node.lineno]]
        for change in changes:
            enclosed = isinstance(node, ast.expr) and not isinstance(node, ast.Constant)
            yield Mutant(
                module=self._module,
                function=function,
                operator=change.operator,
                before=self._text[start:end].decode(),
                after=f"({change.after})" if enclosed else change.after,
                source=" ".join(line.decode().split()),
                start=start,
                end=end,
                lines=(node.lineno, end_line),
            )


def _one(change: Change | None) -> Iterator[Change]:
    if change is not None:
        yield change


def _is_gateware(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    if node.name == "elaborate":
        return True
    arguments = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
    return any(one.annotation and ast.unparse(one.annotation) == GATEWARE for one in arguments)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else f"{line[:57]}..."
