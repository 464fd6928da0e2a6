"""The end of a population's step: every neuron is updated, L of them a cycle.

Groups of channels are walked one after another, each over all places of the map, so that the
parameters of a group are shifted into the lanes once. Neurons with a current take two cycles: the
banks show a state a cycle.

```
 table ─► parameters of L lanes ──┐
 address ─► banks ─► NeuronLane ×L ─► banks, seven cycles later
                          └─► spikes ─► map, summary
```
"""

import itertools

from amaranth.hdl import Cat, Const, Module, Mux, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from spikeloom_hw.core.layouts import UpdatedLayout
from spikeloom_hw.engine.banks import bank_shape
from spikeloom_hw.engine.layouts import SettingsLayout, TraceLayout, WordWrite
from spikeloom_hw.engine.neuron_lane import (
    CURRENT_LEAD,
    LATENCY,
    SHOWN,
    NeuronLane,
    TokenLayout,
)
from spikeloom_hw.engine.params import LANE_PARAMETERS, LINE_WORDS, EngineParams


class Sweep(wiring.Component):
    """Walks a population.

    Members:
        settings: In.
        start: In, begin in the next cycle.
        map_first, summary_first: In, first words of the map and of the summary that are written.
        busy: Out, from the cycle behind `start` until everything is written.
        clear: In, states to be written are 0 from the next cycle on.
        broadcast: In, a register of parameters is loaded for all lanes: its number, in the order of
            `LANE_PARAMETERS`, and the value.
        table_address, table_word: the read port of the program memory.
        scan: Out, the state to read.
        states: In, what the banks show, a cycle later.
        updated: Out, a state to be written, one a lane.
        map_write, summary_write: Out, words to be stored.
        trace: Out, `TraceLayout`, whatever is updated.
    """

    def __init__(self, params: EngineParams) -> None:
        self.params = params
        wide = signed(params.state_bits)
        updated = stream.Signature(UpdatedLayout(bank_shape(params)), always_ready=True)
        words = WordWrite(params.map_address_bits, params.lanes)
        summaries = WordWrite(params.summary_address_bits, LINE_WORDS)
        super().__init__(
            {
                "settings": In(SettingsLayout(params)),
                "start": In(1),
                "map_first": In(params.map_address_bits),
                "summary_first": In(params.summary_address_bits),
                "busy": Out(1),
                "clear": In(1),
                "broadcast": In(
                    stream.Signature(
                        data.StructLayout({"parameter": 3, "value": wide}), always_ready=True
                    )
                ),
                "table_address": Out(params.program_address_bits),
                "table_word": In(params.program_bits),
                "scan": Out(params.state_address_bits),
                "states": In(wide).array(params.lanes),
                "updated": Out(updated).array(params.lanes),
                "map_write": Out(stream.Signature(words, always_ready=True)),
                "summary_write": Out(stream.Signature(summaries, always_ready=True)),
                "trace": Out(stream.Signature(TraceLayout(params), always_ready=True)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        params, settings = self.params, self.settings
        token = TokenLayout(params)
        stages = [Signal(token, name=f"stage_{cycle}") for cycle in range(LATENCY + 1)]
        for before, after in itertools.pairwise(stages):
            m.d.sync += after.eq(before)
        two = settings.neuron.two if params.currents else Const(0, 1)
        table = settings.table_kind

        # Where the walk is.
        plane = Signal(6)
        group = Signal(params.size_bits)
        y, x = Signal(min(8, params.size_bits)), Signal(params.size_bits)
        line, address = Signal(params.state_address_bits), Signal(params.state_address_bits)
        group_first = Signal(params.state_address_bits)
        end_x = x == settings.target_size.width
        end_y = end_x & (y == settings.target_size.height)
        end_group = end_y & (group == settings.target_groups.groups)
        relay_planes = Mux(settings.neuron.relay, settings.out_kind.planes, 0)
        end_plane = end_group & (plane == relay_planes)
        issue, turn = Signal(), Signal()
        membrane = stages[CURRENT_LEAD]
        m.d.comb += [
            self.scan.eq(stages[0].address),
            stages[0].valid.eq(issue),
            stages[0].current.eq(two),
            stages[0].first.eq(plane == 0),
            stages[0].partial.eq(
                Mux(settings.lanes.listed, end_x, group == settings.target_groups.groups)
            ),
            stages[0].bit.eq(x[:4]),
            stages[0].flush.eq(end_x | (x[:4] == LINE_WORDS - 1)),
            stages[0].address.eq(address),
        ]
        if params.currents:
            with m.If(membrane.valid & membrane.current):
                m.d.comb += [
                    stages[0].eq(membrane),
                    stages[0].current.eq(0),
                    stages[0].address.eq(membrane.address + settings.membranes.offset),
                ]
        with m.If(issue):
            m.d.sync += [
                x.eq(Mux(end_x, 0, x + 1)),
                address.eq(address + settings.place_pitch.size),
            ]
            with m.If(end_x):
                next_line = line + settings.line_pitch.size
                m.d.sync += [y.eq(Mux(end_y, 0, y + 1)), line.eq(next_line), address.eq(next_line)]
            with m.If(end_y):
                next_group = Mux(end_group, settings.target.base, group_first + 1)
                m.d.sync += [
                    group.eq(Mux(end_group, 0, group + 1)),
                    group_first.eq(next_group),
                    line.eq(next_group),
                    address.eq(next_group),
                ]
            with m.If(end_group):
                m.d.sync += plane.eq(plane + 1)

        # Load parameters, walk, and wait for what is under way before the next of either.
        shifts = Signal(range(params.lanes * max(1, len(params.lane_parameters)) + 1))
        shifting, finished = Signal(), Signal()
        empty = ~Cat(*(stage.valid for stage in stages)).any()
        pointer = self.table_address
        m.d.comb += self.busy.eq(1)
        with m.FSM():
            with m.State("IDLE"):
                m.d.comb += self.busy.eq(0)
                m.d.sync += [
                    plane.eq(0),
                    group.eq(0),
                    y.eq(0),
                    x.eq(0),
                    turn.eq(0),
                    address.eq(settings.target.base),
                    line.eq(settings.target.base),
                    group_first.eq(settings.target.base),
                    pointer.eq(settings.table.base),
                    shifts.eq(0),
                    finished.eq(0),
                ]
                with m.If(self.start):
                    m.next = "DRAIN"
            with m.State("LOAD"):
                m.d.sync += [pointer.eq(pointer + 1), shifts.eq(shifts + 1), shifting.eq(1)]
                with m.If(shifts == params.lanes * len(params.lane_parameters)):
                    m.d.sync += [pointer.eq(pointer), shifts.eq(0), shifting.eq(0)]
                    m.next = "WALK"
            with m.State("WALK"):
                m.d.sync += turn.eq(two & ~turn)
                m.d.comb += issue.eq(~turn)
                pause = Mux(
                    table.used & (table.each_place | (end_y & ~table.each_place)), 1, end_group
                )
                with m.If(issue & pause):
                    m.d.sync += [finished.eq(end_plane), turn.eq(0)]
                    m.next = "DRAIN"
            with m.State("DRAIN"), m.If(empty):
                with m.If(finished):
                    m.next = "IDLE"
                with m.Elif(table.used):
                    m.next = "LOAD"
                with m.Else():
                    m.next = "WALK"

        # Parameters move from lane to lane as they are loaded, or reach all lanes at once.
        counted = Signal(range(params.lanes * max(1, len(params.lane_parameters)) + 1))
        m.d.sync += counted.eq(shifts)
        chains = {
            name: [
                Signal(signed(params.state_bits), name=f"{name}_{lane}")
                for lane in range(params.lanes if name in params.lane_parameters else 1)
            ]
            for name in LANE_PARAMETERS
        }
        for number, name in enumerate(LANE_PARAMETERS):
            chain = chains[name]
            loads = self.broadcast.valid & (self.broadcast.payload.parameter == number)
            if name in params.lane_parameters:
                place = params.lane_parameters.index(name) * params.lanes
                shifts_it = shifting & (counted >= place) & (counted < place + params.lanes)
                with m.If(shifts_it):
                    m.d.sync += chain[0].eq(self.table_word)
                    for before, after in itertools.pairwise(chain):
                        m.d.sync += after.eq(before)
            with m.If(loads):
                m.d.sync += [own.eq(self.broadcast.payload.value) for own in chain]

        # The lanes.
        shown, done = stages[SHOWN], stages[LATENCY]
        spikes = Signal(params.lanes)
        traced = self.trace.payload
        m.d.comb += [
            self.trace.valid.eq(shown.valid),
            traced.address.eq(shown.address),
            traced.current.eq(shown.current),
            traced.spikes.eq(spikes),
        ]
        for lane in range(params.lanes):
            neuron = NeuronLane(params)
            m.submodules[f"lane_{lane}"] = neuron
            m.d.comb += [
                neuron.settings.eq(settings),
                neuron.clear.eq(self.clear),
                neuron.exists.eq(settings.lanes.last >= lane),
                neuron.state.eq(self.states[lane]),
                neuron.stages.eq(Cat(*stages)),
                *(
                    neuron.parameters[name].eq(chain[lane] if len(chain) > 1 else chain[0])
                    for name, chain in chains.items()
                ),
                spikes[lane].eq(neuron.spike),
                traced.values[lane].eq(neuron.value),
                self.updated[lane].valid.eq(done.valid & ~(done.current & settings.neuron.held)),
                self.updated[lane].payload.address.eq(done.address),
                self.updated[lane].payload.potential.eq(neuron.left),
            ]

        # Spikes to the map, and to its summary word by word.
        emits = shown.valid & ~shown.current
        kept = settings.out_kind.emits
        gathered, bits = Signal(LINE_WORDS), Signal(LINE_WORDS)
        word, summary = Signal(params.map_address_bits), Signal(params.summary_address_bits)
        m.d.comb += [
            bits.eq(gathered | (spikes.any() << shown.bit)),
            self.map_write.valid.eq(emits & kept),
            self.map_write.payload.address.eq(word),
            self.map_write.payload.data.eq(spikes),
            self.summary_write.valid.eq(emits & kept & shown.flush),
            self.summary_write.payload.address.eq(summary),
            self.summary_write.payload.data.eq(bits),
        ]
        with m.If(emits):
            m.d.sync += [word.eq(word + 1), gathered.eq(Mux(shown.flush, 0, bits))]
            with m.If(shown.flush):
                m.d.sync += summary.eq(summary + 1)
        with m.If(self.start):
            m.d.sync += [
                word.eq(self.map_first),
                summary.eq(self.summary_first),
                gathered.eq(0),
            ]
        return m
