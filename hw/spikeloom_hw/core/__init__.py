"""The event-driven core: from events to scores, in exactly the integers of the network."""

from spikeloom_hw.core.instance import CORE_MODULE, CoreInstance
from spikeloom_hw.core.params import CoreParams, LayerContents, LayerParams
from spikeloom_hw.core.spiking_core import SpikingCore
from spikeloom_hw.core.spiking_layer import SpikingLayer

__all__ = [
    "CORE_MODULE",
    "CoreInstance",
    "CoreParams",
    "LayerContents",
    "LayerParams",
    "SpikingCore",
    "SpikingLayer",
]
