"""The neuron models in torch, over all time steps at once.

`DYNAMICS` has the counterpart of each model of `spikeloom.neurons` under the same name and in a
file of the same name; `dynamics_of` finds it.
"""

from collections.abc import Mapping
from typing import Any

from spikeloom.nn.dynamics.base import Dynamics, Settings, Values
from spikeloom.nn.dynamics.cuba_lif import CubaLifDynamics
from spikeloom.nn.dynamics.lif import LifDynamics
from spikeloom.nn.dynamics.membrane import Neuron, integrate_and_fire, neuron_step
from spikeloom.nn.dynamics.relay import RelayDynamics

DYNAMICS: Mapping[str, type[Dynamics]] = {
    "relay": RelayDynamics,
    "lif": LifDynamics,
    "cuba-lif": CubaLifDynamics,
}


def dynamics_of(neuron: Any, settings: Settings) -> Dynamics:
    """The dynamics of a population whose neurons are of the model `neuron`."""
    return DYNAMICS[type(neuron).__struct_config__.tag](neuron=neuron, settings=settings)


__all__ = [
    "DYNAMICS",
    "CubaLifDynamics",
    "Dynamics",
    "LifDynamics",
    "Neuron",
    "RelayDynamics",
    "Settings",
    "Values",
    "dynamics_of",
    "integrate_and_fire",
    "neuron_step",
]
