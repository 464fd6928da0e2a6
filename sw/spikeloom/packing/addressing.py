"""From an event to the rows of memory words that hold its synapses, and from a slot to a neuron.

A matrix of weights has a row for each presynaptic neuron. A kernel has far fewer rows, since all
places of a map share it: an event chooses a row by its channel, and the row's addresses are
relative to a place of the map of outputs that follows from the event's own.

| addressing | rows of the kernel               | an event reads        | a column names      |
| ---------- | -------------------------------- | --------------------- | ------------------- |
| `Indexed`  | one a presynaptic neuron         | its own               | a neuron            |
| `ByPhase`  | one an input channel and phase   | one                   | a tap and a channel |
| `ByTap`    | one an input channel and tap     | one a tap in the map  | a channel           |

With stride `s`, an event at `y` (padding included) falls on outputs of one phase only, `y mod s`,
so a row holds the taps of one phase. `ByPhase` reads one row, the taps that fall outside the map
among them, which the core drops. `ByTap` reads no such word, names a channel only, and has more
rows, less full.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from spikeloom.connections import Conv2d, Linear, SparseRows
from spikeloom.connections.base import flat
from spikeloom.packing.bank_map import BankMap


@dataclass(frozen=True)
class Read:
    """A row that an event reads, and the place of the map that its columns count from.

    Attributes:
        row: of the packed matrix.
        y, x: of outputs; tap `(dy, dx)` of the row lies at `(y - dy, x - dx)`.
    """

    row: int
    y: int = 0
    x: int = 0


class Addressing(ABC):
    """The matrix that is packed, and how events and neurons are found in it."""

    @property
    @abstractmethod
    def matrix(self) -> SparseRows:
        """The rows; a column's bank is `column mod lanes`."""

    @abstractmethod
    def reads(self, event: int) -> Iterator[Read]:
        """The rows that hold the synapses of an event."""

    @abstractmethod
    def target(self, read: Read, column: int) -> int | None:
        """The neuron that a column of a row stands for; None outside the map."""


@dataclass(frozen=True, eq=False)
class Indexed(Addressing):
    """A row for each presynaptic neuron; the column is where the neuron's state lies."""

    connection: Linear
    banks: BankMap

    @property
    def matrix(self) -> SparseRows:
        """The weights, their columns in the order of the banks' addresses."""
        return self._matrix

    @cached_property
    def _matrix(self) -> SparseRows:
        weights = self.connection.weights
        bank, address = self.banks.place(weights.target)
        return SparseRows.from_synapses(
            weights.row,
            address * self.banks.lanes + bank,
            weights.weight,
            shape=(weights.rows, self.banks.addresses * self.banks.lanes),
        )

    def reads(self, event: int) -> Iterator[Read]:
        """Its own row."""
        yield Read(event)

    def target(
        self,
        read: Read,  # noqa: ARG002 - as every addressing's target
        column: int,
    ) -> int | None:
        """The neuron at the column's bank and address."""
        address, bank = divmod(column, self.banks.lanes)
        neuron = int(self.banks.neuron(bank, address))
        return None if neuron < 0 else neuron


@dataclass(frozen=True, eq=False)
class _Kernel(Addressing):
    """What the two ways of addressing a kernel share."""

    connection: Conv2d
    banks: BankMap

    @property
    def _width(self) -> int:
        """Columns of a tap: the output channels, up to whole groups of lanes."""
        return self.banks.groups * self.banks.lanes

    @cached_property
    def _synapses(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Input channel, tap down and across, and output channel of each weight."""
        weights = self.connection.weights
        tap, output = np.divmod(weights.target.astype(np.int64), self.connection.channels)
        ky, kx = np.divmod(tap, self.connection.window.kernel[1])
        return weights.row, ky, kx, output

    def _at(self, event: int) -> tuple[int, int, int]:
        """Row and column of an event in the padded map, and its channel."""
        _, width, channels = self.connection.source_shape
        place, channel = divmod(event, channels)
        y, x = divmod(place, width)
        top, _, left, _ = self.connection.window.padding
        return y + top, x + left, channel

    def _neuron(self, y: int, x: int, channel: int) -> int | None:
        height, width, channels = self.connection.target_shape
        if not (0 <= y < height and 0 <= x < width and channel < channels):
            return None
        return flat(self.connection.target_shape, y, x, channel)


@dataclass(frozen=True, eq=False)
class ByPhase(_Kernel):
    """A row for each input channel and stride phase, with all taps of that phase."""

    @cached_property
    def extent(self) -> tuple[int, int]:
        """Taps of a phase, down and across."""
        window = self.connection.window
        height, width = (
            (window.kernel[axis] - 1) * window.dilation[axis] // window.stride[axis] + 1
            for axis in (0, 1)
        )
        return height, width

    @property
    def matrix(self) -> SparseRows:
        """Columns are (tap of the phase, output channel)."""
        return self._matrix

    @cached_property
    def _matrix(self) -> SparseRows:
        channel, ky, kx, output = self._synapses
        window, (height, width) = self.connection.window, self.extent
        (sy, sx), (ey, ex) = window.stride, window.dilation
        dy, fy = np.divmod(ky * ey, sy)
        dx, fx = np.divmod(kx * ex, sx)
        return SparseRows.from_synapses(
            (channel * sy + fy) * sx + fx,
            (dy * width + dx) * self._width + output,
            self.connection.weights.weight,
            shape=(self.connection.weights.rows * sy * sx, height * width * self._width),
        )

    def reads(self, event: int) -> Iterator[Read]:
        """The row of its channel and phase."""
        y, x, channel = self._at(event)
        sy, sx = self.connection.window.stride
        qy, fy = divmod(y, sy)
        qx, fx = divmod(x, sx)
        yield Read((channel * sy + fy) * sx + fx, qy, qx)

    def target(self, read: Read, column: int) -> int | None:
        """The channel at the tap's place, if that lies in the map."""
        tap, channel = divmod(column, self._width)
        dy, dx = divmod(tap, self.extent[1])
        return self._neuron(read.y - dy, read.x - dx, channel)


@dataclass(frozen=True, eq=False)
class ByTap(_Kernel):
    """A row for each input channel and tap; only taps inside the map are read."""

    @property
    def matrix(self) -> SparseRows:
        """Columns are output channels."""
        return self._matrix

    @cached_property
    def _matrix(self) -> SparseRows:
        channel, ky, kx, output = self._synapses
        height, width = self.connection.window.kernel
        return SparseRows.from_synapses(
            (channel * height + ky) * width + kx,
            output,
            self.connection.weights.weight,
            shape=(self.connection.weights.rows * height * width, self._width),
        )

    def reads(self, event: int) -> Iterator[Read]:
        """The rows of its channel, a tap each, whose outputs lie in the map."""
        _, width, channels = self.connection.source_shape
        place, channel = divmod(event, channels)
        kernel = self.connection.window.kernel
        for oy, ox, ky, kx in self.connection.window.outputs(
            self.connection.source_shape, *divmod(place, width)
        ):
            yield Read((channel * kernel[0] + ky) * kernel[1] + kx, oy, ox)

    def target(self, read: Read, column: int) -> int | None:
        """The channel at the row's place."""
        return self._neuron(read.y, read.x, column)
