"""Data sets with fixed splits: `load_dataset(name)` and what it returns."""

from spikeloom.datasets.registry import DATASETS, load_dataset
from spikeloom.datasets.split import Dataset, Split, SplitName

__all__ = ["DATASETS", "Dataset", "Split", "SplitName", "load_dataset"]
