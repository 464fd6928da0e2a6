"""How far the integers of an import can be from its real numbers, step by step.

As long as all spikes are the same, every population receives the same input in integers and in real
numbers, so its error obeys a recursion of its own. Counted in steps of the integer membrane, for a
step of a neuron with the decay `k` (exact) and `k'` (as its integers have it):

    e[t] <= k'·e[t-1] + |k' - k|·|v[t-1]| + r + Σ |w - w'|·x[t] + |b - b'|

where `r` is what the rounding of the leak may take: 1/2 to the nearest, 1 otherwise; likewise for a
synaptic current. A spike in integers is certain to be one in real numbers, and no spike none, where
the error is less than what lies between the membrane and the integer threshold. Where that holds in
all steps of a sample, all its spikes are equal, and the bound has been proved on the way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spikeloom.importers.float_graph import FloatGraph
from spikeloom.importers.float_reference import FloatTrace, run_floats
from spikeloom.importers.quantise import IntegerNetwork, Quantised, integer_weights
from spikeloom.importers.step import Floats, StepState
from spikeloom.neurons import CubaLif, DecayLeak, IntegrateLeak, Leak, Lif, ShiftLeak

SLACK = 1e-6
"""Of a step: what double precision may add to a bound."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Certificate:
    """What the bounds say of a run.

    Attributes:
        trace: of the real numbers.
        error: of each population, the largest bound on the error of a membrane before its reset,
            in steps of the integer membrane, `[S, T, neurons]`.
        certain: bool `[S]`: no spike of the sample can differ.
        first: int64 `[S]`: the first step in which one may differ; T where none may.
    """

    trace: FloatTrace
    error: Mapping[str, Floats]
    certain: npt.NDArray[np.bool_]
    first: npt.NDArray[np.int64]


def certify(
    graph: FloatGraph, network: IntegerNetwork, samples: npt.NDArray[np.bool_]
) -> Certificate:
    """Run the real numbers on samples `[S, T, inputs]`, with the bounds beside them."""
    watch = _Bounds(graph, network, samples)
    trace = run_floats(graph, samples, watch=watch)
    watch.run(trace)
    return Certificate(
        trace=trace,
        error=watch.error,
        certain=watch.first >= samples.shape[1],
        first=watch.first,
    )


def decay_error(keep: Floats, leak: Leak) -> tuple[float, Floats, float]:
    """`(k', |k' - k|, r)` of a decay: its exact share, its error, and what its rounding takes."""
    match leak:
        case IntegrateLeak():
            return 1.0, np.abs(1.0 - keep), 0.0
        case ShiftLeak(shift=bits, rounding=rounding):
            multiplier = 1
        case DecayLeak(multiplier=multiplier, fraction_bits=bits, rounding=rounding):
            pass
    share = 1 - multiplier / (1 << bits)
    # All of the state is taken without a remainder.
    rounded = 0.0 if share == 0 else 0.5 if rounding == "nearest" else 1.0
    return share, np.abs(share - keep), rounded


class _Bounds:
    """Keeps what the real numbers did in each step, and then carries the errors through it."""

    def __init__(
        self, graph: FloatGraph, network: IntegerNetwork, samples: npt.NDArray[np.bool_]
    ) -> None:
        self.graph, self.network = graph, network
        self.samples, self.steps = samples.shape[:2]
        self.first = np.full(self.samples, self.steps, dtype=np.int64)
        self.error: dict[str, Floats] = {}
        self.before: dict[str, Floats] = {}
        self.current: dict[str, Floats] = {}

    def __call__(self, step: int, name: str, _a: Floats, u: Floats, state: StepState) -> None:
        """Keep what a step of a population did; see `Watch`."""
        if step == 0:
            shape = (self.samples, self.steps, u.shape[1])
            self.before[name] = np.zeros(shape)
            self.current[name] = np.zeros(shape)
        self.before[name][:, step] = u
        self.current[name][:, step] = state.current

    def run(self, trace: FloatTrace) -> None:
        for own in self.graph.populations:
            if own.neuron is not None:
                self._population(own.name, trace)

    def _weight_errors(self, name: str, trace: FloatTrace) -> Floats:
        """Of the summed input, in steps of the integer sums, `[S, T, neurons]`."""
        made = self.network.populations[name]
        own = self.graph.by_name[name]
        bias = np.broadcast_to(made.population.each(made.population.bias), own.neurons)
        error = np.zeros((self.samples, self.steps, own.neurons))
        error += np.abs(bias - own.bias / made.sum_unit)
        for connection in self.graph.incoming[name]:
            exact = integer_weights(connection, made.scale)
            per_target = made.scale
            if connection.kind == "linear":
                per_target = np.tile(per_target, connection.weight.shape[1] // len(made.scale))
            elif connection.kind == "conv2d":
                per_target = per_target[:, None, None, None]
            off = np.abs(exact - connection.weight / per_target)
            off = off * (1 << made.fraction_bits)
            sent = trace.outputs[connection.source][:, : self.steps - connection.delay]
            flat = sent.reshape(-1, sent.shape[2])
            spread = connection.spread(flat, off).reshape(*sent.shape[:2], own.neurons)
            error[:, connection.delay :] += spread
        return error

    def _population(self, name: str, trace: FloatTrace) -> None:
        made, own = self.network.populations[name], self.graph.by_name[name]
        neuron, population = own.neuron, made.population
        assert neuron is not None
        assert isinstance(population.neuron, Lif | CubaLif)
        sums = self._weight_errors(name, trace)
        drive_error = np.abs(population.each(population.drive) - neuron.drive / made.unit)
        share, off, rounded = decay_error(neuron.keep, population.neuron.leak)
        v = np.zeros((self.samples, own.neurons))
        e, ei, i = v.copy(), v.copy(), v.copy()
        self.error[name] = np.zeros((self.samples, self.steps, own.neurons))
        sent = trace.outputs[name]
        gain = neuron.gain
        after_spike, after_value = _reset_errors(made, neuron.amount, neuron.reset_value)
        for step in range(self.steps):
            joined = sums[:, step]
            if isinstance(population.neuron, CubaLif) and neuron.current_keep is not None:
                ishare, ioff, irounded = decay_error(
                    neuron.current_keep, population.neuron.current_leak
                )
                ei = ishare * ei + ioff * np.abs(i) + irounded + joined
                i = self.current[name][:, step] * gain / made.unit
                joined = ei
            e = share * e + off * np.abs(v) + rounded + joined + drive_error + SLACK
            if neuron.reset == "subtract-late" and step:
                e = e + sent[:, step - 1] * after_spike
            self.error[name][:, step] = e
            u = self.before[name][:, step] / made.unit
            self._compare(made, u, e, sent[:, step], step)
            if neuron.reset == "subtract":
                e = e + sent[:, step] * after_spike
            elif neuron.reset == "value":
                e = np.where(sent[:, step] > 0, after_value, e)
            if neuron.low is not None and population.membrane_low is not None:
                e = np.maximum(e, np.abs(population.membrane_low - neuron.low / made.unit))
            v = trace.membranes[name][:, step] / made.unit

    def _compare(self, made: Quantised, u: Floats, e: Floats, sent: Floats, step: int) -> None:
        """Note the samples in which a spike may differ in this step, or a state may be cut off."""
        population = made.population
        low, high = population.limits["membrane"]
        unsure = (u + e > high) | (u - e < low) & (population.membrane_low is None)
        if population.spiking:
            threshold = population.each(population.threshold)
            # Several spikes in a step are one in integers.
            unsure = unsure | np.where(sent > 0, u - e < threshold, u + e >= threshold)
            unsure = unsure | (sent > 1)
        rows = unsure.any(axis=1)
        self.first[rows] = np.minimum(self.first[rows], step)


def _reset_errors(made: Quantised, amount: Floats, value: Floats) -> tuple[Floats, Floats]:
    """What a spike adds to the error: of the amount that is taken off, of the value that is set."""
    population = made.population
    taken = population.threshold if population.amount is None else population.amount
    return (
        np.abs(population.each(taken) - amount / made.unit),
        np.abs(population.each(population.reset_value) - value / made.unit),
    )
