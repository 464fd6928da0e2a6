"""The engine: memories, units and the program that sets them to work."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from spikeloom_hw.core.membrane_bank import MembraneBank
from spikeloom_hw.core.memory_shape import CHUNK_BITS
from spikeloom_hw.engine.banks import bank_shape
from spikeloom_hw.engine.input_writer import InputWriter
from spikeloom_hw.engine.layouts import InputLayout, LoadLayout, TraceLayout, score_layout
from spikeloom_hw.engine.map_scan import MapScan
from spikeloom_hw.engine.maps import Maps
from spikeloom_hw.engine.output import Output
from spikeloom_hw.engine.params import EngineParams
from spikeloom_hw.engine.program import Opcode
from spikeloom_hw.engine.row_fetch import RowFetch
from spikeloom_hw.engine.row_source import RowSource
from spikeloom_hw.engine.sequencer import UNITS, Sequencer
from spikeloom_hw.engine.sweep import Sweep
from spikeloom_hw.engine.unpack import Unpack
from spikeloom_hw.engine.word_stream import WordStream

LOOK_CYCLES = 2
"""Cycles from the one in which an engine takes a look to the one in which it shows the chunk."""


class EngineCore(wiring.Component):
    """Runs the program that is loaded into it, once for each sample.

    Args:
        params: of the engine.
        single_port: the weights lie in the single-port RAMs of the device.
        trace: the observer's port is brought out.

    Members:
        events: In, `InputLayout`: the inputs of each step and its end.
        scores: Out, `ScoreLayout`.
        load: In, `LoadLayout`, always taken; it ends the program that is under way.
        chunk: Out, what a look found, `LOOK_CYCLES` later.
        running: Out, a program is under way.
        trace: Out, `TraceLayout`, when `trace`.
    """

    def __init__(
        self, params: EngineParams, *, single_port: bool = False, trace: bool = False
    ) -> None:
        self.params = params
        self.single_port = single_port
        self.traced = trace
        members = {
            "events": In(stream.Signature(InputLayout(params))),
            "scores": Out(stream.Signature(score_layout(params))),
            "load": In(stream.Signature(LoadLayout(params))),
            "chunk": Out(CHUNK_BITS),
            "running": Out(1),
        }
        if trace:
            observed = wiring.Signature({"valid": Out(1), "payload": Out(TraceLayout(params))})
            members["trace"] = Out(observed)
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        params = self.params
        m.submodules.sequencer = sequencer = Sequencer(params)
        m.submodules.maps = maps = Maps(params)
        m.submodules.inputs = inputs = InputWriter(params)
        m.submodules.scan = scan = MapScan(params)
        m.submodules.source = source = RowSource(params)
        m.submodules.fetch = fetch = RowFetch(params)
        m.submodules.stream = words = WordStream(params, single_port=self.single_port)
        m.submodules.unpack = unpack = Unpack(params)
        m.submodules.sweep = sweep = Sweep(params)
        m.submodules.output = output = Output(params)
        settings = sequencer.settings
        for unit in (inputs, scan, source, sweep, output):
            m.d.comb += unit.settings.eq(settings)

        # Spikes to rows to words to operations.
        wiring.connect(m, scan.events, source.events)
        wiring.connect(m, source.reads, fetch.reads)
        wiring.connect(m, fetch.rows, words.rows)
        wiring.connect(m, words.words, unpack.words)

        # Host to maps; states to host.
        wiring.connect(m, wiring.flipped(self.events), inputs.events)
        wiring.connect(m, output.scores, wiring.flipped(self.scores))
        stop = Signal()
        m.d.comb += [
            self.load.ready.eq(1),
            stop.eq(self.load.valid & ~self.load.payload.look),
            sequencer.stop.eq(stop),
            inputs.stop.eq(stop),
            output.stop.eq(stop),
            sequencer.go.eq(self.events.valid),
            self.running.eq(sequencer.running),
        ]

        # Where maps are read and written.
        kind, out = settings.map_kind, settings.out_kind
        map_page = Mux(kind.before, sequencer.map_before, sequencer.map_page)
        summary_page = Mux(kind.before, sequencer.summary_before, sequencer.summary_page)
        map_out, summary_out = (
            Signal(params.map_address_bits),
            Signal(params.summary_address_bits),
        )
        m.d.comb += [
            scan.map_first.eq(settings.map.base + Mux(kind.stepped, map_page, 0)),
            scan.summary_first.eq(settings.map_summary.base + Mux(kind.stepped, summary_page, 0)),
            map_out.eq(settings.out.base + Mux(out.stepped, sequencer.map_page, 0)),
            summary_out.eq(settings.out_summary.base + Mux(out.stepped, sequencer.summary_page, 0)),
        ]
        for unit in (inputs, sweep):
            m.d.comb += [unit.map_first.eq(map_out), unit.summary_first.eq(summary_out)]
        for name in ("map", "summary"):
            write = getattr(maps, f"{name}_write")
            of_input, of_sweep = (getattr(unit, f"{name}_write") for unit in (inputs, sweep))
            word = getattr(maps, f"{name}_word")
            m.d.comb += [
                getattr(maps, f"{name}_address").eq(
                    Mux(
                        inputs.busy,
                        getattr(inputs, f"{name}_address"),
                        getattr(scan, f"{name}_address"),
                    )
                ),
                getattr(maps, f"{name}_enable").eq(inputs.busy | getattr(scan, f"{name}_enable")),
                getattr(scan, f"{name}_word").eq(word),
                getattr(inputs, f"{name}_word").eq(word),
                write.valid.eq(of_input.valid | of_sweep.valid),
                write.payload.eq(Mux(inputs.busy, of_input.payload, of_sweep.payload)),
            ]

        # The banks: sums, the update, cleared states, scores.
        clearing = Signal()
        left = Signal(params.state_address_bits)
        cleared = Signal(params.state_address_bits)
        with m.If(clearing):
            m.d.sync += [cleared.eq(cleared + 1), left.eq(left - 1)]
            with m.If(left == 0):
                m.d.sync += clearing.eq(0)
        start_clear = sequencer.start[UNITS.index(Opcode.CLEAR)]
        m.d.comb += sweep.clear.eq(start_clear | clearing)
        with m.If(start_clear):
            m.d.sync += [
                clearing.eq(1),
                cleared.eq(settings.clear.base),
                left.eq(settings.clear_size.words),
            ]
        for lane in range(params.lanes):
            m.submodules[f"bank_{lane}"] = bank = MembraneBank(bank_shape(params), init=[])
            wiring.connect(m, unpack.operations[lane], bank.operations)
            updated = sweep.updated[lane]
            m.d.comb += [
                bank.scan.eq(Mux(output.busy, output.scan, sweep.scan)),
                sweep.states[lane].eq(bank.potential),
                output.states[lane].eq(bank.potential),
                bank.updated.valid.eq(clearing | updated.valid),
                bank.updated.payload.address.eq(Mux(clearing, cleared, updated.payload.address)),
                bank.updated.payload.potential.eq(updated.payload.potential),
            ]

        # The units, one at a time.
        for unit, opcode in (
            (inputs, Opcode.INPUT),
            (scan, Opcode.SCAN),
            (sweep, Opcode.SWEEP),
            (output, Opcode.OUTPUT),
        ):
            m.d.comb += unit.start.eq(sequencer.start[UNITS.index(opcode)])
        m.d.comb += [
            sequencer.working.eq(
                clearing
                | inputs.busy
                | scan.busy
                | source.busy
                | fetch.busy
                | words.busy
                | unpack.busy
                | sweep.busy
                | output.busy
            ),
            sequencer.table_address.eq(sweep.table_address),
            sweep.table_word.eq(sequencer.word),
            sweep.broadcast.valid.eq(sequencer.broadcast.valid),
            sweep.broadcast.payload.eq(sequencer.broadcast.payload),
        ]
        if self.traced:
            m.d.comb += [
                self.trace.valid.eq(sweep.trace.valid),
                self.trace.payload.eq(sweep.trace.payload),
            ]
        self._load(m, sequencer, fetch, words)
        return m

    def _load(self, m: Module, sequencer: Sequencer, fetch: RowFetch, words: WordStream) -> None:
        load = self.load.payload
        shown = Signal(load.memory.shape())
        memories = (sequencer, fetch, words)
        m.d.sync += shown.eq(load.memory)
        chunk = Signal(CHUNK_BITS)
        for number, memory in enumerate(memories):
            m.d.comb += [
                memory.load.valid.eq(self.load.valid & (load.memory == number)),
                memory.load.payload.address.eq(load.address),
                memory.load.payload.data.eq(load.data),
                memory.load.payload.look.eq(load.look),
            ]
            with m.If(shown == number):
                m.d.comb += chunk.eq(memory.chunk)
        m.d.sync += self.chunk.eq(chunk)
