"""The NetworkImage: a trained network as integers, the waist between training and hardware."""

from spikeloom.arithmetic import DecayLeak, IntegrateLeak, Leak, Reset, ShiftLeak
from spikeloom.image.file import load_image, save_image
from spikeloom.image.model import Layer, NetworkImage, Provenance

__all__ = [
    "DecayLeak",
    "IntegrateLeak",
    "Layer",
    "Leak",
    "NetworkImage",
    "Provenance",
    "Reset",
    "ShiftLeak",
    "load_image",
    "save_image",
]
