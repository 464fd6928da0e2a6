"""Chains: graphs in which each population is driven by the one before, through a matrix."""

from collections.abc import Sequence
from typing import cast

import numpy as np

from spikeloom.arithmetic import IntegrateLeak, Reset
from spikeloom.connections import Connection, Linear, SparseRows
from spikeloom.image.graph import Graph
from spikeloom.image.layer import Layer
from spikeloom.image.population import Population
from spikeloom.neurons import Lif, Source


def chain_graph(layers: Sequence[Layer]) -> Graph:
    """The graph of layers, each driven by the one before."""
    names = {layer.name for layer in layers}
    source = "input" if "input" not in names else "source"
    populations = [Population(name=source, shape=(_inputs(layers),), neuron=Source())]
    connections = []
    for layer in layers:
        before = populations[-1]
        populations.append(
            Population(
                name=layer.name,
                shape=(layer.neurons,),
                neuron=Lif(leak=layer.leak, reset=layer.reset),
                threshold=layer.threshold.astype(np.int64),
                bias=layer.bias.astype(np.int64),
                spiking=layer.spiking,
                membrane_bits=layer.membrane_bits,
            )
        )
        connections.append(
            Linear(
                name=f"to_{layer.name}",
                source=before.name,
                target=layer.name,
                source_shape=(layer.inputs,),
                scale=layer.scale,
                weights=SparseRows(
                    row_ptr=layer.row_ptr,
                    target=layer.target,
                    weight=layer.weight.astype(np.int32),
                    columns=layer.neurons,
                ),
            )
        )
    return Graph(populations=tuple(populations), connections=tuple(connections))


def _inputs(layers: Sequence[Layer]) -> int:
    return layers[0].inputs if layers else 0


def obstacle(graph: Graph) -> str | None:
    """What the chain core cannot do of a graph; None if it runs it."""
    if graph.source.neuron != Source():
        return f"{graph.source.name} sends values, not events"
    for before, population in zip(graph.populations, graph.populations[1:], strict=False):
        incoming = graph.incoming[population.name]
        if [connection.source for connection in incoming] != [before.name]:
            return f"{population.name} is not driven by {before.name} alone"
        reason = _of_connection(incoming[0]) or _of_population(population)
        if reason is not None:
            return reason
    return None


def _of_connection(connection: Connection) -> str | None:
    if not isinstance(connection, Linear):
        return f"{connection.name} is of the kind {connection.kind}"
    if connection.delay or connection.shift:
        return f"{connection.name} has a delay or a shift"
    weight = connection.weights.weight
    limits = np.iinfo(np.int16)
    if not limits.min <= weight.min(initial=0) <= weight.max(initial=0) <= limits.max:
        return f"{connection.name} has weights of more than 16 bits"
    return None


def _of_population(population: Population) -> str | None:
    name, neuron = population.name, population.neuron
    if not isinstance(neuron, Lif):
        return f"{name} is of the model {population.model_name}"
    if neuron.reset not in ("subtract", "zero"):
        return f"{name} has the reset {neuron.reset!r}"
    if not isinstance(neuron.leak, IntegrateLeak) and neuron.leak.rounding != "floor":
        return f"the leak of {name} rounds {neuron.leak.rounding}"
    for field, plain in (
        ("drive", not population.drive.any()),
        ("amount", population.amount is None),
        ("membrane_low", population.membrane_low is None),
    ):
        if not plain:
            return f"{name} has a {field} of its own"
    limits = np.iinfo(np.int32)
    if population.membrane_bits > limits.bits:
        return f"{name} has membranes of more than {limits.bits} bits"
    if not limits.min <= population.bias.min() <= population.bias.max() <= limits.max:
        return f"{name} has a bias of more than {limits.bits} bits"
    return None


def as_layer(population: Population, connection: Connection) -> Layer:
    """A population with its only connection as a layer, where `obstacle` finds nothing."""
    linear, neuron = cast(Linear, connection), cast(Lif, population.neuron)
    shape = (population.neurons,)
    return Layer(
        name=population.name,
        row_ptr=linear.weights.row_ptr,
        target=linear.weights.target,
        weight=linear.weights.weight.astype(np.int16),
        bias=np.broadcast_to(population.each(population.bias), shape).astype(np.int32),
        threshold=np.broadcast_to(population.each(population.threshold), shape).astype(np.int32),
        leak=neuron.leak,
        reset=cast(Reset, neuron.reset),
        spiking=population.spiking,
        membrane_bits=population.membrane_bits,
        scale=linear.scale,
    )
