"""What the packer sees of synapses: a matrix, row by row."""

from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from spikeloom.connections import SparseRows
from spikeloom.image import Layer
from spikeloom.neurons import Integers


@dataclass(frozen=True, kw_only=True, eq=False)
class MatrixRows:
    """The rows of a sparse matrix, by a name.

    Attributes:
        name: of the words.
        matrix: the synapses.
    """

    name: str
    matrix: SparseRows

    @property
    def inputs(self) -> int:
        """Rows."""
        return self.matrix.rows

    @property
    def neurons(self) -> int:
        """Columns."""
        return self.matrix.columns

    @property
    def row(self) -> Integers:
        """int64 `[synapses]`: the row of each synapse."""
        return self.matrix.row

    @property
    def target(self) -> npt.NDArray[Any]:
        """int32 `[synapses]`: the column of each synapse."""
        return self.matrix.target

    @property
    def weight(self) -> npt.NDArray[Any]:
        """int32 `[synapses]`, none 0."""
        return self.matrix.weight

    @property
    def weight_bits(self) -> int:
        """The signed width of the weights in use, at least 2."""
        return self.matrix.weight_bits


Rows = Layer | MatrixRows
"""What can be packed: a column's bank is ``column mod lanes``."""
