"""What an active synapse is worth: the PQ index is taken of it, and the smallest go first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from spikeloom.sparsity.layer import Layers

__all__ = ["NEEDS_RATES", "SCORES", "InputRates", "Score"]

Score = Callable[[Layers], list[Tensor]]
"""A worth >= 0 for each place of each layer, [neurons, fan-in]; larger is better."""


def magnitude(layers: Layers) -> list[Tensor]:
    """|w|."""
    return [weight.abs() for weight in layers.weights]


def drive(layers: Layers) -> list[Tensor]:
    """|w_ij| rate_j: the charge that a synapse moves in a step, on average.

    A large weight behind a silent neuron drives nothing, and costs memory all the same.
    """
    return [
        weight.abs() * rate.to(weight.dtype)
        for weight, rate in zip(layers.weights, layers.rates, strict=True)
    ]


SCORES: Mapping[str, Score] = {"magnitude": magnitude, "drive": drive}
"""The scores by the names that a configuration gives them."""

NEEDS_RATES = frozenset({"drive"})


class InputRates:
    """Mean spikes in a step of each presynaptic neuron, over the batches since the last reset."""

    def __init__(self) -> None:
        self._sums: list[Tensor] = []
        self._batches = 0

    def observe(self, arriving: Sequence[Tensor]) -> None:
        """Take what arrived at each layer in a batch: 0 or 1, [..., presynaptic neurons]."""
        means = [events.detach().flatten(0, -2).double().mean(dim=0) for events in arriving]
        self._sums = (
            [total + mean.to(total.device) for total, mean in zip(self._sums, means, strict=True)]
            if self._batches
            else means
        )
        self._batches += 1

    def means(self, device: torch.device) -> list[Tensor]:
        """Float64 [fan-in] of each layer.

        Raises:
            RuntimeError: nothing was observed.
        """
        if not self._batches:
            raise RuntimeError("a rate needs spikes: observe at least one batch first")
        return [(total / self._batches).to(device) for total in self._sums]

    def reset(self) -> None:
        """Forget what was observed."""
        self._sums, self._batches = [], 0

    def state_dict(self) -> dict[str, Any]:
        """Sums and number of batches."""
        return {"sums": list(self._sums), "batches": self._batches}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up what `state_dict` gave."""
        self._sums, self._batches = list(state["sums"]), int(state["batches"])
