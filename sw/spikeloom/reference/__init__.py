"""The integer reference: what the chip must compute, spike for spike and cycle for cycle."""

from spikeloom.reference.cycles import Timing, cycle_times
from spikeloom.reference.simulate import Trace, simulate

__all__ = ["Timing", "Trace", "cycle_times", "simulate"]
