"""Accuracy and cost of a network image on a split, by the integer reference alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikeloom.datasets import Split
from spikeloom.encoding import Encoding, encode
from spikeloom.image import NetworkImage
from spikeloom.reference import Trace, simulate
from spikeloom.results import Result

__all__ = [
    "Evaluation",
    "Tally",
    "encoded_batches",
    "evaluate_split",
    "mean_spikes",
    "silence",
    "wilson_interval",
]


@dataclass(frozen=True, kw_only=True)
class Evaluation(Result):
    """Sums over the samples of a split.

    Attributes:
        samples, correct: numbers of samples.
        events: into each layer, the encoded input first.
        operations: of each layer, synapses driven by events.
        confusion: of each class, how often each output was answered.
        sent: of the input and of each layer that drives others, outputs that were not 0.
    """

    samples: int
    correct: int
    events: tuple[int, ...]
    operations: tuple[int, ...]
    confusion: tuple[tuple[int, ...], ...]
    sent: tuple[int, ...]

    @property
    def accuracy(self) -> float:
        """Fraction classified correctly."""
        return self.correct / max(1, self.samples)

    @property
    def events_per_sample(self) -> tuple[float, ...]:
        """Mean events of a sample into each layer."""
        return tuple(events / max(1, self.samples) for events in self.events)

    def silent(self, image: NetworkImage) -> list[str]:
        """Names of what made no event at all: "input", and spiking layers in front of others."""
        names = ["input", *(own.name for own in image.graph.populations[1:-1])]
        return [name for name, sent in zip(names, self.sent, strict=True) if not sent]

    @property
    def operations_per_sample(self) -> float:
        """Mean synaptic operations of a sample, all layers together."""
        return sum(self.operations) / max(1, self.samples)


def silence(name: str) -> str:
    """What is said of a layer without a spike; of an input without an event, if it is "input"."""
    if name == "input":
        return "no sample makes an input event: its values are below what the encoding needs"
    return f"the layer {name} makes no spike: nothing reaches the layers behind it"


class Tally:
    """Adds up traces into an `Evaluation`."""

    def __init__(self, layers: int, outputs: int) -> None:
        self._samples = self._correct = 0
        self._events = np.zeros(layers, dtype=np.int64)
        self._operations = np.zeros(layers, dtype=np.int64)
        self._confusion = np.zeros((outputs, outputs), dtype=np.int64)
        self._sent = np.zeros(layers, dtype=np.int64)

    def add(self, trace: Trace, labels: NDArray[np.int64]) -> None:
        """Take a batch's trace with its labels (int64 [S])."""
        self._samples += len(labels)
        self._correct += int((trace.predictions == labels).sum())
        self._events += trace.arrived.sum(axis=0)
        self._operations += trace.operations.sum(axis=0)
        np.add.at(self._confusion, (labels, trace.predictions), 1)
        self._sent += [np.count_nonzero(sent) for sent in (trace.events, *trace.spikes[:-1])]

    def result(self) -> Evaluation:
        """The sums so far."""
        return Evaluation(
            samples=self._samples,
            correct=self._correct,
            events=tuple(self._events.tolist()),
            operations=tuple(self._operations.tolist()),
            confusion=tuple(map(tuple, self._confusion.tolist())),
            sent=tuple(self._sent.tolist()),
        )


def encoded_batches(
    split: Split, *, encoding: Encoding, time_steps: int, batch_size: int = 512
) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.int64]]]:
    """A split in its own order: (events bool [B, T, inputs], labels int64 [B])."""
    for start in range(0, len(split), batch_size):
        stop = start + batch_size
        events = encode(encoding, split.images[start:stop], time_steps, start)
        yield events, split.labels[start:stop]


def evaluate_split(image: NetworkImage, split: Split) -> Evaluation:
    """Run a whole split through the integer reference."""
    tally = Tally(len(image.graph.populations) - 1, image.outputs)
    for events, labels in encoded_batches(
        split, encoding=image.encoding, time_steps=image.time_steps
    ):
        tally.add(simulate(image, events), labels)
    return tally.result()


def mean_spikes(image: NetworkImage, split: Split) -> tuple[NDArray[np.float64], ...]:
    """How often each input of each layer spikes in a sample of `split`: float64 [inputs] each."""
    sums = [np.zeros(layer.inputs) for layer in image.layers]
    for events, _ in encoded_batches(split, encoding=image.encoding, time_steps=image.time_steps):
        trace = simulate(image, events)
        for number, total in enumerate(sums):
            total += trace.inputs_of(number).sum(axis=(0, 1))
    return tuple(total / len(split) for total in sums)


def wilson_interval(correct: int, samples: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a proportion (E. B. Wilson, JASA 22, 1927).

    Raises:
        ValueError: `samples` is not positive, or `correct` not within it.
    """
    if not 0 <= correct <= samples or samples < 1:
        raise ValueError(f"correct must be 0 to samples, not {correct!r} of {samples!r}")
    from scipy.stats import binomtest  # slow to import

    interval = binomtest(correct, samples).proportion_ci(0.95, method="wilson")
    return float(interval.low), float(interval.high)
