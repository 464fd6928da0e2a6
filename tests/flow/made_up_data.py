"""Data sets of no meaning: other samples for each name and folder, and splits of unequal sizes."""

import zlib

import numpy as np

from spikeloom.datasets import Dataset, Split
from spikeloom.datasets.split import SplitName, digit_names

SIZES: dict[SplitName, int] = {"train": 60, "validation": 31, "test": 27}


def dataset(name: str, data_dir: object = None) -> Dataset:
    def split(part: SplitName) -> Split:
        samples = SIZES[part]
        random = np.random.default_rng(zlib.crc32(f"{name} {data_dir} {part}".encode()))
        return Split(
            images=random.integers(0, 256, (samples, 64)).astype(np.uint8),
            labels=random.integers(0, 10, samples),
            index=np.arange(samples),
        )

    return Dataset(
        name=name,
        train=split("train"),
        validation=split("validation"),
        test=split("test"),
        shape=(8, 8),
        class_names=digit_names(10),
    )
