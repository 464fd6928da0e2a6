"""A layer of spiking neurons with sparse, quantised synapses."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, Literal, cast

import torch
from torch import Tensor, nn

from spikeloom.nn.dynamics.membrane import EXACT, Neuron, integrate_and_fire
from spikeloom.nn.learned import LearnedLeak
from spikeloom.nn.quantizer import (
    ScaleKind,
    integer_weight,
    quantized_linear,
    straight_through,
)
from spikeloom.nn.synapses.events import synaptic_sums

__all__ = ["LayerIntegers", "LearnThreshold", "SpikingLinear"]

LearnThreshold = Literal["none", "layer", "neuron"]

LARGEST_THRESHOLD = 1 << 20


class LayerIntegers:
    """The integers that a layer computes with, detached.

    Attributes:
        weight: int64 [neurons, inputs]; bias, threshold: int64 [neurons].
        scale: real weight of integer 1: of the layer, or float32 [neurons].
    """

    def __init__(self, weight: Tensor, bias: Tensor, threshold: Tensor, scale: Tensor) -> None:
        self.weight = weight.detach().long().cpu()
        self.bias = bias.detach().long().cpu()
        self.threshold = threshold.detach().long().cpu()
        self.scale = scale.detach().cpu() if scale.dim() else float(scale)


class SpikingLinear(nn.Module):
    """Fully connected synapses and the neurons that they lead into.

    The forward pass is in integer units. Weights are Brevitas' integers w; the real threshold
    becomes round(threshold / scale), at least 1, since a spike is 0 or 1 and the weights' scale
    therefore cancels; a real bias becomes round(bias / scale).

    Parameters live in real units: `weight` [neurons, inputs], exactly 0 outside `mask`. Where the
    threshold is learned, of the layer or of each neuron, `threshold` is where it began, and
    `log_threshold` what it was multiplied by; a leak that is learned is a `LearnedLeak`.
    """

    mask: Tensor
    threshold: Tensor

    def __init__(
        self,
        inputs: int,
        neurons: int,
        *,
        neuron: Neuron,
        weight_bits: int,
        scale: ScaleKind = "max",
        limit: float = 1.0,
        per_channel: bool = False,
        threshold: float = 1.0,
        bias: bool = False,
        learn_threshold: LearnThreshold = "none",
        learn_leak: bool = False,
    ) -> None:
        super().__init__()
        largest = (1 << (weight_bits - 1)) - 1
        reach = inputs * largest + (1 << neuron.membrane_bits) + (LARGEST_THRESHOLD if bias else 0)
        if reach >= EXACT:
            raise ValueError(
                f"{inputs!r} inputs of {weight_bits!r} bits may sum up to {reach}: "
                "integers are exact below 2^24 only"
            )
        self._neuron = neuron
        self.learned_leak = LearnedLeak(neuron.leak) if learn_leak else None
        self.linear = quantized_linear(
            inputs,
            neurons,
            weight_bits=weight_bits,
            scale=scale,
            limit=limit * threshold,
            per_channel=per_channel,
        )
        self.bias = nn.Parameter(torch.zeros(neurons)) if bias else None
        self.register_buffer("mask", torch.ones(neurons, inputs, dtype=torch.bool))
        self.register_buffer("threshold", torch.full((neurons,), float(threshold)))
        factors = {"none": 0, "layer": 1, "neuron": neurons}[learn_threshold]
        self.log_threshold = nn.Parameter(torch.zeros(factors)) if factors else None

    @property
    def neuron(self) -> Neuron:
        """The parameters that the neurons share, with the leak as it is learned so far."""
        if self.learned_leak is None:
            return self._neuron
        return replace(self._neuron, leak=self.learned_leak.nearest())

    @property
    def weight(self) -> nn.Parameter:
        """Real weights [neurons, inputs]."""
        return cast(nn.Parameter, self.linear.weight)

    @torch.no_grad()
    def set_mask(self, mask: Tensor) -> None:
        """Replace the mask (bool [neurons, inputs]); weights outside it become 0."""
        self.mask.copy_(mask)
        self.weight.mul_(self.mask)

    @torch.no_grad()
    def initialise(self, gain: float, generator: torch.Generator) -> None:
        """Normal weights of deviation gain * threshold / sqrt(mean active fan-in)."""
        fan_in = max(1.0, float(self.mask.sum()) / len(self.mask))
        deviation = gain * float(self.threshold.mean()) / math.sqrt(fan_in)
        drawn = torch.randn(self.weight.shape, generator=generator) * deviation
        self.weight.copy_(drawn.to(self.weight.device))
        self.weight.mul_(self.mask)
        # A learned scale begins at the largest of the weights that were just drawn.
        cast(Any, self.linear.weight_quant).init_tensor_quant()

    def _integers(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        weight, scale = integer_weight(self.linear)
        ratio = self.threshold / scale
        if self.log_threshold is not None:
            ratio = ratio * self.log_threshold.exp()
        threshold = torch.round(ratio).clamp(1, LARGEST_THRESHOLD)
        if self.log_threshold is not None:
            threshold = straight_through(ratio, threshold)
        if self.bias is None:
            bias = torch.zeros_like(self.threshold)
        else:
            real = (self.bias / scale).clamp(-LARGEST_THRESHOLD, LARGEST_THRESHOLD)
            bias = straight_through(real, torch.round(real))
        return weight, bias, threshold, scale

    @torch.no_grad()
    def integers(self) -> LayerIntegers:
        """What the forward pass computes with."""
        return LayerIntegers(*self._integers())

    def forward(self, events: Tensor, *, every_step: bool = True) -> tuple[Tensor, Tensor, Tensor]:
        """Run all time steps.

        Args:
            events: 0 or 1, bool or float32 [T, B, inputs].
            every_step: keep the membranes after each step, or after the last one only.

        Returns:
            (spikes [T, B, neurons], membranes [T or 1, B, neurons], scale: real weight of
            integer 1, scalar or [neurons]).
        """
        weight, bias, threshold, scale = self._integers()
        # One product for all steps: sums of integers below 2^24 are exact in any order.
        a = synaptic_sums(events, weight)
        if self.bias is not None:
            a = a + bias
        spikes, membranes = integrate_and_fire(
            a,
            threshold,
            self.neuron,
            lost=self.learned_leak() if self.learned_leak is not None else None,
            every_step=every_step,
        )
        return spikes, membranes, scale
