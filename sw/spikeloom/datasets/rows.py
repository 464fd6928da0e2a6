"""Some rows of an array that need not be in memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Rows"]


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows of a (memory-mapped) array of samples, read when they are asked for.

    Attributes:
        base: uint8 [N, ...].
        rows: int64 [n], positions in it.
    """

    base: NDArray[np.uint8]
    rows: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def shape(self) -> tuple[int, int]:
        """(samples, values of one)."""
        return len(self), int(np.prod(self.base.shape[1:], dtype=np.int64))

    @property
    def dtype(self) -> np.dtype[np.uint8]:
        """Of its values."""
        return self.base.dtype

    def __getitem__(
        self, chosen: slice | NDArray[np.int64] | NDArray[np.bool_]
    ) -> NDArray[np.uint8]:
        """Samples at positions within these rows, as an array in memory."""
        values = self.base[self.rows[chosen]]
        return np.ascontiguousarray(values).reshape(len(values), -1)

    def take(self, rows: NDArray[np.int64]) -> Rows:
        """Some of these rows; nothing is read."""
        return Rows(self.base, self.rows[rows])
