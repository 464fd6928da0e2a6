"""The steps of a preparation, replayed on raw samples: the same for every verb."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import UserError
from spikeloom.preparation.binning import binned, frame_shape
from spikeloom.preparation.log_mel import log_mel
from spikeloom.preparation.picture import picture
from spikeloom.preparation.structs import AsIs, Binning, LogMel, Picture, Preparation, Scale
from spikeloom.preparation.values import scale

__all__ = ["prepare", "prepared_shape"]


def prepare(preparation: Preparation, samples: Sequence[Any] | NDArray[Any]) -> NDArray[np.uint8]:
    """Raw samples to the values that a network's encoding takes.

    Args:
        preparation: of a network, `image.provenance.data.preparation`.
        samples: for "as-is" a uint8 array [n, ...], for "scale" an array of numbers [n, ...], for
            "picture" images of Pillow's or uint8 arrays, for "log-mel" sounds [samples], for
            "binning" structured arrays with t, x, y, p.

    Returns:
        uint8 [n, values].

    Raises:
        UserError: a sample cannot be prepared so.
    """
    match preparation:
        case AsIs():
            array = np.asarray(samples)
            if array.dtype != np.uint8:
                raise UserError(
                    f"the samples are {array.dtype}, but the network takes uint8 values of 0 to "
                    "255: give them as it was trained with"
                )
            return array.reshape(len(array), -1)
        case Scale():
            array = np.asarray(samples)
            values = math.prod(array.shape[1:])
            if len(preparation.low) not in (1, values):
                raise UserError(
                    f"a sample has {values} values, and {len(preparation.low)} ranges are known: "
                    "give samples of the shape that the network was trained on"
                )
            return scale(preparation, array).reshape(len(array), -1)
        case Picture():
            done = [picture(preparation, sample) for sample in samples]
        case LogMel():
            done = [log_mel(preparation, np.asarray(sample)) for sample in samples]
        case Binning():
            done = [binned(preparation, sample) for sample in samples]
    return np.stack([sample.reshape(-1) for sample in done])


def prepared_shape(preparation: Preparation, raw: tuple[int, ...]) -> tuple[int, ...]:
    """Shape of a prepared sample; `raw` is that of an array's sample."""
    match preparation:
        case Picture(height=height, width=width, colour=colour):
            return (height, width, 3) if colour else (height, width)
        case LogMel(frames=frames, bands=bands):
            return (frames, bands)
        case Binning():
            return frame_shape(preparation)
        case _:
            return raw
