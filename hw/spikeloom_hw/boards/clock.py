"""A core clock other than the preset's."""

from dataclasses import replace

from spikeloom.errors import UserError
from spikeloom_hw.boards import ecp5_pll, ice40_pll
from spikeloom_hw.host.device import BAUD
from spikeloom_hw.host.uart import uart_divisor
from spikeloom_hw.targets import Target

_PLL = {"ice40": ice40_pll.pll_settings, "ecp5": ecp5_pll.pll_settings}


def at_clock(target: Target, clock_mhz: float) -> Target:
    """The target with its core at another clock.

    Args:
        target: the board.
        clock_mhz: in MHz.

    Raises:
        UserError: the board's PLL can not make that clock, or the serial line can not run on it.
    """
    try:
        _PLL[target.family](target.board_clock_mhz, clock_mhz)
        uart_divisor(clock_mhz * 1e6, BAUD)
    except ValueError as error:
        raise UserError(
            f"{target.name} can not run at {clock_mhz:g} MHz ({error}); choose another clock"
        ) from None
    return replace(target, core_clock_mhz=clock_mhz)
