"""What every neuron model is: a frozen struct of shared settings with one step in integers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import msgspec
import numpy as np

from spikeloom.neurons.decay import Integers, Leak, leak

Reset = Literal["subtract", "zero", "value", "subtract-late"]
"""What a spike does to the membrane.

"subtract" takes `amount` off it in the same step, "subtract-late" in the next one, after the
leak. "zero" and "value" set it to 0 and to `reset_value`.
"""

States = tuple[Integers, ...]
"""The states of a population, int64 `[..., neurons]` each, in the order of the model's `states`."""


Range = tuple[int, int]
"""The lowest and the highest of some integers."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Parameters:
    """The integers of a population's neurons, as its model's step takes them.

    Attributes:
        threshold: int64, broadcastable to `[..., neurons]`; positive.
        amount: what a spike takes off the membrane; the threshold as a rule.
        reset_value: what a spike sets the membrane to, for the reset "value".
        drive: added to the membrane in every step, past the synaptic current.
        spiking: False for neurons that integrate and never spike.
        limits: lowest and highest value of each state, by name.
    """

    threshold: Integers
    amount: Integers
    reset_value: Integers
    drive: Integers
    spiking: bool
    limits: Mapping[str, tuple[int, int]]


class NeuronModel(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """The equations of a population and the settings that all its neurons share.

    A subclass names its `states` and writes `step`. `kind` names it in files.
    """

    states: ClassVar[tuple[str, ...]] = ()
    """What it keeps from step to step; the last one is the membrane."""

    def step(self, states: States, a: Integers, parameters: Parameters) -> tuple[Integers, States]:
        """One time step.

        Args:
            states: after the step before, within their limits; zeros before the first step.
            a: summed input of this step with the bias, int64 `[..., neurons]`.
            parameters: of the neurons.

        Returns:
            `(outputs, states)`: what the neurons send out in this step, int64 `[..., neurons]`
            (0 or 1 where they spike), and the states after it.
        """
        raise NotImplementedError

    def reach(self, sums: Range, parameters: Parameters) -> Mapping[str, Range]:
        """How far each state can go in a step before it is clamped, in any order of events.

        Args:
            sums: least and largest partial sum of a step, bias included; 0 lies between them.
            parameters: of the neurons.

        Returns:
            `(lowest, highest)` of each state, by name, its limits within them.
        """
        raise NotImplementedError


def leaked(limits: Range, decay: Leak) -> Range:
    """What is left of the extremes of a state, with 0; every leak is monotone."""
    low, high = leak(np.array(limits, dtype=np.int64), decay).tolist()
    return min(low, 0), max(high, 0)


def driven(before: Range, sums: Range, reset: Reset, parameters: Parameters) -> Range:
    """How far a membrane goes from `before` with `sums`, a drive and a late reset."""
    late = int(parameters.amount.max()) if reset == "subtract-late" else 0
    low = before[0] + sums[0] + min(0, int(parameters.drive.min())) - max(0, late)
    high = before[1] + sums[1] + max(0, int(parameters.drive.max())) - min(0, late)
    limits = parameters.limits["membrane"]
    return min(low, limits[0]), max(high, limits[1])


def fire(
    u: Integers, before: Integers, reset: Reset, parameters: Parameters
) -> tuple[Integers, Integers]:
    """Compare, reset and clamp: how each spiking model's step ends.

    Args:
        u: membranes before the reset, int64 `[..., neurons]`.
        before: membranes after the step before; "subtract-late" reads off them who spiked then.
        reset: what a spike does.
        parameters: of the neurons; the threshold lies within the membrane's limits.

    Returns:
        `(spikes, membranes)`, int64 each.
    """
    threshold, amount = parameters.threshold, parameters.amount
    limits = parameters.limits["membrane"]
    if not parameters.spiking:
        return np.zeros_like(u), np.clip(u, *limits)
    if reset == "subtract-late":
        u = u - (before >= threshold) * amount
    spikes = (u >= threshold).astype(np.int64)
    match reset:
        case "subtract":
            after = u - spikes * amount
        case "subtract-late":
            after = u
        case "zero":
            after = u * (1 - spikes)
        case "value":
            after = np.where(spikes, parameters.reset_value, u)
    return spikes, np.clip(after, *limits)
