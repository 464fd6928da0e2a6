"""The score of a campaign, by package and by group of modules, and every survivor."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

from python_mutants.trial import Row

EXPLAINED = Path(__file__).parent / "explained.toml"
EQUIVALENT = "Equivalent:"
"""Begins the explanation of a mutant that no input tells from the original."""
GROUPS = (
    *("checker", "expectation", "monitor", "equivalence"),
    *("reference", "packing", "arithmetic", "sparsity"),
)
"""Modules that everything else is trusted by: a file or a folder of this name."""
KILLED = {"killed", "timeout"}


def group_of(module: str) -> str | None:
    """The group of a module, if it is in one."""
    parts = (*PurePosixPath(module).parts, PurePosixPath(module).stem)
    return next((name for name in GROUPS if name in parts), None)


def explanations() -> dict[str, str]:
    """Why a mutant survives, by its name."""
    return tomllib.loads(EXPLAINED.read_text()).get("survivors", {})


def document(rows: Sequence[Row], settings: dict[str, Any], failing: list[str]) -> dict[str, Any]:
    """The results of a campaign."""
    known = explanations()
    survivors = [
        {"name": row.name, "fate": row.fate, "left": row.left, "explanation": known.get(row.name)}
        for row in rows
        if row.fate not in KILLED
    ]
    return {
        "schema": 1,
        **settings,
        **score(rows, known),
        "packages": _scores(rows, known, lambda row: row.module.partition("/")[0]),
        "groups": _scores(rows, known, lambda row: group_of(row.module)),
        "operators": _scores(rows, known, lambda row: row.operator),
        "excluded_tests": failing,
        "survivors": survivors,
        "rows": msgspec.to_builtins(rows),
    }


def score(rows: Iterable[Row], known: dict[str, str]) -> dict[str, Any]:
    """Counts of a set of mutants.

    `raw_score` counts every survivor against the tests; `score` leaves out those whose explanation
    begins with `EQUIVALENT`.
    """
    rows = list(rows)
    fates = Counter(row.fate for row in rows)
    killed = sum(fates[fate] for fate in KILLED)
    equivalent = sum(
        row.fate not in KILLED and known.get(row.name, "").startswith(EQUIVALENT) for row in rows
    )
    candidates = len(rows) - equivalent
    return {
        "mutants": len(rows),
        "killed": killed,
        "of_these_by_time": fates["timeout"],
        "uncovered": fates["uncovered"],
        "broken": fates["broken"],
        "argued_equivalent": equivalent,
        "score": round(killed / candidates, 4) if candidates else None,
        "raw_score": round(killed / len(rows), 4) if rows else None,
    }


def _scores(
    rows: Sequence[Row], known: dict[str, str], key: Callable[[Row], str | None]
) -> dict[str, dict[str, Any]]:
    names = sorted({name for row in rows if (name := key(row)) is not None})
    return {name: score((row for row in rows if key(row) == name), known) for name in names}
