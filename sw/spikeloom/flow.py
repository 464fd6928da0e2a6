"""Steps of the flow that need neither torch nor gateware, each as one function of a network."""

from __future__ import annotations

import os
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from spikeloom.datasets import Dataset, SplitName
from spikeloom.datasets.fitting import data_of
from spikeloom.encoding import encode
from spikeloom.errors import UserError
from spikeloom.evaluation import Evaluation, evaluate_split
from spikeloom.image import NetworkImage
from spikeloom.packing import resolve_lanes
from spikeloom.reference import simulate
from spikeloom.report.graph import describe_graph
from spikeloom.report.network import describe_image

__all__ = ["classify", "evaluate", "inspect", "known_split"]

BATCH = 512
Data = Dataset | str | os.PathLike[str] | None


def evaluate(image: NetworkImage, data: Data = None, *, split: SplitName = "test") -> Evaluation:
    """Accuracy and cost of a network on a split, by the integer reference.

    Raises:
        UserError: there are no such data, or they do not fit the network.
    """
    return evaluate_split(image, data_of(image, data).split(known_split(split)))


def classify(image: NetworkImage, samples: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Classes of samples, int64 [n], by the integer reference.

    Args:
        image: the network.
        samples: uint8 [n, ...], values of 0 to 255 as the network was trained with.

    Raises:
        UserError: they are of another type or size.
    """
    values = np.asarray(samples)
    size = image.sample_code.values
    if values.dtype != np.uint8 or values.ndim < 2 or values[0].size != size:
        raise UserError(
            f"samples are {values.dtype} {list(values.shape)}, but this network takes uint8 "
            f"[n, ...] with {size} values a sample, 0 to 255"
        )
    flat = values.reshape(len(values), size)
    classes = [
        simulate(image, encode(image.encoding, part, image.time_steps, start)).predictions
        for start in range(0, len(flat), BATCH)
        if len(part := flat[start : start + BATCH])
    ]
    return np.concatenate(classes) if classes else np.zeros(0, dtype=np.int64)


def inspect(image: NetworkImage, *, lanes: int | tuple[int, ...] = 8) -> dict[str, Any]:
    """What a network holds: shapes, ranges, widths, density, bits and origin.

    Raises:
        UserError: there cannot be so many lanes.
    """
    if not image.is_chain:
        return describe_graph(image)
    return describe_image(image, resolve_lanes(image, lanes))


def known_split(name: str) -> SplitName:
    """`name`, as a split's.

    Raises:
        UserError: no split is called so.
    """
    for known in get_args(SplitName):
        if name == known:
            return known
    raise UserError(f"split is {name!r}, but it must be train, validation or test")
