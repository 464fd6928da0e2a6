"""The integer reference: what the chip must compute, spike for spike and cycle for cycle."""

from spikeloom.reference.simulate import Trace, simulate

__all__ = ["Trace", "simulate"]
