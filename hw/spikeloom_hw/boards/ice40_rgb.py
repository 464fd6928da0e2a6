"""The three-colour LED of an iCE40UP5K board, driven by the device's own current sources.

Pins 39, 40 and 41 of the SG48 package are open drains with a current source each. Boards connect
an LED to them without a resistor, so the source has to limit the current: `SB_RGBA_DRV` does, and
takes the three pins whole, in this order (Lattice FPGA-TN-1288, iCE40 LED driver usage guide).
"""

from typing import Any

from amaranth.hdl import Instance, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In

# The driver's outputs 0, 1 and 2.
PINS = ("39", "40", "41")
# Half the current of each step, and one step: 2 mA, bright enough and easy on the eyes.
_HALF_CURRENT = "0b1"
_ONE_STEP = "0b000001"


class RgbLed(wiring.Component):
    """Drives the board's resource `rgb_led` 0.

    Args:
        colours: `r`, `g` and `b` in the order of the pins 39, 40 and 41.

    Members:
        r, g, b: In(1), lit while high.
    """

    r: In(1)
    g: In(1)
    b: In(1)

    def __init__(self, colours: str) -> None:
        if sorted(colours) != ["b", "g", "r"]:
            raise ValueError(f"An LED has the colours r, g and b in some order, not {colours!r}")
        self.colours = colours
        super().__init__()

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        led = platform.request("rgb_led", 0, dir="-")
        outputs = {
            f"o_RGB{number}": getattr(led, colour).io for number, colour in enumerate(self.colours)
        }
        inputs = {
            f"i_RGB{number}PWM": getattr(self, colour) for number, colour in enumerate(self.colours)
        }
        m.submodules.driver = Instance(
            "SB_RGBA_DRV",
            p_CURRENT_MODE=_HALF_CURRENT,
            p_RGB0_CURRENT=_ONE_STEP,
            p_RGB1_CURRENT=_ONE_STEP,
            p_RGB2_CURRENT=_ONE_STEP,
            i_CURREN=1,
            i_RGBLEDEN=1,
            **inputs,
            **outputs,
        )
        return m
