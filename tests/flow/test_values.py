"""What holds values does not change: dataclasses and structs are frozen, except a few."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
CHANGING = """
    BoardResult Execution Fidelity Progress Result Shapes StepState Tally _Compilation _Pending
    _Place _Run _Schema _Seen _Tables
"""
"""They collect what comes to pass: counts, states, a graph that is being built."""


def classes() -> Iterator[tuple[str, bool]]:
    """Name of each dataclass or struct, and whether it is frozen."""
    for package in ("sw", "hw", "cosim"):
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.ClassDef) and (found := _frozen(node)) is not None:
                    yield node.name, found


def _frozen(node: ast.ClassDef) -> bool | None:
    """None where it is neither."""
    for decorator in node.decorator_list:
        if ast.unparse(decorator).split("(")[0] in ("dataclass", "dataclasses.dataclass"):
            return isinstance(decorator, ast.Call) and _says(decorator.keywords)
    if any(ast.unparse(base) == "msgspec.Struct" for base in node.bases):
        return _says(node.keywords)
    return None


def _says(keywords: list[ast.keyword]) -> bool:
    return any(key.arg == "frozen" and ast.unparse(key.value) == "True" for key in keywords)


def test_values_are_frozen():
    found = list(classes())
    assert len(found) > 200
    assert sorted(name for name, frozen in found if not frozen) == CHANGING.split()
