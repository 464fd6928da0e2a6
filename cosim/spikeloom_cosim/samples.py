"""The samples to verify with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikeloom.datasets import Dataset, SplitName
from spikeloom.datasets.fitting import DataChoice, fitting_dataset
from spikeloom.encoding import encode
from spikeloom.errors import UserError
from spikeloom.flow import known_split
from spikeloom.image import NetworkImage


@dataclass(frozen=True, kw_only=True, eq=False)
class Samples:
    """The first samples of a split.

    Attributes:
        events: bool [samples, steps, inputs].
        available: number of samples in the split.
        dataset: the name of the data.
    """

    events: NDArray[np.bool_]
    available: int
    dataset: str


def sample_events(
    network: Path, image: NetworkImage, *, split: SplitName, count: int | None, data: DataChoice
) -> Samples:
    """Events of the first `count` samples of a split.

    Args:
        network: the file of `image`, for messages.
        image: remembers its data, and says how samples become events.
        split: which split.
        count: None takes all.
        data: what the user says about the samples.

    Raises:
        UserError: the data set is missing, does not fit the network, or is smaller than `count`.
    """
    return first_events(fitting_dataset(network, image, data), image, split=split, count=count)


def first_events(
    dataset: Dataset, image: NetworkImage, *, split: SplitName, count: int | None
) -> Samples:
    """Events of the first `count` samples of a split; None takes all.

    Raises:
        UserError: there is no such split, or it is smaller than `count`.
    """
    chosen = dataset.split(known_split(split))
    if count is not None and count > len(chosen):
        raise UserError(
            f"{dataset.name} has {len(chosen)} {split} samples, not {count}; "
            "give a smaller --samples, or all"
        )
    events = encode(image.encoding, chosen.images[:count], image.time_steps)
    return Samples(events=events, available=len(chosen), dataset=dataset.name)
