"""From the last layer's groups to scores and a class."""

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from spikeloom_hw.core.layouts import GroupLayout
from spikeloom_hw.core.memory_shape import BLOCK_RAM
from spikeloom_hw.core.params import LayerParams
from spikeloom_hw.core.write_port import write_port
from spikeloom_hw.events import ScoreLayout


class Readout(wiring.Component):
    """Keeps a score for each output neuron and tells them all after the last step.

    The score is the membrane after the last step, or the number of spikes in all steps. Scores
    are told in the order of neurons, with the best so far, so that the last one names the class.

    Cycles: one a score; the first follows four cycles behind the last group.

    Members:
        groups: In, :class:`GroupLayout`, always taken; none may come while ``busy``.
        busy: Out, scores are being told.
        scores: Out, :class:`ScoreLayout`.
    """

    def __init__(
        self, params: LayerParams, *, count: bool, score_bits: int, label_bits: int
    ) -> None:
        self.params = params
        self.count = count
        self.score_bits = score_bits
        self.label_bits = label_bits
        super().__init__(
            {
                "groups": In(stream.Signature(GroupLayout(params), always_ready=True)),
                "busy": Out(1),
                "scores": Out(stream.Signature(ScoreLayout(score_bits, label_bits))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        lane_scores = data.ArrayLayout(signed(self.score_bits), self.params.lanes)
        m.submodules.kept = kept = Memory(
            shape=lane_scores, depth=self.params.bank_depth, init=[], attrs=BLOCK_RAM
        )
        read = kept.read_port()
        write = write_port(m, kept)

        # A group's scores are read as it passes, and written a cycle later.
        group = self.groups.payload
        passing = Signal(GroupLayout(self.params))
        writing = Signal()
        fresh = Signal(init=1)
        m.d.sync += [writing.eq(self.groups.valid), passing.eq(group)]
        m.d.comb += [write.en.eq(writing), write.addr.eq(passing.group)]
        for lane in range(self.params.lanes):
            if self.count:
                before = Mux(fresh, 0, read.data[lane])
                m.d.comb += write.data[lane].eq(before + passing.spikes[lane])
            else:
                m.d.comb += write.data[lane].eq(passing.membranes[lane])
        with m.If(writing & passing.end):
            m.d.sync += fresh.eq(passing.last)

        # Walk the output neurons; the read port holds its word while a score waits.
        neuron = Signal(self.label_bits)
        asking = Signal()
        held = Signal()
        told = Signal.like(neuron)
        advance = Signal()
        leave = Signal()
        m.d.comb += [
            leave.eq(~self.scores.valid | self.scores.ready),
            advance.eq(~held | leave),
            read.en.eq(advance | self.groups.valid),
            read.addr.eq(Mux(self.groups.valid, group.group, neuron >> self.params.lane_bits)),
            self.busy.eq(asking | held | self.scores.valid),
        ]
        final = neuron == self.params.neurons - 1
        with m.If(advance):
            m.d.sync += [held.eq(asking), told.eq(neuron)]
        with m.If(advance & asking):
            m.d.sync += [neuron.eq(Mux(final, 0, neuron + 1)), asking.eq(~final)]
        with m.If(writing & passing.end & passing.last):
            m.d.sync += asking.eq(1)

        # Tell the score and the best so far.
        lane_bits = self.params.lane_bits
        value = Signal(signed(self.score_bits))
        telling = Signal.like(neuron)
        best_value = Signal(signed(self.score_bits))
        best = Signal(self.label_bits)
        better = (telling == 0) | (value > best_value)
        with m.If(leave):
            m.d.sync += [
                self.scores.valid.eq(held),
                value.eq(read.data[told[:lane_bits]] if lane_bits else read.data[0]),
                telling.eq(told),
            ]
        m.d.comb += [
            self.scores.payload.value.eq(value),
            self.scores.payload.best.eq(Mux(better, telling, best)),
            self.scores.payload.last.eq(telling == self.params.neurons - 1),
        ]
        with m.If(self.scores.valid & self.scores.ready & better):
            m.d.sync += [best_value.eq(value), best.eq(telling)]
        return m
