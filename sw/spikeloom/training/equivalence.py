"""Torch in eval mode against the integer reference: every spike, every membrane, by equality."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from spikeloom.datasets import Split
from spikeloom.evaluation import Evaluation, Tally, encoded_batches
from spikeloom.image import NetworkImage
from spikeloom.nn import SpikingNetwork
from spikeloom.reference import Trace, simulate

__all__ = ["Divergence", "Equivalence", "compare"]


@dataclass(frozen=True, kw_only=True)
class Divergence:
    """The first value, by sample, then step, layer and neuron, in which the two differ.

    Attributes:
        sample: position in the split.
        step, layer, neuron: counted from 0.
        quantity: "spike" or "membrane".
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
def compare(network: SpikingNetwork, image: NetworkImage, split: Split) -> Equivalence:
    """Run a split through both and compare everything."""
    network.eval()
    tally = Tally(len(image.graph.populations) - 1, image.outputs)
    mismatches = {"spike": 0, "membrane": 0, "prediction": 0}
    first: Divergence | None = None
    start = 0
    for events, labels in encoded_batches(
        split, encoding=image.encoding, time_steps=image.time_steps
    ):
        trace = simulate(image, events)
        tally.add(trace, labels)
        activity = network(torch.from_numpy(events))
        got = {
            "spike": [spikes.transpose(0, 1).cpu().numpy() for spikes in activity.spikes],
            "membrane": [v.transpose(0, 1).cpu().numpy() for v in activity.membranes],
        }
        expected = _expected(trace)
        for quantity, layers in got.items():
            mismatches[quantity] += sum(
                int((mine != theirs).sum())
                for mine, theirs in zip(layers, expected[quantity], strict=True)
            )
        predictions = activity.predictions.cpu().numpy()
        mismatches["prediction"] += int((predictions != trace.predictions).sum())
        first = first or _first_divergence(got, expected, start)
        start += len(labels)
    return Equivalence(
        samples=start,
        spike_mismatches=mismatches["spike"],
        membrane_mismatches=mismatches["membrane"],
        prediction_mismatches=mismatches["prediction"],
        first=first,
        evaluation=tally.result(),
    )


def _expected(trace: Trace) -> dict[str, list[NDArray[np.int64]]]:
    return {
        "spike": [spikes.astype(np.int64) for spikes in trace.spikes],
        "membrane": [membranes.astype(np.int64) for membranes in trace.membranes],
    }


def _first_divergence(
    got: dict[str, list[NDArray[np.float32]]],
    expected: dict[str, list[NDArray[np.int64]]],
    start: int,
) -> Divergence | None:
    found = []
    for quantity, layers in got.items():
        for layer, (mine, theirs) in enumerate(zip(layers, expected[quantity], strict=True)):
            places = np.argwhere(mine != theirs)
            if len(places):
                sample, step, neuron = (int(value) for value in places[0])
                at = (sample, step, neuron)
                found.append(
                    Divergence(
                        sample=start + sample,
                        step=step,
                        layer=layer,
                        neuron=neuron,
                        quantity=quantity,
                        got=int(mine[at]),
                        expected=int(theirs[at]),
                    )
                )
    return min(found, key=lambda d: (d.sample, d.step, d.layer, d.neuron), default=None)
