"""EVENTS: words of sixteen bits to spikes and ends of steps."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import Out

from spikeloom.host.protocol import LAST_STEP, STEP, Status
from spikeloom_hw.events import EventLayout
from spikeloom_hw.host.commands.ports import command_members


class EventsCommand(wiring.Component):
    """Sends each word's event; skips a word that means none, and says so in the status.

    Args:
        event: layout of the events.
        inputs: number of addresses the network has.

    Members:
        events: Out, stream of `event`.
        ignored: Out, a word is skipped in this cycle.
    """

    def __init__(self, *, event: EventLayout, inputs: int) -> None:
        self.inputs = inputs
        super().__init__(
            {**command_members(), "events": Out(stream.Signature(event)), "ignored": Out(1)}
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        word = Signal(16)
        malformed = Signal()
        payload = self.payload.payload
        m.d.comb += [
            self.events.payload.address.eq(Mux(word[-1], 0, word)),
            self.events.payload.step.eq(word[-1]),
            self.events.payload.last.eq(word[-1] & word[0]),
            self.answer.payload.data.eq(Mux(malformed, Status.MALFORMED, Status.OK)),
            self.answer.payload.end.eq(1),
        ]
        with m.FSM(name="events"):
            for state, half, following in (("LOW", 0, "HIGH"), ("HIGH", 1, "MEANING")):
                with m.State(state):
                    m.d.comb += self.payload.ready.eq(1)
                    with m.If(self.payload.valid):
                        m.d.sync += word.word_select(half, 8).eq(payload.data)
                        m.next = following
                        with m.If(payload.end):
                            m.d.sync += malformed.eq(malformed | half)
                            m.next = "END"
            with m.State("MEANING"):
                m.next = "SEND"
                with m.If(~((word < self.inputs) | (word == STEP) | (word == LAST_STEP))):
                    m.d.sync += malformed.eq(1)
                    m.d.comb += self.ignored.eq(1)
                    m.next = "LOW"
            with m.State("SEND"):
                m.d.comb += self.events.valid.eq(1)
                with m.If(self.events.ready):
                    m.next = "LOW"
            with m.State("END"):
                m.d.comb += self.answer.valid.eq(1)
                with m.If(self.answer.ready):
                    m.d.sync += malformed.eq(0)
                    m.next = "LOW"
        return m
