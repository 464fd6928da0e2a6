"""The whole network: layers chained by event streams, and a readout.

::

    events ─► SpikingLayer ─► SpikeQueue ─► SpikingLayer ─► … ─► Readout ─► scores
                   └─ trace                      └─ trace

Each layer works on a step of its own: while one updates its neurons, the next still takes the
spikes of the step before.
"""

import itertools
from typing import Any

from amaranth.hdl import Array, Const, Module, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from spikeloom_hw.core.counters import COUNT_BITS, LAYER_COUNTS, Counters, count_names
from spikeloom_hw.core.layouts import core_load_layout
from spikeloom_hw.core.memory_shape import CHUNK_BITS
from spikeloom_hw.core.params import CoreParams
from spikeloom_hw.core.readout import Readout
from spikeloom_hw.core.spike_queue import SpikeQueue
from spikeloom_hw.core.spiking_layer import SpikingLayer
from spikeloom_hw.events import EventLayout, ScoreLayout, TraceSignature


class SpikingCore(wiring.Component):
    """Classifies one sample after another; the next may enter while the last layer finishes.

    One clock edge under reset is enough, whatever the registers hold before it. A reset leaves what
    has been loaded, and the membranes, which lie in memories. One in the middle of a sample has to
    be followed by a sample of two steps without events, which clears them (an overlapped layer has
    sums of two steps), and whose scores mean nothing. Without a reset, a sample that is to be given
    up is ended with ``STEP(last)``.

    Members:
        events: In, :class:`EventLayout`: the sample's spikes, a STEP after each time step.
        scores: Out, :class:`ScoreLayout`: one beat an output neuron.
        load: In, :func:`core_load_layout`, taken at once, when ``params.loadable``: memory contents
            and thresholds. Only while no sample is under way.
        chunk: Out, what a look found, ``LOOK_CYCLES`` after the load that asked for it.
        select, count: In and Out, a counter's number and, a cycle later, what it has counted, when
            ``params.counters``; ``counters.count_names`` has the order.
        trace0, trace1, …: Out, :class:`TraceSignature` of each layer, when ``params.trace``.
    """

    def __init__(self, params: CoreParams) -> None:
        self.params = params
        self.counter_count = counter_count(params)
        super().__init__(core_members(params))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        layers = [
            SpikingLayer(layer, contents)
            for layer, contents in zip(self.params.layers, self.params.contents, strict=True)
        ]
        for layer in layers:
            m.submodules[f"layer_{layer.params.name}"] = layer

        # The chain.
        wiring.connect(m, wiring.flipped(self.events), layers[0].events)
        for before, after in itertools.pairwise(layers):
            queue = SpikeQueue(before.params)
            m.submodules[f"spikes_{before.params.name}"] = queue
            wiring.connect(m, before.groups, queue.groups)
            wiring.connect(m, queue.events, after.events)
            m.d.comb += before.blocked.eq(queue.full)

        # The result.
        last = layers[-1]
        m.submodules.readout = readout = Readout(
            last.params,
            count=self.params.count_readout,
            score_bits=self.params.score_bits,
            label_bits=self.params.label_bits,
        )
        wiring.connect(m, last.groups, readout.groups)
        wiring.connect(m, readout.scores, wiring.flipped(self.scores))
        m.d.comb += last.blocked.eq(readout.busy)

        if self.params.loadable:
            self._load(m, layers)
        if self.params.counters:
            self._count(m, layers)
        if self.params.trace:
            for number, layer in enumerate(layers):
                trace = getattr(self, f"trace{number}")
                group = layer.groups.payload
                m.d.comb += [
                    trace.valid.eq(layer.groups.valid),
                    trace.group.eq(group.group),
                    trace.spikes.eq(group.spikes),
                    trace.membranes.eq(group.membranes),
                ]
        return m

    def _load(self, m: Module, layers: list[SpikingLayer]) -> None:
        # A register, since the memories lie all over the device.
        valid = Signal()
        load = Signal(core_load_layout(self.params))
        m.d.comb += self.load.ready.eq(1)
        m.d.sync += [valid.eq(self.load.valid), load.eq(self.load.payload)]
        for number, layer in enumerate(layers):
            if layer.params.loadable:
                m.d.comb += [
                    layer.load.valid.eq(valid & (load.layer == number)),
                    layer.load.payload.kind.eq(load.kind),
                    layer.load.payload.address.eq(load.address),
                    layer.load.payload.data.eq(load.data),
                    layer.load.payload.look.eq(load.look),
                ]
        # A layer shows its chunk two cycles after it was asked.
        asked, answering = Signal.like(load.layer), Signal.like(load.layer)
        chunks = Array(layer.chunk for layer in layers)
        m.d.sync += [
            asked.eq(load.layer),
            answering.eq(asked),
            self.chunk.eq(chunks[answering]),
        ]

    def _count(self, m: Module, layers: list[SpikingLayer]) -> None:
        added: dict[str, Value] = {"cycles": Const(1, 1)}
        for number, layer in enumerate(layers):
            own = (layer.taking, layer.reading, layer.operating, layer.updating, layer.waiting)
            for name, value in zip(LAYER_COUNTS, own, strict=True):
                added[f"layer{number}_{name}"] = value
        widths = {name: len(value) for name, value in added.items()}
        counters = Counters(widths, first=self.params.first_count)
        m.submodules.counters = counters
        for name, value in added.items():
            m.d.comb += getattr(counters, name).eq(value)
        m.d.comb += [counters.select.eq(self.select), self.count.eq(counters.count)]


def counter_count(params: CoreParams) -> int:
    """Counters of a core with ``params``."""
    return len(count_names(len(params.layers))) if params.counters else 0


def core_members(params: CoreParams) -> dict[str, Any]:
    """The members of a core with ``params``."""
    event = EventLayout(params.layers[0].address_bits)
    score = ScoreLayout(params.score_bits, params.label_bits)
    members: dict[str, Any] = {
        "events": In(stream.Signature(event)),
        "scores": Out(stream.Signature(score)),
    }
    if params.loadable:
        members["load"] = In(stream.Signature(core_load_layout(params)))
        members["chunk"] = Out(CHUNK_BITS)
    if params.counters:
        members["select"] = In(range(counter_count(params)))
        members["count"] = Out(COUNT_BITS)
    if params.trace:
        for number, layer in enumerate(params.layers):
            members[f"trace{number}"] = Out(
                TraceSignature(
                    group_bits=layer.group_bits,
                    lanes=layer.lanes,
                    membrane_bits=layer.membrane_bits,
                )
            )
    return members
