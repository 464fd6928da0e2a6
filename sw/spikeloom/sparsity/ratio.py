"""How many synapses to prune at a rewiring, scope by scope."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from spikeloom.sparsity.pq_index import PQParameters, pq_index, rewiring_count

__all__ = ["PRESETS", "Layers", "Ratio", "constant", "pq_global", "pq_layer", "pq_neuron"]


@dataclass(frozen=True, kw_only=True)
class Layers:
    """Weights and masks of all layers, [neurons, fan-in]; an output channel is a neuron."""

    weights: Sequence[Tensor]
    masks: Sequence[Tensor]


Ratio = Callable[[Layers], list[Tensor]]
"""Counts to prune, one int64 tensor a layer: [1] prunes over the layer, [neurons] in each row."""


def pq_layer(parameters: PQParameters) -> Ratio:
    """Each layer prunes what its own PQ index allows."""

    def count(layers: Layers) -> list[Tensor]:
        return [
            _counts(weight.reshape(1, -1), mask.reshape(1, -1), parameters)
            for weight, mask in zip(layers.weights, layers.masks, strict=True)
        ]

    return count


def pq_neuron(parameters: PQParameters) -> Ratio:
    """Each neuron prunes among its own synapses what their PQ index allows."""

    def count(layers: Layers) -> list[Tensor]:
        return [
            _counts(weight, mask, parameters)
            for weight, mask in zip(layers.weights, layers.masks, strict=True)
        ]

    return count


def pq_global(parameters: PQParameters) -> Ratio:
    """One PQ index of all weights; the count is shared by one magnitude threshold.

    Layers are compared after division by their root mean square, since a layer's scale means
    nothing against its threshold.
    """

    def count(layers: Layers) -> list[Tensor]:
        scaled = []
        for weight, mask in zip(layers.weights, layers.masks, strict=True):
            active = weight[mask]
            scaled.append(active.abs() / active.square().mean().sqrt().clamp(min=1e-12))
        values = torch.cat(scaled)
        total = int(_counts(values[None], torch.ones_like(values[None], dtype=torch.bool),
                            parameters))  # fmt: skip
        owner = torch.cat([torch.full((len(v),), i) for i, v in enumerate(scaled)])
        pruned = owner.to(values.device)[values.argsort(stable=True)[:total]]
        return [(pruned == i).sum().reshape(1) for i in range(len(scaled))]

    return count


def constant(fraction: float) -> Ratio:
    """Each layer prunes floor(fraction * active)."""

    def count(layers: Layers) -> list[Tensor]:
        return [(mask.sum().double() * fraction).floor().long().reshape(1) for mask in layers.masks]

    return count


def _counts(rows: Tensor, active: Tensor, parameters: PQParameters) -> Tensor:
    index = pq_index(rows, active, p=parameters.p, q=parameters.q)
    return rewiring_count(active.sum(dim=1), index, parameters)


PRESETS: Mapping[str, Callable[[PQParameters, float], Ratio]] = {
    "pq-layer": lambda parameters, fraction: pq_layer(parameters),
    "pq-neuron": lambda parameters, fraction: pq_neuron(parameters),
    "pq-global": lambda parameters, fraction: pq_global(parameters),
    "constant": lambda parameters, fraction: constant(fraction),
}
"""The ratios by the names that a configuration gives them."""
