"""A training run's folder: its files, what they say of the run, and whether one may go on in it.

Nothing here needs torch, so that a finished run answers at once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec
import safetensors

from spikeloom.config import Config, parse_config
from spikeloom.errors import UserError
from spikeloom.provenance import DataIdentity

__all__ = [
    "CHECKPOINT_FILE",
    "CONFIG_FILE",
    "HISTORY_FILE",
    "METADATA_KEY",
    "NETWORK_FILE",
    "PROGRESS_FILE",
    "RESTART",
    "Standing",
    "clear",
    "finished_result",
    "is_reference",
    "read_history",
    "read_standing",
    "recorded_data",
    "sweep",
]

CONFIG_FILE = "config.toml"
HISTORY_FILE = "history.jsonl"
CHECKPOINT_FILE = "checkpoint.safetensors"
"""The chosen epoch of a finished run."""
PROGRESS_FILE = "progress.safetensors"
"""All that an unfinished run needs to go on; gone when it has finished."""
RESULT_FILE = "train.json"
NETWORK_FILE = "network.safetensors"
"""What `export` makes of a finished run."""
METADATA_KEY = "spikeloom"
"""Of a safetensors file's metadata: a JSON document, in which `config` is the resolved TOML."""
REFERENCE_FILES = ("manifest.json", "network.toml")
"""What a folder of `bitstreams/` has, one or both of them, and a run folder has not."""
RESTART = "begin anew with --restart"

Standing = Literal["new", "unfinished", "finished"]

FREE = {"training.checkpoint_seconds"}
"""Keys that change nothing in what a run computes."""


def is_reference(folder: Path) -> bool:
    """Whether a folder is one of `bitstreams/`: kept under version control, and only to read."""
    return any((folder / name).is_file() for name in REFERENCE_FILES)


def read_standing(folder: Path, config: Config) -> Standing:
    """How far the run of `config` in `folder` has come.

    Raises:
        UserError: the folder holds a run of another configuration, or a damaged one.
    """
    checkpoint, progress = folder / CHECKPOINT_FILE, folder / PROGRESS_FILE
    finished = checkpoint.is_file() and (folder / RESULT_FILE).is_file()
    # A result is written last, so what is beside it belongs to it.
    source = progress if progress.is_file() and not finished else checkpoint
    if not source.is_file():
        return "new"
    if difference := next(_differences(_config_of(source), config), None):
        key, theirs, mine = difference
        raise UserError(
            f"{folder} holds a run with {key} = {theirs}, but this one has {mine}; "
            f"choose another folder, or {RESTART}"
        )
    if finished:
        return "finished"
    return "unfinished" if source == progress else "new"


def finished_result(folder: Path) -> dict[str, Any]:
    """What the verb said when the run finished.

    Raises:
        UserError: its file is damaged.
    """
    path = folder / RESULT_FILE
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return {k: v for k, v in document.items() if k not in ("schema", "verb", "seconds")}
    except (ValueError, AttributeError) as error:
        raise UserError(f"{path} is damaged ({error}); {RESTART}") from None


def read_history(folder: Path) -> list[dict[str, Any]]:
    """The lines of `history.jsonl`, one an epoch; empty when there is none.

    Raises:
        UserError: a line is damaged.
    """
    path = folder / HISTORY_FILE
    if not path.is_file():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    try:
        return [json.loads(line) for line in lines if line.strip()]
    except ValueError as error:
        again = f"spikeloom train {folder / CONFIG_FILE} -o {folder} --restart"
        raise UserError(f"{path} is damaged ({error}); train again: {again}") from None


def recorded_data(folder: Path) -> DataIdentity | None:
    """The data that the finished run in `folder` was trained on, where it remembers them.

    Raises:
        UserError: its checkpoint is damaged.
    """
    path = folder / CHECKPOINT_FILE
    data = _header(path).get("data")
    try:
        return None if data is None else msgspec.convert(data, DataIdentity)
    except msgspec.ValidationError as error:
        raise UserError(f"{path} is damaged ({error}); {RESTART}") from None


def clear(folder: Path) -> None:
    """Remove a run's training half; what other verbs have made of it stays."""
    # The result first: without it no half of a run counts as a finished one.
    for name in (RESULT_FILE, PROGRESS_FILE, CHECKPOINT_FILE, HISTORY_FILE, CONFIG_FILE):
        (folder / name).unlink(missing_ok=True)
    sweep(folder)


def sweep(folder: Path) -> None:
    """Remove the temporary files of writes that were killed."""
    for name in (PROGRESS_FILE, CHECKPOINT_FILE, HISTORY_FILE, CONFIG_FILE, RESULT_FILE):
        for left in folder.glob(f".{name}.*.tmp"):
            left.unlink(missing_ok=True)


def _header(path: Path) -> dict[str, Any]:
    """The JSON of a safetensors file's metadata."""
    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            header = json.loads((file.metadata() or {})[METADATA_KEY])
        header["config"]
    except (safetensors.SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path} is damaged ({error}); {RESTART}") from None
    return header


def _config_of(path: Path) -> Config:
    try:
        return parse_config(_header(path)["config"], source=f"{path}, header")
    except UserError as error:
        raise UserError(f"{error}; choose another folder, or {RESTART}") from None


def _differences(theirs: Config, mine: Config) -> Iterator[tuple[str, str, str]]:
    """Key, and both its values as TOML, of every difference, in the file's order."""
    before, now = (dict(_flat(msgspec.to_builtins(config))) for config in (theirs, mine))
    for key in {**now, **before}:
        values = [_toml(values[key]) if key in values else "none" for values in (before, now)]
        if values[0] != values[1] and key not in FREE:
            yield key, values[0], values[1]


def _flat(table: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", value


def _toml(value: Any) -> str:
    return msgspec.json.encode(value).decode()
