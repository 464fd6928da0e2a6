"""From the place of a row to its words, one a cycle.

A row is taken in the very cycle in which the last word of the row before it is addressed, so the
weight memory is never idle while rows wait. Where accumulation and update share the membrane
banks, the reader holds after a STEP until the neurons have been updated; where they are apart, only
the next STEP has to wait for that.
"""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from spikeloom_hw.core.layouts import RowLayout, SlotLayout, WordLayout
from spikeloom_hw.core.loadable_memory import ChunkLayout, LoadableMemory
from spikeloom_hw.core.memory_shape import CHUNK_BITS
from spikeloom_hw.core.params import LayerContents, LayerParams


class WordStream(wiring.Component):
    """Reads the words of each row from the weight memory.

    Cycles: one a word. The first word leaves three cycles after its row is taken; a STEP likewise.

    Members:
        rows: In, :class:`RowLayout`.
        words: Out, :class:`WordLayout`, always taken.
        resume: In, the neurons are updated: rows are taken again from the next cycle.
        stalled: Out, what comes next waits for the update.
        load: In, :class:`ChunkLayout` of the weight memory, when ``params.loadable``.
        chunk: Out, what a look found in it, a cycle later.
    """

    def __init__(self, params: LayerParams, contents: LayerContents) -> None:
        self.params = params
        self.weights = LoadableMemory(
            params.weight_memory,
            init=weight_words(params, contents),
            loadable=params.loadable,
            single_port=params.single_port,
            spill_bits=params.spill_bits,
        )
        members = {
            "rows": In(stream.Signature(RowLayout(params))),
            "words": Out(stream.Signature(WordLayout(params), always_ready=True)),
            "resume": In(1),
            "stalled": Out(1),
        }
        if params.loadable:
            chunk = ChunkLayout(self.weights.shape.address_bits)
            members["load"] = In(stream.Signature(chunk, always_ready=True))
            members["chunk"] = Out(CHUNK_BITS)
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.weights = weights = self.weights
        if self.params.loadable:
            wiring.connect(m, wiring.flipped(self.load), weights.load)
            m.d.comb += self.chunk.eq(weights.chunk)

        address = Signal(self.params.first_word_bits)
        remaining = Signal(self.params.row_word_bits)
        first = Signal()
        block = Signal(self.params.block_bits)
        step = Signal()
        last = Signal()
        updating = Signal()
        waits = Signal()

        # Address one word a cycle; take the next row with the last word of this one.
        take = self.rows.ready & self.rows.valid
        m.d.comb += [
            weights.enable.eq(1),
            weights.address.eq(address),
            self.rows.ready.eq((remaining <= 1) & ~waits),
        ]
        if self.params.overlapped:
            next_step = self.rows.valid & self.rows.payload.step
            m.d.comb += [
                waits.eq(self.rows.payload.step & (step | updating)),
                self.stalled.eq(updating & next_step & (remaining == 0)),
            ]
        else:
            m.d.comb += [waits.eq(step | updating), self.stalled.eq(updating)]
        m.d.sync += [first.eq(take), step.eq(take & self.rows.payload.step)]
        with m.If(remaining != 0):
            m.d.sync += [
                address.eq(address + 1),
                remaining.eq(remaining - 1),
                block.eq(block + 1),
            ]
        with m.If(take):
            m.d.sync += [
                address.eq(self.rows.payload.base),
                remaining.eq(Mux(self.rows.payload.step, 0, self.rows.payload.count)),
                block.eq(0),
                last.eq(self.rows.payload.last),
            ]
        with m.If(step):
            m.d.sync += updating.eq(1)
        with m.Elif(self.resume):
            m.d.sync += updating.eq(0)

        # The word is there a cycle after its address. Wide memories have slow outputs: a register
        # stands behind them.
        slots = data.ArrayLayout(SlotLayout(self.params), self.params.lanes)
        reading = Signal(WordLayout(self.params))
        valid = Signal()
        m.d.sync += [
            valid.eq(step | (remaining != 0)),
            reading.first.eq(first),
            reading.block.eq(block),
            reading.step.eq(step),
            reading.last.eq(last),
        ]
        m.d.comb += reading.slots.eq(data.View(slots, weights.data))
        m.d.sync += [self.words.valid.eq(valid), self.words.payload.eq(reading)]
        return m


def weight_words(params: LayerParams, contents: LayerContents) -> list[int]:
    """The contents of a layer's weight memory."""
    mask = (1 << params.weight_bits) - 1
    values = []
    for word in contents.words:
        value = 0
        for lane, (index, weight) in enumerate(word):
            slot = index | (weight & mask) << params.index_bits
            value |= slot << lane * params.slot_bits
        values.append(value)
    return values
