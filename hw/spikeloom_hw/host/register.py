"""A register in a stream, where speed of the clock matters and speed of the stream does not."""

from typing import Any

from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out


class StreamRegister(wiring.Component):
    """Passes a stream on through a register, so that no path leads from one side to the other.

    Args:
        payload: shape of the payload.

    Members:
        input: In, stream of `payload`.
        output: Out, stream of `payload`.

    Cycles: a beat leaves one cycle after it is taken; at most one beat in two cycles.
    """

    def __init__(self, payload: Any) -> None:
        super().__init__(
            {"input": In(stream.Signature(payload)), "output": Out(stream.Signature(payload))}
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.comb += self.input.ready.eq(~self.output.valid)
        with m.If(self.output.valid):
            m.d.sync += self.output.valid.eq(~self.output.ready)
        with m.Elif(self.input.valid):
            m.d.sync += [self.output.valid.eq(1), self.output.payload.eq(self.input.payload)]
        return m
