"""Integrate and fire, with a leak (LIF) or without (IF).

For neuron `n` and step `t`, with the summed input `a[n,t]`, bias included:

    u[n,t] = leak(v[n,t-1]) + a[n,t] + drive[n]    [ - s[n,t-1]·amount[n]  "subtract-late" ]
    s[n,t] = 1 if u[n,t] >= threshold[n]
    v[n,t] = clamp(u - s·amount[n])                 reset "subtract"
           | clamp(0 if s else u)                   reset "zero"
           | clamp(reset_value[n] if s else u)      reset "value"
           | clamp(u)                               reset "subtract-late"
"""

from collections.abc import Mapping
from typing import ClassVar

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


class Lif(NeuronModel, frozen=True, kw_only=True, tag="lif", forbid_unknown_fields=True):
    """A membrane that decays and integrates; without a decay, the IF neuron.

    Attributes:
        leak: how the membrane decays in a step.
        reset: what a spike does to it.
    """

    states: ClassVar[tuple[str, ...]] = ("membrane",)

    leak: Leak = IntegrateLeak()
    reset: Reset = "subtract"

    def step(self, states: States, a: Integers, parameters: Parameters) -> tuple[Integers, States]:
        """One time step; see `NeuronModel.step`."""
        (v,) = states
        u = leak(v, self.leak) + a + parameters.drive
        spikes, v = fire(u, v, self.reset, parameters)
        return spikes, (v,)

    def reach(self, sums: Range, parameters: Parameters) -> Mapping[str, Range]:
        """How far the membrane goes; see `NeuronModel.reach`."""
        before = leaked(parameters.limits["membrane"], self.leak)
        return {"membrane": driven(before, sums, self.reset, parameters)}
