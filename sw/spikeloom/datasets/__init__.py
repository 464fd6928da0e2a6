"""Data sets with fixed splits: `load_dataset(name)`, and what it returns."""

from spikeloom.datasets.registry import (
    BUILT_IN,
    UnknownDatasetError,
    known_names,
    load,
    load_dataset,
)
from spikeloom.datasets.request import Request
from spikeloom.datasets.split import Dataset, Split, SplitName

__all__ = [
    "BUILT_IN",
    "Dataset",
    "Request",
    "Split",
    "SplitName",
    "UnknownDatasetError",
    "known_names",
    "load",
    "load_dataset",
]
