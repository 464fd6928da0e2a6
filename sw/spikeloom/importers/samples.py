"""Samples for a foreign network: taken from a data set, in the order that the network expects."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from spikeloom.datasets import Dataset, Split
from spikeloom.datasets.registry import known_names, load
from spikeloom.datasets.request import Request
from spikeloom.encoding import DirectEncoding, Encoding, encode, encoding_inputs
from spikeloom.errors import UserError, nearest
from spikeloom.image.population import Shape
from spikeloom.provenance import DataSource, EventSettings

BATCH_VALUES = 4_000_000
"""Numbers of one batch, of all steps and neurons."""


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Which samples, and how they are read.

    Attributes:
        data: a file, a folder, or the name of a data set.
        data_dir: the folder above the data sets' own.
        window_us: of a step, for recordings; 0 divides each into the steps.
        samples: at most so many of a split; None takes all.
    """

    data: str
    data_dir: Path | None = None
    window_us: int = 0
    samples: int | None = None

    def load(self, *, shape: Shape, time_steps: int, encoding: Encoding) -> Dataset:
        """The samples, checked against the input of a network.

        Raises:
            UserError: there are none, or they are of another shape.
        """
        events = EventSettings(window_us=self.window_us)
        if Path(self.data).exists():
            source = DataSource(name=Path(self.data).stem, source=self.data, events=events)
        elif self.data in known_names():
            source = DataSource(name=self.data, events=events)
        else:
            hint = nearest(self.data, known_names()) or f"; known are {', '.join(known_names())}"
            raise UserError(f"--calibrate {self.data}: no such file, folder or data set{hint}")
        given: dict[str, Any] = {} if self.data_dir is None else {"data_dir": self.data_dir}
        dataset = load(Request(source=source, time_steps=time_steps, **given))
        _check(dataset, shape=shape, time_steps=time_steps, encoding=encoding)
        return dataset

    def part(self, split: Split) -> Split:
        """The first samples of a split."""
        if self.samples is None or self.samples >= len(split):
            return split
        return split.take(np.arange(self.samples))


def _check(dataset: Dataset, *, shape: Shape, time_steps: int, encoding: Encoding) -> None:
    inputs = encoding_inputs(encoding, dataset.pixels, time_steps)
    expected = int(np.prod(shape))
    kind = msgspec.to_builtins(encoding)["kind"]
    if inputs != expected:
        raise UserError(
            f"the network has {expected} inputs {shape}, but samples of {dataset.name!r} are "
            f"{list(dataset.shape)} and become {inputs} in {time_steps} steps of the encoding "
            f"{kind!r}: change --time-steps or --encoding, or take other samples"
        )
    own = tuple(dataset.shape)[-3:]
    if len(shape) == 3 and len(own) == 3 and own != shape and sorted(own) == sorted(shape):
        raise UserError(
            f"samples of {dataset.name!r} are {list(own)} in a step, and the network takes "
            f"{list(shape)}, channels last: move the axes of the samples"
        )


def batches(
    split: Split, *, encoding: Encoding, time_steps: int, neurons: int
) -> Iterator[tuple[npt.NDArray[Any], npt.NDArray[np.int64]]]:
    """Samples `[S, T, inputs]` with labels, a few at a time."""
    size = max(1, BATCH_VALUES // max(1, neurons * time_steps))
    for start in range(0, len(split), size):
        images = split.images[start : start + size]
        events = encode(encoding, images, time_steps, start)
        if isinstance(encoding, DirectEncoding):
            events = np.repeat(events[:, None], time_steps, axis=1)
        yield events, split.labels[start : start + size]
