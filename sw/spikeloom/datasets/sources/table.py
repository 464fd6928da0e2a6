"""A table, one sample a row: CSV by Python's own reader, Parquet by Arrow."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikeloom.datasets.collection import Collection
from spikeloom.datasets.request import Request
from spikeloom.datasets.sources.arrays import collection_of_arrays
from spikeloom.datasets.sources.files import PARTS
from spikeloom.errors import UserError, nearest

__all__ = ["SUFFIXES", "collect"]

SUFFIXES = (".csv", ".tsv", ".parquet")
SPLIT = "split"
"""The column that says which split a row belongs to, where there is one."""

Columns = dict[str, list[str]]


def collect(path: Path, request: Request) -> Collection:
    """The rows of a table: a column of labels, numbers in the others.

    A column `split` divides them into train, validation and test.

    Raises:
        UserError: the table cannot be read, or a cell is not what it must be.
    """
    settings = request.source
    columns = _parquet(path) if path.suffix.lower() == ".parquet" else _csv(path)
    named = [settings.table.label, *([settings.split.groups] if settings.split.groups else [])]
    for name in named:
        if name not in columns:
            hint = nearest(name, columns) or f"; its columns are {', '.join(columns)}"
            raise UserError(f"{path} has no column {name!r}{hint}")
    for row, label in enumerate(columns[settings.table.label]):
        if not label:
            raise UserError(f"{path}, {_row(row)}: the column {settings.table.label!r} is empty")
    features = [name for name in columns if name not in (*named, SPLIT)]
    if not features:
        raise UserError(f"{path} has no column of numbers beside {settings.table.label!r}")
    numbers = np.stack([_numbers(path, name, columns[name]) for name in features], axis=1)
    whole = collection_of_arrays(
        path,
        [numbers],
        [np.array(columns[settings.table.label], dtype=np.str_)],
        groups=[np.array(columns[named[1]])] if settings.split.groups else None,
    )
    if SPLIT not in columns:
        return whole
    parts = [_part(path, row, word) for row, word in enumerate(columns[SPLIT])]
    return Collection(**{**vars(whole), "parts": np.array(parts)})


def _row(row: int) -> str:
    return f"row {row + 1}"


def _part(path: Path, row: int, word: str) -> str:
    if word.lower() not in PARTS:
        raise UserError(
            f"{path}, {_row(row)}: the column {SPLIT!r} is {word!r}, but it must be train, "
            "validation or test"
        )
    return PARTS[word.lower()]


def _numbers(path: Path, name: str, cells: list[str]) -> NDArray[np.float64]:
    values = np.empty(len(cells))
    for row, cell in enumerate(cells):
        try:
            values[row] = float(cell)
        except ValueError:
            told = repr(cell) if cell else "empty"
            raise UserError(
                f"{path}, {_row(row)}: the column {name!r} is {told}, but it must be a number"
            ) from None
    return values


def _csv(path: Path) -> Columns:
    delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [row for row in csv.reader(file, delimiter=delimiter, strict=True) if row]
    except UnicodeDecodeError:
        raise UserError(f"{path} is no text in UTF-8: save the table as CSV in UTF-8") from None
    except csv.Error as error:
        raise UserError(f"{path} is no table that can be read ({error}): save it again") from None
    if len(rows) < 2:
        raise UserError(f"{path} has no rows below a line of names: give both")
    names, *cells = rows
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise UserError(f"{path} has two columns {twice!r}: rename one")
    for number, row in enumerate(cells):
        if len(row) != len(names):
            raise UserError(
                f"{path}, {_row(number)} has {len(row)} cells, and the first line {len(names)} "
                "names: give each row all of them"
            )
    return {name: [row[i].strip() for row in cells] for i, name in enumerate(names)}


def _parquet(path: Path) -> Columns:
    import pyarrow  # optional
    import pyarrow.parquet

    try:
        table = pyarrow.parquet.read_table(path)
    except (pyarrow.ArrowException, OSError) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"{path} is no Parquet table that can be read ({reason})") from None
    if not table.num_rows:
        raise UserError(f"{path} has no rows: give a table with samples")
    return {
        name: ["" if value is None else str(value) for value in table.column(name).to_pylist()]
        for name in table.column_names
    }
