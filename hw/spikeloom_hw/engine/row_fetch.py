"""From a row's number to the place of its words.

```
 cycle    0                  1                       2
 read ──► pointer memory ──► add up, drop empty ──► row
```

Pointers of later rows are read while a row before them is streamed, so rows follow each other
without a bubble. A row without words passes as a bubble of its own.
"""

from functools import reduce
from operator import add

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from spikeloom_hw.core.loadable_memory import ChunkLayout, LoadableMemory
from spikeloom_hw.core.memory_shape import CHUNK_BITS
from spikeloom_hw.engine.layouts import PlaceLayout, ReadLayout, RowLayout
from spikeloom_hw.engine.params import EngineParams


class RowFetch(wiring.Component):
    """Looks up the pointer of each row.

    Cycles: one a row, which leaves two cycles after it is taken.

    Members:
        reads: In, `ReadLayout`.
        rows: Out, `RowLayout`, never empty.
        busy: Out, a row is under way.
        load, chunk: of the pointer memory, as `LoadableMemory` has them.
    """

    def __init__(self, params: EngineParams) -> None:
        self.params = params
        self.pointers = LoadableMemory(params.memories["pointers"], init=[], loadable=True)
        chunk = ChunkLayout(self.pointers.shape.address_bits)
        super().__init__(
            {
                "reads": In(stream.Signature(ReadLayout(params))),
                "rows": Out(stream.Signature(RowLayout(params))),
                "busy": Out(1),
                "load": In(stream.Signature(chunk, always_ready=True)),
                "chunk": Out(CHUNK_BITS),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        params, shared = self.params, self.params.pointer_rows
        m.submodules.pointers = pointers = self.pointers
        wiring.connect(m, wiring.flipped(self.load), pointers.load)
        m.d.comb += self.chunk.eq(pointers.chunk)

        # Take a row whenever the one held is done with.
        share_bits = (shared - 1).bit_length()
        held = Signal()
        place = Signal(PlaceLayout(params))
        number = Signal(share_bits)
        empty, leave, advance = Signal(), Signal(), Signal()
        read = self.reads.payload
        m.d.comb += [
            advance.eq(~held | leave),
            self.reads.ready.eq(advance),
            pointers.enable.eq(advance),
            pointers.address.eq(read.row >> share_bits),
        ]
        with m.If(advance):
            m.d.sync += [
                held.eq(self.reads.valid),
                place.eq(read.place),
                number.eq(read.row[:share_bits]),
            ]

        # Rows lie one after another: a row begins behind those before it in its pointer word.
        counts = data.ArrayLayout(params.count_bits, shared)
        layout = data.StructLayout({"first": params.base_bits, "counts": counts})
        pointer = data.View(layout, pointers.data[: params.pointer_bits])
        count = Signal(params.count_bits)
        m.d.comb += count.eq(pointer.counts[number] if shared > 1 else pointer.counts[0])
        before = [Mux(number > row, pointer.counts[row], 0) for row in range(shared - 1)]
        m.d.comb += [
            empty.eq(count == 0),
            leave.eq(~self.rows.valid | self.rows.ready),
            self.busy.eq(held | self.rows.valid),
        ]
        with m.If(leave):
            m.d.sync += [
                self.rows.valid.eq(held & ~empty),
                self.rows.payload.first.eq(reduce(add, before, pointer.first)),
                self.rows.payload.count.eq(count),
                self.rows.payload.place.eq(place),
            ]
        return m
