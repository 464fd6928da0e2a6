"""A core that talks over a serial line: everything of a board's top but clock and pins."""

from math import ceil
from typing import Any

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from spikeloom.host.protocol import Identity
from spikeloom_hw.encoders import Encoder
from spikeloom_hw.host.port import HostPort
from spikeloom_hw.host.uart import UartReceiver, UartTransmitter, uart_divisor

BAUD = 1_000_000
# A byte keeps the activity signal high for at least this long, so that an eye sees it.
ACTIVITY_SECONDS = 0.03


class SerialDevice(wiring.Component):
    """A core behind its host port and a serial line, 8N1.

    Args:
        core: a component with the members of `SpikingCore`.
        identity: who the device is; with the clock of the domain `sync`, and what the core has.
        baud: bits a second on the line.
        encoder: makes events of values that the host sends.

    Members:
        rx: In(1), the line from the host.
        tx: Out(1), the line to the host.
        active: Out(1), bytes arrive.
        lost: Out(1), since reset a frame was refused, a byte lost, or a word ignored.
        label: Out, the class of the last sample.

    Raises:
        ValueError: the clock can not make the baud rate; the protocol can not name the core's
            members.
    """

    def __init__(
        self,
        core: Any,
        *,
        identity: Identity,
        baud: int = BAUD,
        encoder: Encoder | None = None,
    ) -> None:
        self.core = core
        self.identity = identity
        self.divisor = uart_divisor(identity.clock_hz, baud)
        self.activity_bits = ceil_log2(ceil(identity.clock_hz * ACTIVITY_SECONDS))
        score = core.scores.payload.shape()
        self.port = HostPort(
            event=core.events.payload.shape(),
            score=score,
            identity=identity,
            load=core.load.payload.shape() if identity.loadable else None,
            encoder=encoder,
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
        if self.identity.loadable:
            wiring.connect(m, port.load, core.load)
            m.d.comb += port.chunk.eq(core.chunk)
        if self.identity.counters:
            m.d.comb += [core.select.eq(port.select), port.count.eq(core.count)]
        m.d.comb += [
            port.framing_errors.eq(receiver.framing_errors),
            port.overruns.eq(receiver.overruns),
        ]

        # What a passer-by sees. The timer runs while its highest bit is set.
        timer = Signal(self.activity_bits + 1)
        with m.If(receiver.bytes.valid):
            m.d.sync += timer.eq(-1)
        with m.Elif(timer[-1]):
            m.d.sync += timer.eq(timer - 1)
        m.d.comb += [
            self.active.eq(timer[-1]),
            self.lost.eq(port.lost),
            self.label.eq(port.label),
        ]
        return m
