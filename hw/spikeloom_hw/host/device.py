"""A core that talks over a serial line: everything of a board's top but clock and pins."""

from math import ceil
from typing import Any

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from spikeloom_hw.host.port import HostPort
from spikeloom_hw.host.uart import UartReceiver, UartTransmitter, uart_divisor

BAUD = 1_000_000
# A byte keeps the activity signal high for at least this long, so that an eye sees it.
ACTIVITY_SECONDS = 0.03


class SerialDevice(wiring.Component):
    """A core behind its host port and a serial line of 1 Mbaud, 8N1.

    Args:
        core: a component with the members `events` (In) and `scores` (Out); and, if its memories
            are loaded or it has counters, those of `SpikingCore`.
        inputs: number of addresses its network has.
        design_hash: four bytes that tell this design from others.
        clock_hz: frequency of the clock domain `sync`.

    Members:
        rx: In(1), the line from the host.
        tx: Out(1), the line to the host.
        active: Out(1), bytes arrive.
        lost: Out(1), since reset a frame was broken, a byte lost, or a word ignored.
        label: Out, the class of the last sample.
    """

    def __init__(
        self,
        core: Any,
        *,
        inputs: int,
        design_hash: bytes,
        clock_hz: float,
    ) -> None:
        self.core = core
        self.loadable = hasattr(core, "load")
        self.divisor = uart_divisor(clock_hz, BAUD)
        self.activity_bits = ceil_log2(ceil(clock_hz * ACTIVITY_SECONDS))
        score = core.scores.payload.shape()
        self.port = HostPort(
            event=core.events.payload.shape(),
            score=score,
            inputs=inputs,
            design_hash=design_hash,
            load=core.load.payload.shape() if self.loadable else None,
            counters=getattr(core, "counter_count", 0),
        )
        super().__init__(
            {
                "rx": In(1, init=1),  # pyright: ignore[reportCallIssue]  # not in the stubs
                "tx": Out(1),
                "active": Out(1),
                "lost": Out(1),
                "label": Out(score.label_bits),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.receiver = receiver = UartReceiver(self.divisor)
        m.submodules.transmitter = transmitter = UartTransmitter(self.divisor)
        m.submodules.port = port = self.port
        m.submodules.core = core = self.core

        # Line to core, and back.
        m.d.comb += [receiver.rx.eq(self.rx), self.tx.eq(transmitter.tx)]
        wiring.connect(m, receiver.bytes, port.received)
        wiring.connect(m, port.events, core.events)
        wiring.connect(m, core.scores, port.scores)
        wiring.connect(m, port.sent, transmitter.bytes)
        if self.loadable:
            wiring.connect(m, port.load, core.load)
        if port.counters:
            m.d.comb += [core.select.eq(port.select), port.count.eq(core.count)]

        # What a passer-by sees. The timer runs while its highest bit is set.
        timer = Signal(self.activity_bits + 1)
        with m.If(receiver.bytes.valid):
            m.d.sync += timer.eq(-1)
        with m.Elif(timer[-1]):
            m.d.sync += timer.eq(timer - 1)
        losses = (receiver.framing_errors, receiver.overruns, port.ignored)
        scores = core.scores
        with m.If(scores.valid & scores.ready & scores.payload.last):
            m.d.sync += self.label.eq(scores.payload.best)
        m.d.comb += self.active.eq(timer[-1])
        m.d.sync += self.lost.eq(self.lost | _any(losses))
        return m


def _any(counters: tuple[Signal, ...]) -> Any:
    first, *others = (counter.any() for counter in counters)
    for other in others:
        first = first | other
    return first
