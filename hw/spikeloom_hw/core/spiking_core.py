"""The whole network: layers chained by event streams, and a readout.

::

    events ─► SpikingLayer ─► SpikeQueue ─► SpikingLayer ─► … ─► Readout ─► scores
                   └─ trace                      └─ trace

Each layer works on a step of its own: while one updates its neurons, the next still takes the
spikes of the step before.
"""

import itertools

from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from spikeloom_hw.core.params import CoreParams
from spikeloom_hw.core.readout import Readout
from spikeloom_hw.core.spike_queue import SpikeQueue
from spikeloom_hw.core.spiking_layer import SpikingLayer
from spikeloom_hw.events import EventLayout, ScoreLayout, TraceSignature


class SpikingCore(wiring.Component):
    """Classifies one sample after another; the next may enter while the last layer finishes.

    Membranes lie in block RAM, which a reset does not restore: reset after configuration only, and
    end a sample that is to be given up with ``STEP(last)``.

    Members:
        events: In, :class:`EventLayout`: the sample's spikes, a STEP after each time step.
        scores: Out, :class:`ScoreLayout`: one beat an output neuron.
        trace0, trace1, …: Out, :class:`TraceSignature` of each layer, when ``params.trace``.
    """

    def __init__(self, params: CoreParams) -> None:
        self.params = params
        first = params.layers[0]
        members = {
            "events": In(stream.Signature(EventLayout(first.address_bits))),
            "scores": Out(stream.Signature(ScoreLayout(params.score_bits, params.label_bits))),
        }
        if params.trace:
            for number, layer in enumerate(params.layers):
                members[f"trace{number}"] = Out(
                    TraceSignature(
                        group_bits=layer.group_bits,
                        lanes=layer.lanes,
                        membrane_bits=layer.membrane_bits,
                    )
                )
        super().__init__(members)

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
            m.d.comb += before.blocked.eq(queue.waiting)

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
