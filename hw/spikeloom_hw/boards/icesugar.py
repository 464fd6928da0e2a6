"""The iCESugar 1.5: 12 MHz, a three-colour LED, and the iCELink that programs it and is its port.

The iCELink is a microcontroller: it makes the FPGA's clock, offers a serial port on USB, and a
drive. `icesprog` programs it, and so does a copy of the bitstream to that drive. openFPGALoader
does not know it.
"""

from functools import partial

from amaranth.build import Attrs
from amaranth_boards.icesugar import ICESugarPlatform
from amaranth_boards.resources import RGBLEDResource

from spikeloom_hw.boards.ice40_clock import Ice40Clock
from spikeloom_hw.boards.ice40_rgb import RgbLed
from spikeloom_hw.boards.programmer import ICESPROG, Programmer
from spikeloom_hw.boards.top import Board


def platform() -> ICESugarPlatform:
    """The board with its LEDs as one of three colours."""
    made = ICESugarPlatform()
    attributes = Attrs(IO_STANDARD="SB_LVCMOS")
    made.add_resources([RGBLEDResource(0, r="40", g="41", b="39", invert=True, attrs=attributes)])
    return made


ICESUGAR = Board(
    platform=platform,
    clock=Ice40Clock,
    link="USB, iCELink's port",
    rgb=partial(RgbLed, "brg"),
    programmer=Programmer(
        program=ICESPROG,
        options=(),
        hint="without icesprog, copy the bitstream to the drive iCELink",
    ),
)
