"""What structure learning needs of a layer, and what it sees of all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

__all__ = ["Integers", "Layers", "SparseLayer"]


class Integers(Protocol):
    """Quantised weights."""

    @property
    def weight(self) -> Tensor:
        """Int64, the shape of the layer's weight."""
        ...

    @property
    def scale(self) -> float | Tensor:
        """Real weight of integer 1: of the layer, or [neurons]."""
        ...


class SparseLayer(Protocol):
    """A layer whose weights are masked: what rewiring needs of it."""

    @property
    def weight(self) -> torch.nn.Parameter:
        """Real weights, outputs first."""
        ...

    @property
    def mask(self) -> Tensor:
        """Bool, the shape of `weight`: active synapses."""
        ...

    def set_mask(self, mask: Tensor) -> None:
        """Replace the mask; weights outside it become 0."""
        ...

    def integers(self) -> Integers:
        """What the weights quantise to."""
        ...

    def parameters(self) -> Iterator[torch.nn.Parameter]:
        """All that is trained, in a fixed order."""
        ...


@dataclass(frozen=True, kw_only=True)
class Layers:
    """All layers as matrices [neurons, fan-in]; an output channel is a neuron.

    Attributes:
        weights: real weights, or what a score made of them.
        masks: bool, active synapses.
        rates: of each layer [fan-in], mean spikes of a presynaptic neuron in a step; empty where
            no part of the method asks for them.
    """

    weights: Sequence[Tensor]
    masks: Sequence[Tensor]
    rates: Sequence[Tensor] = ()
