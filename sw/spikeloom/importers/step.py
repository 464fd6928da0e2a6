"""One step of other frameworks' neurons, in real numbers.

For neuron `n` and step `t`, with the summed input `a[n,t]`, bias included:

    x[n,t] = a[n,t]                                                LIF, IF, LI
           | current_keep·x[n,t-1] + current_gain·a[n,t]           CUBA
    u[n,t] = keep·v[n,t-1] + gain·x[n,t] + drive                   [ - s[n,t-1]·amount  late ]
    s[n,t] = number of spikes: u > threshold, or u >= threshold; floor(u / threshold) if many
    v[n,t] = what the reset leaves of u, no lower than `low`

Membranes are counted from where a sample starts, so that the first `v` is 0.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Reset = Literal["subtract", "subtract-late", "value"]
"""What a spike does: take `amount` off, in the same step or after the leak of the next one, or set
the membrane to `reset_value`."""


def one(value: float) -> Floats:
    """A number that all neurons share."""
    return np.array([value], dtype=np.float64)


@dataclass(frozen=True, kw_only=True, eq=False)
class StepNeuron:
    """Neurons of one population; each array is of one value or of one a neuron.

    Attributes:
        keep: the share of a membrane that is left after a step.
        gain: of the input, or of the current, on its way into the membrane; positive.
        drive: added to the membrane in every step.
        current_keep, current_gain: of the synaptic current; None where there is none.
        threshold: of the membrane, as counted from the start.
        strict: spikes above the threshold, not at it.
        many: as many spikes in a step as thresholds fit into the membrane.
        reset: what a spike does.
        amount: what a spike takes off, for the subtracting resets.
        reset_value: where it leads, for the reset "value", as counted from the start.
        low: lowest membrane; None: as low as it goes.
        spiking: False for neurons that only integrate.
    """

    keep: Floats
    gain: Floats
    drive: Floats
    threshold: Floats
    amount: Floats
    reset_value: Floats
    current_keep: Floats | None = None
    current_gain: Floats | None = None
    strict: bool = True
    many: bool = False
    reset: Reset = "subtract"
    low: Floats | None = None
    spiking: bool = True

    @property
    def has_current(self) -> bool:
        """Whether a synaptic current lies between input and membrane."""
        return self.current_keep is not None

    @property
    def whole_gain(self) -> Floats:
        """From the input to the membrane."""
        return self.gain if self.current_gain is None else self.gain * self.current_gain

    def single(self) -> StepNeuron:
        """The same neurons with one spike a step at most."""
        return replace(self, many=False)


@dataclass(kw_only=True, eq=False)
class StepState:
    """What is kept from step to step, float `[samples, neurons]` each."""

    v: Floats
    current: Floats
    sent: Floats


def rest(samples: int, neurons: int, dtype: npt.DTypeLike = np.float64) -> StepState:
    """The state before the first step."""
    v, current, sent = (np.zeros((samples, neurons), dtype=dtype) for _ in range(3))
    return StepState(v=v, current=current, sent=sent)


def advance(neuron: StepNeuron, state: StepState, a: Floats) -> Floats:
    """One step; changes `state` and returns `u`, the membranes before their reset.

    Args:
        neuron: the equation.
        state: after the step before.
        a: summed input with the bias, `[samples, neurons]`.
    """
    x = a
    if neuron.current_keep is not None and neuron.current_gain is not None:
        x = state.current = neuron.current_keep * state.current + neuron.current_gain * a
    u = neuron.keep * state.v + neuron.gain * x + neuron.drive
    if neuron.reset == "subtract-late":
        u = u - state.sent * neuron.amount
    state.sent = _spikes(neuron, u)
    state.v = _after(neuron, u, state.sent)
    return u


def _spikes(neuron: StepNeuron, u: Floats) -> Floats:
    if not neuron.spiking:
        return np.zeros_like(u)
    fired = u > neuron.threshold if neuron.strict else u >= neuron.threshold
    if not neuron.many:
        return fired.astype(u.dtype)
    return np.where(fired, np.maximum(np.floor(u / neuron.threshold), 1), 0.0)


def _after(neuron: StepNeuron, u: Floats, sent: Floats) -> Floats:
    match neuron.reset:
        case "subtract":
            v = u - sent * neuron.amount
        case "value":
            v = np.where(sent > 0, neuron.reset_value, u)
        case "subtract-late":
            v = u
    return v if neuron.low is None else np.maximum(v, neuron.low)
