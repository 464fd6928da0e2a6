"""Integrate and fire, driven by a synaptic current that decays (CUBA-LIF).

For neuron `n` and step `t`, with the summed input `a[n,t]`, bias included:

    i[n,t] = clamp(current_leak(i[n,t-1]) + a[n,t])
    u[n,t] = leak(v[n,t-1]) + i[n,t] + drive[n]

and from `u` on as in `spikeloom.neurons.lif`. The membrane sees the current of the same step.
"""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from spikeloom.neurons.base import (
    NeuronModel,
    Parameters,
    Range,
    Reset,
    States,
    driven,
    fire,
    leaked,
)
from spikeloom.neurons.decay import Integers, IntegrateLeak, Leak, leak


class CubaLif(NeuronModel, frozen=True, kw_only=True, tag="cuba-lif", forbid_unknown_fields=True):
    """A current that sums and decays, and a membrane that integrates it.

    Attributes:
        current_leak: how the current decays in a step.
        leak: how the membrane does.
        reset: what a spike does to the membrane; the current goes on.
    """

    states: ClassVar[tuple[str, ...]] = ("current", "membrane")

    current_leak: Leak = IntegrateLeak()
    leak: Leak = IntegrateLeak()
    reset: Reset = "subtract"

    def step(self, states: States, a: Integers, parameters: Parameters) -> tuple[Integers, States]:
        """One time step; see `NeuronModel.step`."""
        i, v = states
        i = np.clip(leak(i, self.current_leak) + a, *parameters.limits["current"])
        u = leak(v, self.leak) + i + parameters.drive
        spikes, v = fire(u, v, self.reset, parameters)
        return spikes, (i, v)

    def reach(self, sums: Range, parameters: Parameters) -> Mapping[str, Range]:
        """How far current and membrane go; see `NeuronModel.reach`."""
        limits = parameters.limits["current"]
        left = leaked(limits, self.current_leak)
        before = leaked(parameters.limits["membrane"], self.leak)
        return {
            "current": (min(left[0] + sums[0], limits[0]), max(left[1] + sums[1], limits[1])),
            "membrane": driven(before, limits, self.reset, parameters),
        }
