"""Images with labels, divided once and for all into train, validation and test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["SPLIT_SEED", "Dataset", "Split", "SplitName", "hold_out"]

SPLIT_SEED = 20250213
"""Seed of every split: a run's own seed never moves a sample from one split to another."""

SplitName = Literal["train", "validation", "test"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Split:
    """Samples of one split.

    images: uint8 [n, pixels], 0 ... 255, row-major pixels.
    labels: int64 [n], 0 ... classes - 1.
    index: int64 [n], position of each sample in the original data set.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    index: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: NDArray[np.int64]) -> Split:
        """The samples at `rows` (int64 [m], positions within this split), in that order."""
        return Split(images=self.images[rows], labels=self.labels[rows], index=self.index[rows])


@dataclass(frozen=True, kw_only=True, eq=False)
class Dataset:
    """A named data set; `shape` is an image's (height, width)."""

    name: str
    train: Split
    validation: Split
    test: Split
    shape: tuple[int, int]
    classes: int

    @property
    def pixels(self) -> int:
        """Pixels of one image."""
        return self.shape[0] * self.shape[1]

    def split(self, name: SplitName) -> Split:
        """The split called `name`."""
        return {"train": self.train, "validation": self.validation, "test": self.test}[name]


def hold_out(split: Split, fraction: float, *, seed: int = SPLIT_SEED) -> tuple[Split, Split]:
    """Cut a stratified part off a split.

    Each class gives round(fraction * its samples), chosen by a seeded permutation; both parts keep
    the original order of samples.

    Returns:
        (what remains, what was held out).
    """
    random = np.random.Generator(np.random.PCG64(seed))
    held = np.zeros(len(split), dtype=np.bool_)
    for label in np.unique(split.labels):
        rows = np.flatnonzero(split.labels == label)
        held[random.permutation(rows)[: round(fraction * len(rows))]] = True
    return split.take(np.flatnonzero(~held)), split.take(np.flatnonzero(held))
