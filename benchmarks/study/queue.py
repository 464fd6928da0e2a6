"""Does the cells that are missing, one after the other, and keeps each as soon as it is done."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from study.cells import Cell
from study.records import append_record, read_records

__all__ = ["missing", "work"]


def missing(wanted: Iterable[Cell], path: Path) -> list[Cell]:
    """Cells whose run is not finished, in order, one of those that are the same run."""
    done = set(read_records(path))
    left = []
    for cell in wanted:
        key = cell.key()
        if key not in done:
            left.append(cell)
            done.add(key)
    return left


def work(
    cells: Iterable[Cell],
    path: Path,
    *,
    perform: Callable[[Cell], Mapping[str, Any]],
    after: Callable[[Cell, Mapping[str, Any]], None] = lambda _cell, _record: None,
    seconds: float | None = None,
) -> int:
    """Perform each cell and append its record; the number done.

    Args:
        cells: what to do.
        path: the file of finished runs.
        perform: does one run.
        after: told each finished run.
        seconds: no run is begun after that long.
    """
    started, count = time.monotonic(), 0
    for cell in cells:
        if seconds is not None and time.monotonic() - started >= seconds:
            break
        record = perform(cell)
        append_record(path, record)
        after(cell, record)
        count += 1
    return count
