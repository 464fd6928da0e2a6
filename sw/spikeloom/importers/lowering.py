"""From a graph of nodes to populations and connections in real numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from math import prod

import numpy as np

from spikeloom.importers.discretise import discretise
from spikeloom.importers.float_graph import FloatConnection, FloatGraph, FloatPopulation
from spikeloom.importers.layout import in_memory, memory_order, memory_shape
from spikeloom.importers.nodes import (
    Cell,
    Entry,
    Floats,
    NodeGraph,
    Pooling,
    Shape,
    Stepper,
)
from spikeloom.importers.paths import Path, fold, is_population, paths_into
from spikeloom.importers.profile import Profile
from spikeloom.importers.shapes import Shapes, check_ends, infer_shapes, window_of
from spikeloom.importers.step import StepNeuron, one


def lower(graph: NodeGraph, profile: Profile | None) -> FloatGraph:
    """The populations and connections of `graph`.

    Args:
        graph: as read.
        profile: what its cells mean; None where every neuron is a `Stepper`.

    Raises:
        UserError: a node does not fit, or cannot be computed; which, and what to do.
    """
    shapes = infer_shapes(graph)
    return _Lowering(graph, shapes, profile).run()


@dataclass(kw_only=True, eq=False)
class _Place:
    """A population to be.

    Attributes:
        name: its name in Spikeloom.
        maps: the maps that it lists in memory, in torch's order.
        incoming: the paths that lead into it, with their sources.
    """

    name: str
    maps: Shape
    incoming: list[tuple[str, Path, tuple[str, ...]]] = field(default_factory=list)


class _Lowering:
    def __init__(self, graph: NodeGraph, shapes: Shapes, profile: Profile | None) -> None:
        self.graph, self.shapes, self.profile = graph, shapes, profile
        self.entry, self.exit = check_ends(graph)
        self.notes = [*graph.notes, *shapes.notes]
        # In the order in which the input reaches them.
        self.names = _names([name for name in shapes.out if is_population(graph.nodes[name])])
        self.places: dict[str, _Place] = {}

    def run(self) -> FloatGraph:
        readout = self._readout()
        order = [
            self.entry.name,
            *(n for n in self.names if n not in (self.entry.name, readout)),
            readout,
        ]
        for name in order:
            self.places[name] = _Place(name=self.names[name], maps=self.shapes.out[name])
            if name == self.entry.name:
                continue
            for source, between in paths_into(self.graph, name):
                path = fold(self.graph, self.shapes.out[source], between)
                self.places[name].incoming.append((source, path, between))
            self._take_maps(name)
        self._check_order_of_outputs(readout)
        self._check_cycles()
        connections = [
            self._connection(source, path, name)
            for name in order
            for source, path, _ in self.places[name].incoming
        ]
        return FloatGraph(
            populations=tuple(self._population(name) for name in order),
            connections=tuple(_unique_names(connections)),
            notes=tuple(self.notes),
        )

    def _readout(self) -> str:
        """The neurons that the output reads."""
        ways = paths_into(self.graph, self.exit.name)
        if len(ways) != 1:
            raise self.graph.refuse(
                f"node {self.exit.name!r}", f"{len(ways)} populations lead to it", "read out one"
            )
        source, between = ways[0]
        path = fold(self.graph, self.shapes.out[source], between)
        if path.has_weights or not isinstance(self.graph.nodes[source], Cell | Stepper):
            raise self.graph.refuse(
                f"edge {self.graph.before(self.exit.name)[0]} → {self.exit.name}",
                "no neurons lie before the output, so that nothing is summed over time",
                "put neurons there: an LI node, or a LIF",
            )
        if (path.factor != 1).any() or path.steps or path.seconds:
            self.notes.append("what lies between the last neurons and the output was left out")
        return source

    def _take_maps(self, name: str) -> None:
        """Neurons that list maps keep their places, as they came out of a convolution."""
        place = self.places[name]
        if len(place.maps) > 1:
            return
        for _, path, _ in place.incoming:
            if path.shape == place.maps and len(path.maps) > 1:
                place.maps = path.maps
                return
        for source, path, _ in place.incoming:
            known = self.places.get(source)
            if known is not None and not path.has_weights and len(known.maps) > 1:
                place.maps = known.maps

    def _check_order_of_outputs(self, readout: str) -> None:
        maps = self.places[readout].maps
        if len(maps) > 1 and prod(maps[1:]) > 1:
            raise self.graph.refuse(
                f"node {readout!r}",
                f"maps {maps} are read out, and their places are no classes",
                "end with a Flatten and a layer of one neuron a class",
            )

    def _check_cycles(self) -> None:
        """Only a population's own spikes come back to it, unless a delay says when they do."""
        instant = {
            (source, name)
            for name, place in self.places.items()
            for source, path, _ in place.incoming
            if not self._steps(path)
        }
        for name in self.places:
            reached, waiting = {name}, [name]
            while waiting:
                here = waiting.pop()
                for source, target in instant:
                    if source == here and target == name and here != name:
                        raise self.graph.refuse(
                            f"nodes {name!r} and {here!r}",
                            "a cycle through several populations, of which the file does not say "
                            "which edge is a step late",
                            "put a Delay of one step on one of its edges",
                        )
                    if source == here and target not in reached:
                        reached.add(target)
                        waiting.append(target)

    def _steps(self, path: Path) -> int:
        """Steps of the delays on a path."""
        if not path.seconds:
            return path.steps
        dt = self.profile.dt if self.profile else None
        ratio = path.seconds / dt if dt else 0.5
        if abs(ratio - round(ratio)) > 1e-3:
            raise self.graph.refuse(
                "a Delay", f"{path.seconds:g} is no whole number of steps of dt {dt}", "change it"
            )
        return path.steps + round(ratio)

    def _delay(self, source: str, path: Path, target: str) -> int:
        """Steps of a connection. A pool keeps nothing: what leaves it is late in its place."""
        if isinstance(self.graph.nodes[target], Pooling):
            return 0
        steps = self._late(source, path)
        latency = self.profile.latency if self.profile else "none"
        if source == target and not steps:
            steps = 1
        elif latency == "synapse":
            steps += 1
        if steps > 1:
            raise self.graph.refuse(
                f"{source} → {target}",
                f"it takes {steps} steps, and a connection takes 0 or 1",
                "shorten its delay",
            )
        return steps

    def _late(self, source: str, path: Path) -> int:
        """Steps between the spikes that `source` stands for, and the end of a path from it."""
        steps = self._steps(path)
        node = self.graph.nodes[source]
        if isinstance(node, Cell | Stepper):
            return steps + int(self.profile is not None and self.profile.latency == "spike")
        if not isinstance(node, Pooling):
            return steps
        before = {self._late(own, way) for own, way, _ in self.places[source].incoming}
        if len(before) > 1:
            raise self.graph.refuse(
                f"node {source!r}", "what it pools arrives in different steps", "delay all of it"
            )
        return steps + before.pop()

    def _population(self, name: str) -> FloatPopulation:
        node, place = self.graph.nodes[name], self.places[name]
        neuron = self._neuron(name)
        bias = np.zeros(place.maps)
        counted: set[tuple[str, ...]] = set()
        for _, path, between in place.incoming:
            # A node with several sources lies on several paths, and adds its bias once.
            key = between[_first_weights(self.graph, between) :]
            if path.bias is not None and key not in counted:
                counted.add(key)
                bias = bias + path.bias.reshape(place.maps)
        if isinstance(node, Entry | Pooling):
            bias = np.zeros(1)
        return FloatPopulation(
            name=place.name,
            origin=name,
            shape=memory_shape(place.maps),
            neuron=neuron,
            bias=in_memory(bias, place.maps),
        )

    def _neuron(self, name: str) -> StepNeuron | None:
        node, maps = self.graph.nodes[name], self.places[name].maps
        if isinstance(node, Cell):
            assert self.profile is not None
            step = discretise(self.graph, node, self.profile)
        elif isinstance(node, Stepper):
            step = node.step
        else:
            return None
        moved = {
            own.name: in_memory(value, maps)
            for own in fields(step)
            if isinstance(value := getattr(step, own.name), np.ndarray)
        }
        if (step.whole_gain <= 0).any():
            raise self.graph.refuse(
                f"node {name!r}", "its gain is not positive", "turn the sign of its weights"
            )
        return replace(step, **moved)

    def _connection(self, source: str, path: Path, target: str) -> FloatConnection:
        node = self.graph.nodes[target]
        before, after = self.places[source], self.places[target]
        common = {
            "name": f"{before.name}_to_{after.name}",
            "source": before.name,
            "target": after.name,
            "source_shape": memory_shape(before.maps),
            "delay": self._delay(source, path, target),
        }
        if isinstance(node, Pooling):
            return self._pooled(node, path, common)
        average = self._area(source)
        # Only where nothing else has been folded in are the weights still integers.
        unit = path.unit if path.unit is not None and (path.factor == 1).all() else None
        unit = None if unit is None else unit * average
        if path.kernel is not None:
            per_channel = self._per_channel(source, path, target) * average
            kernel = path.kernel.copy()
            part, share = kernel.shape[1], len(kernel) // path.groups
            for output in range(len(kernel)):
                first = output // share * part
                kernel[output] *= per_channel[first : first + part, None, None]
            return FloatConnection(
                **common,
                kind="conv2d",
                weight=kernel,
                window=path.window,
                groups=path.groups,
                unit=unit,
            )
        if path.matrix is not None:
            factor = np.broadcast_to(path.factor * average, path.source).reshape(-1)
            weight = (path.matrix * factor)[:, memory_order(before.maps)]
            rows = memory_order(after.maps)
            return FloatConnection(
                **common,
                kind="linear",
                weight=weight[rows].T,
                unit=None if unit is None else unit[rows],
            )
        return FloatConnection(
            **common, kind="identity", weight=self._per_channel(source, path, target) * average
        )

    def _per_channel(self, source: str, path: Path, target: str) -> Floats:
        """The factor of each channel of the source."""
        maps = self.places[source].maps
        whole = np.broadcast_to(path.factor, path.source).reshape(maps).reshape(maps[0], -1)
        if (whole != whole[:, :1]).any():
            raise self.graph.refuse(
                f"{source} → {target}",
                "a Scale has factors that differ within a channel",
                "give one factor for each channel",
            )
        return whole[:, 0]

    def _pooled(self, node: Pooling, path: Path, common: Mapping[str, object]) -> FloatConnection:
        if path.has_weights or (path.factor != 1).any():
            raise self.graph.refuse(
                f"node {node.name!r}",
                f"it pools what comes out of the weights of {path.weighted or 'a Scale'!r}, before "
                "any neurons",
                "put neurons before the pooling",
            )
        if node.kind == "average" and any(node.padding):
            raise self.graph.refuse(
                f"node {node.name!r}",
                "averages with padding count the zeros, or not, as the framework has it",
                "pool without padding",
            )
        kind = "max_pool2d" if node.kind == "max" else "sum_pool2d"
        return FloatConnection(
            **common,  # type: ignore[arg-type]
            kind=kind,
            weight=np.zeros(0),
            window=window_of(node),
        )

    def _area(self, source: str) -> float:
        """What a mean divides by is left to the weights behind it."""
        node = self.graph.nodes[source]
        factor = 1.0
        while isinstance(node, Pooling):
            if node.kind == "average":
                factor /= prod(node.kernel)
            node = self.graph.nodes[self.places[node.name].incoming[0][0]]
        return factor


def _first_weights(graph: NodeGraph, between: tuple[str, ...]) -> int:
    """The first node on a path that may add a bias."""
    return next(
        (
            i
            for i, name in enumerate(between)
            if getattr(graph.nodes[name], "bias", None) is not None
        ),
        len(between),
    )


def _names(nodes: list[str]) -> dict[str, str]:
    """A name for each node that a network's file takes: letters, digits, '_' and '-'."""
    taken: set[str] = set()
    names = {}
    for node in nodes:
        plain = re.sub(r"[^A-Za-z0-9_-]", "_", node)[:48]
        name = plain if plain[:1].isalpha() else f"n{plain}"
        number = 2
        while name in taken:
            name, number = f"{plain or 'n'}_{number}", number + 1
            name = name if name[:1].isalpha() else f"n{name}"
        taken.add(name)
        names[node] = name
    return names


def _unique_names(connections: list[FloatConnection]) -> list[FloatConnection]:
    taken: set[str] = set()
    found = []
    for number, connection in enumerate(connections):
        name = connection.name if len(connection.name) <= 64 else f"connection_{number}"
        while name in taken:
            name = f"{name[:56]}_{number}"
        taken.add(name)
        found.append(replace(connection, name=name))
    return found


def identity_neuron() -> StepNeuron:
    """Neurons that hold what they receive: for tests of what lies before them."""
    return StepNeuron(
        keep=one(0.0),
        gain=one(1.0),
        drive=one(0.0),
        threshold=one(1.0),
        amount=one(0.0),
        reset_value=one(0.0),
        spiking=False,
    )
