"""`spikeloom.neurons.cuba_lif` in torch: a current, and the membrane that it drives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from spikeloom.neurons import CubaLif
from spikeloom.nn.dynamics.base import Dynamics, Values
from spikeloom.nn.dynamics.current import currents
from spikeloom.nn.dynamics.lif import fire

__all__ = ["CubaLifDynamics"]


@dataclass(frozen=True, kw_only=True)
class CubaLifDynamics(Dynamics):
    """All steps of the current first, since no membrane acts back on it."""

    neuron: CubaLif

    def run(
        self,
        a: Tensor,
        values: Values,
        rest: Mapping[str, Tensor] | None = None,
        *,
        every_step: bool = True,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Some steps on end; see `Dynamics.run`."""
        i = currents(
            a,
            self.neuron.current_leak,
            self.settings.limits["current"],
            rest=rest["current"] if rest else None,
        )
        outputs, membranes = fire(i, values, rest, self.neuron, self.settings, every_step)
        return outputs, {"current": i if every_step else i[-1:], "membrane": membranes}
