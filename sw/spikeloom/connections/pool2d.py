"""Pooling: windows of a map, channel by channel, summed up or asked whether any spiked."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Literal, Self

import msgspec
import numpy as np
import numpy.typing as npt

from spikeloom.connections.base import Connection, Shape, flat
from spikeloom.connections.sliding import pool
from spikeloom.connections.window import Window
from spikeloom.neurons import Integers


@dataclass(frozen=True, kw_only=True, eq=False)
class _Pool2d(Connection):
    """A window over each channel of a map.

    Attributes:
        window: geometry.
    """

    _join: ClassVar[np.ufunc]
    """What a window makes of what it sees."""

    window: Window

    @property
    def target_shape(self) -> Shape:
        """Of the map of outputs."""
        return (*self.window.extent(self.source_shape), self.source_shape[2])

    @property
    def synapses(self) -> int:
        """No weight is stored."""
        return 0

    @property
    def places(self) -> int:
        """No weight is stored."""
        return 0

    @property
    def weight_bits(self) -> int:
        """No weight is stored."""
        return 0

    def rows(self, event: int) -> Iterator[tuple[int, int]]:
        """The windows that one input lies in, each with weight 1."""
        _, width, channels = self.source_shape
        place, channel = divmod(event, channels)
        for oy, ox, _, _ in self.window.outputs(self.source_shape, *divmod(place, width)):
            yield flat(self.target_shape, oy, ox, channel), 1

    def _pool(self, x: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return pool(x, window=self.window, source_shape=self.source_shape, join=self._join)

    def product(self, x: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
        """Tap by tap; see `Connection.product`."""
        return self._pool(x)

    def sums(self, inputs: Integers) -> tuple[Integers, Integers]:
        """What the windows reach when every input is at its largest; see `Connection.sums`."""
        return np.zeros(self.neurons, dtype=np.int64), self._pool(inputs[None])[0]

    @property
    def fan_out(self) -> Integers:
        """int64 `[inputs]`: windows that each input lies in."""
        return self._fan_out

    @cached_property
    def _fan_out(self) -> Integers:
        return np.array([sum(1 for _ in self.rows(event)) for event in range(self.inputs)])

    def arrays(self) -> dict[str, npt.NDArray[np.int32]]:
        """None."""
        return {}

    def settings(self) -> dict[str, Any]:
        """The geometry."""
        return {"window": msgspec.to_builtins(self.window)}

    @classmethod
    def from_file(
        cls,
        common: Mapping[str, Any],
        settings: Mapping[str, Any],
        arrays: Mapping[str, npt.NDArray[np.int32]],
    ) -> Self:
        """The connection of what `settings` gave."""
        given: dict[str, Any] = {**common, **arrays}
        return cls(**given, window=msgspec.convert(settings["window"], Window))


@dataclass(frozen=True, kw_only=True, eq=False)
class SumPool2d(_Pool2d):
    """How many spikes a window holds, or the sum of its values.

    Average pooling is this with the area folded into the weights behind it.
    """

    kind: ClassVar[str] = "sum_pool2d"
    _join: ClassVar[np.ufunc] = np.add


@dataclass(frozen=True, kw_only=True, eq=False)
class MaxPool2d(_Pool2d):
    """The largest value of a window; of spikes, whether there was any in this step."""

    kind: ClassVar[str] = "max_pool2d"
    joins: ClassVar[Literal["sum", "max"]] = "max"
    _join: ClassVar[np.ufunc] = np.maximum
