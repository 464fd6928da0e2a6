"""From groups of neurons to single events for the next layer.

A step's spikes wait here as bit masks, one entry for a group that spiked, while the next layer
takes them one at a time; meanwhile this layer goes on with the next step. The queue has room for
every group of one step, and a walk begins only when it is empty, so it can not overflow.
"""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.fifo import SyncFIFOBuffered
from amaranth.lib.wiring import In, Out

from spikeloom_hw.core.layouts import GroupLayout, SpikesLayout
from spikeloom_hw.core.params import LayerParams
from spikeloom_hw.events import EventLayout


class SpikeQueue(wiring.Component):
    """Sends the spikes of each step, lowest lane of a group first, then the STEP.

    Cycles: one an event.

    Members:
        groups: In, :class:`GroupLayout`, always taken.
        waiting: Out, entries are waiting.
        events: Out, :class:`EventLayout`.
    """

    def __init__(self, params: LayerParams) -> None:
        self.params = params
        super().__init__(
            {
                "groups": In(stream.Signature(GroupLayout(params), always_ready=True)),
                "waiting": Out(1),
                "events": Out(stream.Signature(EventLayout(params.spike_bits))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        layout = SpikesLayout(self.params)

        # A group without spikes takes no place, unless it ends the step. The queue counts as full
        # while its only entry moves to the output register: hence one place more than groups.
        m.submodules.queue = queue = SyncFIFOBuffered(
            width=layout.size, depth=self.params.bank_depth + 1
        )
        entry = Signal(layout)
        group = self.groups.payload
        m.d.comb += [
            entry.group.eq(group.group),
            entry.spikes.eq(group.spikes),
            entry.end.eq(group.end),
            entry.last.eq(group.last),
            queue.w_data.eq(entry),
            queue.w_en.eq(self.groups.valid & (group.spikes.any() | group.end)),
            self.waiting.eq(queue.level != 0),
        ]

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
        m.d.comb += queue.r_en.eq(~held | (final & self.events.ready))
        with m.If(queue.r_en):
            m.d.sync += [held.eq(queue.r_rdy), sending.eq(queue.r_data)]
        with m.Elif(self.events.ready):
            m.d.sync += sending.spikes.eq(others)
        return m
