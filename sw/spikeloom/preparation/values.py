"""Numbers to values of 0 ... 255."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.preparation.structs import Scale

__all__ = ["scale"]


def scale(preparation: Scale, samples: NDArray[Any]) -> NDArray[np.uint8]:
    """Scale samples [n, ...] as `Scale` says; each operation is IEEE's, so every machine agrees."""
    shape = samples.shape[1:] if len(preparation.low) > 1 else ()
    low = np.array(preparation.low, dtype=np.float64).reshape(shape)
    high = np.array(preparation.high, dtype=np.float64).reshape(shape)
    span = np.where(high > low, high - low, np.inf)
    shares = (samples.astype(np.float64) - low) / span
    return np.rint(255.0 * np.clip(shares, 0.0, 1.0)).astype(np.uint8)
