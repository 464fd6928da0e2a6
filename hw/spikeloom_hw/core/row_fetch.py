"""From an event to the place of its row.

::

    cycle     0                  1                       2
    event ──► pointer memory ──► add up, drop empty ──► row

The pointers of later rows are read while a row before them is still being streamed, so rows follow
each other without a bubble. A row without words passes as a bubble of its own, which costs nothing
behind a row of two words or more. That it is empty is known too late in the cycle to let the next
event in at once: pointer memories have slow outputs.
"""

from functools import reduce
from operator import add

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from spikeloom_hw.core.layouts import PointerLayout, RowLayout
from spikeloom_hw.core.loadable_memory import ChunkLayout, LoadableMemory
from spikeloom_hw.core.memory_shape import CHUNK_BITS
from spikeloom_hw.core.params import LayerContents, LayerParams
from spikeloom_hw.events import EventLayout


class RowFetch(wiring.Component):
    """Looks up the pointer of each event's row; a STEP passes through in its place.

    An event whose address is no row of the layer is ignored.

    Cycles: one an event. A row leaves two cycles after its event is taken.

    Members:
        events: In, :class:`EventLayout`.
        rows: Out, :class:`RowLayout`, never empty.
        load: In, :class:`ChunkLayout` of the pointer memory, when ``params.loadable``.
        chunk: Out, what a look found in it, a cycle later.
    """

    def __init__(self, params: LayerParams, contents: LayerContents) -> None:
        self.params = params
        self.pointers = LoadableMemory(
            params.pointer_memory, init=pointer_words(params, contents), loadable=params.loadable
        )
        members = {
            "events": In(stream.Signature(EventLayout(params.address_bits))),
            "rows": Out(stream.Signature(RowLayout(params))),
        }
        if params.loadable:
            chunk = ChunkLayout(self.pointers.shape.address_bits)
            members["load"] = In(stream.Signature(chunk, always_ready=True))
            members["chunk"] = Out(CHUNK_BITS)
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        params = self.params
        m.submodules.pointers = pointers = self.pointers
        if params.loadable:
            wiring.connect(m, wiring.flipped(self.load), pointers.load)
            m.d.comb += self.chunk.eq(pointers.chunk)

        # Take an event whenever the one held is done with.
        held = Signal()
        step = Signal()
        last = Signal()
        known = Signal()
        number = Signal(params.row_bits)
        empty = Signal()
        leave = Signal()
        advance = Signal()
        event = self.events.payload
        m.d.comb += [
            advance.eq(~held | leave),
            self.events.ready.eq(advance),
            pointers.enable.eq(advance),
            pointers.address.eq(event.address >> params.row_bits),
        ]
        with m.If(advance):
            m.d.sync += [
                held.eq(self.events.valid),
                step.eq(event.step),
                last.eq(event.last),
                known.eq(event.address < params.inputs),
                number.eq(event.address),
            ]

        # Rows lie one after another: a row begins behind those before it in its pointer word.
        pointer = data.View(PointerLayout(params), pointers.data)
        rows = params.pointer_rows
        count = Signal(params.count_bits)
        m.d.comb += count.eq(pointer.counts[number] if rows > 1 else pointer.counts[0])
        before = [Mux(number > row, pointer.counts[row], 0) for row in range(rows - 1)]
        base = reduce(add, before, pointer.base)

        # Hand on what has words, or ends a step.
        m.d.comb += [
            empty.eq(~step & (~known | (count == 0))),
            leave.eq(~self.rows.valid | self.rows.ready),
        ]
        with m.If(leave):
            m.d.sync += [
                self.rows.valid.eq(held & ~empty),
                self.rows.payload.base.eq(base << params.granule_bits),
                self.rows.payload.count.eq(count << params.granule_bits),
                self.rows.payload.step.eq(step),
                self.rows.payload.last.eq(last),
            ]
        return m


def pointer_words(params: LayerParams, contents: LayerContents) -> list[int]:
    """The contents of a layer's pointer memory."""
    words, base = [], 0
    for at in range(0, len(contents.counts), params.pointer_rows):
        counts = contents.counts[at : at + params.pointer_rows]
        word = base // params.granule
        for row, count in enumerate(counts):
            word |= count // params.granule << params.base_bits + row * params.count_bits
        words.append(word)
        base += sum(counts)
    return words
