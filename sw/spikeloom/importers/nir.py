"""Reads NIR: graphs of neurons in HDF5, as `nir.write` makes them.

The file is read without the package `nir`, whose own check refuses grouped convolutions and gives
kernels that are not square a wrong shape. Every refusal names file, node and fix.

Pedersen et al., "Neuromorphic intermediate representation", Nature Communications 15 (2024).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from spikeloom.errors import UserError, nearest
from spikeloom.importers.cells import CELLS, cell
from spikeloom.importers.hdf5 import Tree, read_hdf5
from spikeloom.importers.nodes import (
    Convolution,
    Delaying,
    Entry,
    Exit,
    Flattening,
    Floats,
    Matrix,
    Node,
    NodeGraph,
    Pair,
    Passing,
    Pooling,
    PoolKind,
    Scaling,
    Shape,
)
from spikeloom.importers.shapes import infer_shapes


class Fields:
    """The fields of one node, each read with a sentence for what is wrong with it.

    Attributes:
        place: "node 'fc1'", for sentences.
        notes: what was mended, for the whole graph.
    """

    def __init__(self, label: str, name: str, tree: Tree, notes: list[str]) -> None:
        self.label, self.name, self.place = label, name, f"node {name!r}"
        self._tree, self.notes = tree, notes

    def refuse(self, what: str, fix: str) -> NoReturn:
        """Raise the sentence about this node."""
        raise UserError(f"{self.label}: {self.place}: {what}: {fix}")

    def has(self, field: str) -> bool:
        """Whether the file has it."""
        return field in self._tree

    def number_array(self, field: str) -> Floats:
        """A field of finite numbers."""
        if field not in self._tree:
            hint = nearest(field, self._tree)
            self.refuse(f"it has no {field}{hint}", "write the node again with this field")
        value = self._tree[field]
        if not isinstance(value, np.ndarray) or value.dtype.kind not in "fiub":
            self.refuse(f"{field} holds no numbers", "write an array")
        values = np.asarray(value, dtype=np.float64)
        wrong = values[~np.isfinite(values)]
        if wrong.size:
            self.refuse(f"{field} holds {wrong.flat[0]}", "only finite numbers make a network")
        return values

    def whole(self, field: str) -> tuple[int, ...]:
        """A field of whole numbers, one or several."""
        values = self.number_array(field)
        if (
            values.ndim > 1
            or (values != np.rint(values)).any()
            or np.abs(values).max(initial=0) > 1e9
        ):
            self.refuse(f"{field} is {values.tolist()}", "whole numbers are meant")
        return tuple(int(value) for value in np.atleast_1d(values))

    def pair(self, field: str, default: int | None = None, least: int = 1) -> Pair:
        """One whole number for both axes, or one for each."""
        if default is not None and not self.has(field):
            return default, default
        values = self.whole(field)
        if len(values) not in (1, 2) or min(values) < least:
            self.refuse(f"{field} is {list(values)}", f"one or two numbers of {least} or more")
        return values[0], values[-1]

    def text_or_none(self, field: str) -> str | None:
        """A field that may be a text, such as the padding 'same'."""
        value = self._tree.get(field)
        return value if isinstance(value, str) else None

    def shape(self, field: str) -> Shape:
        """The shape of what goes in or out."""
        values = self.whole(field)
        if not values or min(values) < 1 or len(values) > 5:
            self.refuse(f"{field} is {list(values)}", "one to three positive sizes are meant")
        return values


def _matrix(fields: Fields) -> Matrix:
    weight = fields.number_array("weight")
    if weight.ndim != 2 or not weight.size:
        fields.refuse(f"weight has the shape {weight.shape}", "[outputs, inputs] is meant")
    bias = None
    if fields.has("bias"):
        bias = fields.number_array("bias")
        if bias.shape != weight.shape[:1]:
            fields.refuse(
                f"bias has the shape {bias.shape}, weight {weight.shape}",
                "write one bias for each output",
            )
    return Matrix(name=fields.name, weight=weight, bias=bias)


def _convolution(fields: Fields, axes: int) -> Convolution:
    weight = fields.number_array("weight")
    if weight.ndim != 2 + axes or not weight.size:
        fields.refuse(
            f"weight has the shape {weight.shape}",
            f"[outputs, inputs / groups, {'height, width' if axes == 2 else 'length'}] is meant",
        )
    stride, dilation = (fields.pair(field, default=1) for field in ("stride", "dilation"))
    groups = fields.whole("groups")[0] if fields.has("groups") else 1
    if groups < 1 or weight.shape[0] % groups:
        fields.refuse(
            f"groups is {groups}, with {weight.shape[0]} outputs", "give a divisor of the outputs"
        )
    if axes == 1:
        weight = weight[:, :, None]
        stride, dilation = (1, stride[1]), (1, dilation[1])
    padding = _padding(fields, (weight.shape[2], weight.shape[3]), stride, dilation, axes)
    bias = fields.number_array("bias") if fields.has("bias") else None
    if bias is not None and bias.shape != weight.shape[:1]:
        fields.refuse(
            f"bias has the shape {bias.shape}", f"one for each of {weight.shape[0]} outputs"
        )
    return Convolution(
        name=fields.name,
        weight=weight,
        bias=bias,
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
        flat=axes == 1,
    )


def same_padding(kernel: Pair, dilation: Pair) -> tuple[int, int, int, int]:
    """Torch's 'same': the odd row or column of zeros goes to the bottom or the right."""
    total = [step * (length - 1) for length, step in zip(kernel, dilation, strict=True)]
    top, left = total[0] // 2, total[1] // 2
    return top, total[0] - top, left, total[1] - left


def _padding(
    fields: Fields, kernel: Pair, stride: Pair, dilation: Pair, axes: int
) -> tuple[int, int, int, int]:
    text = fields.text_or_none("padding")
    if text == "valid":
        return 0, 0, 0, 0
    if text == "same":
        if stride != (1, 1):
            fields.refuse(f"padding 'same' with stride {stride}", "give the padding in numbers")
        return same_padding(kernel, dilation)
    if text is not None:
        fields.refuse(f"padding is {text!r}", "'same', 'valid' or numbers")
    down, across = fields.pair("padding", default=0, least=0)
    down = down if axes == 2 else 0
    return down, down, across, across


def _pooling(fields: Fields, kind: PoolKind) -> Pooling:
    kernel = fields.pair("kernel_size")
    stride = fields.pair("stride") if fields.has("stride") else kernel
    padding = fields.pair("padding", default=0, least=0)
    if any(2 * zeros > length for zeros, length in zip(padding, kernel, strict=True)):
        fields.refuse(f"padding {padding} for windows of {kernel}", "at most half a window")
    return Pooling(name=fields.name, kind=kind, kernel=kernel, stride=stride, padding=padding)


def _flattening(fields: Fields) -> Flattening:
    start = fields.whole("start_dim")[0] if fields.has("start_dim") else 1
    end = fields.whole("end_dim")[0] if fields.has("end_dim") else -1
    return Flattening(name=fields.name, start=start, end=end)


def _delaying(fields: Fields) -> Delaying:
    seconds = fields.number_array("delay")
    if (seconds < 0).any():
        fields.refuse(f"delay is {seconds.min()}", "nothing arrives before it is sent")
    return Delaying(name=fields.name, seconds=seconds)


READERS: Mapping[str, Callable[[Fields], Node]] = {
    "Input": lambda fields: Entry(name=fields.name, shape=fields.shape("shape")),
    "Output": lambda fields: Exit(
        name=fields.name, shape=fields.shape("shape") if fields.has("shape") else None
    ),
    "Linear": _matrix,
    "Affine": _matrix,
    "Scale": lambda fields: Scaling(name=fields.name, factor=fields.number_array("scale")),
    "Conv1d": lambda fields: _convolution(fields, 1),
    "Conv2d": lambda fields: _convolution(fields, 2),
    "SumPool2d": lambda fields: _pooling(fields, "sum"),
    "AvgPool2d": lambda fields: _pooling(fields, "average"),
    "Flatten": _flattening,
    "Delay": _delaying,
    **{kind: lambda fields, kind=kind: cell(fields, kind) for kind in CELLS},
}
"""How each type of node is read."""


def read_nir(path: str | Path) -> NodeGraph:
    """The graph in a file of NIR.

    Raises:
        UserError: the file is damaged, or a node or an edge makes no sense; which, and how to mend
            it.
    """
    path = Path(path)
    tree = read_hdf5(path)
    node = tree.get("node")
    if not isinstance(node, dict):
        raise UserError(f"{path}: it has no group 'node': write the network with nir.write")
    graph = graph_of(str(path), node)
    infer_shapes(graph)
    return graph


def graph_of(label: str, tree: Tree) -> NodeGraph:
    """The flat graph of a `NIRGraph` and all within it."""
    reader = _Graph(label)
    reader.read(tree, prefix="", within="")
    return NodeGraph(
        label=label, nodes=reader.nodes, edges=tuple(reader.edges), notes=tuple(reader.notes)
    )


class _Graph:
    """Collects the nodes of a graph and of those within it, whose inputs and outputs vanish."""

    def __init__(self, label: str) -> None:
        self.label = label
        self.nodes: dict[str, Node] = {}
        self.edges: list[tuple[str, str]] = []
        self.notes: list[str] = []

    def read(self, tree: Tree, *, prefix: str, within: str) -> tuple[list[str], list[str]]:
        """Take in a graph; names of those behind its inputs and before its outputs.

        Args:
            tree: the group.
            prefix: of its nodes' names.
            within: "in subgraph 'x': ", for sentences.
        """
        nodes, edges = tree.get("nodes"), tree.get("edges")
        if not isinstance(nodes, dict) or not nodes:
            raise UserError(f"{self.label}: {within}there are no nodes: write the graph again")
        pairs = self._pairs(edges, nodes, within)
        ends: dict[str, tuple[list[str], list[str]]] = {}
        for name, own in nodes.items():
            ends[name] = self._node(name, own, prefix, within)
        for source, target in pairs:
            for start in ends[source][1]:
                self.edges += [(start, stop) for stop in ends[target][0]]
        return self._open(nodes, prefix, within) if prefix else ([], [])

    def _node(self, name: str, tree: Any, prefix: str, within: str) -> tuple[list[str], list[str]]:
        """Take in one node; where edges to it and from it are to be tied."""
        kind = tree.get("type") if isinstance(tree, dict) else None
        place = f"{within}node {name!r}"
        if not isinstance(tree, dict) or not isinstance(kind, str):
            raise UserError(f"{self.label}: {place} has no type: write the graph again")
        if kind == "NIRGraph":
            inner = f"{prefix}{name}."
            return self.read(tree, prefix=inner, within=f"in subgraph {name!r}: ")
        reader = READERS.get(kind)
        if reader is None:
            hint = nearest(kind, READERS) or f"; known are {', '.join(READERS)}"
            raise UserError(
                f"{self.label}: {place} is of the type {kind!r}, which is not imported{hint}: "
                "replace it before the export"
            )
        full = prefix + name
        fields = Fields(self.label, full, tree, self.notes)
        self.nodes[full] = reader(fields)
        return [full], [full]

    def _pairs(self, edges: Any, nodes: Tree, within: str) -> list[tuple[str, str]]:
        if isinstance(edges, np.ndarray) and edges.size == 0:
            return []
        if not isinstance(edges, np.ndarray) or edges.ndim != 2 or edges.shape[1] != 2:
            raise UserError(f"{self.label}: {within}there is no list of edges: write it again")
        pairs: list[tuple[str, str]] = []
        for source, target in edges.tolist():
            edge = f"edge {source} → {target}"
            for end in (source, target):
                if end not in nodes:
                    hint = nearest(end, nodes).removeprefix(", ")
                    raise UserError(
                        f"{self.label}: {within}{edge}: no node {str(end)!r}: "
                        f"{hint or 'add the node or remove the edge'}"
                    )
            if (source, target) in pairs:
                raise UserError(
                    f"{self.label}: {within}{edge} stands there twice: remove one of them"
                )
            pairs.append((source, target))
        return pairs

    def _open(self, nodes: Tree, prefix: str, within: str) -> tuple[list[str], list[str]]:
        """Make the input and the output of an inner graph nodes that pass on what they get."""
        found: dict[type[Node], str] = {}
        for name in nodes:
            own = self.nodes.get(prefix + name)
            if not isinstance(own, Entry | Exit):
                continue
            if type(own) in found:
                kind = "input" if isinstance(own, Entry) else "output"
                raise UserError(f"{self.label}: {within}node {name!r} is a second {kind}: keep one")
            found[type(own)] = own.name
            self.nodes[own.name] = Passing(name=own.name, shape=own.shape)
        if len(found) < 2:
            raise UserError(f"{self.label}: {within}it needs an Input and an Output: add them")
        return [found[Entry]], [found[Exit]]
