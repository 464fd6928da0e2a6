"""The Colorlight i5 7.0 on its extension board: 25 MHz, one LED, and a DAPLink for USB.

The module was made for LED walls; its pins were found out and published by others
(https://github.com/wuxx/Colorlight-FPGA-Projects: clock P3, LED U16, the DAPLink's serial port at
J17 and H18). The LED shows that bytes arrive; losses and classes are told over the link only.
"""

from typing import ClassVar

from amaranth.build import Attrs, Clock, Pins, PinsN, Resource
from amaranth.vendor import LatticeECP5Platform
from amaranth_boards.resources import UARTResource

from spikeloom_hw.boards.ecp5_clock import Ecp5Clock
from spikeloom_hw.boards.programmer import Programmer
from spikeloom_hw.boards.top import Board

_ATTRIBUTES = Attrs(IO_TYPE="LVCMOS33")
_PULLED_UP = Attrs(IO_TYPE="LVCMOS33", PULLMODE="UP")


class ColorlightI5Platform(LatticeECP5Platform):
    """What this project uses of the board."""

    device = "LFE5U-25F"
    package = "BG381"
    speed = "6"
    default_clk = "clk25"
    resources: ClassVar = [
        Resource("clk25", 0, Pins("P3", dir="i"), Clock(25e6), _ATTRIBUTES),
        Resource("led", 0, PinsN("U16", dir="o"), _ATTRIBUTES),
        UARTResource(0, rx="H18", tx="J17", attrs=_PULLED_UP),
    ]
    connectors: ClassVar = []


COLORLIGHT_I5 = Board(
    platform=ColorlightI5Platform,
    clock=Ecp5Clock,
    link="USB, DAPLink's port",
    active=("led", 0),
    programmer=Programmer(options=("-b", "colorlight-i5"), volatile=("-m",), persistent=("-f",)),
)
