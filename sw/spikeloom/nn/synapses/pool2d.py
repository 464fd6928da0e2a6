"""`spikeloom.connections.pool2d` in torch."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar, Self

from torch import Tensor
from torch.nn.functional import avg_pool2d, max_pool2d, pad

from spikeloom.connections import Connection, MaxPool2d, Shape, SumPool2d, Window
from spikeloom.nn.synapses.base import Integers, Synapses

__all__ = ["MaxPool2dSynapses", "SumPool2dSynapses"]


@dataclass(frozen=True, kw_only=True)
class _Pool2dSynapses(Synapses):
    """A window over each channel of a map.

    Attributes:
        window: geometry.
    """

    window: Window

    @property
    def target_shape(self) -> Shape:
        """Of the map of outputs."""
        return (*self.window.extent(self.source_shape), self.source_shape[2])

    @property
    def weight_shape(self) -> None:
        """It has none."""
        return None

    def rates(self, sent: Tensor) -> Tensor:
        """Of any input."""
        return sent.mean().reshape(1)

    def sums(self, x: Tensor, weight: Tensor | None) -> Tensor:  # noqa: ARG002
        """The pooled map."""
        top, bottom, left, right = self.window.padding
        # Zeros around it, since torch's pooling would leave them out of a maximum.
        return self._pool(pad(x, (left, right, top, bottom)) if any(self.window.padding) else x)

    @abstractmethod
    def _pool(self, x: Tensor) -> Tensor:
        """Pool a padded map."""

    @classmethod
    def of(cls, connection: Any) -> tuple[Self, Integers | None]:
        """Geometry."""
        return cls(source_shape=connection.source_shape, window=connection.window), None


@dataclass(frozen=True, kw_only=True)
class SumPool2dSynapses(_Pool2dSynapses):
    """How many spikes a window holds, or the sum of its values."""

    kind: ClassVar[str] = SumPool2d.kind

    @property
    def fan_in(self) -> int:
        """The window's area."""
        return prod(self.window.kernel)

    def _pool(self, x: Tensor) -> Tensor:
        if self.window.dilation == (1, 1):
            window = self.window
            return avg_pool2d(x, window.kernel, window.stride, divisor_override=1)
        taps = [
            x[:, :, rows, columns]
            for rows, columns in (
                self.window.slices(self.source_shape, *tap) for tap in self.window.taps()
            )
        ]
        return sum(taps[1:], taps[0])

    def connection(self, weight: Integers | None, **common: Any) -> Connection:  # noqa: ARG002
        """The connection in integers."""
        return SumPool2d(source_shape=self.source_shape, window=self.window, **common)


@dataclass(frozen=True, kw_only=True)
class MaxPool2dSynapses(_Pool2dSynapses):
    """The largest value of a window; of spikes, whether there was any in this step."""

    kind: ClassVar[str] = MaxPool2d.kind

    @property
    def fan_in(self) -> int:
        """One input decides."""
        return 1

    def _pool(self, x: Tensor) -> Tensor:
        window = self.window
        return max_pool2d(x, window.kernel, window.stride, dilation=window.dilation)

    def connection(self, weight: Integers | None, **common: Any) -> Connection:  # noqa: ARG002
        """The connection in integers."""
        return MaxPool2d(source_shape=self.source_shape, window=self.window, **common)
