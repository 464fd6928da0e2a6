"""The ULX3S: a 25 MHz oscillator, a row of eight LEDs, and an ECP5 of 25k or 85k LUTs.

LED 7 shows that bytes arrive, LED 6 that something was lost, and LEDs 0 to 5 the last class.
"""

from functools import partial

from amaranth.build import Attrs, Pins, Resource
from amaranth_boards.ulx3s import ULX3S_25F_Platform, ULX3S_85F_Platform

from spikeloom_hw.boards.ecp5_clock import Ecp5Clock
from spikeloom_hw.boards.programmer import Programmer
from spikeloom_hw.boards.top import Board

Ulx3sPlatform = ULX3S_25F_Platform | ULX3S_85F_Platform


def platform(kind: type[Ulx3sPlatform]) -> Ulx3sPlatform:
    """The board, with the one wire of its ESP32 that must be held.

    The ESP32 shares the FPGA's configuration port; while its GPIO0 is low it starts its boot
    loader, and the board reboots.
    """
    made = kind()
    attributes = Attrs(IO_TYPE="LVCMOS33", PULLMODE="UP")
    made.add_resources([Resource("esp32_boot", 0, Pins("L2", dir="o"), attributes)])
    return made


def _board(kind: type[Ulx3sPlatform]) -> Board:
    return Board(
        platform=partial(platform, kind),
        clock=Ecp5Clock,
        link="USB, port US1",
        active=("led", 7),
        lost=("led", 6),
        label=tuple(("led", number) for number in range(6)),
        high=(("esp32_boot", 0),),
        programmer=Programmer(options=("-b", "ulx3s"), volatile=("-m",), persistent=("-f",)),
    )


ULX3S_25F = _board(ULX3S_25F_Platform)
ULX3S_85F = _board(ULX3S_85F_Platform)
