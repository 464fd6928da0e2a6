"""The integer reference: what the chip must compute, spike for spike and cycle for cycle."""

from spikeloom.reference.cycles import CycleModel, Pace, Run, Timing, cycle_times
from spikeloom.reference.simulate import Trace, simulate

__all__ = ["CycleModel", "Pace", "Run", "Timing", "Trace", "cycle_times", "simulate"]
