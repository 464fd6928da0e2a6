"""RESET and IDENTIFY: both tell who the device is."""

from amaranth.hdl import Array, Const, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from spikeloom.host.protocol import Status
from spikeloom_hw.host.commands.ports import command_members


class IdentityCommand(wiring.Component):
    """Tells the identity, and brings the core to rest before, if it is asked to.

    Args:
        identity: the bytes to tell.

    Members:
        reset: In, the request is RESET.
        give_up: Out, end what is under way.
        rest: In, nothing is under way.
        forget: Out, there are no results.
    """

    def __init__(self, identity: bytes) -> None:
        self.identity = identity
        super().__init__(
            {
                **command_members(),
                "reset": In(1),
                "give_up": Out(1),
                "rest": In(1),
                "forget": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        bytes_ = Array(Const(byte, 8) for byte in self.identity)
        index = Signal(range(len(self.identity)))
        with m.FSM(name="identity"):
            with m.State("PAYLOAD"):
                m.d.comb += self.payload.ready.eq(1)
                with m.If(self.payload.valid & self.payload.payload.end):
                    m.next = "TELL"
                    with m.If(self.reset):
                        m.next = "GIVE_UP"
            with m.State("GIVE_UP"):
                m.d.comb += [self.give_up.eq(1), self.forget.eq(1)]
                with m.If(self.rest):
                    m.next = "TELL"
            with m.State("TELL"):
                m.d.comb += [self.answer.valid.eq(1), self.answer.payload.data.eq(bytes_[index])]
                with m.If(self.answer.ready):
                    m.d.sync += index.eq(index + 1)
                    with m.If(index == len(self.identity) - 1):
                        m.d.sync += index.eq(0)
                        m.next = "END"
            with m.State("END"):
                m.d.comb += [
                    self.answer.valid.eq(1),
                    self.answer.payload.data.eq(Status.OK),
                    self.answer.payload.end.eq(1),
                ]
                with m.If(self.answer.ready):
                    m.next = "PAYLOAD"
        return m
