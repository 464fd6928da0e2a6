"""The OrangeCrab r0.2 with an ECP5 25F: 48 MHz, a three-colour LED, and no serial chip.

Its USB connector goes to the FPGA itself, where the boot loader uses it. So the host link is on the
Feather header: pin 0 (RX) receives and pin 1 (TX) sends, at 3.3 V, for a USB cable with a serial
chip. LiteX' board file uses the same two.

Green shows that bytes arrive, red that something was lost, blue the lowest bit of the last class.
"""

from amaranth.build import Attrs, PinsN, Resource
from amaranth_boards.orangecrab_r0_2 import OrangeCrabR0_2_25FPlatform
from amaranth_boards.resources import UARTResource

from spikeloom_hw.boards.ecp5_clock import Ecp5Clock
from spikeloom_hw.boards.programmer import Programmer
from spikeloom_hw.boards.top import Board


def platform() -> OrangeCrabR0_2_25FPlatform:
    """The board with a serial port on its header, and each colour of its LED by name."""
    made = OrangeCrabR0_2_25FPlatform()
    attributes = Attrs(IO_TYPE="LVCMOS33")
    pulled_up = Attrs(IO_TYPE="LVCMOS33", PULLMODE="UP")
    colours = {"led_r": "K4", "led_g": "M3", "led_b": "J3"}
    made.add_resources(
        [
            UARTResource(0, rx="0", tx="1", conn=("io", 0), attrs=pulled_up),
            *(Resource(name, 0, PinsN(pin, dir="o"), attributes) for name, pin in colours.items()),
        ]
    )
    return made


ORANGECRAB = Board(
    platform=platform,
    clock=Ecp5Clock,
    link="3.3 V serial on header pins 0 (RX) and 1 (TX)",
    active=("led_g", 0),
    lost=("led_r", 0),
    label=(("led_b", 0),),
    programmer=Programmer(
        options=("-b", "orangeCrab"),
        hint="hold the button while you plug the board in: its boot loader waits for a bitstream",
    ),
)
