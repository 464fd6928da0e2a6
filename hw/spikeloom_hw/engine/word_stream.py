"""From the place of a row to its words, one a cycle.

A row is taken in the very cycle in which the last word of the row before it is addressed, so the
weight memory is never idle while rows wait.
"""

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from spikeloom_hw.core.loadable_memory import ChunkLayout, LoadableMemory
from spikeloom_hw.core.memory_shape import CHUNK_BITS
from spikeloom_hw.engine.layouts import PlaceLayout, RowLayout, WordLayout
from spikeloom_hw.engine.params import EngineParams


class WordStream(wiring.Component):
    """Reads the words of each row from the weight memory.

    Cycles: one a word. The first word leaves three cycles after its row is taken.

    Args:
        params: of the engine.
        single_port: the weights lie in the single-port RAMs of the device.

    Members:
        rows: In, `RowLayout`.
        words: Out, `WordLayout`, always taken.
        busy: Out, words are under way.
        load, chunk: of the weight memory, as `LoadableMemory` has them.
    """

    def __init__(self, params: EngineParams, *, single_port: bool = False) -> None:
        self.params = params
        self.weights = LoadableMemory(
            params.memories["weights"], init=[], loadable=True, single_port=single_port
        )
        chunk = ChunkLayout(self.weights.shape.address_bits)
        super().__init__(
            {
                "rows": In(stream.Signature(RowLayout(params))),
                "words": Out(stream.Signature(WordLayout(params), always_ready=True)),
                "busy": Out(1),
                "load": In(stream.Signature(chunk, always_ready=True)),
                "chunk": Out(CHUNK_BITS),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        params = self.params
        m.submodules.weights = weights = self.weights
        wiring.connect(m, wiring.flipped(self.load), weights.load)
        m.d.comb += self.chunk.eq(weights.chunk)

        # Address one word a cycle; take the next row with the last word of this one.
        address = Signal(params.base_bits)
        remaining = Signal(params.count_bits)
        place = Signal(PlaceLayout(params))
        first = Signal()
        take = self.rows.ready & self.rows.valid
        m.d.comb += [
            weights.enable.eq(1),
            weights.address.eq(address),
            self.rows.ready.eq(remaining <= 1),
        ]
        m.d.sync += first.eq(take)
        with m.If(remaining != 0):
            m.d.sync += [address.eq(address + 1), remaining.eq(remaining - 1)]
        with m.If(take):
            m.d.sync += [
                address.eq(self.rows.payload.first),
                remaining.eq(self.rows.payload.count),
                place.eq(self.rows.payload.place),
            ]

        # The word is there a cycle after its address; a register stands behind slow outputs.
        valid = Signal()
        reading_first = Signal()
        reading_place = Signal(PlaceLayout(params))
        m.d.sync += [
            valid.eq(remaining != 0),
            reading_first.eq(first),
            reading_place.eq(place),
            self.words.valid.eq(valid),
            self.words.payload.first.eq(reading_first),
            self.words.payload.place.eq(reading_place),
            self.words.payload.slots.eq(weights.data[: params.word_bits]),
        ]
        m.d.comb += self.busy.eq((remaining != 0) | valid | self.words.valid)
        return m
