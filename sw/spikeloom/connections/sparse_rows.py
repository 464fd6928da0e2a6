"""Compressed sparse rows: a matrix of integers in which 0 means "no synapse"."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import numpy.typing as npt

from spikeloom.neurons import Integers


@dataclass(frozen=True, kw_only=True, eq=False)
class SparseRows:
    """Synapses row by row.

    Attributes:
        row_ptr: int32 `[rows + 1]`, starts at 0, never falls.
        target: int32 `[synapses]`, the column of each synapse, ascending within a row.
        weight: int32 `[synapses]`, never 0.
        columns: width of the matrix.
    """

    row_ptr: npt.NDArray[np.int32]
    target: npt.NDArray[np.int32]
    weight: npt.NDArray[np.int32]
    columns: int

    @classmethod
    def from_dense(cls, dense: npt.ArrayLike) -> Self:
        """The rows of an integer matrix `[rows, columns]`.

        Raises:
            ValueError: it is no matrix, or a weight is no integer of 32 bits.
        """
        matrix = np.asarray(dense)
        if matrix.ndim != 2:
            raise ValueError(f"weights must be a matrix, not of shape {matrix.shape!r}")
        row, target = np.nonzero(matrix)
        return cls.from_synapses(
            row, target, as_int32("weight", matrix[row, target]), shape=matrix.shape
        )

    @classmethod
    def from_synapses(
        cls,
        row: npt.NDArray[np.integer],
        target: npt.NDArray[np.integer],
        weight: npt.NDArray[np.integer],
        *,
        shape: Sequence[int],
    ) -> Self:
        """The rows of synapses in any order, at most one for each place of `shape`."""
        rows, columns = shape
        order = np.lexsort((target, row))
        return cls(
            row_ptr=np.searchsorted(row[order], np.arange(rows + 1)).astype(np.int32),
            target=target[order].astype(np.int32),
            weight=weight[order].astype(np.int32),
            columns=columns,
        )

    @property
    def rows(self) -> int:
        """Height of the matrix."""
        return len(self.row_ptr) - 1

    @property
    def synapses(self) -> int:
        """Weights that are not 0."""
        return len(self.target)

    @cached_property
    def count(self) -> Integers:
        """int64 `[rows]`: synapses of each row."""
        return np.diff(self.row_ptr.astype(np.int64))

    @cached_property
    def row(self) -> Integers:
        """int64 `[synapses]`: the row of each synapse."""
        return np.repeat(np.arange(self.rows), self.count)

    @cached_property
    def weight_bits(self) -> int:
        """The signed width of the weights in use, at least 2."""
        return weight_bits(self.weight)

    def dense(self) -> Integers:
        """The matrix, int64 `[rows, columns]`."""
        matrix = np.zeros((self.rows, self.columns), dtype=np.int64)
        matrix[self.row, self.target] = self.weight
        return matrix


def weight_bits(weights: npt.NDArray[np.integer]) -> int:
    """The signed width that weights need, at least 2."""
    low, high = int(weights.min(initial=0)), int(weights.max(initial=0))
    return max(2, 1 + max((~low if low < 0 else low).bit_length(), high.bit_length()))


def as_int32(field: str, values: npt.ArrayLike) -> npt.NDArray[np.int32]:
    """`values` as 32-bit integers.

    Raises:
        ValueError: one of them is no integer, or does not fit; `field` names them.
    """
    given = np.asarray(values)
    limits = np.iinfo(np.int32)
    if given.dtype.kind not in "iuf":
        raise ValueError(f"{field} is {given.dtype.name}: it must hold integers")
    wrong = given[(given != np.trunc(given)) | (given < limits.min) | (given > limits.max)]
    if wrong.size:
        raise ValueError(
            f"{field} {wrong.flat[0].item()!r} is no integer from {limits.min} to {limits.max}"
        )
    return given.astype(np.int32)
