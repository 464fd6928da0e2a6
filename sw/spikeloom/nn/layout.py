"""Two orders of a population's neurons: the integers' flat one, and torch's maps.

In files, in the reference and on the chip, the neurons of a map `(height, width, channels)` stand
in one list, channels last. Torch's convolutions take `[..., channels, height, width]`; the
functions here give such tensors as views of the list, so that nothing is copied.
"""

from __future__ import annotations

from torch import Tensor

from spikeloom.connections import Shape

__all__ = ["map_shape", "parameter_shape", "to_list", "to_map"]


def to_map(values: Tensor, shape: Shape) -> Tensor:
    """`[..., neurons]` as `[..., channels, height, width]`; a list stays as it is."""
    if len(shape) == 1:
        return values
    return values.unflatten(-1, shape).movedim(-1, -3)


def to_list(values: Tensor, shape: Shape) -> Tensor:
    """`[..., channels, height, width]` as `[..., neurons]`, the inverse of `to_map`."""
    if len(shape) == 1:
        return values
    return values.movedim(-3, -1).flatten(-3)


def map_shape(shape: Shape) -> Shape:
    """The shape of a population in torch, channels first."""
    return shape if len(shape) == 1 else (shape[2], *shape[:2])


def parameter_shape(count: int, shape: Shape) -> tuple[int, ...]:
    """What makes `count` parameters, one or one a channel, broadcast over a population's map."""
    return (count,) if len(shape) == 1 else (count, 1, 1)
