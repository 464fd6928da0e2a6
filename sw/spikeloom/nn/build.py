"""From a configuration to a network: a chain, or a graph with all its shapes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import UNSET

from spikeloom.config import Config
from spikeloom.config.graph import INPUT, ConnectionConfig, PopulationConfig
from spikeloom.config.wiring import connection_names
from spikeloom.connections import Shape, Window
from spikeloom.encoding import (
    DeltaEncoding,
    DirectEncoding,
    Encoding,
    FramesEncoding,
    MultiThresholdEncoding,
)
from spikeloom.errors import UserError
from spikeloom.image.population import Population
from spikeloom.image.topology import components
from spikeloom.neurons import Lif, Relay, Source
from spikeloom.nn.cells import Cells
from spikeloom.nn.graph_network import GraphNetwork
from spikeloom.nn.network import SpikingNetwork, build_chain
from spikeloom.nn.projection import Projection, WeightedProjection
from spikeloom.nn.synapses import (
    Conv2dSynapses,
    IdentitySynapses,
    LinearSynapses,
    MaxPool2dSynapses,
    SumPool2dSynapses,
    Synapses,
)

__all__ = ["Network", "build_network", "input_shape"]

Network = SpikingNetwork | GraphNetwork


def build_network(config: Config, *, inputs: int, classes: int, source: Shape = ()) -> Network:
    """The network that a configuration describes, dense and without its initial weights drawn.

    Args:
        config: the run.
        inputs: event addresses, or values of the direct code.
        classes: of the data.
        source: a graph's input, of `input_shape`; a list of inputs unless given.

    Raises:
        UserError: shapes of a graph do not fit.
    """
    if not config.network.is_graph:
        return build_chain(config, inputs=inputs, classes=classes)
    return _Builder(config, source or (inputs,), classes).network()


def input_shape(config: Config, shape: tuple[int, ...], inputs: int) -> Shape:
    """The map, channels last, or the list that samples of `shape` are encoded into."""
    encoding: Encoding = config.data.encoding
    if isinstance(encoding, FramesEncoding):
        # A sample's first axis is time; what does not divide along it is a list.
        if shape[0] != config.data.time_steps:
            return (inputs,)
        shape = shape[1:]
    if isinstance(encoding, DeltaEncoding) or len(shape) not in (2, 3):
        return (inputs,)
    channels = shape[2] if len(shape) == 3 else 1
    if isinstance(encoding, MultiThresholdEncoding):
        channels *= encoding.levels
    return shape[0], shape[1], channels


class _Builder:
    """Resolves the shapes of a graph, population by population."""

    def __init__(self, config: Config, source: Shape, classes: int) -> None:
        self._config, self._classes = config, classes
        highest = 255 if isinstance(config.data.encoding, DirectEncoding) else 1
        self._source = Population(name=INPUT, shape=source, neuron=Source(highest=highest))
        self._populations, self._connections = config.network.tables()
        self._names = connection_names(self._connections)
        edges = [(own.source, own.target, own.delay) for own in self._connections]
        names = [INPUT, *(own.name for own in self._populations)]
        self._parts = components(names, edges)
        self._looped = {
            name
            for part in self._parts
            for name in part
            if len(part) > 1 or any(a == b == name for a, b, _ in edges)
        }

    def network(self) -> GraphNetwork:
        """The network."""
        shapes = self._shapes()
        last = self._populations[-1].name
        try:
            return GraphNetwork(
                self._source,
                [self._cells(own, shapes[own.name], own.name == last) for own in self._populations],
                [
                    self._projection(name, own, shapes, own.target == last)
                    for name, own in zip(self._names, self._connections, strict=True)
                ],
                readout=self._config.network.readout,
                time_steps=self._config.data.time_steps,
                dropout=self._config.training.dropout,
            )
        except ValueError as error:
            raise UserError(f"the network's graph: {error}") from None

    def _shapes(self) -> Mapping[str, Shape]:
        shapes: dict[str, Shape] = {INPUT: self._source.shape}
        by_name = {own.name: own for own in self._populations}
        for name in (name for part in self._parts for name in part if name != INPUT):
            own = by_name[name]
            size = own.neurons or own.channels
            if own is self._populations[-1] and not size:
                size = self._classes
            found = {}
            for edge_name, edge in zip(self._names, self._connections, strict=True):
                # What comes back in a loop fits itself to the shape that the others give.
                if edge.target == name and edge.source in shapes:
                    target = (size,) if edge.kind == "linear" else None
                    synapses = self._synapses(edge_name, edge, shapes[edge.source], size, target)
                    found[edge_name] = synapses.target_shape
            wide = {n: s for n, s in found.items() if len(s) == 3} or found
            if not wide:
                raise UserError(f"the network's graph: nothing before {name!r} leads to it")
            shapes[name] = next(iter(wide.values()))
            if odd := next((n for n, s in wide.items() if s != shapes[name]), None):
                raise UserError(
                    f"the network's graph: the connection {odd!r} makes a map of {wide[odd]!r} of "
                    f"{name!r}, but {next(iter(wide))!r} one of {shapes[name]!r}"
                )
        return shapes

    def _synapses(
        self,
        name: str,
        own: ConnectionConfig,
        source: Shape,
        channels: int,
        target: Shape | None,
    ) -> Synapses:
        try:
            match own.kind:
                case "linear":
                    return LinearSynapses(source_shape=source, shape=target or (channels,))
                case "identity":
                    return IdentitySynapses(source_shape=source)
                case "conv2d":
                    self._window(own).extent(source)
                    if source[2] % own.groups or channels % own.groups:
                        raise ValueError(
                            f"groups = {own.groups} divide {source[2]} or {channels} channels not"
                        )
                    return Conv2dSynapses(
                        source_shape=source,
                        window=self._window(own),
                        channels=channels,
                        groups=own.groups,
                    )
                case "sum_pool2d" | "max_pool2d":
                    self._window(own).extent(source)
                    pool = SumPool2dSynapses if own.kind == "sum_pool2d" else MaxPool2dSynapses
                    return pool(source_shape=source, window=self._window(own))
        except ValueError as error:
            raise UserError(f"the network's graph: connection {name!r}: {error}") from None

    @staticmethod
    def _window(own: ConnectionConfig) -> Window:
        def pair(size: int | list[int]) -> tuple[int, int]:
            return (size, size) if isinstance(size, int) else (size[0], size[1])

        padding = own.padding
        sides = [padding] * 4 if isinstance(padding, int) else padding
        return Window(
            kernel=pair(own.kernel),
            stride=pair(own.stride),
            padding=(sides[0], sides[1], sides[2], sides[3]),
            dilation=pair(own.dilation),
        )

    def _projection(
        self, name: str, own: ConnectionConfig, shapes: Mapping[str, Shape], last: bool
    ) -> Projection:
        config, shape = self._config, shapes[own.target]
        synapses = self._synapses(name, own, shapes[own.source], shape[-1], shape)
        if synapses.target_shape != shape:
            raise UserError(
                f"the network's graph: connection {name!r} makes {synapses.target_shape!r} of "
                f"{own.source!r}, but {own.target!r} has {shape!r}"
            )
        weighted = synapses.weight_shape is not None
        edge: dict[str, Any] = {
            "name": name,
            "source": own.source,
            "target": own.target,
            "synapses": synapses,
            "delay": own.delay,
            # The sums of a relay are numbers of spikes, and stay so.
            "shift": own.shift + (config.network.fraction_bits if weighted else 0),
        }
        if not weighted:
            return Projection(**edge)
        integrates = last and config.network.readout == "membrane"
        quantization = config.quantization
        return WeightedProjection(
            **edge,
            weight_bits=quantization.weight_bits,
            scale=quantization.scale,
            limit=quantization.limit * config.network.threshold,
            # Membranes that are compared with one another need one unit.
            per_channel=quantization.per_channel and not integrates,
            exempt=name in config.sparsity.exempt,
        )

    def _cells(self, own: PopulationConfig, shape: Shape, last: bool) -> Cells:
        network, training = self._config.network, self._config.training
        spiking = not last or network.readout == "count"
        neuron = own.neuron
        if neuron is UNSET:
            leak = network.leak if spiking else network.readout_leak
            neuron = Lif(leak=leak, reset=network.reset)
        bits = network.membrane_bits if spiking else network.readout_membrane_bits
        norm = network.batch_norm and own.name not in self._looped
        norm = own.batch_norm if own.batch_norm is not UNSET else norm
        return Cells(
            name=own.name,
            shape=shape,
            neuron=neuron,
            spiking=spiking,
            membrane_bits=bits if own.membrane_bits is UNSET else own.membrane_bits,
            current_bits=own.current_bits,
            threshold=network.threshold if own.threshold is UNSET else own.threshold,
            norm=norm and spiking and not isinstance(neuron, Relay),
            bias=network.bias,
            surrogate=training.surrogate,
            surrogate_width=training.surrogate_width,
        )
