"""COUNTERS: what the link and the core have counted."""

from collections.abc import Sequence

from amaranth.hdl import Array, Module, Signal, ValueLike
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from spikeloom.host.protocol import COUNT_BYTES, LINK_COUNTS, Status
from spikeloom_hw.host.commands.ports import command_members


class CountersCommand(wiring.Component):
    """Tells the link's counts, then the core's.

    Args:
        counters: number of the core's counters.

    Members:
        refused, framing_errors, overruns, ignored: In(8), the link's counts.
        select: Out, number of a counter of the core.
        count: In, its value, a cycle later.
    """

    def __init__(self, counters: int) -> None:
        self.counters = counters
        super().__init__(
            {
                **command_members(),
                **{name: In(8) for name in LINK_COUNTS},
                "select": Out(range(max(2, counters))),
                "count": In(8 * COUNT_BYTES),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        answer = self.answer
        link: Sequence[ValueLike] = [getattr(self, name) for name in LINK_COUNTS]
        index = Signal(range(max(len(LINK_COUNTS), COUNT_BYTES)))
        with m.FSM(name="counters"):
            with m.State("PAYLOAD"):
                m.d.comb += self.payload.ready.eq(1)
                with m.If(self.payload.valid & self.payload.payload.end):
                    m.next = "LINK"
            with m.State("LINK"):
                m.d.comb += [answer.valid.eq(1), answer.payload.data.eq(Array(link)[index])]
                with m.If(answer.ready):
                    m.d.sync += index.eq(index + 1)
                    with m.If(index == len(LINK_COUNTS) - 1):
                        m.d.sync += index.eq(0)
                        m.next = "READ" if self.counters else "END"
            # A count goes on counting while it is told: all of its bytes are taken at once.
            count = Signal(8 * COUNT_BYTES)
            with m.State("READ"):
                m.next = "KEEP"
            with m.State("KEEP"):
                m.d.sync += count.eq(self.count)
                m.next = "COUNT"
            with m.State("COUNT"):
                m.d.comb += [
                    answer.valid.eq(1),
                    answer.payload.data.eq(count.word_select(index, 8)),
                ]
                with m.If(answer.ready):
                    m.d.sync += index.eq(index + 1)
                    with m.If(index == COUNT_BYTES - 1):
                        m.d.sync += [index.eq(0), self.select.eq(self.select + 1)]
                        m.next = "READ"
                        with m.If(self.select == self.counters - 1):
                            m.next = "END"
            with m.State("END"):
                m.d.comb += [
                    answer.valid.eq(1),
                    answer.payload.data.eq(Status.OK),
                    answer.payload.end.eq(1),
                ]
                with m.If(answer.ready):
                    m.d.sync += self.select.eq(0)
                    m.next = "PAYLOAD"
        return m
