"""Tables in Markdown, and what their cells have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

__all__ = ["cells_of", "or_dash", "rams_of", "table"]


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table with a heading."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def cells_of(used: Mapping[str, Any]) -> Mapping[str, int]:
    """The logic cells of a synthesis."""
    return next(used[name] for name in ("LC", "LUT4") if name in used)


def rams_of(used: Mapping[str, Any]) -> list[str]:
    """The memories of a synthesis, in words."""
    return [
        f"{used[name]['used']} {name}"
        for name in ("EBR", "SPRAM", "DP16KD")
        if name in used and used[name]["used"]
    ]


def or_dash(value: Any, shown: Callable[[Any], str] = str) -> str:
    """A value, or the dash of what is not known."""
    return "–" if value is None else shown(value)
