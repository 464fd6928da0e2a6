"""The iCEBreaker: a 12 MHz oscillator, two LEDs, and five more on the snap-off section."""

from amaranth.hdl import ClockSignal, Instance, Module
from amaranth.lib import wiring
from amaranth_boards.icebreaker import ICEBreakerPlatform

from spikeloom_hw.boards.ice40_pll import pll_settings
from spikeloom_hw.boards.top import Board, SteadyReset


def platform() -> ICEBreakerPlatform:
    """The board with its snap-off LED section attached."""
    made = ICEBreakerPlatform()
    made.add_resources(made.break_off_pmod)
    return made


class IcebreakerClock(wiring.Component):
    """Drives the domain `sync`, which its parent defines, from the board's oscillator.

    Args:
        clock_mhz: frequency of `sync` in MHz.
    """

    def __init__(self, clock_mhz: float) -> None:
        self.clock_mhz = clock_mhz
        super().__init__({})

    def elaborate(self, platform: ICEBreakerPlatform) -> Module:
        m = Module()
        settings = pll_settings(platform.default_clk_frequency / 1e6, self.clock_mhz)
        m.submodules.reset = reset = SteadyReset(self.clock_mhz)
        m.submodules.pll = Instance(
            "SB_PLL40_PAD",
            p_FEEDBACK_PATH="SIMPLE",
            p_DIVR=settings.divr,
            p_DIVF=settings.divf,
            p_DIVQ=settings.divq,
            p_FILTER_RANGE=settings.filter_range,
            i_PACKAGEPIN=platform.request(platform.default_clk, dir="-").io,
            i_RESETB=1,
            i_BYPASS=0,
            o_LOCK=reset.locked,
            o_PLLOUTGLOBAL=ClockSignal("sync"),
        )
        return m


ICEBREAKER = Board(
    platform=platform,
    clock=IcebreakerClock,
    active=("led_g", 0),
    lost=("led_r", 0),
    label=tuple(("led", number) for number in range(2, 7)),
)
