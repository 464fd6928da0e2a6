"""From torch's order of a map, channels first, to Spikeloom's, channels last in memory."""

from __future__ import annotations

import numpy as np

from spikeloom.importers.nodes import Floats, Shape


def memory_shape(shape: Shape) -> Shape:
    """The shape of a population for torch's shape: `(neurons,)` or `(height, width, channels)`."""
    match shape:
        case (neurons,):
            return (neurons,)
        case (channels, length):
            return (1, length, channels)
        case (channels, height, width):
            return (height, width, channels)
        case _:
            raise AssertionError(shape)


def memory_order(maps: Shape) -> np.ndarray:
    """For each neuron in memory its place in torch's flat order, int64 `[neurons]`."""
    places = np.arange(np.prod(maps, dtype=np.int64)).reshape(maps)
    return np.moveaxis(places, 0, -1).reshape(-1)


def in_memory(values: Floats, maps: Shape) -> Floats:
    """Values for torch's shape `maps`, flat in memory's order; one value for all stays one.

    Values that are the same at all places of each channel are listed once a channel.
    """
    if values.size == 1:
        return values.reshape(1)
    whole = np.broadcast_to(values, maps) if values.ndim == len(maps) else values.reshape(maps)
    flat = whole.reshape(-1)
    return flat[:1].copy() if (flat == flat[0]).all() else flat[memory_order(maps)]
