"""The tables of a network that is a graph: `[[network.populations]]`, `[[network.connections]]`."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from spikeloom.neurons import CubaLif, Lif, Relay

__all__ = ["INPUT", "ConnectionConfig", "PopulationConfig"]

INPUT = "input"
"""Name of the population that the samples come from; no table describes it."""

Count = Annotated[int, Meta(ge=0)]
Positive = Annotated[int, Meta(ge=1)]
# Lists, since msgspec 0.20 does not survive a union of constrained numbers and tuples of them.
Size = Positive | Annotated[list[Positive], Meta(min_length=2, max_length=2)]
Padding = Count | Annotated[list[Count], Meta(min_length=4, max_length=4)]


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A TOML table; what it leaves out is the network's."""


class PopulationConfig(_Table, frozen=True):
    """Neurons of one model. The last population is read out, with a neuron for each class.

    Attributes:
        name: unique; "input" is taken.
        neurons: of a list.
        channels: of a map, whose height and width follow from the connections that lead to it.
            Neither is needed where pooling leads to it, nor for the last population.
        neuron: its model; by default LIF with the network's leak and reset. A relay passes on the
            sums of a pooling.
        membrane_bits: signed width of its membranes; by default the network's.
        current_bits: signed width of its synaptic currents.
        threshold: by default the network's.
        batch_norm: normalise the sums of each channel; by default the network's, but not in loops
            and not for a readout by membrane.
    """

    name: str
    neurons: Count = 0
    channels: Count = 0
    neuron: Lif | CubaLif | Relay | UnsetType = UNSET
    membrane_bits: Annotated[int, Meta(ge=4, le=20)] | UnsetType = UNSET
    current_bits: Annotated[int, Meta(ge=4, le=20)] = 20
    threshold: Annotated[float, Meta(gt=0)] | UnsetType = UNSET
    batch_norm: bool | UnsetType = UNSET


class ConnectionConfig(_Table, frozen=True):
    """Synapses from one population to another.

    Attributes:
        source, target: names of populations.
        name: unique; by default the target's name, or "source-target" if that is taken.
        kind: of the synapses, a name in `spikeloom.connections.CONNECTIONS`.
        kernel, stride, dilation: of windows: a number, or height and width.
        padding: zeros around the map: a number, or top, bottom, left and right.
        groups: of a convolution.
        delay: 0 or 1 steps; a loop needs one.
        shift: bits to the left that its sums are moved by. Connections into one population share
            the scale of their integers, so a single synapse that has to weigh as much as a whole
            kernel needs one.
    """

    source: str
    target: str
    name: str = ""
    kind: Literal["linear", "conv2d", "sum_pool2d", "max_pool2d", "identity"] = "linear"
    kernel: Size = 3
    stride: Size = 1
    padding: Padding = 0
    dilation: Size = 1
    groups: Annotated[int, Meta(ge=1)] = 1
    delay: Annotated[int, Meta(ge=0, le=1)] = 0
    shift: Annotated[int, Meta(ge=0, le=8)] = 0
