"""Data sets with fixed splits: `load_dataset(name)` and what it returns."""

from spikeloom.datasets.registry import DATASETS, UnknownDatasetError, load_dataset
from spikeloom.datasets.split import Dataset, Split, SplitName

__all__ = ["DATASETS", "Dataset", "Split", "SplitName", "UnknownDatasetError", "load_dataset"]
