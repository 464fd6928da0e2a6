"""From data to integers: training, the network image, packing and the integer reference."""

from importlib.metadata import version

__version__ = version("spikeloom")
