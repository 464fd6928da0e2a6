"""What every neuron model is in torch: its equations over all time steps at once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from spikeloom.nn.surrogate import SURROGATES

__all__ = ["Dynamics", "Settings", "Values"]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the neurons of a population share besides their model's own settings.

    Attributes:
        spiking: False for neurons that integrate and never spike.
        limits: lowest and highest value of each state, by name.
        surrogate, surrogate_width: stand in for the derivative of a spike.
    """

    spiking: bool
    limits: Mapping[str, tuple[int, int]]
    surrogate: str = "triangle"
    surrogate_width: float = 1.0

    def __post_init__(self) -> None:
        if self.surrogate not in SURROGATES:
            raise ValueError(f"surrogate must be in {list(SURROGATES)}, not {self.surrogate!r}")


@dataclass(frozen=True, kw_only=True)
class Values:
    """The parameters of a population as float integers that broadcast over its map.

    Attributes:
        threshold: positive; receives gradients.
        amount: what a spike takes off the membrane, the threshold where None; receives gradients.
        drive: added to the membrane in each step; receives gradients.
        reset_value: what a spike sets the membrane to, for the reset "value".
    """

    threshold: Tensor
    amount: Tensor | None = None
    drive: Tensor | None = None
    reset_value: Tensor | None = None


@dataclass(frozen=True, kw_only=True)
class Dynamics(ABC):
    """The torch counterpart of a neuron model, for one population.

    Attributes:
        neuron: the model in integers.
        settings: of the population.
    """

    neuron: Any
    settings: Settings

    @abstractmethod
    def run(
        self,
        a: Tensor,
        values: Values,
        rest: Mapping[str, Tensor] | None = None,
        *,
        every_step: bool = True,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Some steps on end.

        Args:
            a: summed inputs with the bias, float integers [T, B, ...]; receives gradients.
            values: of the neurons.
            rest: states before the first step, [B, ...] by name; None: 0.
            every_step: keep the states after each step, or after the last one only.

        Returns:
            (outputs [T, B, ...], states after each step [T, B, ...] or [1, B, ...], by name).
        """
