"""Samples with labels, divided once and for all into train, validation and test."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from spikeloom.datasets.rows import Rows
from spikeloom.preparation import AsIs, Preparation
from spikeloom.provenance import SPLIT_SEED, DataIdentity, DataSource

__all__ = ["SPLIT_SEED", "Dataset", "Split", "SplitName", "digit_names", "hold_out"]

SplitName = Literal["train", "validation", "test"]

CHUNK = 4096
"""Samples that are hashed at a time."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Split:
    """Samples of one split.

    images: uint8 [n, values], 0 ... 255, the last axis of a sample's shape fastest; an array, or
        `Rows` of one that need not be in memory.
    labels: int64 [n], 0 ... classes - 1.
    index: int64 [n], position of each sample in the original data set.
    """

    images: NDArray[np.uint8] | Rows
    labels: NDArray[np.int64]
    index: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: NDArray[np.int64]) -> Split:
        """The samples at `rows` (int64 [m], positions within this split), in that order."""
        images = self.images
        return Split(
            images=images.take(rows) if isinstance(images, Rows) else images[rows],
            labels=self.labels[rows],
            index=self.index[rows],
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Dataset:
    """A named data set.

    Attributes:
        name: for people, and for the network.
        train, validation, test: its splits.
        shape: of a sample: (height, width) of a grey image, (7, 23) of an array of the user's own.
        class_names: in the order of the labels.
        preparation: what has been done to each raw sample.
        source: what it was loaded as.
        place: the folder or file that was read, or "".
    """

    name: str
    train: Split
    validation: Split
    test: Split
    shape: tuple[int, ...]
    class_names: tuple[str, ...]
    preparation: Preparation = field(default_factory=AsIs)
    source: DataSource = field(default_factory=DataSource)
    place: str = ""

    @property
    def classes(self) -> int:
        """Number of classes."""
        return len(self.class_names)

    @property
    def pixels(self) -> int:
        """Values of one sample."""
        return math.prod(self.shape)

    def split(self, name: SplitName) -> Split:
        """The split called `name`."""
        return {"train": self.train, "validation": self.validation, "test": self.test}[name]

    @cached_property
    def identity(self) -> DataIdentity:
        """What a network that is trained on it remembers; the first use reads every sample."""
        return DataIdentity(
            fingerprint=self._fingerprint(),
            shape=self.shape,
            class_names=self.class_names,
            samples=(len(self.train), len(self.validation), len(self.test)),
            preparation=self.preparation,
            source=self.source,
        )

    def _fingerprint(self) -> str:
        digest = hashlib.sha256(msgspec.json.encode([self.class_names, self.shape]))
        for split in (self.train, self.validation, self.test):
            digest.update(f"{len(split)};".encode())
            digest.update(split.labels.astype("<i8").tobytes())
            for start in range(0, len(split), CHUNK):
                digest.update(np.ascontiguousarray(split.images[start : start + CHUNK]).data)
        return digest.hexdigest()


def digit_names(classes: int) -> tuple[str, ...]:
    """Names of classes that have none: "0", "1", ..."""
    return tuple(map(str, range(classes)))


def hold_out(split: Split, fraction: float, *, seed: int = SPLIT_SEED) -> tuple[Split, Split]:
    """Cut a stratified part off a split.

    Each class gives round(fraction * its samples), but at least one of two or more, chosen by a
    seeded permutation; both parts keep the original order of samples.

    Returns:
        (what remains, what was held out).
    """
    held = held_out_rows(split.labels, fraction, seed=seed)
    return split.take(np.flatnonzero(~held)), split.take(np.flatnonzero(held))


def held_out_rows(
    labels: NDArray[np.int64] | Sequence[str], fraction: float, *, seed: int
) -> NDArray[np.bool_]:
    """Which samples `hold_out` holds out: bool [n]."""
    labels = np.asarray(labels)
    random = np.random.Generator(np.random.PCG64(seed))
    held = np.zeros(len(labels), dtype=np.bool_)
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        least = 1 if fraction and len(rows) > 1 else 0
        held[random.permutation(rows)[: max(least, round(fraction * len(rows)))]] = True
    return held
