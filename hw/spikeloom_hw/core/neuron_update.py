"""The end of a step: every neuron is updated, ``lanes`` of them a cycle.

The membrane banks are walked once, group by group. Nothing can hold the walk up once it has begun;
it begins only when whoever takes the groups has room for all of them (``blocked`` is low).
"""

import itertools
from typing import Any

from amaranth.hdl import Const, Module, Mux, ShapeLike, Signal, ValueLike, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from spikeloom.reference.cycles import GROUP_LATENCY, resume_stage, update_latency
from spikeloom_hw.core.layouts import GroupLayout, StepLayout, UpdatedLayout
from spikeloom_hw.core.memory_shape import BLOCK_RAM
from spikeloom_hw.core.neuron_lane import NeuronLane
from spikeloom_hw.core.params import LayerContents, LayerParams


class NeuronUpdate(wiring.Component):
    """Walks the banks at the end of each step.

    Cycles: ``groups`` a step. The first address is read in the cycle after the step arrives,
    spikes and membranes follow ``GROUP_LATENCY`` cycles behind, the new potential is written
    ``update_latency(leak)`` cycles behind; each a cycle more in an ``overlapped`` layer.

    Members:
        steps: In, :class:`StepLayout`, always taken; never while a walk is under way.
        blocked: In, a walk may not begin in this cycle.
        scan: Out, the address that every bank reads.
        potentials: In, what the banks hold there, a cycle later, or two in an overlapped layer.
        cleared: Out, address whose sums have been read, in an overlapped layer.
        updated: Out, :class:`UpdatedLayout` for each bank.
        groups: Out, :class:`GroupLayout`, always taken.
        resume: Out, operations that are asked for from the next cycle on find the new potentials.
        waiting: Out, a walk could begin but for ``blocked``.
        threshold: In, of all neurons, when ``params.loadable``.
    """

    def __init__(self, params: LayerParams, contents: LayerContents) -> None:
        self.params = params
        self.thresholds = _lane_memory(
            params, params.shared_threshold, params.threshold_bits, contents.thresholds
        )
        self.biases = _lane_memory(
            params, params.shared_bias, signed(params.bias_bits), contents.biases
        )
        updated = stream.Signature(UpdatedLayout(params), always_ready=True)
        optional = {}
        if params.loadable:
            optional["threshold"] = In(params.threshold_bits)
        if params.overlapped:
            address = stream.Signature(params.group_bits, always_ready=True)
            optional["cleared"] = Out(address)
        super().__init__(
            {
                **optional,
                "steps": In(stream.Signature(StepLayout(), always_ready=True)),
                "blocked": In(1),
                "scan": Out(params.group_bits),
                "potentials": In(signed(params.accumulator_bits)).array(params.lanes),
                "updated": Out(updated).array(params.lanes),
                "groups": Out(stream.Signature(GroupLayout(params), always_ready=True)),
                "resume": Out(1),
                "waiting": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        # An overlapped layer adds sums to membranes first, which takes a stage.
        ready = int(self.params.overlapped)
        latency = ready + update_latency(self.params.leak)
        token = data.StructLayout(
            {"valid": 1, "group": self.params.group_bits, "end": 1, "last": 1}
        )
        stages = [Signal(token, name=f"stage_{cycle}") for cycle in range(latency + 1)]
        for before, after in itertools.pairwise(stages):
            m.d.sync += after.eq(before)

        # Cycle 0: walk.
        walking = Signal()
        last = Signal()
        now = stages[0]
        m.d.comb += [
            now.valid.eq(walking & ((now.group != 0) | ~self.blocked)),
            now.end.eq(now.valid & (now.group == self.params.groups - 1)),
            now.last.eq(last),
            self.scan.eq(now.group),
            self.waiting.eq(walking & (now.group == 0) & self.blocked),
        ]
        group = Signal(self.params.group_bits)
        m.d.comb += now.group.eq(group)
        with m.If(now.valid):
            m.d.sync += group.eq(Mux(now.end, 0, group + 1))
        with m.If(now.end):
            m.d.sync += walking.eq(0)
        with m.If(self.steps.valid):
            m.d.sync += [walking.eq(1), last.eq(self.steps.payload.last)]

        # The lanes, with the parameters of the neuron that is in each stage.
        if self.params.loadable:
            threshold: list[ValueLike] = [self.threshold] * self.params.lanes
        else:
            threshold = self._parameters(
                m, "thresholds", self.thresholds, self.params.shared_threshold, stages[ready].group
            )
        bias = self._parameters(
            m, "biases", self.biases, self.params.shared_bias, stages[latency - 1].group
        )
        shown = stages[ready + GROUP_LATENCY]
        done = stages[latency]
        m.d.comb += [
            self.groups.valid.eq(shown.valid),
            self.groups.payload.group.eq(shown.group),
            self.groups.payload.end.eq(shown.end),
            self.groups.payload.last.eq(shown.last),
        ]
        for lane in range(self.params.lanes):
            neuron = NeuronLane(self.params)
            m.submodules[f"lane_{lane}"] = neuron
            in_last_group = (self.params.groups - 1) * self.params.lanes + lane
            ends_early = in_last_group >= self.params.neurons
            exists = ~stages[ready + 1].end if ends_early else Const(1)
            own_bias = bias[lane]
            if ends_early and self.params.shared_bias:
                # A memory holds 0 where no neuron is; a constant does not.
                own_bias = Mux(done.end, 0, own_bias)
            m.d.comb += [
                neuron.potential.eq(self.potentials[lane]),
                neuron.threshold.eq(threshold[lane]),
                neuron.exists.eq(exists),
                neuron.bias.eq(own_bias),
                neuron.last.eq(done.last),
                self.groups.payload.spikes[lane].eq(neuron.spike),
                self.groups.payload.membranes[lane].eq(neuron.membrane),
                self.updated[lane].valid.eq(done.valid),
                self.updated[lane].payload.address.eq(done.group),
                self.updated[lane].payload.potential.eq(neuron.next_potential),
            ]

        # In shared banks, an operation reads its bank five cycles after the row is taken, or four
        # after `resume` lets it through: the last write has to lie before. In an overlapped layer
        # it is the next walk, at least six cycles after `resume`, that has to find what is written.
        m.d.comb += self.resume.eq(stages[resume_stage(self.params.leak)].end)
        if self.params.overlapped:
            m.d.comb += [
                self.cleared.valid.eq(stages[1].valid),
                self.cleared.payload.eq(stages[1].group),
            ]
        return m

    def _parameters(
        self, m: Module, name: str, memory: Memory | None, shared: int | None, address: Signal
    ) -> list[ValueLike]:
        """A parameter of each lane's neuron, a cycle after its group is at ``address``."""
        if memory is None:
            assert shared is not None
            return [Const(shared)] * self.params.lanes
        m.submodules[name] = memory
        port = memory.read_port()
        m.d.comb += port.addr.eq(address)
        return [port.data[lane] for lane in range(self.params.lanes)]


def _lane_memory(
    params: LayerParams,
    shared: int | None,
    shape: ShapeLike,
    values: Any,
) -> Memory | None:
    """A memory with one parameter a lane, or None when all neurons share it.

    ``values`` holds a tuple of one integer a lane for each group (Any, as amaranth-stubs knows
    nothing of constants of an aggregate shape).
    """
    if shared is not None:
        return None
    return Memory(
        shape=data.ArrayLayout(shape, params.lanes),
        depth=params.bank_depth,
        init=values,
        attrs=BLOCK_RAM,
    )
