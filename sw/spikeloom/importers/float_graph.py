"""A network in real numbers, laid out as Spikeloom lays it out: populations and connections.

Maps are `(height, width, channels)`, channels last in memory; parameters follow the same order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Literal

import numpy as np

from spikeloom.connections import Shape, Window, convolve, pool
from spikeloom.image.topology import components
from spikeloom.importers.step import Floats, StepNeuron

Kind = Literal["linear", "conv2d", "identity", "sum_pool2d", "max_pool2d"]


@dataclass(frozen=True, kw_only=True, eq=False)
class FloatPopulation:
    """A node of the graph.

    Attributes:
        name: of the population in the network's file.
        origin: name of the node that it comes from.
        shape: as in `spikeloom.image.Population`.
        neuron: its equation; None for the input and for relays.
        bias: added to the sums of each step, one value or one a neuron.
    """

    name: str
    origin: str
    shape: Shape
    neuron: StepNeuron | None
    bias: Floats

    @property
    def neurons(self) -> int:
        """Neurons of all places."""
        return prod(self.shape)


@dataclass(frozen=True, kw_only=True, eq=False)
class FloatConnection:
    """An edge of the graph.

    Attributes:
        name, source, target, source_shape, delay: as in `spikeloom.connections.Connection`.
        kind: which connection it becomes.
        weight: `[inputs, neurons]` of a linear one, `[outputs, inputs / groups, kh, kw]` of a
            convolution, `[channels]` of an identity; empty for pooling.
        window: of convolution and pooling.
        groups: of a convolution.
        unit: the size of integer 1 for each output, where the weights are integers already.
    """

    name: str
    source: str
    target: str
    source_shape: Shape
    kind: Kind
    weight: Floats
    window: Window | None = None
    groups: int = 1
    delay: int = 0
    unit: Floats | None = None

    @cached_property
    def _taps(self) -> Floats:
        """A kernel as `[kh·kw, inputs, outputs]`, zero between groups."""
        outputs, part, height, width = self.weight.shape
        taps = np.zeros((height * width, part * self.groups, outputs))
        for output in range(outputs):
            first = output // (outputs // self.groups) * part
            own = self.weight[output].reshape(part, -1).T
            taps[:, first : first + part, output] = own
        return taps

    def drive(self, x: Floats) -> Floats:
        """What the target receives of `x [samples, inputs]`: `[samples, neurons]`."""
        return self._apply(x, self.weight, self._taps if self.kind == "conv2d" else None)

    def spread(self, x: Floats, error: Floats) -> Floats:
        """What the target receives of `x` through the magnitudes `error`, shaped like `weight`."""
        other = FloatConnection(
            name=self.name,
            source=self.source,
            target=self.target,
            source_shape=self.source_shape,
            kind=self.kind,
            weight=np.abs(error),
            window=self.window,
            groups=self.groups,
        )
        return other.drive(x)

    def _apply(self, x: Floats, weight: Floats, taps: Floats | None) -> Floats:
        match self.kind:
            case "linear":
                return x @ weight.astype(x.dtype)
            case "identity":
                return x * np.tile(weight.astype(x.dtype), x.shape[1] // len(weight))
            case "conv2d":
                assert self.window is not None
                assert taps is not None
                return convolve(
                    x,
                    taps.astype(x.dtype),
                    window=self.window,
                    source_shape=self.source_shape,
                    groups=self.groups,
                )
            case "sum_pool2d" | "max_pool2d":
                assert self.window is not None
                join = np.add if self.kind == "sum_pool2d" else np.maximum
                return pool(x, window=self.window, source_shape=self.source_shape, join=join)


@dataclass(frozen=True, kw_only=True, eq=False)
class FloatGraph:
    """What a foreign network computes in each step.

    Attributes:
        populations: the first one is the input, the last one is read out.
        connections: in any order.
        notes: what was changed on the way in, each in one sentence.
    """

    populations: tuple[FloatPopulation, ...]
    connections: tuple[FloatConnection, ...]
    notes: tuple[str, ...] = ()

    @cached_property
    def by_name(self) -> Mapping[str, FloatPopulation]:
        """The populations."""
        return {population.name: population for population in self.populations}

    @cached_property
    def incoming(self) -> Mapping[str, tuple[FloatConnection, ...]]:
        """The connections into each population."""
        return {
            population.name: tuple(c for c in self.connections if c.target == population.name)
            for population in self.populations
        }

    @cached_property
    def components(self) -> Sequence[tuple[str, ...]]:
        """Populations in the order of computation; see `spikeloom.image.topology`."""
        return components(
            [population.name for population in self.populations],
            [(c.source, c.target, c.delay) for c in self.connections],
        )

    @property
    def source(self) -> FloatPopulation:
        """The input."""
        return self.populations[0]

    @property
    def readout(self) -> FloatPopulation:
        """What is read out."""
        return self.populations[-1]
