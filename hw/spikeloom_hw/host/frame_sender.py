"""From the contents of a frame to bytes of the line.

::

    contents ─► checksum ─► COBS ─► buffer ─► bytes        1 EBR

A COBS block begins with its length, which is known at its end: so the frame is written into a
buffer, and sent when it is complete.
"""

from typing import Any

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.crc.catalog import CRC16_IBM_3740
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from spikeloom_hw.core.memory_shape import BLOCK_RAM
from spikeloom_hw.core.write_port import write_port
from spikeloom_hw.host.layouts import FrameByteLayout

BUFFER_BYTES = 256


class FrameSender(wiring.Component):
    """Sends one frame at a time; the next one's contents are taken when it has left.

    Members:
        contents: In, stream of :class:`FrameByteLayout`, up to 251 bytes a frame.
        bytes: Out, stream of bytes.

    Cycles: one byte a cycle in; the first byte leaves five cycles behind the last one of the
    contents, and one byte in two cycles follows.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "contents": In(stream.Signature(FrameByteLayout())),
                "bytes": Out(stream.Signature(8)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.buffer = buffer = Memory(shape=8, depth=BUFFER_BYTES, init=[], attrs=BLOCK_RAM)
        m.submodules.checksum = checksum = CRC16_IBM_3740().create()
        write: Any = write_port(m, buffer)
        read: Any = buffer.read_port()
        # Of the block: where its length belongs, and what that is so far.
        block = Signal(range(BUFFER_BYTES))
        length = Signal(range(BUFFER_BYTES), init=1)
        end = Signal(range(BUFFER_BYTES), init=1)
        byte = Signal(8)
        crc: Any = checksum.crc
        put = Signal()
        m.d.comb += [
            checksum.data.eq(self.contents.payload.data),
            checksum.valid.eq(self.contents.valid & self.contents.ready),
            write.en.eq(put),
            write.addr.eq(end),
            write.data.eq(byte),
        ]
        with m.If(put):
            m.d.sync += [end.eq(end + 1), length.eq(length + 1)]
            with m.If(byte == 0):
                m.d.comb += [write.addr.eq(block), write.data.eq(length)]
                m.d.sync += [block.eq(end), length.eq(1)]

        index = Signal(range(BUFFER_BYTES))
        m.d.comb += read.addr.eq(index)
        with m.FSM(name="sender"):
            with m.State("CONTENTS"):
                m.d.comb += [
                    self.contents.ready.eq(1),
                    put.eq(self.contents.valid),
                    byte.eq(self.contents.payload.data),
                ]
                with m.If(self.contents.valid & self.contents.payload.last):
                    m.next = "HIGH"
            for state, half, following in (("HIGH", 1, "LOW"), ("LOW", 0, "CLOSE")):
                with m.State(state):
                    m.d.comb += [put.eq(1), byte.eq(crc.word_select(half, 8))]
                    m.next = following
            # The frame's end closes the last block, as a zero would.
            with m.State("CLOSE"):
                m.d.comb += [put.eq(1), byte.eq(0)]
                m.next = "READ"
            with m.State("READ"):
                m.next = "SEND"
            # The buffer ends with the place of a block that does not begin: there the zero is sent.
            with m.State("SEND"):
                final = index == block
                m.d.comb += self.bytes.valid.eq(1)
                with m.If(~final):
                    m.d.comb += self.bytes.payload.eq(read.data)
                with m.If(self.bytes.ready):
                    m.d.sync += index.eq(index + 1)
                    m.next = "READ"
                    with m.If(final):
                        m.d.sync += [index.eq(0), block.eq(0), length.eq(1), end.eq(1)]
                        m.d.comb += checksum.start.eq(1)
                        m.next = "CONTENTS"
        return m
