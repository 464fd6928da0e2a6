"""The data sets that exist, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from spikeloom.datasets.digits import load_digits
from spikeloom.datasets.idx import load_idx_dataset
from spikeloom.datasets.split import Dataset
from spikeloom.errors import UserError, nearest

__all__ = ["DATASETS", "UnknownDatasetError", "load_dataset"]

DATASETS: Mapping[str, Callable[[Path | None], Dataset]] = MappingProxyType(
    {
        "digits": lambda data_dir: load_digits(),
        "mnist": lambda data_dir: load_idx_dataset("mnist", data_dir),
        "fashion-mnist": lambda data_dir: load_idx_dataset("fashion-mnist", data_dir),
    }
)
"""Loader of each data set; it takes the folder that was given, if one was."""


class UnknownDatasetError(UserError):
    """There is no data set of that name."""


def load_dataset(name: str, data_dir: Path | None = None) -> Dataset:
    """Load a data set with its fixed splits.

    Args:
        name: a key of `DATASETS`.
        data_dir: folder that holds `<name>/`, for data sets read from files.

    Raises:
        UnknownDatasetError: there is no data set of that name.
        UserError: the data set's files are missing or damaged.
    """
    if name not in DATASETS:
        hint = nearest(name, DATASETS) or f"; choose from {', '.join(DATASETS)}"
        raise UnknownDatasetError(f"unknown data set {name!r}{hint}")
    return DATASETS[name](data_dir)
