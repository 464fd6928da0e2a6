"""FRAME: a sample's values to the encoder, a byte each."""

from amaranth.hdl import Module, Mux
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import Out

from spikeloom.host.protocol import Status
from spikeloom_hw.host.commands.ports import command_members


class FrameCommand(wiring.Component):
    """Passes the payload on; the encoder knows where a sample ends.

    Members:
        values: Out, stream of bytes.
    """

    def __init__(self) -> None:
        super().__init__({**command_members(), "values": Out(stream.Signature(8))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        payload, answer = self.payload.payload, self.answer
        m.d.comb += [
            self.values.valid.eq(self.payload.valid & ~payload.end),
            self.values.payload.eq(payload.data),
            self.payload.ready.eq(Mux(payload.end, answer.ready, self.values.ready)),
            answer.valid.eq(self.payload.valid & payload.end),
            answer.payload.data.eq(Status.OK),
            answer.payload.end.eq(1),
        ]
        return m
