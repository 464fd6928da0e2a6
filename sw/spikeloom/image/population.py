"""Populations: the nodes of a network's graph."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod

import numpy as np
import numpy.typing as npt

from spikeloom.connections import Shape
from spikeloom.neurons import Integers, Lif, Neuron, Parameters, Relay, Source

PARAMETERS = ("threshold", "bias", "drive", "amount", "reset_value")
"""The arrays of a population, each for all neurons, for each channel, or for each neuron."""


def one(value: int) -> npt.NDArray[np.int64]:
    """An integer that all neurons share."""
    return np.array([value], dtype=np.int64)


@dataclass(frozen=True, kw_only=True, eq=False)
class Population:
    """Neurons of one model.

    Each parameter is int64 of one value for all neurons, one a channel (the last axis of the
    shape), or one a neuron. The bias joins the sums of the incoming connections in every step;
    the drive joins the membrane directly, past a synaptic current.

    Attributes:
        name: unique within the network.
        shape: `(neurons,)`, or `(height, width, channels)`.
        neuron: the model with the settings that all its neurons share.
        threshold: positive, within the membrane's limits.
        bias: added to the sums of each step.
        drive: added to the membrane in each step.
        amount: what a spike takes off the membrane; None: the threshold.
        reset_value: what a spike sets the membrane to, for the reset "value".
        spiking: False for neurons that integrate and never spike.
        membrane_bits: 2 … 48, signed width of the membrane.
        membrane_low: lowest membrane, if it is not that of the width.
        current_bits: 2 … 48, signed width of the synaptic current, where the model has one.
    """

    name: str
    shape: Shape
    neuron: Neuron
    threshold: Integers = field(default_factory=lambda: one(1))
    bias: Integers = field(default_factory=lambda: one(0))
    drive: Integers = field(default_factory=lambda: one(0))
    amount: Integers | None = None
    reset_value: Integers = field(default_factory=lambda: one(0))
    spiking: bool = True
    membrane_bits: int = 16
    membrane_low: int | None = None
    current_bits: int = 24

    @property
    def neurons(self) -> int:
        """Neurons of all places."""
        return prod(self.shape)

    @property
    def channels(self) -> int:
        """Neurons of one place."""
        return self.shape[-1]

    @property
    def stateless(self) -> bool:
        """Whether it passes on what it receives in the same step."""
        return isinstance(self.neuron, Source | Relay)

    @property
    def model_name(self) -> str:
        """The field's name for its neurons: IF where nothing leaks."""
        kind = type(self.neuron).__struct_config__.tag
        if isinstance(self.neuron, Lif):
            return "IF" if self.neuron.leak == Lif().leak else "LIF"
        return {"cuba-lif": "CUBA-LIF"}.get(str(kind), str(kind))

    def each(self, values: Integers) -> Integers:
        """A parameter of each neuron, int64 `[neurons]`, or one value for all, `[1]`."""
        if len(values) in (1, self.neurons):
            return values.astype(np.int64)
        return np.tile(values.astype(np.int64), self.neurons // self.channels)

    @property
    def limits(self) -> Mapping[str, tuple[int, int]]:
        """Lowest and highest value of each state."""
        low, high = -(1 << (self.membrane_bits - 1)), (1 << (self.membrane_bits - 1)) - 1
        reach = 1 << (self.current_bits - 1)
        return {
            "membrane": (low if self.membrane_low is None else self.membrane_low, high),
            "current": (-reach, reach - 1),
        }

    @property
    def parameters(self) -> Parameters:
        """The integers as the model's step takes them."""
        threshold = self.each(self.threshold)
        return Parameters(
            threshold=threshold,
            amount=threshold if self.amount is None else self.each(self.amount),
            reset_value=self.each(self.reset_value),
            drive=self.each(self.drive),
            spiking=self.spiking,
            limits=self.limits,
        )
