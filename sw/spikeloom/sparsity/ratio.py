"""How many synapses to prune at a rewiring, scope by scope."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from spikeloom.sparsity.layer import Layers
from spikeloom.sparsity.pq_index import PQParameters, pq_index, rewiring_count

__all__ = [
    "RATIOS",
    "Ratio",
    "constant",
    "constant_global",
    "none",
    "pq_global",
    "pq_layer",
    "pq_neuron",
]


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


def pq_neuron(parameters: PQParameters, shrinkage: float = 0.0) -> Ratio:
    """Each neuron prunes among its own synapses what their PQ index allows.

    A neuron of few synapses has a noisy index, and one bound to be low: (d I + k I_layer) / (d + k)
    takes its place, with d the neuron's active synapses and k the `shrinkage`, so that k synapses'
    worth of the layer's index are mixed in.
    """

    def count(layers: Layers) -> list[Tensor]:
        counts = []
        for weight, mask in zip(layers.weights, layers.masks, strict=True):
            index, active = _index(weight, mask, parameters), mask.sum(dim=1)
            if shrinkage:
                whole = _index(weight.reshape(1, -1), mask.reshape(1, -1), parameters)
                index = (active * index + shrinkage * whole) / (active + shrinkage)
            counts.append(rewiring_count(active, index, parameters))
        return counts

    return count


def pq_global(parameters: PQParameters) -> Ratio:
    """One PQ index of all weights; the count is shared by one threshold of worth.

    Layers are compared after division by their root mean square, since a layer's scale means
    nothing against its threshold.
    """

    def count(layers: Layers) -> list[Tensor]:
        scaled = _scaled(layers)
        values = torch.cat(scaled)[None]
        total = _counts(values, torch.ones_like(values, dtype=torch.bool), parameters)
        return _of_smallest(scaled, int(total))

    return count


def constant(fraction: float) -> Ratio:
    """Each layer prunes floor(fraction * active)."""

    def count(layers: Layers) -> list[Tensor]:
        return [(mask.sum().double() * fraction).floor().long().reshape(1) for mask in layers.masks]

    return count


def constant_global(fraction: float) -> Ratio:
    """The network prunes floor(fraction * active), shared as `pq_global` shares."""

    def count(layers: Layers) -> list[Tensor]:
        scaled = _scaled(layers)
        return _of_smallest(scaled, int(fraction * sum(len(values) for values in scaled)))

    return count


def none() -> Ratio:
    """Nothing is pruned."""

    def count(layers: Layers) -> list[Tensor]:
        return [torch.zeros(1, dtype=torch.int64, device=mask.device) for mask in layers.masks]

    return count


def _scaled(layers: Layers) -> list[Tensor]:
    """Magnitudes of the active weights, in units of their layer's root mean square."""
    scaled = []
    for weight, mask in zip(layers.weights, layers.masks, strict=True):
        active = weight[mask]
        scaled.append(active.abs() / active.square().mean().sqrt().clamp(min=1e-12))
    return scaled


def _of_smallest(scaled: list[Tensor], total: int) -> list[Tensor]:
    """How many of the `total` smallest of all values lie in each layer."""
    values = torch.cat(scaled)
    owner = torch.cat([torch.full((len(v),), i) for i, v in enumerate(scaled)])
    chosen = owner.to(values.device)[values.argsort(stable=True)[:total]]
    return [(chosen == i).sum().reshape(1) for i in range(len(scaled))]


def _index(rows: Tensor, active: Tensor, parameters: PQParameters) -> Tensor:
    return pq_index(rows, active, p=parameters.p, q=parameters.q)


def _counts(rows: Tensor, active: Tensor, parameters: PQParameters) -> Tensor:
    return rewiring_count(active.sum(dim=1), _index(rows, active, parameters), parameters)


RATIOS: Mapping[str, Callable[[PQParameters, float, float], Ratio]] = {
    "pq-layer": lambda parameters, _fraction, _shrinkage: pq_layer(parameters),
    "pq-neuron": lambda parameters, _fraction, shrinkage: pq_neuron(parameters, shrinkage),
    "pq-global": lambda parameters, _fraction, _shrinkage: pq_global(parameters),
    "constant": lambda _parameters, fraction, _shrinkage: constant(fraction),
    "constant-global": lambda _parameters, fraction, _shrinkage: constant_global(fraction),
    "none": lambda _parameters, _fraction, _shrinkage: none(),
}
"""The ratios by the names that a configuration gives them."""
