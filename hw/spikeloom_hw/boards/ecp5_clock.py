"""The core's clock on an ECP5 board: oscillator, PLL, and a reset that waits for its lock."""

from typing import Any

from amaranth.hdl import ClockSignal, Instance, Module, Signal
from amaranth.lib import io, wiring

from spikeloom_hw.boards.ecp5_pll import pll_settings
from spikeloom_hw.boards.top import SteadyReset


class Ecp5Clock(wiring.Component):
    """Drives the domain `sync`, which its parent defines, from the board's oscillator.

    Args:
        clock_mhz: frequency of `sync` in MHz.
    """

    def __init__(self, clock_mhz: float) -> None:
        self.clock_mhz = clock_mhz
        super().__init__({})

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        settings = pll_settings(platform.default_clk_frequency / 1e6, self.clock_mhz)
        m.submodules.reset = reset = SteadyReset(self.clock_mhz)
        oscillator: Any = platform.request(platform.default_clk, dir="-")
        m.submodules.clk_pin = clk_pin = io.Buffer(io.Direction.Input, oscillator)
        feedback = Signal()
        m.submodules.pll = Instance(
            "EHXPLLL",
            # The loop filter that Lattice's own tools set for this range, as ecppll does.
            a_ICP_CURRENT="12",
            a_LPF_RESISTOR="8",
            a_MFG_ENABLE_FILTEROPAMP="1",
            a_MFG_GMCREF_SEL="2",
            a_FREQUENCY_PIN_CLKI=f"{platform.default_clk_frequency / 1e6:g}",
            a_FREQUENCY_PIN_CLKOS=f"{settings.output_mhz:g}",
            p_PLLRST_ENA="DISABLED",
            p_INTFB_WAKE="DISABLED",
            p_STDBY_ENABLE="DISABLED",
            p_DPHASE_SOURCE="DISABLED",
            p_OUTDIVIDER_MUXA="DIVA",
            p_OUTDIVIDER_MUXB="DIVB",
            p_FEEDBK_PATH="CLKOP",
            p_CLKI_DIV=settings.clki_div,
            p_CLKFB_DIV=1,
            p_CLKOP_ENABLE="ENABLED",
            p_CLKOP_DIV=settings.clkop_div,
            p_CLKOP_CPHASE=settings.clkop_div - 1,
            p_CLKOP_FPHASE=0,
            p_CLKOS_ENABLE="ENABLED",
            p_CLKOS_DIV=settings.clkos_div,
            p_CLKOS_CPHASE=settings.clkos_div - 1,
            p_CLKOS_FPHASE=0,
            i_CLKI=clk_pin.i,
            i_CLKFB=feedback,
            i_RST=0,
            i_STDBY=0,
            i_PHASESEL0=0,
            i_PHASESEL1=0,
            i_PHASEDIR=1,
            i_PHASESTEP=1,
            i_PHASELOADREG=1,
            i_PLLWAKESYNC=0,
            i_ENCLKOP=0,
            i_ENCLKOS=0,
            o_CLKOP=feedback,
            o_CLKOS=ClockSignal("sync"),
            o_LOCK=reset.locked,
        )
        return m
