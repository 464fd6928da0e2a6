"""Where the samples are: on their way into the core, in it, or through."""

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from spikeloom.host.protocol import SAMPLES
from spikeloom_hw.events import EventLayout


class SampleGate(wiring.Component):
    """Passes events on to the core, and ends the sample that is given up.

    A reset of the hardware may leave the core in the middle of a sample: until a step has passed,
    what is given up is that one, and its end takes two steps, as :class:`SpikingCore` asks for.

    Args:
        event: layout of the events.

    Members:
        input: In, stream of `event`.
        output: Out, stream of `event`.
        told: In, a sample's last score has left the core.
        give_up: In, end the sample whose last step has not come; no events are taken meanwhile.
        waiting: Out, samples are in the core.
        rest: Out, no sample is in the core, nor begun, nor to be given up.
    """

    def __init__(self, event: EventLayout) -> None:
        super().__init__(
            {
                "input": In(stream.Signature(event)),
                "output": Out(stream.Signature(event)),
                "told": In(1),
                "give_up": In(1),
                "waiting": Out(1),
                "rest": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        begun = Signal()
        unclean = Signal(init=1)
        inside = Signal(range(SAMPLES))
        with m.If(self.give_up):
            m.d.comb += [
                self.output.valid.eq(begun | unclean),
                self.output.payload.step.eq(1),
                self.output.payload.last.eq(~unclean),
            ]
        with m.Else():
            wiring.connect(m, wiring.flipped(self.input), wiring.flipped(self.output))
        ends = self.output.payload.step & self.output.payload.last
        sent = Signal()
        m.d.comb += sent.eq(self.output.valid & self.output.ready)
        with m.If(sent):
            m.d.sync += [begun.eq(~ends), unclean.eq(unclean & ~self.output.payload.step)]
        m.d.sync += inside.eq(inside + (sent & ends) - self.told)
        m.d.comb += [
            self.waiting.eq(inside != 0),
            self.rest.eq(~begun & (inside == 0) & ~(self.give_up & unclean)),
        ]
        return m
