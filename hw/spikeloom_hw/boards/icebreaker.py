"""The iCEBreaker: a 12 MHz oscillator, two LEDs, and five more on the snap-off section."""

from amaranth_boards.icebreaker import ICEBreakerPlatform

from spikeloom_hw.boards.ice40_clock import Ice40Clock
from spikeloom_hw.boards.programmer import Programmer
from spikeloom_hw.boards.top import Board


def platform() -> ICEBreakerPlatform:
    """The board with its snap-off LED section attached."""
    made = ICEBreakerPlatform()
    made.add_resources(made.break_off_pmod)
    return made


ICEBREAKER = Board(
    platform=platform,
    clock=Ice40Clock,
    link="USB, second port of its FTDI chip",
    active=("led_g", 0),
    lost=("led_r", 0),
    label=tuple(("led", number) for number in range(2, 7)),
    programmer=Programmer(options=("-b", "ice40_generic"), persistent=("-f",)),
)
