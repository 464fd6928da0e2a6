"""Every input to any target: a matrix, kept as sparse rows by presynaptic neuron."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from spikeloom.connections.base import Connection, Shape
from spikeloom.connections.sparse_rows import SparseRows
from spikeloom.neurons import Integers


@dataclass(frozen=True, kw_only=True, eq=False)
class Linear(Connection):
    """Fully connected places, of which `weights` names those that are synapses.

    A map of `(height, width, channels)` is read as the list of its neurons, channels last.

    Attributes:
        weights: one row for each presynaptic neuron, one column for each target.
        shape: of the target; by default the columns in one list.
    """

    kind: ClassVar[str] = "linear"

    weights: SparseRows
    shape: Shape = ()

    @property
    def target_shape(self) -> Shape:
        """Of the target."""
        return self.shape or (self.weights.columns,)

    @property
    def synapses(self) -> int:
        """Weights that are not 0."""
        return self.weights.synapses

    @property
    def places(self) -> int:
        """Inputs times neurons."""
        return self.weights.rows * self.weights.columns

    @property
    def weight_bits(self) -> int:
        """The signed width of the weights in use, at least 2."""
        return self.weights.weight_bits

    def rows(self, event: int) -> Iterator[tuple[int, int]]:
        """The synapses of one input: `(target neuron, weight)`."""
        start, stop = self.weights.row_ptr[event : event + 2].tolist()
        yield from zip(
            self.weights.target[start:stop].tolist(),
            self.weights.weight[start:stop].tolist(),
            strict=True,
        )

    def product(self, x: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
        """One dense product; see `Connection.product`."""
        return x @ self.weights.dense().astype(x.dtype)

    def sums(self, inputs: Integers) -> tuple[Integers, Integers]:
        """Sums of each target's negative and positive weights; see `Connection.sums`."""
        reach = self.weights.weight * inputs[self.weights.row]
        low, high = (np.zeros(self.neurons, dtype=np.int64) for _ in range(2))
        np.add.at(low, self.weights.target, np.minimum(reach, 0))
        np.add.at(high, self.weights.target, np.maximum(reach, 0))
        return low, high

    @property
    def fan_out(self) -> Integers:
        """int64 `[inputs]`: synapses of each input."""
        return self.weights.count

    def arrays(self) -> dict[str, npt.NDArray[np.int32]]:
        """The sparse rows."""
        return {
            "row_ptr": self.weights.row_ptr,
            "target": self.weights.target,
            "weight": self.weights.weight,
        }

    def settings(self) -> dict[str, Any]:
        """The target's shape."""
        return {"columns": self.weights.columns, "shape": self.shape}

    @classmethod
    def from_file(
        cls,
        common: Mapping[str, Any],
        settings: Mapping[str, Any],
        arrays: Mapping[str, npt.NDArray[np.int32]],
    ) -> Self:
        """The connection of what `arrays` and `settings` gave."""
        return cls(
            **common,
            weights=SparseRows(**arrays, columns=settings["columns"]),
            shape=tuple(settings["shape"]),
        )
