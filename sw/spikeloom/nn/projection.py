"""Connections that are trained: masked, quantised weights on a kind of synapses."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from spikeloom.connections import Connection
from spikeloom.nn.layer import LayerIntegers
from spikeloom.nn.quantizer import ScaleKind, integers_of, quantized_weights, quantizer_scale
from spikeloom.nn.synapses import IdentitySynapses, Synapses

__all__ = ["Projection", "WeightedProjection", "shared_unit"]


class Projection(nn.Module):
    """A connection of a network that is trained; this one has no weights, as pooling.

    Attributes:
        name: unique within the network.
        source, target: names of populations.
        synapses: kind and geometry.
        delay, shift: as of `Connection`.
    """

    def __init__(
        self,
        *,
        name: str,
        source: str,
        target: str,
        synapses: Synapses,
        delay: int = 0,
        shift: int = 0,
    ) -> None:
        super().__init__()
        self.name, self.source, self.target = name, source, target
        self.synapses, self.delay, self.shift = synapses, delay, shift

    @property
    def largest(self) -> int:
        """The largest weight, shift included."""
        return 1 << self.shift

    def weights(self) -> Tensor | None:
        """The integers of a forward pass, shift included, as floats with gradients."""
        return None

    def forward(self, x: Tensor, weights: Tensor | None) -> Tensor:
        """What the target receives of `x` (float integers [N, ...]), shift included."""
        sums = self.synapses.sums(x, weights)
        return sums * float(1 << self.shift) if weights is None and self.shift else sums

    def connection(self) -> Connection:
        """It in integers."""
        return self.synapses.connection(None, **self._common())

    def _common(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "source": self.source,
            "target": self.target,
            "delay": self.delay,
            "shift": self.shift,
        }


class WeightedProjection(Projection):
    """A connection with weights: real ones in `weight`, exactly 0 outside `mask`.

    The forward pass is in integers. Connections into one population share, for each of its
    channels, the real value of integer 1 of their sums (`shared_unit`), so that these can be
    added; a weight's own is 2^shift of it.
    """

    mask: Tensor

    def __init__(
        self,
        *,
        weight_bits: int,
        scale: ScaleKind,
        limit: float,
        per_channel: bool,
        exempt: bool = False,
        **edge: Any,
    ) -> None:
        super().__init__(**edge)
        shape = self.synapses.weight_shape
        if shape is None:
            raise ValueError(f"{self.synapses.kind} has no weights")
        self.quantized = quantized_weights(
            shape, weight_bits=weight_bits, scale=scale, limit=limit, per_channel=per_channel
        )
        self.exempt = exempt
        self.register_buffer("mask", torch.ones(shape, dtype=torch.bool))
        # Not registered: they belong to the network.
        self._peers: list[WeightedProjection] = [self]

    @property
    def rewired(self) -> bool:
        """Whether it takes part in structure learning."""
        return not self.exempt and not isinstance(self.synapses, IdentitySynapses)

    def join(self, peers: Sequence[WeightedProjection]) -> None:
        """Share the unit of the target's channels with all that lead to it."""
        self._peers = list(peers)

    @property
    def weight(self) -> nn.Parameter:
        """Real weights, outputs first."""
        return cast(nn.Parameter, self.quantized.weight)

    @property
    def largest(self) -> int:
        """The largest weight, shift included."""
        return ((1 << (self.quantized.weight_bits - 1)) - 1) << self.shift

    @torch.no_grad()
    def set_mask(self, mask: Tensor) -> None:
        """Replace the mask (bool, the weights' shape); weights outside it become 0."""
        self.mask.copy_(mask)
        self.weight.mul_(self.mask)

    @torch.no_grad()
    def initialise(self, gain: float, generator: torch.Generator) -> None:
        """Normal weights of deviation gain / sqrt(mean active fan-in); a branch's are `gain`."""
        if isinstance(self.synapses, IdentitySynapses):
            self.weight.fill_(gain)
        else:
            fan_in = max(1.0, float(self.mask.sum()) / len(self.mask))
            drawn = torch.randn(self.weight.shape, generator=generator) * gain / math.sqrt(fan_in)
            self.weight.copy_(drawn.to(self.weight.device))
            self.weight.mul_(self.mask)
        cast(Any, self.quantized.weight_quant).init_tensor_quant()

    def unit(self) -> Tensor:
        """The real value of integer 1 of the sums of each target channel; scalar or [outputs]."""
        return shared_unit(self._peers)

    def own_unit(self) -> Tensor:
        """The same, if this connection alone led to its target."""
        return quantizer_scale(self.quantized) * 0.5**self.shift

    def integer_weight(self, unit: Tensor) -> Tensor:
        """Integers before the shift, as floats with the weights' gradient."""
        return integers_of(self.quantized, unit * float(1 << self.shift))

    @torch.no_grad()
    def integers(self) -> LayerIntegers:
        """What the forward pass computes with; bias and threshold are the population's."""
        unit = self.unit()
        none = torch.zeros(0)
        scale = unit * float(1 << self.shift)
        return LayerIntegers(self.integer_weight(unit), none, none, scale)

    def weights(self) -> Tensor:
        """The integers of a forward pass, shift included, as floats with gradients."""
        integers = self.integer_weight(self.unit())
        return integers * float(1 << self.shift) if self.shift else integers

    def connection(self) -> Connection:
        """It in integers."""
        integers = self.integers()
        return self.synapses.connection(
            integers.weight.numpy(),
            **self._common(),
            scale=float(torch.as_tensor(integers.scale).mean()),
        )


def shared_unit(projections: Sequence[WeightedProjection]) -> Tensor:
    """The real value of integer 1 of a population's sums: what the widest connection needs."""
    units = [projection.own_unit() for projection in projections]
    if len(units) == 1:
        return units[0]
    return torch.stack(torch.broadcast_tensors(*units)).amax(dim=0)
