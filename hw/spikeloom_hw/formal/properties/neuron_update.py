"""The update of a step: every neuron once, by the equation, and only when there is room."""

from functools import partial
from typing import Any

import numpy as np
from amaranth.hdl import Array, Const, Signal, signed

from spikeloom.arithmetic import DecayLeak, IntegrateLeak, Leak, Reset, ShiftLeak, leak, rails
from spikeloom.reference.cycles import GROUP_LATENCY, resume_stage, update_latency
from spikeloom_hw.core.neuron_lane import NeuronLane
from spikeloom_hw.core.neuron_update import NeuronUpdate
from spikeloom_hw.formal.bench import Bench
from spikeloom_hw.formal.naive import WIDE, update
from spikeloom_hw.formal.proof import Proof
from spikeloom_hw.formal.small import SmallLayer, small_layer


def _later(bench: Bench, value: Any, cycles: int) -> Any:
    for _ in range(cycles):
        value = bench.before(value)
    return value


def lane(bench: Bench, *, leak_spec: Leak, reset: Reset) -> None:
    """The pipeline of one lane, for every potential that the accumulator can reach."""
    m = bench.m
    small = small_layer([[3], [-4], [2]], threshold=5, bias=-1, leak=leak_spec, reset=reset)
    layer, params = small.layer, small.params
    dut = NeuronLane(params)
    bench.add(dut)
    low, high = layer.accumulator_range
    potential = bench.any(signed(params.accumulator_bits), name="potential")
    bench.assume((potential >= low) & (potential <= high))
    threshold, bias = int(layer.threshold[0]), int(layer.bias[0])
    done = update_latency(leak_spec) - 1
    last = bench.any(name="last")
    m.d.comb += [
        dut.potential.eq(potential),
        dut.threshold.eq(threshold),
        dut.exists.eq(1),
        dut.bias.eq(bias),
        dut.last.eq(last),
    ]
    u = _later(bench, potential, done)
    full = _later(bench, Const(1), done)
    expected = update(m, layer, u=u, threshold=Const(threshold), bias=Const(bias), last=last)
    seen = GROUP_LATENCY - 1
    with m.If(full):
        bench.prove(_later(bench, dut.spike, done - seen) == expected.spike)
        bench.prove(_later(bench, dut.membrane, done - seen) == expected.membrane)
        bench.prove(dut.next_potential == expected.potential)
        # It is what a step may begin with: the bank's proof takes that for granted.
        rail = leak(np.array(rails(layer.membrane_bits), dtype=np.int64), layer.leak).tolist()
        bench.prove(expected.potential >= rail[0] + bias)
        bench.prove(expected.potential <= rail[1] + bias)
    bench.cover(full & expected.spike & (u == high))
    bench.cover(full & (expected.membrane == rails(layer.membrane_bits)[0]) & (u == low))
    bench.cover(full & last)


def _per_neuron(overlapped: bool) -> SmallLayer:
    return small_layer(
        [[1] * 5] * 2,
        lanes=2,
        threshold=[1, 2, 3, 4, 5],
        bias=[0, 1, -1, 2, -2],
        overlapped=overlapped,
        membrane_bits=4,
    )


def walk(bench: Bench, *, overlapped: bool) -> None:
    """Groups and new potentials, in order and at their cycle, with each neuron's parameters."""
    m = bench.m
    small = _per_neuron(overlapped)
    layer, params = small.layer, small.params
    groups, lanes = params.groups, params.lanes
    dut = NeuronUpdate(params, small.contents)
    inside = bench.add(dut)
    bench.drive(dut.steps, "steps", lawful=False)
    m.d.comb += dut.blocked.eq(bench.any(name="blocked"))
    potentials = [bench.any(signed(params.accumulator_bits), name=f"u_{n}") for n in range(lanes)]
    for number, potential in enumerate(potentials):
        m.d.comb += dut.potentials[number].eq(potential)

    # A step comes when the one before has let the next one through.
    busy = Signal()
    bench.assume(~(dut.steps.valid & busy))
    with m.If(dut.steps.valid):
        m.d.sync += busy.eq(1)
    with m.Elif(dut.resume):
        m.d.sync += busy.eq(0)

    # Naively: a walker, and delays behind it.
    walking, last = Signal(), Signal()
    group = Signal(range(groups))
    goes = walking & ((group != 0) | ~dut.blocked)
    final = goes & (group == groups - 1)
    with m.If(goes):
        m.d.sync += group.eq(group + 1)
    with m.If(final):
        m.d.sync += [group.eq(0), walking.eq(0)]
    with m.If(dut.steps.valid):
        m.d.sync += [walking.eq(1), last.eq(dut.steps.payload.last)]

    extra = int(overlapped)
    done = update_latency(layer.leak) + extra
    shown = GROUP_LATENCY + extra
    bench.prove(~goes | (dut.scan == group))
    bench.prove(dut.resume == _later(bench, final, resume_stage(layer.leak)))
    bench.prove(dut.waiting == (walking & ~goes))
    out = dut.groups.payload
    bench.prove(dut.groups.valid == _later(bench, goes, shown))
    with m.If(dut.groups.valid):
        bench.prove(out.group == _later(bench, group, shown))
        bench.prove(out.end == _later(bench, final, shown))
        bench.prove(out.last == _later(bench, last, shown))

    thresholds = Array(Array(own) for own in small.contents.thresholds)
    biases = Array(Array(own) for own in small.contents.biases)
    then, was_last = _later(bench, group, done), _later(bench, last, done)
    for number in range(lanes):
        threshold, bias, u = (Signal(signed(WIDE)) for _ in range(3))
        m.d.comb += [
            threshold.eq(thresholds[then][number]),
            bias.eq(biases[then][number]),
            u.eq(_later(bench, potentials[number], done - 1 - extra)),
        ]
        expected = update(m, layer, u=u, threshold=threshold, bias=bias, last=was_last)
        exists = then * lanes + number < params.neurons
        updated = dut.updated[number]
        bench.prove(updated.valid == _later(bench, goes, done))
        with m.If(updated.valid):
            bench.prove(updated.payload.address == then)
            bench.prove(_later(bench, out.spikes[number], done - shown) == expected.spike & exists)
        with m.If(updated.valid & exists):
            membrane = _later(bench, out.membranes[number], done - shown)
            bench.prove(membrane == expected.membrane)
            bench.prove(updated.payload.potential == expected.potential)

    # What makes it inductive.
    bench.prove(inside["group"] == group)
    bench.prove(inside["walking"] == walking)
    bench.prove(inside["last"] == last)
    bench.prove((group < groups) & (walking | (group == 0)))
    bench.prove(~walking | busy)
    bench.cover(dut.updated[0].valid & _later(bench, dut.updated[0].valid, 2) & was_last)
    bench.cover(dut.groups.valid & out.spikes.all())
    bench.cover(goes & _later(bench, dut.waiting, 1))


_LANES: tuple[tuple[str, Leak, Reset], ...] = (
    ("shift", ShiftLeak(shift=1), "subtract"),
    ("decay", DecayLeak(multiplier=3, fraction_bits=3), "subtract"),
    ("integrate", IntegrateLeak(), "zero"),
)

PROOFS = (
    *(
        Proof(
            name=f"neuron_lane.{name}",
            sentence="Spike, membrane and next potential are those of the equation in full "
            "precision: nothing overflows, from any potential that a step can end with.",
            size=f"3 rows, membranes of 4 bits, leak {name}, reset {reset}",
            mode="induction",
            depth=8,
            reach=8,
            build=partial(lane, leak_spec=leak_spec, reset=reset),
        )
        for name, leak_spec, reset in _LANES
    ),
    *(
        Proof(
            name=f"neuron_update.{name}",
            sentence="A walk begins when it is not blocked; then each group is updated once, in "
            "order, in consecutive cycles, with the parameters of its own neurons.",
            size=f"5 neurons, 2 lanes, {name}",
            mode="induction",
            depth=8,
            reach=14,
            build=partial(walk, overlapped=overlapped),
        )
        for name, overlapped in (("in_place", False), ("overlapped", True))
    ),
)
