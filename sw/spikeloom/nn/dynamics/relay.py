"""`spikeloom.neurons.relay` in torch. A `Source` needs no counterpart: its output is the sample."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from spikeloom.neurons import Relay
from spikeloom.nn.dynamics.base import Dynamics, Values

__all__ = ["RelayDynamics"]


@dataclass(frozen=True, kw_only=True)
class RelayDynamics(Dynamics):
    """Sends on the sums that it receives in the same step."""

    neuron: Relay

    def run(
        self,
        a: Tensor,
        values: Values,  # noqa: ARG002
        rest: Mapping[str, Tensor] | None = None,  # noqa: ARG002
        *,
        every_step: bool = True,  # noqa: ARG002
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Some steps on end; see `Dynamics.run`."""
        return a, {}
