"""Keeps a run on disk while it trains, and takes it up again after it was killed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import torch

from spikeloom import __version__
from spikeloom.config import Config, dump_config
from spikeloom.datasets import Dataset
from spikeloom.datasets.fitting import check_same
from spikeloom.errors import UserError
from spikeloom.files import atomic_write
from spikeloom.provenance import DataIdentity
from spikeloom.runfolder import CONFIG_FILE, HISTORY_FILE, PROGRESS_FILE, RESTART, sweep
from spikeloom.training.device import choose_device
from spikeloom.training.state import Epoch, TrainingState
from spikeloom.training.tree import load_tree, save_tree

__all__ = ["Keeper", "save_history"]

SCHEMA = 2


class Keeper:
    """Saves a training's state after each epoch, and within one every few seconds.

    A run that goes on from the file ends bit-identical to one that was never stopped, on the same
    device with the same number of threads and the same versions; see `changes`.

    Attributes:
        seconds: spent on the run in earlier sessions.
        changes: what is no longer as it was when the file was written, in words.
    """

    def __init__(self, folder: Path, config: Config, dataset: Dataset) -> None:
        """Read the unfinished run in `folder`, if there is one; nothing is written yet.

        Raises:
            UserError: the run is damaged, or trains on other samples.
        """
        self._folder, self._config = folder, config
        self._path = folder / PROGRESS_FILE
        self._header: dict[str, Any] = {
            "schema": SCHEMA,
            "config": dump_config(config),
            "data": msgspec.to_builtins(dataset.identity),
            "made_by": _surroundings(config),
        }
        self._saved_at = time.monotonic()
        self._saved: dict[str, Any] | None = None
        self.seconds = 0.0
        self.changes: list[str] = []
        if not self._path.is_file():
            return
        header, self._saved = load_tree(self._path)
        if header.get("schema") != SCHEMA:
            raise UserError(f"{self._path} is not of schema {SCHEMA}; {RESTART}")
        recorded = msgspec.convert(header["data"], DataIdentity)
        check_same(recorded, dataset, owner=str(folder), fix=RESTART)
        progress = self._saved["progress"]
        self.seconds = progress["seconds"] + sum(epoch["seconds"] for epoch in progress["history"])
        now = self._header["made_by"]
        self.changes = [
            f"{name} was {before}, now {now.get(name)}"
            for name, before in header["made_by"].items()
            if now.get(name) != before
        ]

    @property
    def position(self) -> tuple[int, int] | None:
        """(epoch at work, batches of it that are done) of what was found, or None."""
        progress = self._saved and self._saved["progress"]
        return (progress["epoch"], progress["batch"]) if progress else None

    def begin(self, state: TrainingState) -> None:
        """Bring `state` to where the run had come, and the folder in step with it.

        Raises:
            UserError: what was found does not fit, or the folder cannot be written.
        """
        if self._saved is not None:
            try:
                state.load_state_dict(self._saved)
            except (KeyError, RuntimeError, TypeError, ValueError) as error:
                sentence = " ".join(str(error).split())
                raise UserError(
                    f"{self._path} does not fit its own header ({sentence}); {RESTART}"
                ) from None
            self._saved = None
            save_history(self._folder, state.progress.history)
        sweep(self._folder)
        atomic_write(self._folder / CONFIG_FILE, self._header["config"])
        self._save(state)

    def after_batch(self, state: TrainingState) -> None:
        """Save if it is time to."""
        if time.monotonic() - self._saved_at >= self._config.training.checkpoint_seconds:
            self._save(state)

    def after_epoch(self, state: TrainingState) -> None:
        """Save, and bring the history up to it."""
        self._save(state)
        save_history(self._folder, state.progress.history)

    def _save(self, state: TrainingState) -> None:
        save_tree(self._path, self._header, state.state_dict())
        self._saved_at = time.monotonic()


def save_history(folder: Path, history: Sequence[Epoch]) -> None:
    """Write history.jsonl as a whole, so that no epoch is in it twice or missing."""
    lines = b"".join(msgspec.json.encode(record) + b"\n" for record in history)
    atomic_write(folder / HISTORY_FILE, lines)


def _surroundings(config: Config) -> dict[str, str]:
    """What, besides configuration and data, the last bits of a gradient depend on."""
    return {
        "spikeloom": __version__,
        "torch": torch.__version__,
        "device": choose_device(config.training.device).type,
        "threads": str(config.training.threads or torch.get_num_threads()),
        "kernels": "portable"
        if config.training.portable
        else torch.backends.cpu.get_cpu_capability(),
    }
