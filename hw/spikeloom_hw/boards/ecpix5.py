"""The ECPIX-5 with an ECP5 85F: a 100 MHz oscillator and four three-colour LEDs.

Of the first LED, green shows that bytes arrive and red that something was lost; the blue of all
four is the last class in binary.
"""

from amaranth.build import Attrs, PinsN, Resource
from amaranth_boards.ecpix5 import ECPIX585Platform

from spikeloom_hw.boards.ecp5_clock import Ecp5Clock
from spikeloom_hw.boards.programmer import Programmer
from spikeloom_hw.boards.top import Board

_LEDS = (
    ("led_r", 0, "T23"),
    ("led_g", 0, "R21"),
    *(("led_b", number, pin) for number, pin in enumerate(("T22", "T24", "M21", "P22"))),
)


def platform() -> ECPIX585Platform:
    """The board with each colour of its LEDs by name."""
    made = ECPIX585Platform()
    attributes = Attrs(IO_TYPE="LVCMOS33")
    made.add_resources(
        [Resource(name, number, PinsN(pin, dir="o"), attributes) for name, number, pin in _LEDS]
    )
    return made


ECPIX5_85F = Board(
    platform=platform,
    clock=Ecp5Clock,
    link="USB, port UART",
    active=("led_g", 0),
    lost=("led_r", 0),
    label=tuple(("led_b", number) for number in range(4)),
    programmer=Programmer(
        options=("-b", "ecpix5_r03"),
        volatile=("-m",),
        persistent=("-f",),
        hint="a board before revision 3 is called ecpix5: give --board ecpix5",
    ),
)
