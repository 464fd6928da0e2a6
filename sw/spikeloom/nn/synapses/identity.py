"""`spikeloom.connections.identity` in torch: one weight a channel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from torch import Tensor

from spikeloom.connections import Identity, Shape
from spikeloom.nn.layout import parameter_shape
from spikeloom.nn.synapses.base import Integers, Synapses

__all__ = ["IdentitySynapses"]


@dataclass(frozen=True, kw_only=True)
class IdentitySynapses(Synapses):
    """Each neuron to its counterpart; weights `[channels, 1, 1, 1]`, as a convolution's."""

    kind: ClassVar[str] = Identity.kind

    @property
    def target_shape(self) -> Shape:
        """That of the source."""
        return self.source_shape

    @property
    def weight_shape(self) -> tuple[int, ...]:
        """One weight a channel."""
        return self.source_shape[-1], 1, 1, 1

    @property
    def fan_in(self) -> int:
        """The counterpart alone."""
        return 1

    def rates(self, sent: Tensor) -> Tensor:
        """Of any input."""
        return sent.mean().reshape(1)

    def sums(self, x: Tensor, weight: Tensor | None) -> Tensor:
        """Neuron by neuron."""
        assert weight is not None
        return x * weight.reshape(parameter_shape(len(weight), self.source_shape))

    def connection(self, weight: Integers | None, **common: Any) -> Identity:
        """The connection in integers."""
        assert weight is not None
        return Identity(
            source_shape=self.source_shape, weight=weight.reshape(-1).astype(np.int32), **common
        )

    @classmethod
    def of(cls, connection: Identity) -> tuple[Self, Integers | None]:
        """Geometry and weights."""
        own = cls(source_shape=connection.source_shape)
        return own, connection.weight.astype(np.int64).reshape(own.weight_shape)
