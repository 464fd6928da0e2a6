"""A graph in the terms of the engine: spike counts and maximum pooling become populations.

| of the graph | becomes |
| --- | --- |
| readout "count" | a population that adds up the spikes of the last one and never spikes |
| maximum pooling | sum pooling into neurons of threshold 1 that a spike resets to 0 |

So the engine has neither counters of spikes nor a logical or, and both are exact.
"""

from dataclasses import dataclass
from math import prod

import numpy as np

from spikeloom.connections import Connection, Identity, MaxPool2d, SumPool2d
from spikeloom.errors import UserError
from spikeloom.image import NetworkImage
from spikeloom.image.graph import Graph
from spikeloom.image.population import Population, one
from spikeloom.image.widths import signed_bits
from spikeloom.neurons import Lif, Relay

SCORES = "scores"


@dataclass(frozen=True, kw_only=True, eq=False)
class Lowered:
    """A graph for the engine.

    Attributes:
        graph: its populations and connections; the last population's membranes are the scores.
        time_steps: T.
    """

    graph: Graph
    time_steps: int


def lower(image: NetworkImage) -> Lowered:
    """A network in the terms of the engine.

    Raises:
        UserError: it has maximum pooling of numbers.
    """
    return lower_graph(image.graph, image.time_steps, count=image.readout == "count")


def lower_graph(graph: Graph, time_steps: int, *, count: bool = False) -> Lowered:
    """A graph in the terms of the engine; see `lower`."""
    populations = list(graph.populations)
    connections: list[Connection] = []
    for connection in graph.connections:
        if not isinstance(connection, MaxPool2d):
            connections.append(connection)
            continue
        highest = int(graph.highest[connection.source].max(initial=0))
        if highest > 1:
            raise UserError(
                f"{connection.name}: the engine has maximum pooling of spikes, and "
                f"{connection.source} sends numbers up to {highest}: use sum pooling"
            )
        target = graph.by_name[connection.target]
        if _passes_on(graph, target):
            populations[populations.index(target)] = _any_of(target.name, connection)
            connections.append(_sums(connection, target.name))
            continue
        hidden = f"{connection.name}.max"
        at = populations.index(graph.by_name[connection.source]) + 1
        populations.insert(at, _any_of(hidden, connection))
        connections += [_sums(connection, hidden), _onward(connection, hidden)]
    if count:
        last = populations[-1]
        populations.append(
            Population(
                name=SCORES,
                shape=last.shape,
                neuron=Lif(),
                spiking=False,
                membrane_bits=signed_bits(0, time_steps),
            )
        )
        connections.append(
            Identity(
                name=f"{SCORES}.in",
                source=last.name,
                target=SCORES,
                source_shape=last.shape,
                weight=np.ones(1, dtype=np.int32),
            )
        )
    return Lowered(
        graph=Graph(populations=tuple(populations), connections=tuple(connections)),
        time_steps=time_steps,
    )


def _passes_on(graph: Graph, target: Population) -> bool:
    """Whether a population is a relay of one maximum pooling and nothing else."""
    incoming = graph.incoming[target.name]
    return (
        isinstance(target.neuron, Relay)
        and len(incoming) == 1
        and not incoming[0].shift
        and not target.bias.any()
    )


def _any_of(name: str, pool: MaxPool2d) -> Population:
    """Neurons that spike when anything arrives, and keep nothing."""
    return Population(
        name=name,
        shape=pool.target_shape,
        neuron=Lif(reset="zero"),
        threshold=one(1),
        membrane_bits=max(2, signed_bits(0, prod(pool.window.kernel))),
    )


def _sums(pool: MaxPool2d, target: str) -> SumPool2d:
    return SumPool2d(
        name=pool.name,
        source=pool.source,
        target=target,
        source_shape=pool.source_shape,
        window=pool.window,
    )


def _onward(pool: MaxPool2d, source: str) -> Identity:
    return Identity(
        name=f"{pool.name}.out",
        source=source,
        target=pool.target,
        source_shape=pool.target_shape,
        delay=pool.delay,
        shift=pool.shift,
        weight=np.ones(1, dtype=np.int32),
    )
