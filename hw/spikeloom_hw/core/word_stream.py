"""From the place of a row to its words, one a cycle.

A row is taken in the very cycle in which the last word of the row before it is addressed, so the
weight memory is never idle while rows wait. After a STEP the reader holds until the neurons have
been updated, since accumulation and update share the membrane banks.
"""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from spikeloom.packing.words import unsigned_bits
from spikeloom_hw.core.layouts import RowLayout, SlotLayout, WordLayout
from spikeloom_hw.core.params import BLOCK_RAM, LayerContents, LayerParams


class WordStream(wiring.Component):
    """Reads the words of each row from the weight memory.

    Cycles: one a word. The first word leaves two cycles after its row is taken; a STEP likewise.

    Members:
        rows: In, :class:`RowLayout`.
        words: Out, :class:`WordLayout`, always taken.
        resume: In, the neurons are updated: rows are taken again from the next cycle.
    """

    def __init__(self, params: LayerParams, contents: LayerContents) -> None:
        self.params = params
        self.weights = Memory(
            shape=params.word_bits,
            depth=params.words,
            init=[_word_value(word, params) for word in contents.words],
            attrs=BLOCK_RAM,
        )
        super().__init__(
            {
                "rows": In(stream.Signature(RowLayout(params))),
                "words": Out(stream.Signature(WordLayout(params), always_ready=True)),
                "resume": In(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.weights = self.weights
        word = self.weights.read_port()

        address = Signal(unsigned_bits(self.params.words - 1))
        remaining = Signal(self.params.count_bits)
        first = Signal()
        step = Signal()
        last = Signal()
        updating = Signal()

        # Address one word a cycle; take the next row with the last word of this one.
        take = self.rows.ready & self.rows.valid
        m.d.comb += [
            word.addr.eq(address),
            self.rows.ready.eq((remaining <= 1) & ~step & ~updating),
        ]
        m.d.sync += [first.eq(take), step.eq(take & self.rows.payload.step)]
        with m.If(remaining != 0):
            m.d.sync += [address.eq(address + 1), remaining.eq(remaining - 1)]
        with m.If(take):
            m.d.sync += [
                address.eq(self.rows.payload.pointer.base),
                remaining.eq(Mux(self.rows.payload.step, 0, self.rows.payload.pointer.count)),
                last.eq(self.rows.payload.last),
            ]
        with m.If(step):
            m.d.sync += updating.eq(1)
        with m.Elif(self.resume):
            m.d.sync += updating.eq(0)

        # The word is there a cycle after its address.
        slots = data.ArrayLayout(SlotLayout(self.params), self.params.lanes)
        valid = Signal()
        m.d.sync += [
            valid.eq(step | (remaining != 0)),
            self.words.payload.first.eq(first),
            self.words.payload.step.eq(step),
            self.words.payload.last.eq(last),
        ]
        m.d.comb += [
            self.words.valid.eq(valid),
            self.words.payload.slots.eq(data.View(slots, word.data)),
        ]
        return m


def _word_value(word: tuple[tuple[int, int], ...], params: LayerParams) -> int:
    slot_bits = params.index_bits + params.weight_bits
    mask = (1 << params.weight_bits) - 1
    value = 0
    for lane, (index, weight) in enumerate(word):
        value |= (index | (weight & mask) << params.index_bits) << lane * slot_bits
    return value
