"""The file of finished runs: one JSON line each, appended whole or not at all."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spikeloom.errors import UserError

__all__ = ["append_record", "read_records"]

Record = dict[str, Any]


def read_records(path: Path) -> dict[str, Record]:
    """Finished runs by key, the first of two with one key; a torn last line is no run.

    Raises:
        UserError: a line within the file is damaged.
    """
    if not path.exists():
        return {}
    lines = path.read_bytes().split(b"\n")
    records: dict[str, Record] = {}
    # What follows the last line feed was never finished.
    for number, line in enumerate(lines[:-1], 1):
        try:
            record = json.loads(line)
            records.setdefault(record["key"], record)
        except (ValueError, KeyError, TypeError):
            raise UserError(
                f"{path}, line {number} is no finished run: take the line out, and it is run again"
            ) from None
    return records


def append_record(path: Path, record: Mapping[str, Any]) -> None:
    """Append one run, after cutting off a line that a killed process left torn."""
    path.parent.mkdir(parents=True, exist_ok=True)
    line = json.dumps(record, separators=(",", ":"), allow_nan=False).encode() + b"\n"
    with path.open("a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        whole = file.read().rfind(b"\n") + 1
        file.truncate(whole)
        file.write(line)
        file.flush()
        os.fsync(file.fileno())
