"""From groups of neurons to single events for the next layer.

A step's spikes wait here as bit masks, one entry for a group that spiked, while the next layer
takes them one at a time; meanwhile this layer goes on. There is room for several steps, so that a
step of many spikes does not hold this layer up; a walk begins only when all of its groups have
room, so the queue can not overflow.
"""

from amaranth.hdl import Cat, Module, Mux, Signal, ValueLike
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from spikeloom_hw.core.layouts import GroupLayout, SpikesLayout
from spikeloom_hw.core.memory_shape import BLOCK_RAM
from spikeloom_hw.core.params import LayerParams
from spikeloom_hw.core.write_port import write_port
from spikeloom_hw.events import EventLayout


class SpikeQueue(wiring.Component):
    """Sends the spikes of each step, lowest lane of a group first, then the STEP.

    Cycles: one an event.

    Members:
        groups: In, :class:`GroupLayout`, always taken.
        full: Out, there is no room for every group of a step.
        events: Out, :class:`EventLayout`.
    """

    def __init__(self, params: LayerParams) -> None:
        self.params = params
        super().__init__(
            {
                "groups": In(stream.Signature(GroupLayout(params), always_ready=True)),
                "full": Out(1),
                "events": Out(stream.Signature(EventLayout(params.spike_bits))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        layout = SpikesLayout(self.params)

        # A group without spikes takes no place, unless it ends the step.
        depth = self.params.queue_depth
        m.submodules.queue = queue = Memory(shape=layout, depth=depth, init=[], attrs=BLOCK_RAM)
        group = self.groups.payload
        write = write_port(m, queue)
        push = self.groups.valid & (group.spikes.any() | group.end)
        newest = Signal(range(depth))
        m.d.comb += [
            write.en.eq(push),
            write.addr.eq(newest),
            write.data.group.eq(group.group),
            write.data.spikes.eq(group.spikes),
            write.data.end.eq(group.end),
            write.data.last.eq(group.last),
        ]
        with m.If(push):
            m.d.sync += newest.eq(_next(newest, depth))

        # The oldest entry moves to the read port's output, and waits there.
        read = queue.read_port()
        oldest = Signal.like(newest)
        stored = Signal(range(depth + 1))
        shown = Signal()
        pop = Signal()
        fetch = (stored != 0) & (~shown | pop)
        m.d.comb += [read.en.eq(fetch), read.addr.eq(oldest)]
        m.d.comb += self.full.eq(stored > depth - self.params.groups)
        m.d.sync += stored.eq(stored + push - fetch)
        with m.If(fetch):
            m.d.sync += [oldest.eq(_next(oldest, depth)), shown.eq(1)]
        with m.Elif(pop):
            m.d.sync += shown.eq(0)

        # Send the lowest spike; when none is left, the STEP.
        held = Signal()
        sending = Signal(layout)
        lane = Signal(max(1, self.params.lane_bits))
        others = sending.spikes & (sending.spikes - 1)
        is_step = ~sending.spikes.any()
        final = Mux(sending.end, is_step, ~others.any())
        with m.Switch(sending.spikes):
            for number in range(self.params.lanes):
                pattern = "-" * (self.params.lanes - 1 - number) + "1" + "0" * number
                with m.Case(pattern):
                    m.d.comb += lane.eq(number)
        m.d.comb += [
            self.events.valid.eq(held),
            self.events.payload.step.eq(is_step),
            self.events.payload.last.eq(is_step & sending.last),
        ]
        with m.If(~is_step):
            lane_bits = self.params.lane_bits
            m.d.comb += self.events.payload.address.eq(Cat(lane[:lane_bits], sending.group))

        # Take the next entry as the last event of this one leaves.
        m.d.comb += pop.eq(~held | (final & self.events.ready))
        with m.If(pop):
            m.d.sync += [held.eq(shown), sending.eq(read.data)]
        with m.Elif(self.events.ready):
            m.d.sync += sending.spikes.eq(others)
        return m


def _next(place: Signal, places: int) -> ValueLike:
    return Mux(place == places - 1, 0, place + 1)
