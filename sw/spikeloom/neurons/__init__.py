"""The neuron models, in integers: the one place where their equations stand.

`NEURONS` registers each model under the name that it has in files. A model's counterparts in
torch and in the gateware have the same file name; `tests/kinds` holds all of them to `step`.
"""

from spikeloom.neurons.base import NeuronModel, Parameters, Reset, States
from spikeloom.neurons.cuba_lif import CubaLif
from spikeloom.neurons.decay import (
    DecayLeak,
    Integers,
    IntegrateLeak,
    Leak,
    Rounding,
    ShiftLeak,
    check_leak,
    first_leaking,
    leak,
)
from spikeloom.neurons.lif import Lif
from spikeloom.neurons.relay import Relay, Source

Neuron = Source | Relay | Lif | CubaLif
"""Any model; a msgspec union tagged by `kind`."""

NEURONS: dict[str, type[NeuronModel]] = {
    "source": Source,
    "relay": Relay,
    "lif": Lif,
    "cuba-lif": CubaLif,
}

__all__ = [
    "NEURONS",
    "CubaLif",
    "DecayLeak",
    "Integers",
    "IntegrateLeak",
    "Leak",
    "Lif",
    "Neuron",
    "NeuronModel",
    "Parameters",
    "Relay",
    "Reset",
    "Rounding",
    "ShiftLeak",
    "Source",
    "States",
    "check_leak",
    "first_leaking",
    "leak",
]
