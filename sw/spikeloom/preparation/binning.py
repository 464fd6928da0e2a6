"""Camera events to frames of counts, in integers only."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import UserError
from spikeloom.preparation.structs import Binning

__all__ = ["binned", "frame_shape"]

FIELDS = ("t", "x", "y", "p")


def frame_shape(preparation: Binning) -> tuple[int, int, int, int]:
    """(steps, height, width, polarities) of what `binned` makes."""
    height, width = (
        -(-side // preparation.shrink) for side in (preparation.height, preparation.width)
    )
    return preparation.steps, height, width, preparation.polarities


def binned(preparation: Binning, events: NDArray[Any]) -> NDArray[np.uint8]:
    """Count events as `Binning` says.

    Args:
        preparation: the frames.
        events: a structured array with the fields t (microseconds, never falling), x, y, p.

    Returns:
        uint8 [steps, height, width, polarities].

    Raises:
        UserError: there is no event, or one is out of order or outside the sensor.
    """
    _check(preparation, events)
    shape = frame_shape(preparation)
    t = events["t"].astype(np.int64) - int(events["t"][0])
    window = preparation.window_us
    step = t // window if window else t * preparation.steps // (int(t[-1]) + 1)
    polarity = (events["p"] > 0).astype(np.int64) if preparation.polarities == 2 else 0
    y, x = (events[axis].astype(np.int64) // preparation.shrink for axis in "yx")
    inside = step < preparation.steps
    place = ((step * shape[1] + y) * shape[2] + x) * shape[3] + polarity
    counts = np.bincount(place[inside], minlength=int(np.prod(shape)))
    return np.minimum(counts, 255).astype(np.uint8).reshape(shape)


def _check(preparation: Binning, events: NDArray[Any]) -> None:
    missing = [field for field in FIELDS if field not in (events.dtype.names or ())]
    if missing:
        raise UserError(
            f"the events have no field {missing[0]!r}: give a structured array with the fields "
            f"{', '.join(FIELDS)}"
        )
    if not len(events):
        raise UserError("the recording has no event: leave it out")
    falls = np.flatnonzero(np.diff(events["t"].astype(np.int64)) < 0)
    if falls.size:
        raise UserError(
            f"event {int(falls[0]) + 1} is earlier than the one before it: sort the events by time"
        )
    for axis, size in (("x", preparation.width), ("y", preparation.height)):
        wrong = np.flatnonzero((events[axis] < 0) | (events[axis] >= size))
        if wrong.size:
            at = int(wrong[0])
            raise UserError(
                f"event {at} has {axis} = {int(events[axis][at])}, outside the sensor of "
                f"{preparation.height} x {preparation.width} pixels: set the sensor's "
                "[height, width]"
            )
