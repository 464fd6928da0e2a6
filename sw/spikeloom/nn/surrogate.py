"""Surrogate derivatives: what stands in for the derivative of the spike's step function.

Each is a function of x = (u - threshold) / (width * threshold), so that a width means the same
whatever the integers' scale is, and integrates to 1 over x. Neftci, Mostafa, Zenke, "Surrogate
Gradient Learning in Spiking Neural Networks", IEEE Signal Processing Magazine 36(6), 2019.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

__all__ = ["SURROGATES", "Surrogate"]

Surrogate = Callable[[Tensor], Tensor]


def rectangle(x: Tensor) -> Tensor:
    """1/2 for |x| < 1, else 0."""
    return 0.5 * (x.abs() < 1).to(x.dtype)


def triangle(x: Tensor) -> Tensor:
    """max(0, 1 - |x|)."""
    return torch.relu(1 - x.abs())


def fast_sigmoid(x: Tensor) -> Tensor:
    """1 / (2 (1 + |x|)^2)."""
    return 0.5 / (1 + x.abs()).square()


SURROGATES: Mapping[str, Surrogate] = {
    "rectangle": rectangle,
    "triangle": triangle,
    "fast-sigmoid": fast_sigmoid,
}
"""The surrogates by the names that a configuration gives them."""
