"""From an event to the place of its row.

::

    events ──► pointer memory ──► rows
                    one event a cycle; empty rows end here

The pointer is read while the row before it is still being streamed, so rows follow each other
without a bubble. A row without words takes its cycle here and none of the weight memory's.
"""

from typing import Any

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from spikeloom_hw.core.layouts import PointerLayout, RowLayout
from spikeloom_hw.core.params import BLOCK_RAM, LEAST_DEPTH, LayerContents, LayerParams
from spikeloom_hw.events import EventLayout


class RowFetch(wiring.Component):
    """Looks up the pointer of each event's row; a STEP passes through in its place.

    An event whose address is no row of the layer is ignored.

    Cycles: one an event. A row leaves one cycle after its event is taken.

    Members:
        events: In, :class:`EventLayout`.
        rows: Out, :class:`RowLayout`, never empty.
    """

    def __init__(self, params: LayerParams, contents: LayerContents) -> None:
        self.params = params
        # Any, as amaranth-stubs knows nothing of constants of an aggregate shape.
        pointers: Any = [{"base": base, "count": count} for base, count in contents.pointers]
        self.pointers = Memory(
            shape=PointerLayout(params),
            depth=max(LEAST_DEPTH, params.inputs),
            init=pointers,
            attrs=BLOCK_RAM,
        )
        super().__init__(
            {
                "events": In(stream.Signature(EventLayout(params.address_bits))),
                "rows": Out(stream.Signature(RowLayout(params))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.pointers = self.pointers
        pointer = self.pointers.read_port()

        held = Signal()
        step = Signal()
        last = Signal()
        known = Signal()
        empty = Signal()
        advance = Signal()

        # Take an event whenever the one held is done with.
        m.d.comb += [
            advance.eq(~held | empty | self.rows.ready),
            self.events.ready.eq(advance),
            pointer.en.eq(advance),
            pointer.addr.eq(self.events.payload.address),
        ]
        with m.If(advance):
            m.d.sync += [
                held.eq(self.events.valid),
                step.eq(self.events.payload.step),
                last.eq(self.events.payload.last),
                known.eq(self.events.payload.address < self.params.inputs),
            ]

        # Hand on what has words, or ends a step.
        m.d.comb += [
            empty.eq(~step & (~known | (pointer.data.count == 0))),
            self.rows.valid.eq(held & ~empty),
            self.rows.payload.pointer.eq(pointer.data),
            Cat(self.rows.payload.step, self.rows.payload.last).eq(Cat(step, last)),
        ]
        return m
