"""What an engine did, in the terms of the graph that it ran."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from spikeloom.neurons import Integers, Lif, Relay
from spikeloom.reference.graph import GraphTrace
from spikeloom_hw.engine.compiled import EngineProgram
from spikeloom_hw.engine.records import Update


@dataclass(frozen=True, kw_only=True, eq=False)
class Observed:
    """What a population did in a step, neuron by neuron.

    Attributes:
        population: its name.
        step: time step.
        sent: int64 `[neurons]`, spikes or numbers.
        states: int64 `[neurons]`, by name.
    """

    population: str
    step: int
    sent: Integers
    states: Mapping[str, Integers]


def observe(program: EngineProgram, updates: list[Update]) -> Iterator[Observed]:
    """What the updates of a sample mean."""
    graph = program.lowered.graph
    for sweep, update in zip(program.sweeps, updates, strict=True):
        population = graph.by_name[sweep.population]
        placement = program.placements[sweep.population]
        order = placement.in_order.reshape(-1)
        exists = order >= 0

        def by_neuron(
            values: Integers, order: Integers = order, exists: np.ndarray = exists
        ) -> Integers:
            found = np.zeros(int(exists.sum()), dtype=np.int64)
            found[order[exists]] = values.reshape(-1)[exists]
            return found

        membranes = ~update.current
        sent = np.zeros(population.neurons, dtype=np.int64)
        planes = update.spikes[membranes].reshape(-1, *placement.in_order.shape)
        for plane, bits in enumerate(planes):
            sent += by_neuron(bits.astype(np.int64)) << plane
        states = {}
        if isinstance(population.neuron, Lif):
            states["membrane"] = by_neuron(update.values[membranes])
        elif not isinstance(population.neuron, Relay):
            states["membrane"] = by_neuron(update.values[membranes])
            states["current"] = by_neuron(update.values[update.current])
        yield Observed(population=sweep.population, step=sweep.step, sent=sent, states=states)


def first_difference(
    program: EngineProgram, updates: list[Update], reference: GraphTrace, sample: int
) -> str | None:
    """The first value that differs from the reference of the lowered graph; None if none does."""
    for seen in observe(program, updates):
        pairs = {"output": (seen.sent, reference.outputs[seen.population])}
        pairs |= {
            name: (values, reference.states[seen.population][name])
            for name, values in seen.states.items()
        }
        for name, (got, expected) in pairs.items():
            wanted = expected[sample, seen.step].astype(np.int64)
            wrong = np.flatnonzero(got != wanted)
            if wrong.size:
                neuron = int(wrong[0])
                return (
                    f"sample {sample}, step {seen.step}, {seen.population}: {name} of neuron "
                    f"{neuron} is {got[neuron]}, expected {wanted[neuron]}"
                )
    return None
