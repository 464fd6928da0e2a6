"""The UPduino 3: a 12 MHz oscillator behind a jumper, a three-colour LED, and one FTDI channel.

The oscillator reaches the FPGA at pin 20 when the jumper R16, labelled OSC, is closed. The device's
own oscillator is no substitute: it may be off by a tenth, and a serial line forgives a fiftieth.

The FTDI chip has one channel, which programs the flash and is the serial port afterwards. Its pins
are the flash's: 15 carries bytes to the FPGA and 14 from it, while the flash's chip select, pin 16,
is held high (`RTL/common/upduino.pdc` in https://github.com/tinyvision-ai-inc/UPduino-v3.0).
"""

from functools import partial

from amaranth.build import Attrs, Pins, Resource
from amaranth_boards.resources import UARTResource
from amaranth_boards.upduino_v3 import UpduinoV3Platform

from spikeloom_hw.boards.ice40_clock import Ice40Clock
from spikeloom_hw.boards.ice40_rgb import RgbLed
from spikeloom_hw.boards.programmer import Programmer
from spikeloom_hw.boards.top import Board


class _Upduino(UpduinoV3Platform):
    default_clk = "clk12"


def platform() -> UpduinoV3Platform:
    """The board with its oscillator connected and the FTDI chip's lines as a serial port."""
    made = _Upduino()
    attributes = Attrs(IO_STANDARD="SB_LVCMOS")
    made.add_resources(
        [
            UARTResource(0, rx="15", tx="14", attrs=attributes),
            Resource("flash_select", 0, Pins("16", dir="o"), attributes),
        ]
    )
    return made


UPDUINO = Board(
    platform=platform,
    clock=partial(Ice40Clock, own_pad=False),
    link="USB, the FTDI chip's one port",
    rgb=partial(RgbLed, "gbr"),
    high=(("flash_select", 0),),
    programmer=Programmer(
        options=("-b", "ice40_generic", "-c", "ft232"),
        persistent=("-f",),
        hint="close the jumper R16 (OSC) once: the core's clock comes over it",
    ),
)
