"""Torch in eval mode against the integer reference: every spike, every state, by equality."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from spikeloom.datasets import Split
from spikeloom.evaluation import Evaluation, Tally, encoded_batches
from spikeloom.image import NetworkImage
from spikeloom.nn import Activity, Network
from spikeloom.reference import Trace, simulate

__all__ = ["Divergence", "Equivalence", "compare"]

BATCH = 512
LARGEST_BATCH = 1 << 27
"""Values that a batch holds at most, all steps and populations together."""


@dataclass(frozen=True, kw_only=True)
class Divergence:
    """The first value, by sample, then step, layer and neuron, in which the two differ.

    Attributes:
        sample: position in the split.
        step, layer, neuron: counted from 0.
        quantity: "spike", or the name of a state, "membrane" or "current".
        got: what torch computed.
        expected: what the reference computed.
    """

    sample: int
    step: int
    layer: int
    neuron: int
    quantity: str
    got: int
    expected: int

    def __str__(self) -> str:
        return (
            f"sample {self.sample}, step {self.step}, layer {self.layer}, neuron {self.neuron}: "
            f"{self.quantity} got {self.got}, expected {self.expected}"
        )


@dataclass(frozen=True, kw_only=True)
class Equivalence:
    """How many values differ over a split, the first that does, and what the reference measured."""

    samples: int
    spike_mismatches: int
    membrane_mismatches: int
    prediction_mismatches: int
    first: Divergence | None
    evaluation: Evaluation

    @property
    def identical(self) -> bool:
        """Whether nothing differs."""
        return not (self.spike_mismatches or self.membrane_mismatches or self.prediction_mismatches)


@torch.no_grad()
def compare(network: Network, image: NetworkImage, split: Split) -> Equivalence:
    """Run a split through both and compare everything."""
    network.eval()
    tally = Tally(len(image.graph.populations) - 1, image.outputs)
    mismatches = {"spike": 0, "membrane": 0, "prediction": 0}
    first: Divergence | None = None
    start = 0
    each = image.time_steps * sum(population.neurons for population in image.graph.populations)
    batch = min(BATCH, max(1, LARGEST_BATCH // each))
    for events, labels in encoded_batches(
        split, encoding=image.encoding, time_steps=image.time_steps, batch_size=batch
    ):
        trace = simulate(image, events)
        tally.add(trace, labels)
        activity = network(torch.from_numpy(events))
        found = []
        for layer, quantity, mine, theirs in _pairs(network, activity, trace):
            differ = mine != theirs
            # A synaptic current is a state as a membrane is.
            mismatches["spike" if quantity == "spike" else "membrane"] += int(differ.sum())
            if differ.any():
                found.append(_divergence(start, layer, quantity, mine, theirs))
        predictions = activity.predictions.cpu().numpy()
        mismatches["prediction"] += int((predictions != trace.predictions).sum())
        key = lambda d: (d.sample, d.step, d.layer, d.neuron)  # noqa: E731
        first = first or min(found, key=key, default=None)
        start += len(labels)
    return Equivalence(
        samples=start,
        spike_mismatches=mismatches["spike"],
        membrane_mismatches=mismatches["membrane"],
        prediction_mismatches=mismatches["prediction"],
        first=first,
        evaluation=tally.result(),
    )


def _pairs(
    network: Network, activity: Activity, trace: Trace
) -> Iterator[tuple[int, str, NDArray[np.floating], NDArray[np.integer]]]:
    """Layer, quantity, what torch computed and what the reference did, `[S, T, neurons]`."""
    for layer, (outputs, states) in enumerate(network.computed(activity)):
        yield layer, "spike", outputs.cpu().numpy(), trace.spikes[layer].astype(np.int64)
        if set(states) != set(trace.states[layer]):
            raise ValueError(f"population {layer} has other states in torch: {list(states)!r}")
        for name, values in states.items():
            yield layer, name, values.cpu().numpy(), trace.states[layer][name]


def _divergence(
    start: int, layer: int, quantity: str, mine: NDArray[np.floating], theirs: NDArray[np.integer]
) -> Divergence:
    sample, step, neuron = at = tuple(int(value) for value in np.argwhere(mine != theirs)[0])
    return Divergence(
        sample=start + sample,
        step=step,
        layer=layer,
        neuron=neuron,
        quantity=quantity,
        got=int(mine[at]),
        expected=int(theirs[at]),
    )
