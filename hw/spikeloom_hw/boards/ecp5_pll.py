"""Dividers of the ECP5's PLL.

    f_vco = f_in · CLKOP_DIV / CLKI_DIV        feedback from CLKOP, CLKFB_DIV = 1
    f_out = f_vco / CLKOS_DIV                  the core's clock

with f_in at 8-400 MHz, the phase detector at 10-400 MHz, the oscillator at 400-800 MHz and the
output at 3.125-400 MHz (Lattice FPGA-DS-02012, ECP5 and ECP5-5G family, sysCLOCK PLL timing). An
output of its own for the feedback lets the core's clock be any fraction of the oscillator, while
the phase detector stays fast; `ecppll --highres` of Project Trellis does the same.
"""

from dataclasses import dataclass
from itertools import product

INPUT_MHZ = (8.0, 400.0)
DETECTOR_MHZ = (10.0, 400.0)
OSCILLATOR_MHZ = (400.0, 800.0)
OUTPUT_MHZ = (3.125, 400.0)
DIVIDERS = range(1, 129)
# The oscillator is happiest in the middle of its range; Project Trellis aims there as well.
_MIDDLE_MHZ = 600.0


@dataclass(frozen=True, kw_only=True)
class PllSettings:
    """Parameters of an `EHXPLLL` primitive.

    Attributes:
        clki_div: reference divider.
        clkop_div: divider of the output that is fed back.
        clkos_div: divider of the output that the core runs on.
        output_mhz: the frequency these make, in MHz.
    """

    clki_div: int
    clkop_div: int
    clkos_div: int
    output_mhz: float


def pll_settings(input_mhz: float, output_mhz: float) -> PllSettings:
    """The settings that come nearest to `output_mhz`.

    Of equals those with the fastest detector, then with the oscillator nearest to its middle.

    Raises:
        ValueError: no settings come within 0.5 %.
    """
    candidates = [
        (abs(output / output_mhz - 1), clki, abs(oscillator - _MIDDLE_MHZ), clkop, clkos, output)
        for clki, clkop in product(DIVIDERS, DIVIDERS)
        if _within(input_mhz, INPUT_MHZ)
        and _within(detector := input_mhz / clki, DETECTOR_MHZ)
        and _within(oscillator := detector * clkop, OSCILLATOR_MHZ)
        for clkos in DIVIDERS
        if _within(output := oscillator / clkos, OUTPUT_MHZ)
    ]
    error, clki, _, clkop, clkos, output = min(candidates, default=(1.0, 0, 0, 0, 0, 0.0))
    if error > 0.005:
        raise ValueError(f"The PLL cannot make {output_mhz!r} MHz from {input_mhz!r} MHz")
    return PllSettings(clki_div=clki, clkop_div=clkop, clkos_div=clkos, output_mhz=output)


def _within(value: float, limits: tuple[float, float]) -> bool:
    return limits[0] <= value <= limits[1]
