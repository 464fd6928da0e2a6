"""MembraneBank: read-modify-write every cycle against a list of integers."""

import numpy as np
import pytest

from spikeloom_hw.core.membrane_bank import MembraneBank
from streams import run_scenario

PATTERNS = {
    "one alone": [(1, 5)],
    "same address back to back": [(2, 3)] * 6,
    "same address every second cycle": [(2, 3), (0, 1)] * 4,
    "alternating, then back to back": [(0, 1), (1, 1), (0, -2), (0, -2), (1, 4), (1, 4)],
    "idle between the same address": [(2, 3), None, (2, 4), None, None, (2, 5), (2, 6)],
    "random": "random",
}


def operations_of(pattern):
    if pattern != "random":
        return pattern
    rng = np.random.default_rng(5)
    return [
        None if rng.random() < 0.2 else (int(rng.integers(3)), int(rng.integers(-7, 8)))
        for _ in range(300)
    ]


@pytest.mark.parametrize("pattern", PATTERNS.values(), ids=PATTERNS)
def test_sums(layer_of, pattern):
    _, params, _ = layer_of([30, 3], 1, density=1.0, membrane_bits=16)
    init = [10, -20, 0]
    dut = MembraneBank(params, init=init)
    expected = list(init)

    async def bench(ctx):
        for operation in operations_of(pattern):
            ctx.set(dut.operations.valid, operation is not None)
            if operation is not None:
                address, weight = operation
                ctx.set(dut.operations.payload, {"address": address, "weight": weight})
                expected[address] += weight
            await ctx.tick()
        ctx.set(dut.operations.valid, 0)
        await ctx.tick()
        # The cycle after the last sum is written, a scan must find it.
        for address, value in enumerate(expected):
            ctx.set(dut.scan, address)
            await ctx.tick()
            assert ctx.get(dut.potential) == value

    run_scenario(dut, bench)


def test_the_update_replaces(layer_of):
    _, params, _ = layer_of([30, 3], 1, density=1.0)
    dut = MembraneBank(params, init=[1, 2, 3])

    async def bench(ctx):
        ctx.set(dut.updated.payload, {"address": 1, "potential": -9})
        ctx.set(dut.updated.valid, 1)
        await ctx.tick()
        ctx.set(dut.updated.valid, 0)
        for address, value in enumerate([1, -9, 3]):
            ctx.set(dut.scan, address)
            await ctx.tick()
            assert ctx.get(dut.potential) == value

    run_scenario(dut, bench)
