"""`spikeloom.connections.conv2d` in torch: one convolution, rounded to the nearest integer."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar, Self

from torch import Tensor
from torch.nn.functional import conv2d, pad

from spikeloom.connections import Conv2d, Shape, Window
from spikeloom.nn.exact import rounded
from spikeloom.nn.synapses.base import Integers, Synapses

__all__ = ["Conv2dSynapses", "padded"]


@dataclass(frozen=True, kw_only=True)
class Conv2dSynapses(Synapses):
    """One kernel for all places of a map; weights `[outputs, inputs / groups, height, width]`.

    Attributes:
        window: geometry.
        channels: output channels.
        groups: input and output channels fall into so many groups.
    """

    kind: ClassVar[str] = Conv2d.kind

    window: Window
    channels: int
    groups: int = 1

    @property
    def target_shape(self) -> Shape:
        """Of the map of outputs."""
        return (*self.window.extent(self.source_shape), self.channels)

    @property
    def weight_shape(self) -> tuple[int, ...]:
        """Of the kernel."""
        return self.channels, self.source_shape[2] // self.groups, *self.window.kernel

    @property
    def fan_in(self) -> int:
        """Taps times input channels of a group."""
        return prod(self.weight_shape[1:])

    def rates(self, sent: Tensor) -> Tensor:
        """Of each input channel, for each tap; groups are taken together."""
        mean = sent.mean(dim=(0, 1, 3, 4)).reshape(self.groups, -1).mean(dim=0)
        return mean.repeat_interleave(prod(self.window.kernel))

    def sums(self, x: Tensor, weight: Tensor | None) -> Tensor:
        """One convolution, whose sums are integers wherever inputs and weights are."""
        assert weight is not None
        x, padding = padded(x, self.window)
        return rounded(
            conv2d(
                x,
                weight,
                stride=self.window.stride,
                padding=padding,
                dilation=self.window.dilation,
                groups=self.groups,
            )
        )

    def connection(self, weight: Integers | None, **common: Any) -> Conv2d:
        """The connection in integers."""
        assert weight is not None
        return Conv2d.from_dense(
            weight,
            window=self.window,
            groups=self.groups,
            source_shape=self.source_shape,
            **common,
        )

    @classmethod
    def of(cls, connection: Conv2d) -> tuple[Self, Integers | None]:
        """Geometry and kernel."""
        own = cls(
            source_shape=connection.source_shape,
            window=connection.window,
            channels=connection.channels,
            groups=connection.groups,
        )
        outputs, part, height, width = own.weight_shape
        # [kh·kw, inputs, outputs]; output channels of a group stand side by side.
        taps = connection.taps.reshape(height, width, -1, own.groups, outputs // own.groups)
        kernel = taps.reshape(height, width, own.groups, part, own.groups, -1)
        kernel = kernel.diagonal(axis1=2, axis2=4)  # [kh, kw, part, outputs / groups, groups]
        return own, kernel.transpose(4, 3, 2, 0, 1).reshape(own.weight_shape).copy()


def padded(x: Tensor, window: Window) -> tuple[Tensor, tuple[int, int]]:
    """What torch's own padding cannot do, done, and what it can."""
    top, bottom, left, right = window.padding
    if top == bottom and left == right:
        return x, (top, left)
    return pad(x, (left, right, top, bottom)), (0, 0)
