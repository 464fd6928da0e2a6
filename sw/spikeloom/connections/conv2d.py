"""Convolution: one kernel for all places of a map, kept as sparse rows by input channel."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self, cast

import msgspec
import numpy as np
import numpy.typing as npt

from spikeloom.connections.base import Connection, Shape, flat
from spikeloom.connections.sliding import convolve
from spikeloom.connections.sparse_rows import SparseRows, as_int32
from spikeloom.connections.window import Window
from spikeloom.neurons import Integers


@dataclass(frozen=True, kw_only=True, eq=False)
class Conv2d(Connection):
    """A cross-correlation, as torch's `Conv2d`, on maps with their channels last.

    Attributes:
        weights: the kernel, one row for each input channel; column `(ky·kw + kx)·outputs + o` is
            tap `(ky, kx)` of output channel `o`.
        window: geometry.
        groups: input and output channels fall into so many groups; synapses stay within one.
    """

    kind: ClassVar[str] = "conv2d"

    weights: SparseRows
    window: Window
    groups: int = 1

    @classmethod
    def from_dense(
        cls, kernel: npt.ArrayLike, *, window: Window, groups: int = 1, **common: Any
    ) -> Self:
        """The connection of a kernel `[outputs, inputs / groups, kh, kw]`, torch's layout.

        Raises:
            ValueError: the kernel does not fit the window or the groups, or holds no integers.
        """
        given = np.asarray(kernel)
        outputs, part, *taps = given.shape
        if tuple(taps) != window.kernel or outputs % groups:
            raise ValueError(
                f"a kernel of {given.shape!r} does not fit a window of {window.kernel!r} "
                f"in {groups} groups"
            )
        output, offset, ky, kx = np.nonzero(given)
        channel = output // (outputs // groups) * part + offset
        tap = ky * window.kernel[1] + kx
        weights = SparseRows.from_synapses(
            channel,
            tap * outputs + output,
            as_int32("weight", given[output, offset, ky, kx]),
            shape=(part * groups, len(list(window.taps())) * outputs),
        )
        return cls(weights=weights, window=window, groups=groups, **common)

    @property
    def channels(self) -> int:
        """Output channels."""
        height, width = self.window.kernel
        return self.weights.columns // (height * width)

    @property
    def target_shape(self) -> Shape:
        """Of the map of outputs."""
        return (*self.window.extent(self.source_shape), self.channels)

    @property
    def synapses(self) -> int:
        """Weights of the kernel that are not 0."""
        return self.weights.synapses

    @property
    def places(self) -> int:
        """Weights of the kernel."""
        return self.weights.rows * self.weights.columns // self.groups

    @property
    def weight_bits(self) -> int:
        """The signed width of the weights in use, at least 2."""
        return self.weights.weight_bits

    def rows(self, event: int) -> Iterator[tuple[int, int]]:
        """The synapses of one input: `(target neuron, weight)`."""
        _, width, channels = self.source_shape
        place, channel = divmod(event, channels)
        start, stop = self.weights.row_ptr[channel : channel + 2].tolist()
        kernel = dict(
            zip(
                self.weights.target[start:stop].tolist(),
                self.weights.weight[start:stop].tolist(),
                strict=True,
            )
        )
        for oy, ox, ky, kx in self.window.outputs(self.source_shape, *divmod(place, width)):
            tap = ky * self.window.kernel[1] + kx
            for output in range(self.channels):
                weight = kernel.get(tap * self.channels + output)
                if weight is not None:
                    yield flat(self.target_shape, oy, ox, output), weight

    @cached_property
    def taps(self) -> Integers:
        """The kernel, int64 `[kh·kw, inputs, outputs]`."""
        dense = self.weights.dense().reshape(self.weights.rows, -1, self.channels)
        return np.ascontiguousarray(dense.transpose(1, 0, 2))

    def product(self, x: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
        """One product for each tap of the kernel; see `Connection.product`."""
        return self._convolve(x, self.taps.astype(x.dtype))

    def _convolve(self, x: npt.NDArray[Any], taps: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The sums of `x [samples, inputs]` under kernels `[kh·kw, inputs, outputs]`."""
        return convolve(
            x, taps, window=self.window, source_shape=self.source_shape, groups=self.groups
        )

    def sums(self, inputs: Integers) -> tuple[Integers, Integers]:
        """Sums over the taps inside the map; see `Connection.sums`."""
        low, high = (
            self._convolve(inputs[None].astype(np.float64), part.astype(np.float64))[0]
            for part in (np.minimum(self.taps, 0), np.maximum(self.taps, 0))
        )
        return low.astype(np.int64), high.astype(np.int64)

    @property
    def fan_out(self) -> Integers:
        """int64 `[inputs]`: synapses inside the map of each input."""
        return self._fan_out

    @cached_property
    def _fan_out(self) -> Integers:
        height, width, channels = self.source_shape
        per_tap = (self.taps != 0).sum(axis=2)
        inside = np.zeros((height, width, len(per_tap)), dtype=np.int64)
        for y in range(height):
            for x in range(width):
                for _, _, ky, kx in self.window.outputs(self.source_shape, y, x):
                    inside[y, x, ky * self.window.kernel[1] + kx] = 1
        return (inside.reshape(-1, len(per_tap)) @ per_tap).reshape(height * width * channels)

    def arrays(self) -> dict[str, npt.NDArray[np.int32]]:
        """The sparse rows of the kernel."""
        return {
            "row_ptr": self.weights.row_ptr,
            "target": self.weights.target,
            "weight": self.weights.weight,
        }

    def settings(self) -> dict[str, Any]:
        """The geometry."""
        return {
            "columns": self.weights.columns,
            "window": msgspec.to_builtins(self.window),
            "groups": self.groups,
        }

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
            weights=SparseRows(**cast("dict[str, Any]", arrays), columns=settings["columns"]),
            window=msgspec.convert(settings["window"], Window),
            groups=settings["groups"],
        )
