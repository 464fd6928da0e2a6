"""The samples to verify with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikeloom.datasets import SplitName, load_dataset
from spikeloom.encoding import encode
from spikeloom.errors import UserError
from spikeloom.image import NetworkImage


@dataclass(frozen=True, kw_only=True, eq=False)
class Samples:
    """The first samples of a split.

    Attributes:
        events: bool [samples, steps, inputs].
        available: number of samples in the split.
    """

    events: NDArray[np.bool_]
    available: int


def sample_events(
    image: NetworkImage, *, split: SplitName, count: int | None, data_dir: Path | None
) -> Samples:
    """Events of the first `count` samples of a split of the network's own data set.

    Args:
        image: names the data set, and says how samples become events.
        split: which split.
        count: None takes all.
        data_dir: where data sets lie that are read from files.

    Raises:
        UserError: the data set is missing, does not fit the network, or is smaller than `count`.
    """
    chosen = load_dataset(image.provenance.dataset, data_dir).split(split)
    if count is not None and count > len(chosen):
        raise UserError(
            f"{image.provenance.dataset} has {len(chosen)} {split} samples, not {count}; "
            "give a smaller --samples, or all"
        )
    events = encode(image.encoding, chosen.images[:count], image.time_steps)
    if events.shape[2] != image.inputs:
        raise UserError(
            f"the network has {image.inputs} inputs, but {image.provenance.dataset} encodes to "
            f"{events.shape[2]}; export the network again"
        )
    return Samples(events=events, available=len(chosen))
