"""One layer of spiking neurons, driven by events.

::

    events ─► RowFetch ─► WordStream ─► Unpack ─► MembraneBank ×L ◄─► NeuronUpdate ─► groups
               pointers     weights      index      read-modify-write   leak, compare, reset

A layer in which accumulation and update share the banks needs one RAM a lane. With three, two of
sums and one of membranes, the update of a step overlaps the rows of the next:

=============  ==========  ========================================
banks          RAM a lane  cycles a step
=============  ==========  ========================================
shared         1           words + groups + 5
overlapped     3           the larger of words + 1 and groups + 6
=============  ==========  ========================================
"""

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from spikeloom.packing.words import unsigned_bits
from spikeloom_hw.core.counters import population
from spikeloom_hw.core.layouts import GroupLayout, LoadLayout, MemoryKind
from spikeloom_hw.core.membrane_bank import MembraneBank
from spikeloom_hw.core.memory_shape import BLOCK_RAM, CHUNK_BITS, DISTRIBUTED_RAM
from spikeloom_hw.core.neuron_update import NeuronUpdate
from spikeloom_hw.core.params import LayerContents, LayerParams
from spikeloom_hw.core.row_fetch import RowFetch
from spikeloom_hw.core.unpack import Unpack
from spikeloom_hw.core.word_stream import WordStream
from spikeloom_hw.core.write_port import unless_reset, write_port
from spikeloom_hw.events import EventLayout


class SpikingLayer(wiring.Component):
    """Adds up the rows of a step's spikes, then updates every neuron.

    Cycles: one a word while events arrive, and for each step one a group of neurons and a few
    for the pipeline to fill (``spikeloom.reference.cycles`` has the exact count).

    Members:
        events: In, :class:`EventLayout`.
        blocked: In, the groups of a step can not be taken now.
        groups: Out, :class:`GroupLayout`, always taken.
        load: In, :class:`LoadLayout`, always taken, when ``params.loadable``; only between samples.
        chunk: Out, what a look found, two cycles later.
        taking, reading, operating, updating, waiting: Out, what ``counters`` counts of a layer.
    """

    def __init__(self, params: LayerParams, contents: LayerContents) -> None:
        self.params = params
        self.contents = contents
        loaded = {}
        if params.loadable:
            load = LoadLayout(params.load_address_bits)
            loaded["load"] = In(stream.Signature(load, always_ready=True))
            loaded["chunk"] = Out(CHUNK_BITS)
        super().__init__(
            {
                **loaded,
                "taking": Out(1),
                "reading": Out(1),
                "operating": Out(unsigned_bits(params.lanes)),
                "updating": Out(1),
                "waiting": Out(1),
                "events": In(stream.Signature(EventLayout(params.address_bits))),
                "blocked": In(1),
                "groups": Out(stream.Signature(GroupLayout(params), always_ready=True)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.fetch = fetch = RowFetch(self.params, self.contents)
        m.submodules.stream = words = WordStream(self.params, self.contents)
        m.submodules.unpack = unpack = Unpack(self.params)
        m.submodules.update = update = NeuronUpdate(self.params, self.contents)

        # Events to rows to words to operations.
        wiring.connect(m, wiring.flipped(self.events), fetch.events)
        wiring.connect(m, fetch.rows, words.rows)
        wiring.connect(m, words.words, unpack.words)
        wiring.connect(m, unpack.steps, update.steps)
        m.d.comb += words.resume.eq(update.resume)

        if self.params.overlapped:
            self._accumulate_apart(m, unpack, update)
        else:
            self._accumulate_in_place(m, unpack, update)
        if self.params.loadable:
            self._load(m, fetch, words, update)

        # What is counted, a cycle later: counting is no part of any path.
        m.d.sync += [
            self.taking.eq(self.events.valid & self.events.ready & ~self.events.payload.step),
            self.reading.eq(words.words.valid & ~words.words.payload.step),
            self.updating.eq(words.stalled),
            self.waiting.eq(update.waiting & words.stalled),
        ]
        m.d.sync += self.operating.eq(population([own.valid for own in unpack.operations]))

        # Groups, whenever somebody can take a step's worth of them.
        m.d.comb += update.blocked.eq(self.blocked)
        wiring.connect(m, update.groups, wiring.flipped(self.groups))
        return m

    def _accumulate_in_place(self, m: Module, unpack: Unpack, update: NeuronUpdate) -> None:
        # A bank for each lane, which begins with the biases of its neurons.
        for lane in range(self.params.lanes):
            biases = [group[lane] for group in self.contents.biases]
            m.submodules[f"bank_{lane}"] = bank = MembraneBank(self.params, init=biases)
            wiring.connect(m, unpack.operations[lane], bank.operations)
            wiring.connect(m, update.updated[lane], bank.updated)
            m.d.comb += [
                bank.scan.eq(update.scan),
                update.potentials[lane].eq(bank.potential),
            ]

    def _accumulate_apart(self, m: Module, unpack: Unpack, update: NeuronUpdate) -> None:
        # Two banks of sums for each lane: one takes a step's operations, while the other, of the
        # step before, is added to the membranes and cleared.
        phase = Signal()
        with m.If(unpack.steps.valid):
            m.d.sync += phase.eq(~phase)
        for lane in range(self.params.lanes):
            biases = [group[lane] for group in self.contents.biases]
            m.submodules[f"membranes_{lane}"] = membranes = Memory(
                shape=signed(self.params.accumulator_bits),
                depth=self.params.bank_depth,
                init=biases,
                attrs=DISTRIBUTED_RAM if self.params.distributed_banks else BLOCK_RAM,
            )
            read, write = membranes.read_port(), write_port(m, membranes)
            updated = update.updated[lane]
            m.d.comb += [
                read.addr.eq(update.scan),
                write.en.eq(updated.valid),
                write.addr.eq(updated.payload.address),
                write.data.eq(updated.payload.potential),
            ]
            sums = []
            for number in range(2):
                m.submodules[f"bank_{lane}_{number}"] = bank = MembraneBank(self.params, init=[])
                operation = unpack.operations[lane]
                m.d.comb += [
                    bank.operations.valid.eq(operation.valid & (phase == number)),
                    bank.operations.payload.eq(operation.payload),
                    bank.scan.eq(update.scan),
                    bank.updated.valid.eq(update.cleared.valid & (phase != number)),
                    bank.updated.payload.address.eq(update.cleared.payload),
                ]
                sums.append(bank.potential)
            total = Mux(phase, sums[0], sums[1]) + read.data
            m.d.sync += update.potentials[lane].eq(total)

    def _load(self, m: Module, fetch: RowFetch, words: WordStream, update: NeuronUpdate) -> None:
        load = self.load.payload
        for memory, kind in (
            (fetch.load, MemoryKind.POINTERS),
            (words.load, MemoryKind.WEIGHTS),
        ):
            m.d.comb += [
                memory.valid.eq(self.load.valid & (load.kind == kind)),
                memory.payload.address.eq(load.address),
                memory.payload.data.eq(load.data),
                memory.payload.look.eq(load.look),
            ]
        weights = Signal()
        m.d.sync += [
            weights.eq(load.kind == MemoryKind.WEIGHTS),
            self.chunk.eq(Mux(weights, words.chunk, fetch.chunk)),
        ]
        assert self.params.shared_threshold is not None
        # What is loaded outlives a reset, here as in memories.
        threshold = Signal(
            self.params.threshold_bits, init=self.params.shared_threshold, reset_less=True
        )
        m.d.comb += update.threshold.eq(threshold)
        stores = self.load.valid & ~load.look & (load.kind == MemoryKind.THRESHOLD)
        with m.If(unless_reset(stores)):
            m.d.sync += threshold.eq(load.data)
