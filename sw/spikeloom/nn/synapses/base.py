"""What every kind of connection is in torch: the sums of its synapses, without their weights."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from torch import Tensor

from spikeloom.connections import Connection, Shape

__all__ = ["Synapses"]

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Synapses(ABC):
    """The geometry of a connection, and the sums that it makes of inputs and weights.

    A map is `[samples, channels, height, width]`, a list `[samples, neurons]`; weights stand in
    torch's layout, outputs first. Where they hold integers whose sums are below 2^24 (or 2^53, in
    float64), the sums are those of `Connection.product`, by equality.

    Attributes:
        source_shape: of the source, channels last.
    """

    kind: ClassVar[str]
    """The name under which `CONNECTIONS` has the kind in integers."""

    source_shape: Shape

    @property
    @abstractmethod
    def target_shape(self) -> Shape:
        """Of the target, channels last."""

    @property
    @abstractmethod
    def weight_shape(self) -> tuple[int, ...] | None:
        """Of the weights, outputs first; None where the kind has none."""

    @property
    @abstractmethod
    def fan_in(self) -> int:
        """The most inputs that one target sums."""

    @abstractmethod
    def rates(self, sent: Tensor) -> Tensor:
        """What arrives at each of a target's weights on average.

        Args:
            sent: outputs of the source, [T, B, ...].

        Returns:
            [fan-in], in the order of a row of the weights.
        """

    @abstractmethod
    def sums(self, x: Tensor, weight: Tensor | None) -> Tensor:
        """What the target receives of `x` (float), before the shift."""

    @abstractmethod
    def connection(self, weight: Integers | None, **common: Any) -> Connection:
        """The connection in integers; `common` are the fields of every kind."""

    @classmethod
    @abstractmethod
    def of(cls, connection: Any) -> tuple[Self, Integers | None]:
        """Geometry and weights of a connection in integers."""
