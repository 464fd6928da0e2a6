"""Spiking layers in torch that compute, in their forward pass, the integers of the chip."""

from spikeloom.nn.dynamics.membrane import Neuron, integrate_and_fire, neuron_step
from spikeloom.nn.layer import LayerIntegers, SpikingLinear
from spikeloom.nn.network import Activity, SpikingNetwork, build_network

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
