"""Samples with labels, divided once and for all into train, validation and test."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from spikeloom.datasets.request import Request
from spikeloom.datasets.rows import Rows
from spikeloom.preparation import AsIs, Preparation
from spikeloom.provenance import (
    SPLIT_SEED,
    AudioSettings,
    DataIdentity,
    DataSource,
    EventSettings,
    ImageSettings,
    Kind,
    TableSettings,
)

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
        divided: whether the samples came divided into splits, and were not cut here.
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
    divided: bool = True

    @classmethod
    def from_arrays(
        cls,
        x: NDArray[Any],
        y: NDArray[Any],
        *,
        name: str = "arrays",
        groups: NDArray[Any] | None = None,
        class_names: tuple[str, ...] | None = None,
        source: DataSource | None = None,
    ) -> Dataset:
        """Samples [n, ...] of numbers with labels [n], integers or text.

        uint8 is taken as it is; other numbers are scaled from the range of the training samples.
        `source` holds the settings of the split.

        Raises:
            UserError: they do not fit together, or cannot be divided.
        """
        from spikeloom.datasets.collection import assemble
        from spikeloom.datasets.sources.arrays import collection_of_arrays

        collection = collection_of_arrays(
            Path(name),
            [np.asarray(x)],
            [np.asarray(y)],
            groups=None if groups is None else [np.asarray(groups)],
            class_names=class_names,
        )
        asked = source or DataSource(name=name, source=name)
        return assemble(name, collection, Request(source=asked))

    @classmethod
    def from_folder(cls, path: str | Path, **settings: Any) -> Dataset:
        """Images below a folder, one folder a class; `settings` are those of `ImageSettings`.

        Raises:
            UserError: there are none, or they cannot be read.
        """
        return cls._from_source(path, "images", images=ImageSettings(**settings))

    @classmethod
    def from_csv(cls, path: str | Path, **settings: Any) -> Dataset:
        """Rows of a CSV or Parquet table; `settings` are those of `TableSettings`.

        Raises:
            UserError: the table cannot be read, or has no such columns.
        """
        return cls._from_source(path, "table", table=TableSettings(**settings))

    @classmethod
    def from_audio(cls, path: str | Path, *, time_steps: int, **settings: Any) -> Dataset:
        """Sounds below a folder, one folder a class; `settings` are those of `AudioSettings`.

        Raises:
            UserError: there are none, or they cannot be read.
        """
        audio = AudioSettings(**settings)
        return cls._from_source(path, "audio", time_steps=time_steps, audio=audio)

    @classmethod
    def from_events(cls, path: str | Path, *, time_steps: int, **settings: Any) -> Dataset:
        """Event recordings below a folder, one folder a class; settings of `EventSettings`.

        Raises:
            UserError: there are none, or they cannot be read.
        """
        events = EventSettings(**settings)
        return cls._from_source(path, "events", time_steps=time_steps, events=events)

    @staticmethod
    def _from_source(
        path: str | Path, kind: Kind, *, time_steps: int = 1, **settings: Any
    ) -> Dataset:
        from spikeloom.datasets.source import load_source

        source = DataSource(name=Path(path).stem, source=str(path), kind=kind, **settings)
        return load_source(Request(source=source, time_steps=time_steps))

    @property
    def classes(self) -> int:
        """Number of classes."""
        return len(self.class_names)

    @property
    def pixels(self) -> int:
        """Values of one sample."""
        return math.prod(self.shape)

    @property
    def undivided(self) -> bool:
        """Whether every split is all samples, as of data that a network was not trained on."""
        return self.train is self.test

    def split(self, name: SplitName) -> Split:
        """The split called `name`."""
        return {"train": self.train, "validation": self.validation, "test": self.test}[name]

    @property
    def splits(self) -> tuple[Split, Split, Split]:
        """Train, validation and test."""
        return self.train, self.validation, self.test

    def whole(self) -> Split:
        """All samples as one split, in the order of the original data set."""
        images = self.train.images
        if not isinstance(images, Rows):
            raise TypeError("only the splits of one array make a whole")
        order = np.sort(np.concatenate([split.index for split in self.splits]))
        labels = np.empty(len(order), dtype=np.int64)
        for split in self.splits:
            labels[np.searchsorted(order, split.index)] = split.labels
        return Split(images=Rows(images.base, order), labels=labels, index=order)

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
        for split in self.splits:
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
