"""What every connection is: who drives whom, with which integers, one step later or not."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import prod
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from spikeloom.neurons import Integers

Shape = tuple[int, ...]
"""Of a population: `(neurons,)`, or `(height, width, channels)`, channels last in memory."""

EXACT_FLOAT32 = 1 << 24
EXACT_FLOAT64 = 1 << 53
"""Integers of smaller magnitude, and their sums while they stay smaller, are exact."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Connection(ABC):
    """The synapses that lead from one population to another.

    What the target receives in step `t` is `(Σ weight·x[t - delay]) << shift`, where `x` is what
    the source sends: a spike, a number of spikes or a value.

    `rows` is the truth about a kind: it says, slowly and plainly, which synapses one input has.
    The fast product, the packed words, torch and the gateware are held to it by `tests/kinds`.

    Attributes:
        name: unique within the network.
        source, target: names of populations.
        source_shape: of the source.
        delay: 0 or 1 steps.
        shift: bits to the left, 0 … 15, that the sums are moved by.
        scale: the real weight of integer 1 before the shift; for the reader's eyes only.
    """

    kind: ClassVar[str]
    """Its name in files."""

    joins: ClassVar[Literal["sum", "max"]] = "sum"
    """What a target makes of the synapses that are driven in a step."""

    name: str
    source: str
    target: str
    source_shape: Shape
    delay: int = 0
    shift: int = 0
    scale: float = field(default=1.0)

    @property
    @abstractmethod
    def target_shape(self) -> Shape:
        """Of the population that it drives."""

    @abstractmethod
    def rows(self, event: int) -> Iterator[tuple[int, int]]:
        """The synapses of one input: `(target neuron, weight)`, at most one a target."""

    @abstractmethod
    def product(self, x: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
        """The sums for all targets, before the shift.

        Args:
            x: float `[samples, inputs]` of integers; all sums are exact in its type.

        Returns:
            The same type, `[samples, neurons]`.
        """

    @property
    @abstractmethod
    def synapses(self) -> int:
        """Weights that are stored and are not 0."""

    @property
    @abstractmethod
    def places(self) -> int:
        """Weights that there could be: the density is `synapses / places`."""

    @abstractmethod
    def sums(self, inputs: Integers) -> tuple[Integers, Integers]:
        """How far the partial sums of each target may go in a step, before the shift.

        Args:
            inputs: int64 `[inputs]`, the largest value of each input; none is negative.

        Returns:
            `(lowest ≤ 0, highest ≥ 0)`, int64 `[neurons]` each, over every order of events.
        """

    @property
    @abstractmethod
    def fan_out(self) -> Integers:
        """int64 `[inputs]`: synapses that an event of each input drives."""

    @abstractmethod
    def arrays(self) -> dict[str, npt.NDArray[np.int32]]:
        """The integers that a file keeps of it, by name."""

    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """What a file keeps of it besides its arrays and the fields of every kind."""

    @classmethod
    @abstractmethod
    def from_file(
        cls,
        common: Mapping[str, Any],
        settings: Mapping[str, Any],
        arrays: Mapping[str, npt.NDArray[np.int32]],
    ) -> "Connection":
        """The connection of what `arrays` and `settings` gave."""

    @property
    @abstractmethod
    def weight_bits(self) -> int:
        """The signed width of its weights, at least 2; 0 where none is stored."""

    @property
    def inputs(self) -> int:
        """Neurons of the source."""
        return prod(self.source_shape)

    @property
    def neurons(self) -> int:
        """Neurons of the target."""
        return prod(self.target_shape)

    @cached_property
    def largest_sum(self) -> int:
        """The largest magnitude of a sum whose inputs are 0 or 1."""
        low, high = self.sums(np.ones(self.inputs, dtype=np.int64))
        return max(int(-low.min(initial=0)), int(high.max(initial=0)))

    def drive(self, x: npt.NDArray[np.integer | np.bool_]) -> Integers:
        """What the target receives of `x`, shift included.

        Args:
            x: integers or bool `[samples, inputs]`, none negative.

        Returns:
            int64 `[samples, neurons]`.
        """
        reach = self.largest_sum * int(x.max(initial=0))
        if reach < EXACT_FLOAT32:
            sums = self.product(x.astype(np.float32))
        elif reach < EXACT_FLOAT64:
            sums = self.product(x.astype(np.float64))
        else:
            raise ValueError(f"{self.name}: sums of {reach} are not exact in 53 bits")
        return sums.astype(np.int64) << self.shift


def flat(shape: Shape, y: int, x: int, channel: int) -> int:
    """The number of the neuron at `(y, x, channel)` of a map, channels last."""
    _, width, channels = shape
    return (y * width + x) * channels + channel
