"""Each neuron to its counterpart: the branch of a residual block that changes nothing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from spikeloom.connections.base import Connection, Shape
from spikeloom.connections.sparse_rows import weight_bits
from spikeloom.neurons import Integers


@dataclass(frozen=True, kw_only=True, eq=False)
class Identity(Connection):
    """One integer for each channel; a list of neurons has as many channels as neurons.

    Attributes:
        weight: int32 `[channels]`.
    """

    kind: ClassVar[str] = "identity"

    weight: npt.NDArray[np.int32]

    @property
    def target_shape(self) -> Shape:
        """That of the source."""
        return self.source_shape

    @property
    def synapses(self) -> int:
        """Channels whose integer is not 0."""
        return int(np.count_nonzero(self.weight))

    @property
    def places(self) -> int:
        """Channels."""
        return len(self.weight)

    @property
    def weight_bits(self) -> int:
        """The signed width of the integers in use, at least 2."""
        return weight_bits(self.weight)

    def _each(self) -> Integers:
        """The weight of each neuron, int64 `[neurons]`."""
        return np.tile(self.weight.astype(np.int64), self.inputs // len(self.weight))

    def rows(self, event: int) -> Iterator[tuple[int, int]]:
        """The synapse of one input, if it has one."""
        weight = int(self.weight[event % len(self.weight)])
        if weight:
            yield event, weight

    def product(self, x: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
        """Neuron by neuron; see `Connection.product`."""
        return x * self._each().astype(x.dtype)

    def sums(self, inputs: Integers) -> tuple[Integers, Integers]:
        """The weight itself; see `Connection.sums`."""
        reach = self._each() * inputs
        return np.minimum(reach, 0), np.maximum(reach, 0)

    @property
    def fan_out(self) -> Integers:
        """int64 `[inputs]`: 1 where the channel has a synapse."""
        return (self._each() != 0).astype(np.int64)

    def arrays(self) -> dict[str, npt.NDArray[np.int32]]:
        """The integers."""
        return {"weight": self.weight}

    def settings(self) -> dict[str, Any]:
        """None."""
        return {}

    @classmethod
    def from_file(
        cls,
        common: Mapping[str, Any],
        settings: Mapping[str, Any],
        arrays: Mapping[str, npt.NDArray[np.int32]],
    ) -> Self:
        """The connection of what `arrays` gave."""
        given: dict[str, Any] = {**common, **settings, **arrays}
        return cls(**given)
