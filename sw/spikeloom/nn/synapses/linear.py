"""`spikeloom.connections.linear` in torch: one product of a matrix."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar, Self

import torch
from torch import Tensor
from torch.nn.functional import linear

from spikeloom.connections import Linear, Shape, SparseRows
from spikeloom.nn.layout import to_list, to_map
from spikeloom.nn.synapses.base import Integers, Synapses
from spikeloom.nn.synapses.events import synaptic_sums

__all__ = ["LinearSynapses"]


@dataclass(frozen=True, kw_only=True)
class LinearSynapses(Synapses):
    """Any input to any target; weights `[targets, inputs]`, a map's inputs channels last.

    Attributes:
        shape: of the target.
    """

    kind: ClassVar[str] = Linear.kind

    shape: Shape

    @property
    def target_shape(self) -> Shape:
        """Of the target."""
        return self.shape

    @property
    def weight_shape(self) -> tuple[int, ...]:
        """Targets and inputs."""
        return prod(self.shape), prod(self.source_shape)

    @property
    def fan_in(self) -> int:
        """All inputs."""
        return prod(self.source_shape)

    def rates(self, sent: Tensor) -> Tensor:
        """Of each input."""
        return to_list(sent, self.source_shape).mean(dim=(0, 1))

    def sums(self, x: Tensor, weight: Tensor | None) -> Tensor:
        """One product; of events that are bool, a list of them where that is less work."""
        assert weight is not None
        inputs = to_list(x, self.source_shape)
        if inputs.dtype == torch.bool:
            return to_map(synaptic_sums(inputs, weight), self.shape)
        return to_map(linear(inputs, weight), self.shape)

    def connection(self, weight: Integers | None, **common: Any) -> Linear:
        """The connection in integers."""
        assert weight is not None
        shape = () if len(self.shape) == 1 else self.shape
        return Linear(
            source_shape=self.source_shape,
            weights=SparseRows.from_dense(weight.T),
            shape=shape,
            **common,
        )

    @classmethod
    def of(cls, connection: Linear) -> tuple[Self, Integers | None]:
        """Geometry and weights."""
        own = cls(source_shape=connection.source_shape, shape=connection.target_shape)
        return own, connection.weights.dense().T.copy()
