"""`spikeloom.neurons.lif` in torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from spikeloom.neurons import CubaLif, Lif
from spikeloom.nn.dynamics.base import Dynamics, Settings, Values
from spikeloom.nn.dynamics.membrane import Neuron, integrate_and_fire

__all__ = ["LifDynamics", "fire"]


@dataclass(frozen=True, kw_only=True)
class LifDynamics(Dynamics):
    """A membrane that decays and integrates."""

    neuron: Lif

    def run(
        self,
        a: Tensor,
        values: Values,
        rest: Mapping[str, Tensor] | None = None,
        *,
        every_step: bool = True,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Some steps on end; see `Dynamics.run`."""
        outputs, membranes = fire(a, values, rest, self.neuron, self.settings, every_step)
        return outputs, {"membrane": membranes}


def fire(
    arriving: Tensor,
    values: Values,
    rest: Mapping[str, Tensor] | None,
    neuron: Lif | CubaLif,
    settings: Settings,
    every_step: bool,
) -> tuple[Tensor, Tensor]:
    """The membrane of a spiking model: what arrives at it becomes spikes and membranes."""
    low, high = settings.limits["membrane"]
    return integrate_and_fire(
        arriving if values.drive is None else arriving + values.drive,
        values.threshold,
        Neuron(
            leak=neuron.leak,
            reset=neuron.reset,
            spiking=settings.spiking,
            membrane_bits=high.bit_length() + 1,
            membrane_low=low,
            surrogate=settings.surrogate,
            surrogate_width=settings.surrogate_width,
        ),
        amount=values.amount,
        rest=rest["membrane"] if rest else None,
        reset_value=values.reset_value,
        every_step=every_step,
    )
