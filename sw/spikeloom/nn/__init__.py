"""Spiking layers in torch that compute, in their forward pass, the integers of the chip."""

from spikeloom.nn.layer import LayerIntegers, SpikingLinear
from spikeloom.nn.network import Activity, SpikingNetwork, build_network
from spikeloom.nn.neuron import Neuron, integrate_and_fire, neuron_step

__all__ = [
    "Activity",
    "LayerIntegers",
    "Neuron",
    "SpikingLinear",
    "SpikingNetwork",
    "build_network",
    "integrate_and_fire",
    "neuron_step",
]
