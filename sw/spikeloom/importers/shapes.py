"""What shape each node of a foreign graph sends out, found from its input on.

Shapes are torch's, without batch and time: `(neurons,)`, `(channels, length)` or
`(channels, height, width)`. Where an edge brings another shape than its target takes, the sentence
names the edge.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import NoReturn

import numpy as np

from spikeloom.connections import Window
from spikeloom.errors import UserError
from spikeloom.importers.nodes import (
    Cell,
    Convolution,
    Delaying,
    Entry,
    Exit,
    Flattening,
    Matrix,
    Node,
    NodeGraph,
    Passing,
    Pooling,
    Scaling,
    Shape,
    Stepper,
)

LARGEST = 1 << 24
"""Neurons of one node."""

Refuse = Callable[[str, str], NoReturn]
"""What is wrong with a shape, and how to mend it."""


def check_ends(graph: NodeGraph) -> tuple[Entry, Exit]:
    """The one input and the one output of a graph.

    Raises:
        UserError: there are none, or several, or a node leads nowhere or comes from nowhere.
    """
    entries = [node for node in graph.nodes.values() if isinstance(node, Entry)]
    exits = [node for node in graph.nodes.values() if isinstance(node, Exit)]
    for found, word in ((entries, "input"), (exits, "output")):
        if len(found) != 1:
            names = ", ".join(repr(node.name) for node in found) or "none"
            raise graph.refuse(
                f"the graph has {len(found)} {word}s ({names})",
                f"a network has one {word}",
                "join or remove the others" if found else f"add an {word.capitalize()}",
            )
    for name, node in graph.nodes.items():
        if not isinstance(node, Entry) and not graph.before(name):
            raise graph.refuse(f"node {name!r}", "nothing leads to it", "add an edge or remove it")
        if not isinstance(node, Exit) and not graph.after(name):
            raise graph.refuse(f"node {name!r}", "it leads nowhere", "add an edge or remove it")
    for source, target in graph.edges:
        if isinstance(graph.nodes[source], Exit) or isinstance(graph.nodes[target], Entry):
            raise graph.refuse(
                f"edge {source} → {target}",
                "an output sends nothing, and an input receives nothing",
                "turn it round or remove it",
            )
    return entries[0], exits[0]


@dataclass(kw_only=True, eq=False)
class Shapes:
    """What is known of a graph's shapes.

    Attributes:
        graph: the nodes.
        out: of what each node sends.
        notes: what was mended.
    """

    graph: NodeGraph
    out: dict[str, Shape]
    notes: list[str]

    def into(self, name: str) -> Shape:
        """The shape that a node receives."""
        return self.out[self.graph.before(name)[0]]


def infer_shapes(graph: NodeGraph) -> Shapes:
    """Go through a graph from its input on.

    Raises:
        UserError: an edge joins shapes that differ, or a node takes no such shape; which.
    """
    entry, _ = check_ends(graph)
    found = Shapes(graph=graph, out={}, notes=[])
    found.out[entry.name] = _without_batch(found, entry.name, entry.shape)
    waiting = deque(graph.after(entry.name))
    seen_from: dict[str, Shape] = {}
    while waiting:
        name = waiting.popleft()
        known = [
            (source, found.out[source]) for source in graph.before(name) if source in found.out
        ]
        source, shape = known[0]
        for other, theirs in known[1:]:
            if theirs != shape:
                _refuse_edge(graph, other, name, theirs, shape, "give both the same shape")
        if seen_from.get(name) == shape:
            continue
        seen_from[name] = shape
        out = _through(found, source, graph.nodes[name], shape)
        if prod(out) > LARGEST:
            raise graph.refuse(f"node {name!r}", f"{prod(out):,} neurons", "split the network")
        if found.out.get(name, out) != out:
            _refuse_edge(graph, source, name, shape, found.out[name], "give both the same shape")
        found.out[name] = out
        waiting.extend(graph.after(name))
    for name in graph.nodes:
        if name not in found.out:
            raise graph.refuse(f"node {name!r}", "the input does not reach it", "connect it")
        for source in graph.before(name):
            if found.out[source] != seen_from[name]:
                _refuse_edge(
                    graph, source, name, found.out[source], seen_from[name], "make them agree"
                )
    return found


def _refuse_edge(
    graph: NodeGraph, source: str, target: str, ours: Shape, theirs: Shape, fix: str
) -> NoReturn:
    raise UserError(f"{graph.label}: edge {source} → {target}: shape {ours} meets {theirs}: {fix}")


def _without_batch(found: Shapes, name: str, shape: Shape) -> Shape:
    """A shape as it is, or without the leading 1 of a batch where there is one axis too many."""
    if shape[0] == 1 and (len(shape) == 4 or (len(shape) == 2 and _flat(found, name))):
        found.notes.append(f"node {name!r}: the leading 1 of {shape} was taken as the batch")
        return shape[1:]
    if len(shape) > 3:
        raise found.graph.refuse(
            f"node {name!r}", f"shape {shape}", "leave out the axes of batch and time"
        )
    return shape


def _flat(found: Shapes, name: str) -> bool:
    """Whether what follows takes a list of neurons, not lines."""
    after = [found.graph.nodes[target] for target in found.graph.after(name)]
    return bool(after) and all(isinstance(node, Matrix | Cell) for node in after)


def _through(found: Shapes, source: str, node: Node, shape: Shape) -> Shape:
    """What `node` makes of `shape`, which comes from `source`."""
    graph = found.graph

    def refuse(what: str, fix: str) -> NoReturn:
        raise UserError(f"{graph.label}: edge {source} → {node.name}: shape {shape} {what}: {fix}")

    match node:
        case Matrix(weight=weight):
            if shape != (weight.shape[1],):
                refuse(
                    f"meets a weight {list(weight.shape)}, which takes ({weight.shape[1]},)",
                    "put a Flatten between them" if len(shape) > 1 else "make them agree",
                )
            return (weight.shape[0],)
        case Convolution():
            return _convolved(node, shape, refuse)
        case Pooling(kernel=kernel, stride=stride, padding=(down, across)):
            if len(shape) != 3:
                refuse("is no map", "pooling takes (channels, height, width)")
            window = Window(kernel=kernel, stride=stride, padding=(down, down, across, across))
            return (shape[0], *_extent(window, (shape[1], shape[2], shape[0]), refuse))
        case Flattening(start=start, end=end):
            return _flattened(shape, start, end, refuse)
        case Scaling(factor=factor):
            try:
                fits = np.broadcast_shapes(factor.shape, shape) == shape
            except ValueError:
                fits = False
            if not fits:
                refuse(f"meets a factor of {factor.shape}", "give one factor for each element")
            return shape
        case Delaying(seconds=seconds):
            if seconds is not None and seconds.shape not in ((), (1,), shape):
                refuse(f"meets delays of {seconds.shape}", "give one delay for each element")
            return shape
        case Cell(parameters=parameters):
            own = next(iter(parameters.values())).shape
            return _of_neurons(own, shape, refuse)
        case Stepper(shape=own):
            return _of_neurons(own or (), shape, refuse)
        case Passing(shape=own) | Exit(shape=own):
            return _of_exit(found, node, own, shape, refuse)
        case _:
            raise AssertionError(node)


def _of_neurons(own: Shape, shape: Shape, refuse: Refuse) -> Shape:
    if own not in ((), shape):
        refuse(f"meets neurons of {own}", "make them agree")
    return shape


def _of_exit(found: Shapes, node: Node, own: Shape | None, shape: Shape, refuse: Refuse) -> Shape:
    if own in (None, shape):
        return shape
    if own == (1, *shape):
        found.notes.append(f"node {node.name!r}: the leading 1 of {own} was taken as the batch")
        return shape
    kept = own is not None and own[-len(shape) :] == shape and len(own) == len(shape) + 2
    fix = "the writer kept batch and time; write it without" if kept else "make them agree"
    refuse(f"meets {own}", fix)
    return shape


def _convolved(node: Convolution, shape: Shape, refuse: Refuse) -> Shape:
    outputs, part, *_ = node.weight.shape
    if len(shape) != (2 if node.flat else 3):
        refuse(
            f"meets a kernel {list(node.weight.shape)}",
            "a convolution takes (channels, length)" if node.flat else "it takes (channels, h, w)",
        )
    if shape[0] != part * node.groups:
        refuse(f"meets a kernel for {part} × {node.groups} channels", "make the channels agree")
    size = (1, shape[1]) if node.flat else (shape[1], shape[2])
    height, width = _extent(window_of(node), (*size, shape[0]), refuse)
    return (outputs, width) if node.flat else (outputs, height, width)


def window_of(node: Convolution | Pooling) -> Window:
    """The geometry of a convolution or a pooling."""
    down, across = (node.weight.shape[2:]) if isinstance(node, Convolution) else node.kernel
    if isinstance(node, Pooling):
        top, left = node.padding
        return Window(kernel=node.kernel, stride=node.stride, padding=(top, top, left, left))
    return Window(
        kernel=(down, across), stride=node.stride, padding=node.padding, dilation=node.dilation
    )


def _extent(window: Window, source: Shape, refuse: Refuse) -> tuple[int, int]:
    try:
        return window.extent(source)
    except ValueError as error:
        refuse(f"is smaller than a window ({error})", "change kernel, dilation or padding")
        raise


def _flattened(shape: Shape, start: int, end: int, refuse: Refuse) -> Shape:
    axes = len(shape)
    first = start if start >= 0 else start + axes
    last = end if end >= 0 else end + axes
    if axes == 1 and first in (0, 1):
        return shape
    if not 0 <= first <= last < axes:
        refuse(f"has no dimensions {start} to {end}", "count them without the batch")
    if first != 0 or last != axes - 1:
        refuse(
            f"is flattened from dimension {start} to {end} alone",
            "set start_dim = 0: a batch axis is not part of the shape",
        )
    return (prod(shape),)
