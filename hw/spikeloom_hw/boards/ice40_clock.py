"""The core's clock on an iCE40 board: oscillator, PLL, and a reset that waits for its lock.

A PLL reads one pad of its own by a hard wire, and any other pin through the fabric:

====================  =========================================  ==========================
oscillator            primitive                                  boards
====================  =========================================  ==========================
on the PLL's own pad  ``SB_PLL40_PAD``, fed by the pad           iCEBreaker, iCESugar
on another pin        ``SB_PLL40_CORE``, fed by an input buffer  UPduino
====================  =========================================  ==========================
"""

from typing import Any

from amaranth.hdl import ClockSignal, Instance, Module
from amaranth.lib import io, wiring

from spikeloom_hw.boards.ice40_pll import pll_settings
from spikeloom_hw.boards.top import SteadyReset


class Ice40Clock(wiring.Component):
    """Drives the domain `sync`, which its parent defines, from the board's oscillator.

    Args:
        clock_mhz: frequency of `sync` in MHz.
        own_pad: the oscillator is on the pad that is wired to the PLL.
    """

    def __init__(self, clock_mhz: float, *, own_pad: bool = True) -> None:
        self.clock_mhz = clock_mhz
        self.own_pad = own_pad
        super().__init__({})

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        settings = pll_settings(platform.default_clk_frequency / 1e6, self.clock_mhz)
        m.submodules.reset = reset = SteadyReset(self.clock_mhz)
        oscillator = platform.request(platform.default_clk, dir="-")
        if self.own_pad:
            primitive, source = "SB_PLL40_PAD", {"i_PACKAGEPIN": oscillator.io}
        else:
            m.submodules.clk_pin = clk_pin = io.Buffer(io.Direction.Input, oscillator)
            primitive, source = "SB_PLL40_CORE", {"i_REFERENCECLK": clk_pin.i}
        m.submodules.pll = Instance(
            primitive,
            p_FEEDBACK_PATH="SIMPLE",
            p_DIVR=settings.divr,
            p_DIVF=settings.divf,
            p_DIVQ=settings.divq,
            p_FILTER_RANGE=settings.filter_range,
            **source,
            i_RESETB=1,
            i_BYPASS=0,
            o_LOCK=reset.locked,
            o_PLLOUTGLOBAL=ClockSignal("sync"),
        )
        return m
