"""The kinds of connection in torch.

`SYNAPSES` has the counterpart of each kind of `spikeloom.connections` under the same name and in
a file of the same name.
"""

from collections.abc import Mapping

from spikeloom.nn.synapses.base import Synapses
from spikeloom.nn.synapses.conv2d import Conv2dSynapses
from spikeloom.nn.synapses.events import EventList, synaptic_sums
from spikeloom.nn.synapses.identity import IdentitySynapses
from spikeloom.nn.synapses.linear import LinearSynapses
from spikeloom.nn.synapses.pool2d import MaxPool2dSynapses, SumPool2dSynapses

SYNAPSES: Mapping[str, type[Synapses]] = {
    kind.kind: kind
    for kind in (
        LinearSynapses,
        Conv2dSynapses,
        SumPool2dSynapses,
        MaxPool2dSynapses,
        IdentitySynapses,
    )
}

__all__ = [
    "SYNAPSES",
    "Conv2dSynapses",
    "EventList",
    "IdentitySynapses",
    "LinearSynapses",
    "MaxPool2dSynapses",
    "SumPool2dSynapses",
    "Synapses",
    "synaptic_sums",
]
