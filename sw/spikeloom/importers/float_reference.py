"""Runs a network of real numbers on samples, step by step: what the other framework computes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spikeloom.importers.float_graph import FloatGraph, FloatPopulation
from spikeloom.importers.step import Floats, StepState, advance, rest

Watch = Callable[[int, str, Floats, Floats, StepState], None]
"""Called after each step of a population: step, name, summed input, `u` before the reset, state."""


@dataclass(frozen=True, kw_only=True, eq=False)
class FloatTrace:
    """What a network did on S samples in T steps, by population.

    Attributes:
        outputs: `[S, T, neurons]`, what was sent out.
        membranes: of each population with neurons, `[S, T, neurons]` after each step, counted from
            where the sample starts.
        scores: `[S, outputs]`: spike counts, or the last membranes where nothing spikes.
        margin: of each spiking population, the least distance of a membrane from its threshold,
            as a share of the threshold, `[S]`.
    """

    outputs: Mapping[str, Floats]
    membranes: Mapping[str, Floats]
    scores: Floats
    margin: Mapping[str, Floats]

    @property
    def predictions(self) -> npt.NDArray[np.int64]:
        """int64 `[S]`, argmax of the scores; a tie goes to the lowest index."""
        return self.scores.argmax(axis=1)


def run_floats(
    graph: FloatGraph,
    samples: npt.NDArray[np.number | np.bool_],
    *,
    dtype: npt.DTypeLike = np.float64,
    watch: Watch | None = None,
    keep_membranes: bool = True,
) -> FloatTrace:
    """Run `graph` on samples `[S, T, inputs]`.

    Args:
        graph: the network.
        samples: events, or numbers.
        dtype: that all is computed in.
        watch: looks on.
        keep_membranes: False saves memory.

    Raises:
        ValueError: `samples` does not fit the graph.
    """
    given = np.asarray(samples)
    if given.ndim != 3 or given.shape[2] != graph.source.neurons:
        raise ValueError(
            f"samples are {given.shape!r}: they must be [samples, steps, {graph.source.neurons}]"
        )
    run = _Run(graph=graph, given=given.astype(dtype), watch=watch, keep=keep_membranes)
    for part in graph.components:
        if part != (graph.source.name,):
            run.part([graph.by_name[name] for name in part])
    scores = run.outputs[graph.readout.name].sum(axis=1)
    if not _spikes(graph.readout):
        scores = run.membranes[graph.readout.name][:, -1]
    return FloatTrace(
        outputs=run.outputs,
        membranes=run.membranes if keep_membranes else {},
        scores=scores.astype(np.float64),
        margin=run.margin,
    )


def _spikes(own: FloatPopulation) -> bool:
    return own.neuron is not None and own.neuron.spiking


class _Run:
    """What is known so far; a part whose output never comes back has all its sums at once."""

    def __init__(
        self, *, graph: FloatGraph, given: Floats, watch: Watch | None, keep: bool
    ) -> None:
        self.graph, self.watch, self.keep = graph, watch, keep
        self.samples, self.steps = given.shape[:2]
        self.dtype = given.dtype
        self.outputs: dict[str, Floats] = {graph.source.name: given}
        self.membranes: dict[str, Floats] = {}
        self.margin: dict[str, Floats] = {}
        self.states: dict[str, StepState] = {}

    def part(self, part: Sequence[FloatPopulation]) -> None:
        """All steps of populations that depend on one another, or of one alone."""
        inside = {own.name for own in part}
        summed = {own.name: self._summed(own, inside) for own in part}
        for own in part:
            self._begin(own)
        for step in range(self.steps):
            for own in part:
                a = summed[own.name][:, step]
                for connection in self.graph.incoming[own.name]:
                    if connection.source in inside and step >= connection.delay:
                        sent = self.outputs[connection.source][:, step - connection.delay]
                        a = a + connection.drive(sent)
                self._step(own, step, a)

    def _summed(self, own: FloatPopulation, inside: set[str]) -> Floats:
        """What comes from outside in all steps, bias included: `[S, T, neurons]`."""
        a = np.zeros((self.samples, self.steps, own.neurons), self.dtype)
        a += own.bias.astype(self.dtype)
        for connection in self.graph.incoming[own.name]:
            if connection.source in inside:
                continue
            until = self.steps - connection.delay
            for sample in range(self.samples):
                sent = self.outputs[connection.source][sample, :until]
                a[sample, connection.delay :] += connection.drive(sent)
        return a

    def _begin(self, own: FloatPopulation) -> None:
        shape = (self.samples, self.steps, own.neurons)
        self.outputs[own.name] = np.zeros(shape, self.dtype)
        if own.neuron is None:
            return
        self.states[own.name] = rest(self.samples, own.neurons, self.dtype)
        self.membranes[own.name] = np.zeros(shape if self.keep else (shape[0], 1, shape[2]))
        if own.neuron.spiking:
            self.margin[own.name] = np.full(self.samples, np.inf)

    def _step(self, own: FloatPopulation, step: int, a: Floats) -> None:
        if own.neuron is None:
            self.outputs[own.name][:, step] = a
            return
        state = self.states[own.name]
        u = advance(own.neuron, state, a)
        self.outputs[own.name][:, step] = state.sent
        self.membranes[own.name][:, step if self.keep else 0] = state.v
        if own.name in self.margin:
            near = np.abs(u - own.neuron.threshold) / own.neuron.threshold
            least = near.min(axis=1, initial=np.inf)
            self.margin[own.name] = np.minimum(self.margin[own.name], least)
        if self.watch is not None:
            self.watch(step, own.name, a, u, state)
