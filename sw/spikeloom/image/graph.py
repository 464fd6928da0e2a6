"""The graph of a network: populations, and the connections between them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from spikeloom.connections import Connection
from spikeloom.image.population import Population
from spikeloom.image.topology import components
from spikeloom.image.widths import signed_bits
from spikeloom.neurons import Integers, Relay, Source


@dataclass(frozen=True, kw_only=True, eq=False)
class Graph:
    """What a network computes in each step.

    In step `t`, a population receives from each incoming connection
    `(Σ weight·x[t - delay]) << shift`, where `x` is what the source sends out. A connection of
    delay 1 carries nothing in step 0, and what its source sends in the last step goes nowhere.
    Every sample starts from states of 0.

    Attributes:
        populations: the first one is the input, the last one is read out.
        connections: in any order; several may lead into one population.
    """

    populations: tuple[Population, ...]
    connections: tuple[Connection, ...]

    @property
    def source(self) -> Population:
        """The input."""
        return self.populations[0]

    @property
    def readout(self) -> Population:
        """The population that is read out."""
        return self.populations[-1]

    @cached_property
    def by_name(self) -> Mapping[str, Population]:
        """The populations."""
        return {population.name: population for population in self.populations}

    @cached_property
    def incoming(self) -> Mapping[str, tuple[Connection, ...]]:
        """The connections into each population, in their order."""
        return {
            population.name: tuple(c for c in self.connections if c.target == population.name)
            for population in self.populations
        }

    @cached_property
    def components(self) -> Sequence[tuple[str, ...]]:
        """Populations in the order of computation; see `spikeloom.image.topology`."""
        return components(
            [population.name for population in self.populations],
            [(c.source, c.target, c.delay) for c in self.connections],
        )

    def loops(self, part: Sequence[str]) -> bool:
        """Whether a part of `components` has to be computed step by step."""
        return len(part) > 1 or any(c.source == part[0] for c in self.incoming[part[0]])

    @cached_property
    def highest(self) -> Mapping[str, Integers]:
        """The largest value that each neuron sends out in a step, int64 `[neurons]`, by name."""
        found: dict[str, Integers] = {}
        for part in self.components:
            for name in part:
                population = self.by_name[name]
                match population.neuron:
                    case Source(highest=highest):
                        found[name] = np.full(population.neurons, highest, dtype=np.int64)
                    case Relay():
                        found[name] = self._sums(name, found)[1]
                    case _:
                        found[name] = np.full(
                            population.neurons, int(population.spiking), dtype=np.int64
                        )
        return found

    def _sums(self, name: str, highest: Mapping[str, Integers]) -> tuple[Integers, Integers]:
        """The least and the largest partial sum of a step, bias included, int64 `[neurons]`."""
        population = self.by_name[name]
        bias = np.broadcast_to(population.each(population.bias), population.neurons)
        low, high = bias.copy(), bias.copy()
        for connection in self.incoming[name]:
            below, above = connection.sums(highest[connection.source])
            low += below << connection.shift
            high += above << connection.shift
        return low, high

    @cached_property
    def sum_range(self) -> Mapping[str, tuple[int, int]]:
        """What the sums of a step reach in each population, bias included, in any order."""
        ranges = {}
        for population in self.populations[1:]:
            low, high = self._sums(population.name, self.highest)
            ranges[population.name] = (min(0, int(low.min())), max(0, int(high.max())))
        return ranges

    @cached_property
    def state_bits(self) -> Mapping[str, Mapping[str, int]]:
        """The widths in which no order of events overflows a state before its clamp, by names."""
        return {
            population.name: {
                state: signed_bits(*reach)
                for state, reach in population.neuron.reach(
                    self.sum_range[population.name], population.parameters
                ).items()
            }
            for population in self.populations
            if population.neuron.states
        }

    @property
    def synapses(self) -> int:
        """Weights of all connections that are not 0."""
        return sum(connection.synapses for connection in self.connections)

    @property
    def places(self) -> int:
        """Weights that there could be."""
        return sum(connection.places for connection in self.connections)
