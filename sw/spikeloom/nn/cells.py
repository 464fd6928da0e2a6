"""Populations that are trained: a neuron model, and its threshold and bias for each channel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from spikeloom.connections import Shape
from spikeloom.image.population import Population
from spikeloom.neurons import Relay
from spikeloom.nn.dynamics import Settings, Values, dynamics_of
from spikeloom.nn.layout import parameter_shape
from spikeloom.nn.norm import FoldedNorm
from spikeloom.nn.quantizer import straight_through

__all__ = ["Cells"]

LARGEST_BIAS = 1 << 20


class Cells(nn.Module):
    """One population. What arrives and what it computes with are integers held in floats.

    Args:
        name: unique within the network.
        shape: channels last.
        neuron: model with its settings, of `spikeloom.neurons`.
        spiking: False for a readout by membrane.
        membrane_bits, current_bits: signed widths of the states.
        threshold: in real units, or in deviations of the sums where they are normalised.
        norm: normalise the sums of each channel.
        bias: give each channel a bias of its own, where nothing is normalised.
        surrogate, surrogate_width: see `Settings`.
    """

    def __init__(
        self,
        *,
        name: str,
        shape: Shape,
        neuron: Any,
        spiking: bool = True,
        membrane_bits: int = 16,
        current_bits: int = 20,
        threshold: float = 1.0,
        norm: bool = False,
        bias: bool = False,
        surrogate: str = "triangle",
        surrogate_width: float = 1.0,
    ) -> None:
        super().__init__()
        self.name, self.shape, self.neuron, self.spiking = name, shape, neuron, spiking
        self.membrane_bits, self.current_bits = membrane_bits, current_bits
        self.threshold = threshold
        self.relays = isinstance(neuron, Relay)
        self.dynamics = dynamics_of(
            neuron,
            Settings(
                spiking=spiking,
                limits={
                    state: (-(1 << (bits - 1)), (1 << (bits - 1)) - 1)
                    for state, bits in (("membrane", membrane_bits), ("current", current_bits))
                },
                surrogate=surrogate,
                surrogate_width=surrogate_width,
            ),
        )
        self.norm = FoldedNorm(shape[-1], threshold) if norm else None
        self.bias = nn.Parameter(torch.zeros(shape[-1])) if bias and not norm else None

    def integers(self, sums: Tensor, unit: Tensor) -> tuple[Tensor, Tensor | None]:
        """Threshold and bias as float integers with gradients: [1] or [channels], and the same."""
        if self.norm is not None:
            threshold, bias = self.norm(sums, unit)
        else:
            threshold = (self.threshold / unit).reshape(-1)
            bias = None if self.bias is None else self.bias / unit
        highest = float((1 << (self.membrane_bits - 1)) - 1)
        whole = torch.round(threshold).clamp(1, highest)
        if bias is None:
            return straight_through(threshold, whole), None
        bias = bias.clamp(-LARGEST_BIAS, LARGEST_BIAS)
        return straight_through(threshold, whole), straight_through(bias, torch.round(bias))

    def forward(
        self,
        sums: Tensor,
        unit: Tensor | None,
        before: Mapping[str, Tensor] | None = None,
        *,
        every_step: bool = True,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Some steps on end.

        Args:
            sums: of the incoming connections, float integers [T, B, ...].
            unit: real value of integer 1 of them, scalar or [channels]; None for a relay.
            before: states before the first step; None: 0.
            every_step: keep the states after each step, or after the last one only.

        Returns:
            (outputs [T, B, ...], states by name), as `Dynamics.run`.
        """
        if unit is None:
            return self.dynamics.run(sums, Values(threshold=sums.new_ones(1)))
        threshold, bias = self.integers(sums, unit)
        threshold = threshold.reshape(parameter_shape(len(threshold), self.shape))
        if bias is not None:
            sums = sums + bias.reshape(parameter_shape(len(bias), self.shape))
        # A normalised neuron's amount moves with its threshold, so it takes its gradient, too.
        amount = threshold if self.norm is not None else None
        values = Values(threshold=threshold, amount=amount)
        return self.dynamics.run(sums, values, before, every_step=every_step)

    @torch.no_grad()
    def population(self, unit: Tensor | None) -> Population:
        """It in integers, in eval mode."""
        common: dict[str, Any] = {
            "name": self.name,
            "shape": self.shape,
            "neuron": self.neuron,
            "spiking": self.spiking,
            "membrane_bits": self.membrane_bits,
            "current_bits": self.current_bits,
        }
        if unit is None:
            return Population(name=self.name, shape=self.shape, neuron=self.neuron)
        threshold, bias = self.integers(torch.empty(0), unit)
        if bias is not None:
            common["bias"] = bias.detach().long().cpu().numpy()
        if self.spiking:
            common["threshold"] = threshold.detach().long().cpu().numpy()
        return Population(**common)
