"""A membrane bank adds exactly, and never beyond its width."""

import numpy as np
from amaranth.hdl import Array, Mux, Signal, signed

from spikeloom.arithmetic import leak, rails
from spikeloom_hw.core.membrane_bank import MembraneBank
from spikeloom_hw.formal.bench import Bench
from spikeloom_hw.formal.proof import Proof
from spikeloom_hw.formal.small import SmallLayer, small_layer

_SPARE = 2
"""Bits by which the naive potential is wider than the bank."""


def _small() -> SmallLayer:
    return small_layer([[3, 1], [-4, 2], [2, -1]], lanes=1, bias=[1, 1], membrane_bits=3)


def exact(bench: Bench, small: SmallLayer | None = None) -> None:
    """What the bank holds is what a sum of unbounded width would be."""
    m = bench.m
    small = small or _small()
    layer, params = small.layer, small.params
    dut = MembraneBank(params, init=[group[0] for group in small.contents.biases])
    inside = bench.add(dut)
    bench.drive(dut.operations, "operations", lawful=False)
    bench.drive(dut.updated, "updated", lawful=False)
    m.d.comb += dut.scan.eq(bench.any(params.group_bits, name="scan"))
    operation, updated = dut.operations, dut.updated
    adding = bench.before(operation.valid)
    # Operations and updates take turns.
    bench.assume(~updated.valid | ~(operation.valid | adding))

    # One neuron is watched: any. Its rows come at most once a step, in any order.
    neuron = bench.constant(range(layer.neurons), name="neuron")
    row = bench.any(range(layer.inputs), name="row")
    bench.assume(row < layer.inputs)
    weights = layer.dense().tolist()
    weight = Array(Array(own) for own in weights)
    used = Signal(layer.inputs)
    mine = operation.valid & (operation.payload.address == neuron)
    bench.assume(~mine | (operation.payload.weight == weight[row][neuron]))
    bench.assume(~mine | ~used.bit_select(row, 1))

    # An update leaves what a leak can leave, and the bias.
    rail = leak(_column(rails(layer.membrane_bits)), layer.leak).tolist()
    bias = Array(int(value) for value in layer.bias)
    stored = updated.payload.potential
    bench.assume(stored >= rail[0] + bias[neuron])
    bench.assume(stored <= rail[1] + bias[neuron])

    wide = signed(params.accumulator_bits + _SPARE)
    start = Signal(wide, init=int(layer.bias[0]))
    total = Signal(wide)
    sums = [Mux(used[number], Array(own)[neuron], 0) for number, own in enumerate(weights)]
    m.d.comb += total.eq(start + sum(sums[1:], sums[0]))
    with m.If(mine):
        m.d.sync += used.bit_select(row, 1).eq(1)
    with m.If(updated.valid & (updated.payload.address == neuron)):
        m.d.sync += [start.eq(stored), used.eq(0)]

    # It is within the width, and the bank has it: in memory, or on its way there.
    width = params.accumulator_bits
    bench.prove((total >= -(1 << width - 1)) & (total < 1 << width - 1))
    late = bench.before(mine)
    word = Array(inside.memory("potentials"))[neuron]
    held = Signal(signed(width))
    m.d.comb += held.eq(word)
    with m.If(~late):
        bench.prove(held == total)
    with m.Else():
        bench.prove(held + weight[bench.before(row)][neuron] == total)
        bench.prove(inside["total"] == total)
    # Who scans finds it, a cycle later.
    scanned = bench.before(~operation.valid & (dut.scan == neuron))
    changed = bench.before(updated.valid & (updated.payload.address == neuron))
    bench.prove(~(scanned & ~changed) | (dut.potential == total))

    # What makes it inductive.
    bench.prove(start >= rail[0] + bias[neuron])
    bench.prove(start <= rail[1] + bias[neuron])
    bench.prove(inside["adding"] == adding)
    bench.prove(~late | (inside["address"] == neuron))
    bench.prove(~late | (inside["weight"] == weight[bench.before(row)][neuron]))
    bench.prove(~late | used.bit_select(bench.before(row), 1))
    bench.prove(~adding | late | (inside["address"] != neuron))
    bench.prove(~late | (dut.potential == held))
    bench.cover(total == layer.accumulator_range[1])
    bench.cover(late & bench.before(late) & inside["forward"])
    bench.cover(scanned & ~changed & used.all())


def _column(values: tuple[int, int]) -> np.ndarray:
    return np.array(values, dtype=np.int64)


PROOFS = (
    Proof(
        name="membrane_bank.exact",
        sentence="A potential in the bank is its exact sum, whatever the order of operations and "
        "however close they follow, and within the width that the image's rule gives.",
        size="2 neurons, 3 rows, membranes of 3 bits",
        mode="induction",
        depth=2,
        reach=12,
        build=exact,
    ),
)
