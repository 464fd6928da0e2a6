"""Runs a graph on samples, in integers, and keeps what each population sent out and held."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from spikeloom.connections import Connection
from spikeloom.image.graph import Graph
from spikeloom.image.population import Population
from spikeloom.neurons import Integers, States

Sent = npt.NDArray[np.bool_ | np.int64]
Kept = npt.NDArray[np.int32 | np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class GraphTrace:
    """Everything that a graph did on S samples in T steps, by population.

    Attributes:
        outputs: `[S, T, neurons]`, what was sent out: bool where spikes are, else int64. Direct
            values, the same in every step, are kept once: `[S, 1, neurons]`.
        states: of each population with states, `[S, T, neurons]` after each step, by name: int32,
            or int64 where a state is wider.
        events: int64 `[S]` of each connection: events that it carried, where a value counts as its
            set bits, each an event.
        operations: int64 `[S]` of each connection: synapses that these events drove.
    """

    outputs: Mapping[str, Sent]
    states: Mapping[str, Mapping[str, Kept]]
    events: Mapping[str, Integers]
    operations: Mapping[str, Integers]


@dataclass(kw_only=True, eq=False)
class _Run:
    """What is known so far.

    Attributes:
        graph: the network.
        steps: T.
        outputs, states: as in `GraphTrace`.
    """

    graph: Graph
    steps: int
    outputs: dict[str, Sent] = field(default_factory=dict)
    states: dict[str, dict[str, Kept]] = field(default_factory=dict)

    def sums(self, connection: Connection) -> Integers:
        """What a connection brings in all steps, int64 `[S, T or 1, neurons]`."""
        sent = self.outputs[connection.source]
        samples, steps, inputs = sent.shape
        sums = connection.drive(sent.reshape(samples * steps, inputs))
        sums = sums.reshape(samples, steps, connection.neurons)
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
        sent = np.int64 if population.stateless else np.bool_
        self.outputs[population.name] = np.zeros(shape, dtype=sent)
        self.states[population.name] = {
            state: np.zeros(shape, dtype=_narrowest(population.limits[state]))
            for state in population.neuron.states
        }

    def _step(self, population: Population, step: int, states: States, a: Integers) -> States:
        sent, states = population.neuron.step(states, a, population.parameters)
        self.outputs[population.name][:, step] = sent
        for name, values in zip(population.neuron.states, states, strict=True):
            self.states[population.name][name][:, step] = values
        return states

    def count(self, connection: Connection) -> tuple[Integers, Integers]:
        """Events that a connection carried and synapses that they drove, int64 `[S]` each."""
        sent = self.outputs[connection.source]
        events = sent if sent.dtype == np.bool_ else np.bitwise_count(sent)
        if sent.shape[1] < self.steps:
            total = events[:, 0].astype(np.int64) * (self.steps - connection.delay)
        else:
            total = events[:, : self.steps - connection.delay].sum(axis=1, dtype=np.int64)
        return total.sum(axis=1), total @ connection.fan_out


def simulate_graph(
    graph: Graph, samples: npt.NDArray[np.integer | np.bool_], time_steps: int
) -> GraphTrace:
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
    sent = given[:, None] if held else given
    run.outputs[source.name] = sent.astype(np.int64 if highest > 1 else np.bool_)
    for part in graph.components:
        if part == (source.name,):
            continue
        populations = [graph.by_name[name] for name in part]
        if graph.loops(part):
            run.step_by_step(populations)
        else:
            run.at_once(populations[0])
    counts = {connection.name: run.count(connection) for connection in graph.connections}
    return GraphTrace(
        outputs=run.outputs,
        states=run.states,
        events={name: events for name, (events, _) in counts.items()},
        operations={name: operations for name, (_, operations) in counts.items()},
    )


def _rest(population: Population, samples: int) -> States:
    shape = (samples, population.neurons)
    return tuple(np.zeros(shape, dtype=np.int64) for _ in population.neuron.states)


def _narrowest(limits: tuple[int, int]) -> type[np.int32 | np.int64]:
    narrow = np.iinfo(np.int32)
    return np.int32 if narrow.min <= limits[0] and limits[1] <= narrow.max else np.int64
