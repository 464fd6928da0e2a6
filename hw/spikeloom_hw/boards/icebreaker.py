"""The iCEBreaker: a core behind its USB serial port, as a device one can talk to.

::

    12 MHz ──► PLL ──► core clock          reset ends 20 µs or more after the PLL's lock
    USB serial ◄──► UART ◄──► host port ◄──► core
                                  │
    green LED: bytes arrive       red LED: something was lost
    five LEDs of the snap-off section: the last class, in binary
"""

from collections.abc import Sequence
from math import ceil
from typing import Any

from amaranth.build.plat import Platform
from amaranth.hdl import ClockDomain, ClockSignal, Instance, Module, ResetSignal, Signal
from amaranth.lib import io, wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.utils import ceil_log2
from amaranth_boards.icebreaker import ICEBreakerPlatform

from spikeloom_hw.boards.pll import pll_settings
from spikeloom_hw.host.port import HostPort
from spikeloom_hw.host.uart import UartReceiver, UartTransmitter, uart_divisor

# Block RAM reads as zero for the first 3 µs after configuration; 20 µs leave a wide margin.
RESET_SECONDS = 20e-6
# How long a byte lights the activity LED, at least.
ACTIVITY_SECONDS = 0.03
CLASS_LEDS = range(2, 7)
# The highest rate first; the board's FT2232H makes each of them.
BAUDS = (1_000_000, 921_600, 460_800, 230_400, 115_200)


def board_platform() -> ICEBreakerPlatform:
    """The board with its snap-off LED section attached."""
    platform = ICEBreakerPlatform()
    platform.add_resources(platform.break_off_pmod)
    return platform


def serial_rate(clock_hz: float, bauds: Sequence[int] = BAUDS) -> int:
    """The highest of `bauds` that `clock_hz` divides to within 2 %.

    Raises:
        ValueError: there is none.
    """
    for baud in bauds:
        try:
            uart_divisor(clock_hz, baud)
        except ValueError:
            continue
        return baud
    raise ValueError(f"A clock of {clock_hz!r} Hz makes none of the rates {bauds!r}")


class ClockAndReset(wiring.Component):
    """Drives the domain `sync`, which its parent defines, from the board's oscillator.

    Args:
        clock_mhz: frequency of `sync` in MHz.
    """

    def __init__(self, clock_mhz: float) -> None:
        self.clock_mhz = clock_mhz
        super().__init__({})

    def elaborate(self, platform: Platform) -> Module:
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

        # The PLL's clock runs before it is steady: count from its lock on.
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
        self.core = core
        self.clock_mhz = clock_mhz
        self.port = HostPort(
            event=core.events.payload.shape(),
            score=core.scores.payload.shape(),
            inputs=inputs,
            design_hash=design_hash,
        )
        super().__init__({})

    def elaborate(self, platform: Platform) -> Module:
        m = Module()
        clock_hz = self.clock_mhz * 1e6
        divisor = uart_divisor(clock_hz, serial_rate(clock_hz))
        m.domains.sync = ClockDomain()
        m.submodules.clock = ClockAndReset(self.clock_mhz)
        m.submodules.receiver = receiver = UartReceiver(divisor)
        m.submodules.transmitter = transmitter = UartTransmitter(divisor)
        m.submodules.port = port = self.port
        m.submodules.core = core = self.core

        # Board to link to core, and back.
        serial = platform.request("uart", 0, dir="-")
        m.submodules.rx_pin = rx_pin = io.Buffer("i", serial.rx)
        m.submodules.tx_pin = tx_pin = io.Buffer("o", serial.tx)
        m.d.comb += [receiver.rx.eq(rx_pin.i), tx_pin.o.eq(transmitter.tx)]
        wiring.connect(m, receiver.bytes, port.received)
        wiring.connect(m, port.sent, transmitter.bytes)
        wiring.connect(m, port.events, core.events)
        wiring.connect(m, core.scores, port.scores)

        # LEDs: bytes arrive, something was lost, the last class.
        active = Signal(ceil_log2(ceil(clock_hz * ACTIVITY_SECONDS)) + 1)
        with m.If(receiver.bytes.valid):
            m.d.sync += active.eq(-1)
        with m.Elif(active[-1]):
            m.d.sync += active.eq(active - 1)
        lost = receiver.framing_errors.any() | receiver.overruns.any() | port.ignored.any()
        label = Signal(len(CLASS_LEDS))
        scores = core.scores
        with m.If(scores.valid & scores.ready & scores.payload.last):
            m.d.sync += label.eq(scores.payload.best)
        lights = {("led_g", 0): active[-1], ("led_r", 0): lost}
        lights |= {("led", number): label[bit] for bit, number in enumerate(CLASS_LEDS)}
        for (name, number), light in lights.items():
            led = io.Buffer("o", platform.request(name, number, dir="-"))
            m.submodules[f"{name}_{number}_pin"] = led
            m.d.comb += led.o.eq(light)
        return m
