"""What every board's top has: a core behind its serial port, reset after the PLL's lock, lights.

::

    oscillator ──► PLL ──► core clock          reset ends 20 µs or more after the PLL's lock
    USB serial ◄──► serial device, 1 Mbaud
                        │
    lights: bytes arrive, something was lost, and the last class in binary

A board says which platform, clock and lights it has; see :class:`Board`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from typing import Any

from amaranth.build import Platform
from amaranth.hdl import ClockDomain, ClockSignal, Module, ResetSignal, Signal
from amaranth.lib import io, wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In
from amaranth.utils import ceil_log2

from spikeloom.host.protocol import Identity
from spikeloom_hw.boards.programmer import Programmer
from spikeloom_hw.encoders import Encoder
from spikeloom_hw.host.device import SerialDevice

# iCE40 block RAM reads as zero for the first 3 µs after configuration; 20 µs leave a wide margin.
RESET_SECONDS = 20e-6

Light = tuple[str, int]


@dataclass(frozen=True, kw_only=True)
class Board:
    """What a board offers to a core.

    Attributes:
        platform: makes the platform, with every resource named below.
        clock: makes a component that drives the domain `sync` at so many MHz from the board's
            oscillator, and its reset.
        link: where the host's serial line is, in words.
        programmer: what writes a bitstream to it.
        active: light that shows that bytes arrive, if there is one.
        lost: light that shows that something was lost, if there is one.
        label: lights of the last class, lowest bit first.
        rgb: makes a component that drives a three-colour LED, with members `r`, `g` and `b`, in
            place of those lights: green while bytes arrive, red when something was lost, blue the
            lowest bit of the last class.
        high: outputs that are held high, so that the board leaves the FPGA alone.
    """

    platform: Callable[[], Platform]
    clock: Callable[[float], Any]
    link: str
    programmer: Programmer
    active: Light | None = None
    lost: Light | None = None
    label: tuple[Light, ...] = ()
    rgb: Callable[[], Any] | None = None
    high: tuple[Light, ...] = ()


def reset_timer_bits(clock_mhz: float) -> int:
    """Bits of the timer whose highest one ends the reset, at a clock in MHz."""
    return ceil_log2(ceil(clock_mhz * 1e6 * RESET_SECONDS)) + 1


class SteadyReset(wiring.Component):
    """Holds `sync` in reset until its PLL has been locked for a while.

    The PLL's clock runs before it is steady, so the time is counted from its lock on.

    Args:
        clock_mhz: frequency of `sync` in MHz.

    Members:
        locked: In(1), asynchronous.
    """

    locked: In(1)

    def __init__(self, clock_mhz: float) -> None:
        # Up to the highest bit, which then stays.
        self.timer_bits = reset_timer_bits(clock_mhz)
        super().__init__()

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.domains.por = ClockDomain(reset_less=True, local=True)
        m.d.comb += ClockSignal("por").eq(ClockSignal("sync"))
        steady = Signal()
        m.submodules.synchronizer = FFSynchronizer(self.locked, steady, o_domain="por")
        timer = Signal(self.timer_bits)
        with m.If(~steady):
            m.d.por += timer.eq(0)
        with m.Elif(~timer[-1]):
            m.d.por += timer.eq(timer + 1)
        m.d.comb += ResetSignal("sync").eq(~timer[-1])
        return m


class BoardTop(wiring.Component):
    """A core with all it needs to live on a board.

    Args:
        core: a component with the members `events` (In) and `scores` (Out).
        board: where it lives.
        identity: who the device is.
        clock_mhz: frequency of the core in MHz.
        encoder: makes events of values that the host sends.
    """

    def __init__(
        self,
        core: Any,
        *,
        board: Board,
        identity: Identity,
        clock_mhz: float,
        encoder: Encoder | None = None,
    ) -> None:
        self.board = board
        self.clock_mhz = clock_mhz
        self.device = SerialDevice(core, identity=identity, encoder=encoder)
        super().__init__({})

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        m.domains.sync = ClockDomain()
        m.submodules.clock = self.board.clock(self.clock_mhz)
        m.submodules.device = device = self.device

        serial: Any = platform.request("uart", 0, dir="-")
        m.submodules.rx_pin = rx_pin = io.Buffer(io.Direction.Input, serial.rx)
        m.submodules.tx_pin = tx_pin = io.Buffer(io.Direction.Output, serial.tx)
        m.d.comb += [device.rx.eq(rx_pin.i), tx_pin.o.eq(device.tx)]

        outputs: dict[Light, Any] = dict(zip(self.board.label, device.label, strict=False))
        single = ((self.board.active, device.active), (self.board.lost, device.lost))
        outputs |= {light: value for light, value in single if light is not None}
        outputs |= dict.fromkeys(self.board.high, 1)
        for (name, number), value in outputs.items():
            pin: Any = platform.request(name, number, dir="-")
            m.submodules[f"{name}_{number}_pin"] = buffer = io.Buffer(io.Direction.Output, pin)
            m.d.comb += buffer.o.eq(value)
        if self.board.rgb is not None:
            m.submodules.rgb = rgb = self.board.rgb()
            m.d.comb += [rgb.g.eq(device.active), rgb.r.eq(device.lost), rgb.b.eq(device.label[0])]
        return m
