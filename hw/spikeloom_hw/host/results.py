"""Keeps the results of the last two samples, so that a lost answer can be asked for again."""

from typing import Any

from amaranth.hdl import Array, Cat, Module, Signal, signed
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from spikeloom.host.protocol import SAMPLES, SCORE_BYTES
from spikeloom_hw.core.memory_shape import BLOCK_RAM
from spikeloom_hw.core.write_port import write_port
from spikeloom_hw.events import ScoreLayout

KEPT = 2


class ResultStore(wiring.Component):
    """The core never waits for it: the older result gives way to the one that comes.

    Args:
        score: layout of the core's scores.

    Members:
        scores: In, stream of `score`, always taken.
        told: Out, a sample's last score is taken.
        forget: In, the next sample is number 0, and nothing is kept.
        complete: Out(8), number of the next sample to be complete.
        sample: In(8), number of a sample.
        kept: Out, that sample's result is kept.
        label: Out, its class.
        output: In, number of an output neuron.
        value: Out, signed, its score of that sample, a cycle later.
        shown: Out, class of the last sample, for the eye.
    """

    def __init__(self, score: ScoreLayout) -> None:
        self.score = score
        super().__init__(
            {
                "scores": In(stream.Signature(score, always_ready=True)),
                "told": Out(1),
                "forget": In(1),
                "complete": Out(range(SAMPLES)),
                "sample": In(range(SAMPLES)),
                "kept": Out(1),
                "label": Out(score.label_bits),
                "output": In(score.label_bits),
                "value": Out(signed(8 * SCORE_BYTES)),
                "shown": Out(score.label_bits),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        depth = KEPT << self.score.label_bits
        m.submodules.values = values = Memory(
            shape=signed(self.score.score_bits), depth=depth, init=[], attrs=BLOCK_RAM
        )
        write: Any = write_port(m, values)
        read: Any = values.read_port()
        labels = Array(Signal(self.score.label_bits, name=f"label_{at}") for at in range(KEPT))
        count = Signal(range(KEPT + 1))
        output = Signal(self.score.label_bits)
        beat = self.scores.payload
        m.d.comb += [
            write.addr.eq(Cat(output, self.complete[0])),
            write.data.eq(beat.value),
            write.en.eq(self.scores.valid),
            self.told.eq(self.scores.valid & beat.last),
        ]
        with m.If(self.scores.valid):
            m.d.sync += output.eq(output + 1)
        with m.If(self.told):
            m.d.sync += [
                output.eq(0),
                labels[self.complete[0]].eq(beat.best),
                self.shown.eq(beat.best),
                self.complete.eq(self.complete + 1),
                count.eq(count + (count != KEPT)),
            ]
        with m.If(self.forget):
            m.d.sync += [self.complete.eq(0), count.eq(0)]

        before = Signal(range(SAMPLES))
        m.d.comb += [
            before.eq(self.complete - self.sample),
            self.kept.eq((before != 0) & (before <= count)),
            self.label.eq(labels[self.sample[0]]),
            read.addr.eq(Cat(self.output, self.sample[0])),
            self.value.eq(read.data),
        ]
        return m
