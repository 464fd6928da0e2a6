"""What a module of torch becomes: a node, or a few with edges between them.

Nothing here imports torch. A module is known by the names of its classes, and its numbers are read
through `detach().numpy()`; so the importers work beside any version of any framework.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

from spikeloom.errors import UserError
from spikeloom.importers.nodes import Floats, Node


@dataclass(frozen=True, kw_only=True, eq=False)
class Piece:
    """Nodes of one module.

    Attributes:
        nodes: all of them; none where the module changes nothing.
        edges: between them, by name.
        entry, exit: the nodes that the input comes to and the output leaves.
    """

    nodes: Sequence[Node]
    edges: Sequence[tuple[str, str]] = ()
    entry: str = ""
    exit: str = ""

    @classmethod
    def of(cls, *nodes: Node) -> Piece:
        """Nodes one after another."""
        names = [node.name for node in nodes]
        return cls(
            nodes=nodes,
            edges=tuple(itertools.pairwise(names)),
            entry=names[0] if names else "",
            exit=names[-1] if names else "",
        )

    @classmethod
    def recurrent(cls, neurons: Node, back: Node) -> Piece:
        """Neurons whose output comes back to them through `back`."""
        edges = ((neurons.name, back.name), (back.name, neurons.name))
        return cls(nodes=(neurons, back), edges=edges, entry=neurons.name, exit=neurons.name)


Reader = Callable[[Any, str], Piece | None]
"""Reads a module of a framework, by its name in the network; None for what it does not know."""


def class_names(module: Any, *packages: str) -> list[str]:
    """Names of a module's classes that lie in one of `packages`, the nearest first."""
    return [
        kind.__name__
        for kind in type(module).__mro__
        if any(kind.__module__ == own or kind.__module__.startswith(f"{own}.") for own in packages)
    ]


def numbers(value: Any) -> Floats:
    """A tensor or a number as doubles."""
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    return np.asarray(value, dtype=np.float64)


def refuse(module: Any, name: str, what: str, fix: str) -> NoReturn:
    """Raise the sentence about a module that has no counterpart."""
    raise UserError(f"{name or 'the module'} ({type(module).__name__}): {what}: {fix}")
