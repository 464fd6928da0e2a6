"""RESULT: the class and the scores of a sample."""

from amaranth.hdl import Cat, Module, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from spikeloom.host.protocol import SAMPLES, SCORE_BYTES, SCORES_IN_RESULT, Status
from spikeloom_hw.host.commands.ports import command_members

_ARGUMENTS = 3


class ResultCommand(wiring.Component):
    """Waits for the sample that is in the core, and tells what the store has of it.

    Args:
        outputs: scores of a sample.
        label_bits: width of a class.

    Members:
        complete: In(8), number of the next sample to be complete.
        waiting: In, a sample is in the core.
        sample: Out(8), the sample that was asked for.
        kept: In, its result is there.
        label: In, its class.
        output: Out, number of an output neuron.
        value: In, signed, its score, a cycle later.
    """

    def __init__(self, *, outputs: int, label_bits: int) -> None:
        self.outputs = outputs
        super().__init__(
            {
                **command_members(),
                "complete": In(range(SAMPLES)),
                "waiting": In(1),
                "sample": Out(range(SAMPLES)),
                "kept": In(1),
                "label": In(label_bits),
                "output": Out(label_bits),
                "value": In(signed(8 * SCORE_BYTES)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        payload, answer = self.payload.payload, self.answer
        first, more = Signal(8), Signal(8)
        taken = Signal(range(_ARGUMENTS + 2))
        byte = Signal(range(SCORE_BYTES))
        status = Signal(8)
        arguments = Cat(self.sample, first, more)
        m.d.comb += self.output.eq(first)
        with m.FSM(name="result"):
            with m.State("ARGUMENTS"):
                m.d.comb += self.payload.ready.eq(1)
                with m.If(self.payload.valid & ~payload.end):
                    m.d.sync += [
                        arguments.eq(Cat(arguments[8:], payload.data)),
                        taken.eq(taken + (taken <= _ARGUMENTS)),
                    ]
                with m.If(self.payload.valid & payload.end):
                    m.next = "CHECK"
            with m.State("CHECK"):
                m.d.sync += [taken.eq(0), status.eq(Status.OK)]
                m.next = "WAIT"
                beyond = first + more >= self.outputs
                with m.If((taken != _ARGUMENTS) | beyond | (more >= SCORES_IN_RESULT)):
                    m.d.sync += status.eq(Status.MALFORMED)
                    m.next = "END"
            with m.State("WAIT"):
                with m.If(self.kept):
                    m.next = "LABEL"
                with m.Elif(~self.waiting | (self.sample != self.complete)):
                    m.d.sync += status.eq(Status.UNAVAILABLE)
                    m.next = "END"
            with m.State("LABEL"):
                m.d.comb += [answer.valid.eq(1), answer.payload.data.eq(self.label)]
                with m.If(answer.ready):
                    m.next = "SCORE"
            with m.State("SCORE"):
                m.d.comb += [
                    answer.valid.eq(1),
                    answer.payload.data.eq(self.value.as_unsigned().word_select(byte, 8)),
                ]
                with m.If(answer.ready):
                    m.d.sync += byte.eq(byte + 1)
                    with m.If(byte == SCORE_BYTES - 1):
                        m.d.sync += [first.eq(first + 1), more.eq(more - 1)]
                        m.next = "READ"
                        with m.If(more == 0):
                            m.next = "END"
            with m.State("READ"):
                m.next = "SCORE"
            with m.State("END"):
                m.d.comb += [
                    answer.valid.eq(1),
                    answer.payload.data.eq(status),
                    answer.payload.end.eq(1),
                ]
                with m.If(answer.ready):
                    m.next = "ARGUMENTS"
        return m
