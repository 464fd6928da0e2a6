"""Runs a graph on samples, in integers, and keeps what each population sent out and held."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from spikeloom.connections import Connection
from spikeloom.image.graph import Graph
from spikeloom.image.population import Population
from spikeloom.neurons import Integers, States

Values = npt.NDArray[np.bool_ | np.uint8 | np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class GraphTrace:
    """Everything that a graph did on S samples in T steps, by population.

    Attributes:
        outputs: int64 `[S, T, neurons]`: spikes, numbers of spikes or values sent out. Those of
            direct values, the same in every step, are kept once: `[S, 1, neurons]`.
        states: of each population with states, int64 `[S, T, neurons]` after each step, by name.
        operations: int64 `[S]` of each connection: synapses that an event drove, where a value
            counts as its set bits, each an event.
    """

    outputs: Mapping[str, Integers]
    states: Mapping[str, Mapping[str, Integers]]
    operations: Mapping[str, Integers]


@dataclass(kw_only=True, eq=False)
class _Run:
    """What is known so far.

    Attributes:
        graph: the network.
        steps: T.
        outputs, states, operations: as in `GraphTrace`.
    """

    graph: Graph
    steps: int
    outputs: dict[str, Integers] = field(default_factory=dict)
    states: dict[str, dict[str, Integers]] = field(default_factory=dict)
    operations: dict[str, Integers] = field(default_factory=dict)

    def sums(self, connection: Connection) -> Integers:
        """What a connection brings in all steps, int64 `[S, T or 1, neurons]`."""
        sent = self.outputs[connection.source]
        samples, steps, inputs = sent.shape
        sums = connection.drive(sent.reshape(-1, inputs)).reshape(samples, steps, -1)
        if connection.delay:
            sums = np.broadcast_to(sums, (samples, self.steps, sums.shape[2])).copy()
            sums[:, 1:] = sums[:, :-1].copy()
            sums[:, 0] = 0
        return sums

    def at_once(self, population: Population) -> None:
        """All steps of a population that everything it depends on stands before."""
        samples = len(self.outputs[self.graph.source.name])
        a = np.broadcast_to(
            population.each(population.bias), (samples, self.steps, population.neurons)
        ).astype(np.int64)
        for connection in self.graph.incoming[population.name]:
            a += self.sums(connection)
        states = _rest(population, samples)
        self._begin(population, samples)
        for step in range(self.steps):
            states = self._step(population, step, states, a[:, step])

    def step_by_step(self, part: Sequence[Population]) -> None:
        """The populations of a loop, which need one another's steps."""
        inside = {population.name for population in part}
        samples = len(self.outputs[self.graph.source.name])
        before = {
            connection.name: self.sums(connection)
            for population in part
            for connection in self.graph.incoming[population.name]
            if connection.source not in inside
        }
        states = {population.name: _rest(population, samples) for population in part}
        for population in part:
            self._begin(population, samples)
        for step in range(self.steps):
            for population in part:
                a = np.broadcast_to(
                    population.each(population.bias), (samples, population.neurons)
                ).astype(np.int64)
                for connection in self.graph.incoming[population.name]:
                    known = before.get(connection.name)
                    if known is not None:
                        a += known[:, min(step, known.shape[1] - 1)]
                    elif step >= connection.delay:
                        sent = self.outputs[connection.source][:, step - connection.delay]
                        a += connection.drive(sent)
                states[population.name] = self._step(population, step, states[population.name], a)

    def _begin(self, population: Population, samples: int) -> None:
        shape = (samples, self.steps, population.neurons)
        self.outputs[population.name] = np.zeros(shape, dtype=np.int64)
        self.states[population.name] = {
            state: np.zeros(shape, dtype=np.int64) for state in population.neuron.states
        }

    def _step(self, population: Population, step: int, states: States, a: Integers) -> States:
        sent, states = population.neuron.step(states, a, population.parameters)
        self.outputs[population.name][:, step] = sent
        for name, values in zip(population.neuron.states, states, strict=True):
            self.states[population.name][name][:, step] = values
        return states

    def count(self, connection: Connection) -> Integers:
        """Synaptic operations of a connection, int64 `[S]`."""
        sent = self.outputs[connection.source]
        events = np.bitwise_count(sent).astype(np.int64)
        if connection.delay:
            events = np.broadcast_to(events, (len(sent), self.steps, sent.shape[2]))[:, :-1]
        return events.sum(axis=1) @ connection.fan_out


def simulate_graph(graph: Graph, samples: Values, time_steps: int) -> GraphTrace:
    """Runs `graph` on samples.

    Args:
        graph: the network.
        samples: events or values `[S, T, inputs]`, or `[S, inputs]` for values that are the same
            in every step; 0 to the highest value that the input sends.
        time_steps: T.

    Raises:
        ValueError: `samples` does not fit the graph.
    """
    source = graph.source
    given = np.asarray(samples)
    held = given.ndim == 2
    expected = (source.neurons,) if held else (time_steps, source.neurons)
    if given.shape[1:] != expected:
        raise ValueError(f"samples are {given.shape!r}: they must be [samples, *{expected!r}]")
    highest = int(graph.highest[source.name].max())
    if given.size and not 0 <= int(given.min()) <= int(given.max()) <= highest:
        raise ValueError(f"samples must be 0 to {highest}, not {given.min()} to {given.max()}")
    run = _Run(graph=graph, steps=time_steps)
    run.outputs[source.name] = (given[:, None] if held else given).astype(np.int64)
    for part in graph.components:
        if part == (source.name,):
            continue
        populations = [graph.by_name[name] for name in part]
        if graph.loops(part):
            run.step_by_step(populations)
        else:
            run.at_once(populations[0])
    for connection in graph.connections:
        run.operations[connection.name] = run.count(connection)
    return GraphTrace(outputs=run.outputs, states=run.states, operations=run.operations)


def _rest(population: Population, samples: int) -> States:
    shape = (samples, population.neurons)
    return tuple(np.zeros(shape, dtype=np.int64) for _ in population.neuron.states)
