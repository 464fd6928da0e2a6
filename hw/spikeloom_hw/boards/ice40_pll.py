"""Dividers of the iCE40's PLL.

    f_out = f_in · (DIVF + 1) / ((DIVR + 1) · 2^DIVQ)        feedback path SIMPLE

with the phase detector at 10-133 MHz and the oscillator at 533-1066 MHz (Lattice FPGA-TN-02052,
iCE40 sysCLOCK PLL).
"""

from dataclasses import dataclass
from itertools import product

DETECTOR_MHZ = (10.0, 133.0)
OSCILLATOR_MHZ = (533.0, 1066.0)
OUTPUT_MHZ = (16.0, 275.0)
# Upper detector frequency of each loop filter, from FILTER_RANGE 1 on.
_FILTER_MHZ = (17.0, 26.0, 44.0, 66.0, 101.0, 133.0)


@dataclass(frozen=True, kw_only=True)
class PllSettings:
    """Parameters of an `SB_PLL40` primitive.

    Attributes:
        divr: reference divider less one.
        divf: feedback divider less one.
        divq: exponent of the output divider.
        filter_range: loop filter for the detector's frequency.
        output_mhz: the frequency these make, in MHz.
    """

    divr: int
    divf: int
    divq: int
    filter_range: int
    output_mhz: float


def pll_settings(input_mhz: float, output_mhz: float) -> PllSettings:
    """The settings that come nearest to `output_mhz`; of equals those with the fastest detector.

    Raises:
        ValueError: no settings come within 0.5 %.
    """
    candidates = [
        settings
        for divr, divf, divq in product(range(16), range(128), range(1, 7))
        if (settings := _settings(input_mhz, divr, divf, divq)) is not None
    ]
    best = min(candidates, key=lambda s: (abs(s.output_mhz - output_mhz), s.divr), default=None)
    if best is None or abs(best.output_mhz / output_mhz - 1) > 0.005:
        raise ValueError(f"The PLL cannot make {output_mhz!r} MHz from {input_mhz!r} MHz")
    return best


def _settings(input_mhz: float, divr: int, divf: int, divq: int) -> PllSettings | None:
    detector = input_mhz / (divr + 1)
    oscillator = detector * (divf + 1)
    output = oscillator / 2**divq
    limits = ((detector, DETECTOR_MHZ), (oscillator, OSCILLATOR_MHZ), (output, OUTPUT_MHZ))
    if not all(low <= value <= high for value, (low, high) in limits):
        return None
    filter_range = next(n for n, limit in enumerate(_FILTER_MHZ, 1) if detector <= limit)
    return PllSettings(
        divr=divr, divf=divf, divq=divq, filter_range=filter_range, output_mhz=output
    )
