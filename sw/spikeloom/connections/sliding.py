"""Windows over maps of numbers, tap by tap: what convolution and pooling of any type share."""

from typing import Any

import numpy as np
import numpy.typing as npt

from spikeloom.connections.base import Shape
from spikeloom.connections.window import Window


def padded(x: npt.NDArray[Any], *, window: Window, source_shape: Shape) -> npt.NDArray[Any]:
    """`x [samples, inputs]` as maps with their border of zeros."""
    top, bottom, left, right = window.padding
    maps = x.reshape(len(x), *source_shape)
    if not any(window.padding):
        return maps
    return np.pad(maps, ((0, 0), (top, bottom), (left, right), (0, 0)))


def convolve(
    x: npt.NDArray[Any],
    taps: npt.NDArray[Any],
    *,
    window: Window,
    source_shape: Shape,
    groups: int,
) -> npt.NDArray[Any]:
    """The sums of maps under a kernel, one product a tap.

    Args:
        x: `[samples, inputs]`, maps with their channels last.
        taps: `[kh·kw, channels in, channels out]`, of the type of `x`.
        window: geometry.
        source_shape: of the maps.
        groups: into which channels fall.

    Returns:
        `[samples, neurons]`.
    """
    height, width = window.extent(source_shape)
    _, inputs, outputs = taps.shape
    maps = padded(x, window=window, source_shape=source_shape)
    sums = np.zeros((len(x) * height * width, outputs), dtype=x.dtype)
    part, share = inputs // groups, outputs // groups
    for (ky, kx), tap in zip(window.taps(), taps, strict=True):
        if not tap.any():
            continue
        rows, columns = window.slices(source_shape, ky, kx)
        seen = maps[:, rows, columns].reshape(len(sums), inputs)
        for group in range(groups):
            own = slice(group * part, (group + 1) * part)
            to = slice(group * share, (group + 1) * share)
            sums[:, to] += seen[:, own] @ tap[own, to]
    return sums.reshape(len(x), height * width * outputs)


def pool(
    x: npt.NDArray[Any], *, window: Window, source_shape: Shape, join: np.ufunc
) -> npt.NDArray[Any]:
    """What `join` makes of each window of each channel, from 0 on: `[samples, neurons]`."""
    maps = padded(x, window=window, source_shape=source_shape)
    height, width = window.extent(source_shape)
    pooled = np.zeros((len(x), height, width, source_shape[2]), dtype=x.dtype)
    for tap in window.taps():
        rows, columns = window.slices(source_shape, *tap)
        join(pooled, maps[:, rows, columns], out=pooled)
    return pooled.reshape(len(x), height * width * source_shape[2])
