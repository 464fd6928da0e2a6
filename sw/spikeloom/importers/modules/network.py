"""From a live module to a graph of nodes: layer after layer, or as an example went through it."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterator, Sequence
from typing import Any

from spikeloom.errors import UserError
from spikeloom.importers.foreign import ForeignNetwork
from spikeloom.importers.lowering import lower
from spikeloom.importers.modules.brevitas import brevitas_layer
from spikeloom.importers.modules.norse import norse_cell
from spikeloom.importers.modules.pieces import Piece, Reader, refuse
from spikeloom.importers.modules.sinabs import sinabs_cell
from spikeloom.importers.modules.snntorch import snntorch_cell
from spikeloom.importers.modules.spikingjelly import spikingjelly_cell
from spikeloom.importers.modules.torch_layers import layer
from spikeloom.importers.nodes import (
    Convolution,
    Entry,
    Exit,
    Flattening,
    Matrix,
    Node,
    NodeGraph,
    Shape,
    Stepper,
)
from spikeloom.provenance import ImportedFrom, ProfileEntry

__all__ = [
    "from_brevitas",
    "from_norse",
    "from_sinabs",
    "from_snntorch",
    "from_spikingjelly",
]

READERS: Sequence[Reader] = (
    brevitas_layer,
    snntorch_cell,
    norse_cell,
    sinabs_cell,
    spikingjelly_cell,
    layer,
)
"""Asked in this order; the layers of torch last, since the frameworks derive from them."""

CONTAINERS = ("Sequential", "SequentialState", "ModuleList")


def from_snntorch(
    module: Any, *, shape: Shape | None = None, example: Any = None
) -> ForeignNetwork:
    """The network of a live module of snnTorch, in evaluation mode.

    Args:
        module: a Sequential, or with `example` any module.
        shape: of one step's input without the batch, `(neurons,)` or `(channels, height, width)`;
            left out where a Linear comes first.
        example: an input that `module` can be called with, so that the order of its layers is seen.

    Raises:
        UserError: a layer has no counterpart; which, and what to use instead.
    """
    return _from_module(module, "snntorch", shape, example)


def from_norse(module: Any, *, shape: Shape | None = None, example: Any = None) -> ForeignNetwork:
    """The network of a live module of Norse; see `from_snntorch`."""
    return _from_module(module, "norse", shape, example)


def from_sinabs(module: Any, *, shape: Shape | None = None, example: Any = None) -> ForeignNetwork:
    """The network of a live module of Sinabs; see `from_snntorch`."""
    return _from_module(module, "sinabs", shape, example)


def from_spikingjelly(
    module: Any, *, shape: Shape | None = None, example: Any = None
) -> ForeignNetwork:
    """The network of a live module of SpikingJelly; see `from_snntorch`."""
    return _from_module(module, "spikingjelly", shape, example)


def from_brevitas(
    module: Any, *, shape: Shape | None = None, example: Any = None
) -> ForeignNetwork:
    """The network of a live module with Brevitas's weights and any framework's neurons.

    Integer weights and scales are taken as they are; see `from_snntorch`.
    """
    return _from_module(module, "brevitas", shape, example)


def _from_module(module: Any, framework: str, shape: Shape | None, example: Any) -> ForeignNetwork:
    if example is None:
        pieces = [piece for piece in map(_piece, _in_order(module, "")) if piece.nodes]
        links = list(itertools.pairwise(pieces))
        graph = _joined(framework, pieces, links, shape)
    else:
        graph = _traced(framework, _copied(module), example, shape)
    floats = lower(graph, None)
    return ForeignNetwork(
        floats=floats,
        origin=ImportedFrom(
            format=framework,
            file="",
            sha256="",
            framework=framework,
            entries=_entries(graph),
            notes=floats.notes,
        ),
    )


def _copied(module: Any) -> Any:
    """A copy to run, so that the user's own module keeps its states and its mode."""
    try:
        return copy.deepcopy(module).eval()
    except Exception as error:  # a module copies itself as it likes
        refuse(
            module,
            "",
            f"it cannot be copied ({' '.join(str(error).split())})",
            "give a Sequential of its layers without example=",
        )


def _in_order(module: Any, name: str) -> Iterator[tuple[str, Any]]:
    """The modules of nested Sequentials, one behind another, by name."""
    if type(module).__name__ in CONTAINERS:
        for inner, own in module.named_children():
            yield from _in_order(own, f"{name}.{inner}" if name else inner)
    elif _read(module, name) is not None:
        yield name, module
    else:
        refuse(
            module,
            name,
            "the order of its layers is not known",
            "pass example=, an input that it can be called with",
        )


def _read(module: Any, name: str) -> Piece | None:
    return next((piece for read in READERS if (piece := read(module, name)) is not None), None)


def _piece(named: tuple[str, Any]) -> Piece:
    name, module = named
    found = _read(module, name or "layer")
    if found is None:
        refuse(module, name, "this layer is not imported", "replace it")
    return found


def _joined(
    label: str,
    pieces: Sequence[Piece],
    links: Sequence[tuple[Piece, Piece]],
    shape: Shape | None,
    extra: Sequence[tuple[Node, str, str]] = (),
) -> NodeGraph:
    """The graph of pieces that follow one another, between an input and an output."""
    if not pieces:
        raise UserError(f"{label}: there are no layers: give a network")
    nodes = [node for piece in pieces for node in piece.nodes]
    entry = Entry(name="input", shape=shape or _shape_of(label, pieces[0]))
    edges = [edge for piece in pieces for edge in piece.edges]
    edges += [(one.exit, other.entry) for one, other in links]
    for node, source, target in extra:
        nodes.append(node)
        edges += [(source, node.name), (node.name, target)]
    edges += [(entry.name, pieces[0].entry), (pieces[-1].exit, "output")]
    whole = [entry, *nodes, Exit(name="output")]
    return NodeGraph(label=label, nodes={node.name: node for node in whole}, edges=edges)


def _shape_of(label: str, first: Piece) -> Shape:
    node = first.nodes[0]
    if isinstance(node, Matrix):
        return (node.weight.shape[1],)
    kind = "(channels, height, width)" if isinstance(node, Convolution) else "(neurons,)"
    raise UserError(f"{label}: the shape of the input is not known: pass shape={kind}")


def _traced(label: str, module: Any, example: Any, shape: Shape | None) -> NodeGraph:
    """The graph as `example` goes through `module` for the first time."""
    trace = _Trace(module)
    trace.run(example)
    return _joined(label, trace.order, trace.links, shape, trace.flattenings)


class _Trace:
    """Looks on while an example goes through a module, and notes which layer feeds which.

    A tensor is known by its memory, so that a view of it, such as a reshape, is known too. All are
    kept until the end, so that no memory is used twice.
    """

    def __init__(self, module: Any) -> None:
        self.module = module
        self.leaves = dict(_leaves(module))
        self.kept: list[Any] = []
        self.source: dict[int, Piece] = {}
        self.pieces: dict[str, Piece] = {}
        self.order: list[Piece] = []
        self.links: list[tuple[Piece, Piece]] = []
        self.flattenings: list[tuple[Node, str, str]] = []

    def run(self, example: Any) -> None:
        """Call the module with an input, or with a tuple of arguments."""
        handles = [own.register_forward_hook(self._look) for own in self.leaves]
        try:
            self.module(*example) if isinstance(example, tuple) else self.module(example)
        finally:
            for handle in handles:
                handle.remove()

    def _look(self, own: Any, arguments: tuple[Any, ...], output: Any) -> None:
        name, given, sent = self.leaves[own], arguments[0], _first(output)
        source = self.source.get(given.data_ptr())
        piece = self.pieces.get(name)
        if piece is None:
            piece = self.pieces[name] = _piece((name, own))
            if piece.nodes:
                self._place(own, name, piece, source, given)
        self.kept += [given, sent]
        through = piece if piece.nodes else source
        if through is not None:
            self.source[sent.data_ptr()] = through

    def _place(self, own: Any, name: str, piece: Piece, source: Piece | None, given: Any) -> None:
        if source is None and self.order:
            refuse(
                own,
                name,
                "what comes into it comes from no layer",
                "let nothing but layers and reshapes lie between layers",
            )
        if source is not None and self._is_flattened(given):
            self.flattenings.append((Flattening(name=f"{name}.flatten"), source.exit, piece.entry))
        elif source is not None:
            self.links.append((source, piece))
        self.order.append(piece)

    def _is_flattened(self, given: Any) -> bool:
        """Whether the memory of a list of neurons was one of maps before."""
        return any(
            own.data_ptr() == given.data_ptr() and own.ndim > given.ndim == 2 for own in self.kept
        )


def _leaves(module: Any) -> Iterator[tuple[Any, str]]:
    """The modules that are read as one, with their names."""
    above: list[str] = []
    for name, own in module.named_modules():
        if own is module or any(name.startswith(f"{cell}.") for cell in above):
            continue
        if not list(own.children()):
            yield own, name
        elif _is_cell(own, name):
            above.append(name)
            yield own, name


def _is_cell(module: Any, name: str) -> bool:
    """Whether a module with others inside it is read as one."""
    if type(module).__name__ in CONTAINERS:
        return False
    try:
        return _read(module, name) is not None
    except UserError:
        return True


def _first(output: Any) -> Any:
    return output[0] if isinstance(output, tuple | list) else output


def _entries(graph: NodeGraph) -> tuple[ProfileEntry, ...]:
    """The profile as the modules have it: what all their neurons share, or each kind."""
    steps = [node.step for node in graph.nodes.values() if isinstance(node, Stepper)]
    found = {
        "reset": [step.reset for step in steps if step.spiking],
        "compare": [">" if step.strict else ">=" for step in steps if step.spiking],
        "spikes": ["many" if step.many else "one" for step in steps if step.spiking],
        "clamp": ["none" if step.low is None else f"{float(step.low.min()):g}" for step in steps],
        "left of a membrane": [f"{float(step.keep.mean()):.6g}" for step in steps],
    }
    return tuple(
        ProfileEntry(
            name=name,
            value=", ".join(dict.fromkeys(values)),
            origin="from the file",
            why="the module's own settings",
        )
        for name, values in found.items()
        if values
    )
