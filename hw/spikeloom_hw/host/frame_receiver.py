"""From bytes of the line to the contents of whole frames, each with the right checksum.

::

    bytes ─► COBS ─► checksum
               └──► slot 0 │ slot 1 ─► frames        1 EBR
                                   └─► refused

A frame goes into the slot that is free, while the one before is read from the other. Nobody sees
it before its checksum is right. `spikeloom.host.frames` describes what is on the line.
"""

from typing import Any

from amaranth.hdl import Array, Cat, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.crc.catalog import CRC16_IBM_3740
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from spikeloom.host.frames import CHECKSUM_BYTES
from spikeloom.host.protocol import PAYLOAD_BYTES, REQUEST_BYTES, WINDOW, Status
from spikeloom_hw.core.memory_shape import BLOCK_RAM
from spikeloom_hw.core.write_port import write_port
from spikeloom_hw.host.layouts import FrameByteLayout

SLOT_BYTES = 256
SLOTS = WINDOW


class FrameReceiver(wiring.Component):
    """Keeps up to two frames; refuses those that are broken, and those that come when both wait.

    Members:
        bytes: In, stream of bytes, always taken.
        frames: Out, stream of :class:`FrameByteLayout`, two bytes or more a frame.
        refused: Out, stream of a :class:`Status`; several refusals that nobody takes are one.
        refusals: Out(8), how many; stays at 255.

    Cycles: one byte a cycle in, one byte in two cycles out.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "bytes": In(stream.Signature(8, always_ready=True)),
                "frames": Out(stream.Signature(FrameByteLayout())),
                "refused": Out(stream.Signature(8)),
                "refusals": Out(8),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.slots = slots = Memory(
            shape=8, depth=SLOTS * SLOT_BYTES, init=[], attrs=BLOCK_RAM
        )
        lengths = Array(Signal(range(SLOT_BYTES), name=f"length_{slot}") for slot in range(SLOTS))
        full = Array(Signal(name=f"full_{slot}") for slot in range(SLOTS))
        self._receive(m, slots, lengths, full)
        self._offer(m, slots, lengths, full)
        return m

    def _receive(
        self, m: Module, slots: Memory, lengths: Array[Signal], full: Array[Signal]
    ) -> None:
        write: Any = write_port(m, slots)
        refusals: Any = self.refusals
        m.submodules.checksum = checksum = CRC16_IBM_3740().create()
        byte = self.bytes.payload
        filling = Signal()
        begun, broken, dropped = Signal(), Signal(), Signal()
        # Of the COBS block: bytes left; its end is the zero that was taken out, or the frame's end.
        left = Signal(8)
        length = Signal(range(SLOT_BYTES))
        decoded = Signal()
        ends = Signal()
        m.d.comb += [
            ends.eq(self.bytes.valid & (byte == 0)),
            decoded.eq(self.bytes.valid & (byte != 0) & begun),
            write.addr.eq(Cat(length, filling)),
            write.data.eq(byte),
            write.en.eq(decoded & ~full[filling]),
            checksum.valid.eq(decoded),
            checksum.data.eq(write.data),
            checksum.start.eq(ends),
        ]
        with m.If(self.bytes.valid & ~ends):
            m.d.sync += [begun.eq(1), left.eq(left - 1)]
            with m.If(left == 0):
                m.d.sync += left.eq(byte - 1)
                m.d.comb += write.data.eq(0)
        with m.If(decoded):
            m.d.sync += [
                length.eq(length + 1),
                dropped.eq(dropped | full[filling]),
                broken.eq(broken | (length == PAYLOAD_BYTES + REQUEST_BYTES + CHECKSUM_BYTES)),
            ]

        # A frame's end: it is kept, or refused.
        good = Signal()
        matches: Any = checksum.match_detected
        short = length < REQUEST_BYTES + CHECKSUM_BYTES
        m.d.comb += good.eq(matches & (left == 0) & ~short & ~broken)
        with m.If(self.refused.ready):
            m.d.sync += self.refused.valid.eq(0)
        with m.If(ends):
            m.d.sync += [item.eq(0) for item in (begun, broken, dropped, left, length)]
            with m.If(begun & good & ~dropped):
                m.d.sync += [
                    lengths[filling].eq(length - CHECKSUM_BYTES),
                    full[filling].eq(1),
                    filling.eq(~filling),
                ]
            with m.Elif(begun):
                m.d.sync += [
                    self.refused.valid.eq(1),
                    self.refused.payload.eq(Status.CORRUPT),
                    refusals.eq(refusals + (refusals != 0xFF)),
                ]
                with m.If(good):
                    m.d.sync += self.refused.payload.eq(Status.OVERRUN)

    def _offer(self, m: Module, slots: Memory, lengths: Array[Signal], full: Array[Signal]) -> None:
        read: Any = slots.read_port()
        offering = Signal()
        index = Signal(range(SLOT_BYTES))
        m.d.comb += [
            read.addr.eq(Cat(index, offering)),
            self.frames.payload.data.eq(read.data),
            self.frames.payload.last.eq(index == lengths[offering] - 1),
        ]
        with m.If(~self.frames.valid):
            m.d.sync += self.frames.valid.eq(full[offering])
        with m.Elif(self.frames.ready):
            m.d.sync += [self.frames.valid.eq(0), index.eq(index + 1)]
            with m.If(self.frames.payload.last):
                m.d.sync += [index.eq(0), full[offering].eq(0), offering.eq(~offering)]
