"""What other frameworks' networks are made of, as read: nodes, with the numbers of their file.

Shapes and arrays have torch's order here, channels first: `(channels, height, width)`. The graph is
flat; nested graphs are spelled out by whoever reads them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from spikeloom.errors import UserError
from spikeloom.importers.step import StepNeuron

Floats = npt.NDArray[np.float64]
Shape = tuple[int, ...]
Pair = tuple[int, int]

Model = Literal["if", "li", "lif", "cuba-li", "cuba-lif"]
PoolKind = Literal["sum", "average", "max"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Node:
    """A node by its name in the file."""

    name: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Entry(Node):
    """Where samples come in. `shape` is that of one step, without batch and time."""

    shape: Shape


@dataclass(frozen=True, kw_only=True, eq=False)
class Exit(Node):
    """What is read out; `shape` is None where the writer did not say it."""

    shape: Shape | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Passing(Node):
    """The end of an inner graph: it changes nothing, and says a shape."""

    shape: Shape | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Matrix(Node):
    """`weight · x + bias`, the weight `[outputs, inputs]`.

    `unit` is the size of integer 1 for each output, where the weights are integers already.
    """

    weight: Floats
    bias: Floats | None = None
    unit: Floats | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Convolution(Node):
    """A cross-correlation, `weight [outputs, inputs / groups, height, width]`.

    Attributes:
        weight, bias: the kernel and what is added to each output channel.
        stride, dilation, groups: as torch has them.
        padding: top, bottom, left, right.
        flat: whether its maps are lines `(channels, length)`; the height is 1 then.
        unit: the size of integer 1 for each output, where the weights are integers already.
    """

    weight: Floats
    bias: Floats | None = None
    stride: Pair = (1, 1)
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)
    dilation: Pair = (1, 1)
    groups: int = 1
    flat: bool = False
    unit: Floats | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Scaling(Node):
    """`factor · x + offset`, element by element; both broadcast to the shape of x."""

    factor: Floats
    offset: Floats | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Pooling(Node):
    """A window over each channel: its sum, its mean over the whole window, or its maximum."""

    kind: PoolKind
    kernel: Pair
    stride: Pair
    padding: Pair = (0, 0)


@dataclass(frozen=True, kw_only=True, eq=False)
class Flattening(Node):
    """Dimensions `start` to `end` become one, counted without the batch; -1 is the last."""

    start: int = 0
    end: int = -1


@dataclass(frozen=True, kw_only=True, eq=False)
class Delaying(Node):
    """What comes in goes out later: `seconds` in the file's unit of time, or whole `steps`."""

    seconds: Floats | None = None
    steps: int = 0


@dataclass(frozen=True, kw_only=True, eq=False)
class Cell(Node):
    """Neurons by their continuous equation.

    Attributes:
        model: which equation.
        parameters: tau, tau_syn, r, w_in, v_leak, v_threshold, v_reset, as the model has them,
            broadcast to one shape.
    """

    model: Model
    parameters: Mapping[str, Floats] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, eq=False)
class Stepper(Node):
    """Neurons by their equation of one step, as a framework's module runs it.

    `shape` is None where a parameter has none and the neighbours decide.
    """

    step: StepNeuron
    shape: Shape | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class NodeGraph:
    """The nodes of a network, and who leads to whom.

    Attributes:
        label: file or module that it was read from, for sentences.
        nodes: by name.
        edges: (from, to), each once.
        notes: what was mended on the way in, each in one sentence.
    """

    label: str
    nodes: Mapping[str, Node]
    edges: Sequence[tuple[str, str]]
    notes: tuple[str, ...] = ()

    def before(self, name: str) -> list[str]:
        """Nodes that lead to `name`."""
        return [source for source, target in self.edges if target == name]

    def after(self, name: str) -> list[str]:
        """Nodes that `name` leads to."""
        return [target for source, target in self.edges if source == name]

    def refuse(self, place: str, what: str, fix: str) -> UserError:
        """The sentence about a defect: file, place, what is wrong, how to mend it."""
        return UserError(f"{self.label}: {place}: {what}: {fix}")
