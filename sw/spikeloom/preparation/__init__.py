"""Raw samples to the values that are encoded: the steps, and their replay."""

from spikeloom.preparation.replay import prepare, prepared_shape
from spikeloom.preparation.structs import AsIs, Binning, LogMel, Picture, Preparation, Scale

__all__ = [
    "AsIs",
    "Binning",
    "LogMel",
    "Picture",
    "Preparation",
    "Scale",
    "prepare",
    "prepared_shape",
]
