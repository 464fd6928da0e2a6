"""The reset that waits for a steady clock."""

import pytest
from amaranth.hdl import ClockDomain, ClockSignal, Module, ResetSignal, Signal
from amaranth.sim import Simulator

from spikeloom_hw.boards.top import RESET_SECONDS, SteadyReset

CLOCK_MHZ = 1.0


def make():
    """`sync` made from the simulator's clock, and its reset brought out."""
    m = Module()
    m.domains.board = ClockDomain(reset_less=True)
    m.domains.sync = ClockDomain()
    m.d.comb += ClockSignal("sync").eq(ClockSignal("board"))
    m.submodules.dut = dut = SteadyReset(CLOCK_MHZ)
    held = Signal()
    m.d.comb += held.eq(ResetSignal("sync"))
    return m, dut, held


def run(bench):
    m, dut, held = make()
    simulator = Simulator(m)
    simulator.add_clock(1e-6 / CLOCK_MHZ, domain="board")

    async def testbench(ctx):
        await bench(ctx, dut.locked, held)

    simulator.add_testbench(testbench)
    simulator.run()


async def released_after(ctx, held):
    """Clock cycles until the reset ends."""
    cycles = 0
    while ctx.get(held):
        await ctx.tick("board")
        cycles += 1
        assert cycles < 1000
    return cycles


def test_reset_lasts_long_enough_after_the_lock():
    async def bench(ctx, locked, held):
        await ctx.tick("board").repeat(200)
        assert ctx.get(held)
        ctx.set(locked, 1)
        # A power of two of cycles, after the two of the synchroniser.
        assert await released_after(ctx, held) == 32 + 2 >= RESET_SECONDS * CLOCK_MHZ * 1e6
        await ctx.tick("board").repeat(200)
        assert not ctx.get(held)

    run(bench)


@pytest.mark.parametrize(
    "cycles", [pytest.param(5, id="while waiting"), pytest.param(90, id="later")]
)
def test_a_lock_that_is_lost_starts_again(cycles):
    async def bench(ctx, locked, held):
        ctx.set(locked, 1)
        await ctx.tick("board").repeat(cycles)
        ctx.set(locked, 0)
        await ctx.tick("board").repeat(4)
        assert ctx.get(held)
        ctx.set(locked, 1)
        assert await released_after(ctx, held) == 34

    run(bench)
