"""What an import changed: real numbers against integers on the same samples, layer by layer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from spikeloom.evaluation import wilson_interval
from spikeloom.importers.bounds import decay_error
from spikeloom.importers.float_reference import FloatTrace
from spikeloom.importers.foreign import ForeignNetwork
from spikeloom.importers.quantise import IntegerNetwork, integer_weights
from spikeloom.neurons import CubaLif, Lif
from spikeloom.reference.graph import GraphTrace, simulate_graph
from spikeloom.report.network import leak_formula

AGREEMENT = 0.95
"""Share of samples with the same class, below which a report warns."""
RATIO = (0.5, 2.0)
"""Spikes in integers for each in real numbers, outside of which a report warns."""

Batch = tuple[npt.NDArray[np.integer | np.bool_], npt.NDArray[np.int64] | None]


@dataclass(kw_only=True, eq=False)
class _Seen:
    """What has been counted of one population."""

    spikes: float = 0
    spikes_single: float = 0
    spikes_integer: int = 0
    differ: float = 0
    rails: int = 0
    margin: float = np.inf
    first: tuple[int, int] | None = None


@dataclass(kw_only=True, eq=False)
class Fidelity:
    """Counts over samples.

    Attributes:
        foreign: the network in real numbers, as its framework runs it.
        network: its integers.
        samples: how many have been compared.
    """

    foreign: ForeignNetwork
    network: IntegerNetwork
    samples: int = 0
    _agree: int = 0
    _same: int = 0
    _agree_single: int = 0
    _right: list[int] = field(default_factory=lambda: [0, 0, 0])
    _labelled: int = 0
    _histogram: npt.NDArray[np.int64] = field(init=False)
    _seen: dict[str, _Seen] = field(init=False)

    def __post_init__(self) -> None:
        outputs = self.network.graph.readout.neurons
        self._histogram = np.zeros((2, outputs), dtype=np.int64)
        self._seen = {name: _Seen() for name in self.network.populations}

    def add(
        self, samples: npt.NDArray[np.integer | np.bool_], labels: npt.NDArray[np.int64] | None
    ) -> None:
        """Take in samples `[S, T, inputs]` and their labels, where they are known."""
        floats = self.foreign.run(samples.astype(np.float64), keep_membranes=False)
        single = floats
        if self.foreign.sends_many:
            single = self.foreign.single().run(samples.astype(np.float64), keep_membranes=False)
        trace = simulate_graph(self.network.graph, samples, samples.shape[1])
        classes = _predictions(self.network, trace)
        self._agree += int((classes == floats.predictions).sum())
        self._agree_single += int((single.predictions == floats.predictions).sum())
        for row, found in enumerate((floats.predictions, classes)):
            self._histogram[row] += np.bincount(found, minlength=self._histogram.shape[1])
        if labels is not None:
            self._labelled += len(labels)
            for place, found in enumerate((floats.predictions, classes, single.predictions)):
                self._right[place] += int((found == labels).sum())
        equal = np.ones(len(samples), dtype=np.bool_)
        for name, seen in self._seen.items():
            equal &= self._compare(name, seen, floats, trace)
            seen.spikes_single += float(single.outputs[name].sum())
        self._same += int(equal.sum())
        self.samples += len(samples)

    def _compare(
        self, name: str, seen: _Seen, floats: FloatTrace, trace: GraphTrace
    ) -> npt.NDArray[np.bool_]:
        """Count what a population did; which samples have all its spikes equal."""
        wanted, got = floats.outputs[name], trace.outputs[name]
        differ = np.abs(wanted - got)
        seen.spikes += float(wanted.sum())
        seen.spikes_integer += int(got.sum())
        seen.differ += float(differ.sum())
        if name in floats.margin:
            seen.margin = min(seen.margin, float(floats.margin[name].min()))
        population = self.network.graph.by_name[name]
        for state, values in trace.states[name].items():
            low, high = population.limits[state]
            meant = state == "membrane" and population.membrane_low is not None
            seen.rails += int((values == high).sum()) + (0 if meant else int((values == low).sum()))
        rows = np.asarray(differ.any(axis=(1, 2)))
        if seen.first is None and rows.any():
            sample = int(np.argmax(rows))
            step = int(np.argmax(differ[sample].any(axis=1)))
            seen.first = self.samples + sample, step
        return np.logical_not(rows)

    def document(self) -> dict[str, Any]:
        """All that was found, as plain values for a report."""
        low, high = wilson_interval(self._agree, self.samples) if self.samples else (0.0, 1.0)
        accuracy = None
        if self._labelled:
            accuracy = {
                "float": self._right[0] / self._labelled,
                "integers": self._right[1] / self._labelled,
                "correct_float": self._right[0],
                "correct_integers": self._right[1],
                "samples": self._labelled,
            }
            if self.foreign.sends_many:
                accuracy["float_one_spike"] = self._right[2] / self._labelled
        document: dict[str, Any] = {
            "samples": self.samples,
            "class_agreement": self._agree / self.samples if self.samples else None,
            "class_agreement_interval_95": [low, high] if self.samples else None,
            "one_spike_agreement": self._agree_single / self.samples
            if self.samples and self.foreign.sends_many
            else None,
            "samples_with_every_spike_equal": self._same,
            "accuracy": accuracy,
            "classes_float": self._histogram[0],
            "classes_integers": self._histogram[1],
            "populations": [self._population(name) for name in self._seen],
        }
        return document | {"warnings": list(self.warnings(document))}

    def _population(self, name: str) -> dict[str, Any]:
        seen = self._seen[name]
        return describe(self.foreign, self.network, name) | {
            "spikes_float": seen.spikes if self.samples else None,
            "spikes_float_one_spike": seen.spikes_single
            if self.samples and self.foreign.sends_many
            else None,
            "spikes_integers": seen.spikes_integer if self.samples else None,
            "spikes_differ": seen.differ if self.samples else None,
            "rails_hit": seen.rails if self.samples else None,
            "smallest_margin": seen.margin if np.isfinite(seen.margin) else None,
            "first_divergence": None
            if seen.first is None
            else {"sample": seen.first[0], "step": seen.first[1]},
        }

    def warnings(self, document: dict[str, Any]) -> Iterable[str]:
        """What a reader should not miss, each with the remedy."""
        agreement = document["class_agreement"]
        if agreement is not None and agreement < AGREEMENT:
            yield (
                f"only {agreement:.1%} of the samples keep their class: give more --weight-bits, "
                "or fine-tune the integers with spikeloom train CONFIG --from RUN"
            )
        for own in document["populations"]:
            # What one spike a step changes by itself, more bits would not mend.
            one_spike = own["spikes_float_one_spike"]
            wanted = own["spikes_float"] if one_spike is None else one_spike
            got = own["spikes_integers"]
            if wanted and got is not None and not RATIO[0] <= got / wanted <= RATIO[1]:
                yield (
                    f"{own['origin']} sends {got:,} spikes in integers and {wanted:,.0f} in real "
                    "numbers: give it more bits"
                )
            if own["rails_hit"]:
                yield (
                    f"{own['origin']} reached the limits of its states {own['rails_hit']:,} times: "
                    "give more --state-bits"
                )


def _predictions(network: IntegerNetwork, trace: GraphTrace) -> npt.NDArray[np.int64]:
    readout = network.graph.readout
    if readout.spiking:
        return trace.outputs[readout.name].sum(axis=1, dtype=np.int64).argmax(axis=1)
    return trace.states[readout.name]["membrane"][:, -1].argmax(axis=1)


def describe(foreign: ForeignNetwork, network: IntegerNetwork, name: str) -> dict[str, Any]:
    """What a population was and what it became: decays, thresholds, weights, bits."""
    own, made = foreign.floats.by_name[name], network.populations[name]
    neuron, population = own.neuron, made.population
    assert neuron is not None
    assert isinstance(population.neuron, Lif | CubaLif)
    decays = {"membrane": (neuron.keep, population.neuron.leak)}
    if isinstance(population.neuron, CubaLif) and neuron.current_keep is not None:
        decays["current"] = neuron.current_keep, population.neuron.current_leak
    wanted = np.broadcast_to(neuron.threshold / made.unit, own.neurons)
    got = np.broadcast_to(population.each(population.threshold), own.neurons)
    worst, mean = _weight_errors(foreign, network, name)
    return {
        "name": name,
        "origin": own.origin,
        "model": population.model_name,
        "reset": population.neuron.reset if population.spiking else "integrates, never spikes",
        "decays": {
            state: {
                "left_wanted": float(keep.mean()),
                "left_got": decay_error(keep, leak)[0],
                "formula": leak_formula(leak),
            }
            for state, (keep, leak) in decays.items()
        },
        "threshold": _ends(neuron.threshold) if population.spiking else None,
        "threshold_integer": _ends(got) if population.spiking else None,
        "threshold_error": float((np.abs(got - wanted) / wanted).max())
        if population.spiking
        else None,
        "weight_error_worst": worst,
        "weight_error_mean": mean,
        "bits": {
            "weights": max((c.weight_bits for c in network.graph.incoming[name]), default=0),
            "fraction": made.fraction_bits,
            "membrane": population.membrane_bits,
            "current": population.current_bits if "current" in decays else None,
        },
    }


def _ends(values: npt.NDArray[Any]) -> Sequence[float | int]:
    return [values.min().item(), values.max().item()]


def _weight_errors(
    foreign: ForeignNetwork, network: IntegerNetwork, name: str
) -> tuple[float, float]:
    """The largest and the mean error of the weights into a population, as shares of the largest."""
    scale = network.populations[name].scale
    errors, largest = [np.zeros(1)], 0.0
    for connection in foreign.floats.incoming[name]:
        per_target = scale
        if connection.kind == "linear":
            per_target = np.tile(scale, connection.weight.shape[1] // len(scale))
        elif connection.kind == "conv2d":
            per_target = scale[:, None, None, None]
        off = integer_weights(connection, scale) * per_target - connection.weight
        errors.append(np.abs(off).reshape(-1))
        largest = max(largest, float(np.abs(connection.weight).max(initial=0)))
    whole = np.concatenate(errors)
    if not largest:
        return 0.0, 0.0
    return float(whole.max() / largest), float(whole.mean() / largest)
