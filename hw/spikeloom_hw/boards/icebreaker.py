"""The iCEBreaker: a core behind its USB serial port, as a device one can talk to.

::

    12 MHz ──► PLL ──► core clock          reset ends 20 µs or more after the PLL's lock
    USB serial ◄──► serial device, 1 Mbaud
                        │
    green LED: bytes arrive       red LED: something was lost
    five LEDs of the snap-off section: the last class, in binary
"""

from math import ceil
from typing import Any

from amaranth.hdl import ClockDomain, ClockSignal, Instance, Module, ResetSignal, Signal
from amaranth.lib import io, wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.utils import ceil_log2
from amaranth_boards.icebreaker import ICEBreakerPlatform

from spikeloom_hw.boards.pll import pll_settings
from spikeloom_hw.host.device import SerialDevice

# Block RAM reads as zero for the first 3 µs after configuration; 20 µs leave a wide margin.
RESET_SECONDS = 20e-6
CLASS_LEDS = range(2, 7)


def board_platform() -> ICEBreakerPlatform:
    """The board with its snap-off LED section attached."""
    platform = ICEBreakerPlatform()
    platform.add_resources(platform.break_off_pmod)
    return platform


class ClockAndReset(wiring.Component):
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
        m.domains.por = ClockDomain(reset_less=True, local=True)
        locked = Signal()
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
            o_LOCK=locked,
            o_PLLOUTGLOBAL=ClockSignal("sync"),
        )
        m.d.comb += ClockSignal("por").eq(ClockSignal("sync"))

        # The PLL's clock runs before it is steady: count from its lock on, up to the highest bit.
        steady = Signal()
        m.submodules.synchronizer = FFSynchronizer(locked, steady, o_domain="por")
        timer = Signal(ceil_log2(ceil(self.clock_mhz * 1e6 * RESET_SECONDS)) + 1)
        with m.If(~steady):
            m.d.por += timer.eq(0)
        with m.Elif(~timer[-1]):
            m.d.por += timer.eq(timer + 1)
        m.d.comb += ResetSignal("sync").eq(~timer[-1])
        return m


class IcebreakerTop(wiring.Component):
    """A core with all it needs to live on the board.

    Args:
        core: a component with the members `events` (In) and `scores` (Out).
        inputs: number of addresses its network has.
        design_hash: four bytes that tell this design from others.
        clock_mhz: frequency of the core in MHz.
    """

    def __init__(self, core: Any, *, inputs: int, design_hash: bytes, clock_mhz: float) -> None:
        self.clock_mhz = clock_mhz
        self.device = SerialDevice(
            core, inputs=inputs, design_hash=design_hash, clock_hz=clock_mhz * 1e6
        )
        super().__init__({})

    def elaborate(self, platform: ICEBreakerPlatform) -> Module:
        m = Module()
        m.domains.sync = ClockDomain()
        m.submodules.clock = ClockAndReset(self.clock_mhz)
        m.submodules.device = device = self.device

        serial: Any = platform.request("uart", 0, dir="-")
        m.submodules.rx_pin = rx_pin = io.Buffer(io.Direction.Input, serial.rx)
        m.submodules.tx_pin = tx_pin = io.Buffer(io.Direction.Output, serial.tx)
        m.d.comb += [device.rx.eq(rx_pin.i), tx_pin.o.eq(device.tx)]

        lights = {("led_g", 0): device.active, ("led_r", 0): device.lost}
        for bit, number in zip(device.label, CLASS_LEDS, strict=False):
            lights["led", number] = bit
        for (name, number), light in lights.items():
            pin: Any = platform.request(name, number, dir="-")
            led = io.Buffer(io.Direction.Output, pin)
            m.submodules[f"{name}_{number}_pin"] = led
            m.d.comb += led.o.eq(light)
        return m
