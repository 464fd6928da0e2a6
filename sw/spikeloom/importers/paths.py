"""What lies between two populations: the nodes on a path, folded into one matrix or kernel.

Neurons, pools and the input send something that exists in integers: spikes, or numbers of spikes.
All other nodes on the way to the next neurons are linear, and fold into one connection's weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod

import numpy as np

from spikeloom.connections import Window
from spikeloom.importers.nodes import (
    Cell,
    Convolution,
    Delaying,
    Entry,
    Flattening,
    Floats,
    Matrix,
    Node,
    NodeGraph,
    Passing,
    Pooling,
    Scaling,
    Shape,
    Stepper,
)
from spikeloom.importers.shapes import window_of


def is_population(node: Node) -> bool:
    """Whether a node becomes a population of its own."""
    return isinstance(node, Entry | Cell | Stepper | Pooling)


def paths_into(graph: NodeGraph, name: str) -> list[tuple[str, tuple[str, ...]]]:
    """Each way into a node from the populations before it: `(population, nodes between)`.

    Raises:
        UserError: a cycle has no neurons.
    """
    found: list[tuple[str, tuple[str, ...]]] = []

    def walk(here: str, between: tuple[str, ...]) -> None:
        for before in graph.before(here):
            if is_population(graph.nodes[before]):
                found.append((before, between))
            elif before in between:
                names = " → ".join((before, *between[: between.index(before) + 1]))
                raise graph.refuse(names, "a cycle without neurons", "put neurons into it")
            else:
                walk(before, (before, *between))

    walk(name, ())
    return found


@dataclass(frozen=True, kw_only=True, eq=False)
class Path:
    """A linear map, from the layout of its source on; arrays have torch's order.

    Attributes:
        graph: where it lies, for sentences.
        source: shape that the source sends.
        shape: of what has come out so far; flat behind a `Flattening`.
        maps: the maps that `shape` lists, behind a `Flattening`; else `shape` itself.
        factor: of each element of the source, before the weights.
        matrix: weights `[outputs, inputs]`, or None.
        kernel: of a convolution, or None; `window` and `groups` belong to it.
        unit: the size of integer 1 for each output, where the weights are integers already.
        bias: what has been added to each element of `shape` on the way, in every step.
        biases: names of the nodes that added it, for each its share.
        seconds: delays in the file's unit; `steps` are whole steps.
    """

    graph: NodeGraph
    source: Shape
    shape: Shape
    maps: Shape
    factor: Floats
    matrix: Floats | None = None
    kernel: Floats | None = None
    window: Window | None = None
    groups: int = 1
    weighted: str = ""
    unit: Floats | None = None
    bias: Floats | None = None
    seconds: float = 0.0
    steps: int = 0

    @classmethod
    def start(cls, graph: NodeGraph, shape: Shape) -> Path:
        """The path of no nodes."""
        return cls(graph=graph, source=shape, shape=shape, maps=shape, factor=np.ones(()))

    @property
    def has_weights(self) -> bool:
        """Whether a matrix or a kernel has been taken in."""
        return self.matrix is not None or self.kernel is not None

    def through(self, node: Node) -> Path:
        """The path with one more node.

        Raises:
            UserError: the node does not fold into what is there.
        """
        match node:
            case Passing():
                return self
            case Scaling():
                return self._scaled(node)
            case Matrix():
                return self._matrix(node)
            case Convolution():
                return self._convolution(node)
            case Flattening():
                return replace(self, shape=(prod(self.shape),))
            case Delaying():
                return self._delayed(node)
            case _:
                raise AssertionError(node)

    def _scaled(self, node: Scaling) -> Path:
        whole = np.broadcast_to(node.factor, self.shape)
        if not self.has_weights:
            if node.offset is not None and node.offset.any():
                raise self.graph.refuse(
                    f"node {node.name!r}",
                    "it adds an offset in front of weights",
                    "put it behind the weights, before the neurons",
                )
            return replace(self, factor=self.factor * whole.reshape(self.maps))
        bias = None if self.bias is None else self.bias * whole.reshape(self.bias.shape)
        if node.offset is not None:
            offset = np.broadcast_to(node.offset, self.shape)
            bias = offset if bias is None else bias + offset.reshape(bias.shape)
        weights = self.matrix if self.matrix is not None else self.kernel
        assert weights is not None
        per_output = whole.reshape(len(weights), -1)
        if (per_output != per_output[:, :1]).any():
            raise self.graph.refuse(
                f"node {node.name!r}",
                "its factors differ within a channel, behind a convolution",
                "give one factor for each channel",
            )
        factor = per_output[:, 0]
        weights = weights * factor.reshape(-1, *(1,) * (weights.ndim - 1))
        unit = None if self.unit is None else self.unit * np.abs(factor)
        if self.matrix is not None:
            return replace(self, matrix=weights, bias=bias, unit=unit)
        return replace(self, kernel=weights, bias=bias, unit=unit)

    def _matrix(self, node: Matrix) -> Path:
        weight, bias, unit = node.weight, node.bias, node.unit
        if self.kernel is not None:
            raise self._two_weights(node)
        if self.matrix is not None:
            if self.bias is not None:
                carried = weight @ self.bias
                bias = carried if bias is None else bias + carried
            weight, unit = weight @ self.matrix, None
        shape = (len(weight),)
        return replace(
            self,
            matrix=weight,
            bias=bias,
            unit=unit,
            shape=shape,
            maps=shape,
            weighted=node.name,
        )

    def _two_weights(self, node: Node) -> Exception:
        return self.graph.refuse(
            f"node {node.name!r}",
            f"it follows the weights of {self.weighted!r} without neurons between",
            "put neurons between them, or fold one into the other",
        )

    def _convolution(self, node: Convolution) -> Path:
        if self.has_weights or len(self.shape) == 1:
            raise self._two_weights(node)
        window = window_of(node)
        outputs = len(node.weight)
        size = (1, self.shape[1]) if node.flat else self.shape[1:]
        extent = window.extent((*size, self.shape[0]))
        shape = (outputs, extent[1]) if node.flat else (outputs, *extent)
        bias = node.bias
        if bias is not None:
            bias = np.broadcast_to(bias.reshape(-1, *(1,) * (len(shape) - 1)), shape)
        return replace(
            self,
            kernel=node.weight,
            unit=node.unit,
            window=window,
            groups=node.groups,
            bias=bias,
            shape=shape,
            maps=shape,
            weighted=node.name,
        )

    def _delayed(self, node: Delaying) -> Path:
        if self.bias is not None and self.bias.any():
            raise self.graph.refuse(
                f"node {node.name!r}",
                "it would delay a bias",
                "put the delay before the weights",
            )
        seconds = 0.0
        if node.seconds is not None:
            values = np.unique(node.seconds)
            if len(values) > 1:
                raise self.graph.refuse(
                    f"node {node.name!r}",
                    f"its delays differ ({values.min():g} to {values.max():g})",
                    "give all elements one delay",
                )
            seconds = float(values[0])
        return replace(self, seconds=self.seconds + seconds, steps=self.steps + node.steps)


def fold(graph: NodeGraph, shape: Shape, nodes: Sequence[str]) -> Path:
    """The path from a source that sends `shape` through `nodes`."""
    path = Path.start(graph, shape)
    for name in nodes:
        path = path.through(graph.nodes[name])
    return path
