"""The NetworkImage: a trained network as integers, the waist between training and hardware."""

from spikeloom.arithmetic import DecayLeak, IntegrateLeak, Leak, Reset, ShiftLeak
from spikeloom.image.file import load_image, save_image
from spikeloom.image.graph import Graph
from spikeloom.image.layer import Layer
from spikeloom.image.network import NetworkImage
from spikeloom.image.population import Population
from spikeloom.image.provenance import Provenance

__all__ = [
    "DecayLeak",
    "Graph",
    "IntegrateLeak",
    "Layer",
    "Leak",
    "NetworkImage",
    "Population",
    "Provenance",
    "Reset",
    "ShiftLeak",
    "load_image",
    "save_image",
]
