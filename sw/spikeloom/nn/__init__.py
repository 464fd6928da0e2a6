"""Spiking networks in torch that compute, in their forward pass, the integers of the chip."""

from spikeloom.nn.build import Network, build_network, input_shape
from spikeloom.nn.dynamics.membrane import Neuron, integrate_and_fire, neuron_step
from spikeloom.nn.graph_network import GraphActivity, GraphNetwork
from spikeloom.nn.layer import LayerIntegers, SpikingLinear
from spikeloom.nn.network import Activity, SpikingNetwork

__all__ = [
    "Activity",
    "GraphActivity",
    "GraphNetwork",
    "LayerIntegers",
    "Network",
    "Neuron",
    "SpikingLinear",
    "SpikingNetwork",
    "build_network",
    "input_shape",
    "integrate_and_fire",
    "neuron_step",
]
