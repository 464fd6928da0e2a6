"""The serial line: every byte, at exact cycles, with unequal clocks and broken frames."""

import itertools
import random

import pytest
from amaranth.hdl import Fragment
from amaranth.sim import Simulator

from spikeloom_hw.host.uart import UartReceiver, UartTransmitter, uart_divisor


def simulate(dut, *testbenches):
    simulator = Simulator(Fragment.get(dut, None))
    simulator.add_clock(1e-6)
    for testbench in testbenches:
        simulator.add_testbench(testbench)
    simulator.run()


def levels(byte, stop=1):
    return [0, *((byte >> bit) & 1 for bit in range(8)), stop]


async def send(ctx, dut, bits, *, bit_cycles):
    """Drive the line from a clock of its own: bit `n` begins at cycle `round(n * bit_cycles)`."""
    now = 0
    for number, level in enumerate(bits):
        ctx.set(dut.rx, level)
        end = round((number + 1) * bit_cycles)
        await ctx.tick().repeat(end - now)
        now = end


async def collect(ctx, dut, count, pauses=(0,)):
    """Take `count` bytes, with ready low for `pauses[n]` cycles before byte `n`."""
    taken = []
    for number in range(count):
        ctx.set(dut.bytes.ready, 0)
        if pause := pauses[number % len(pauses)]:
            await ctx.tick().repeat(pause)
        ctx.set(dut.bytes.ready, 1)
        (byte,) = await ctx.tick().sample(dut.bytes.payload).until(dut.bytes.valid)
        taken.append(byte)
    ctx.set(dut.bytes.ready, 0)
    return taken


BYTES = [0x00, 0xFF, 0x55, 0xAA, 0x01, 0x80, *random.Random(1).randbytes(20)]


@pytest.mark.parametrize("gap", [pytest.param(0, id="back to back"), pytest.param(3, id="gaps")])
@pytest.mark.parametrize(
    "mismatch",
    [
        pytest.param(1.0, id="same clock"),
        pytest.param(1.02, id="sender 2 % slow"),
        pytest.param(0.98, id="sender 2 % fast"),
    ],
)
@pytest.mark.parametrize("divisor", [4, 7, 24])
def test_receiver_gets_every_byte(divisor, mismatch, gap):
    dut = UartReceiver(divisor)

    async def sender(ctx):
        bits = [bit for byte in BYTES for bit in [*levels(byte), *[1] * gap]]
        await send(ctx, dut, [1, *bits, 1], bit_cycles=divisor * mismatch)

    async def receiver(ctx):
        assert await collect(ctx, dut, len(BYTES)) == BYTES
        assert (ctx.get(dut.framing_errors), ctx.get(dut.overruns)) == (0, 0)

    simulate(dut, sender, receiver)


@pytest.mark.parametrize("divisor", [4, 7, 24])
def test_receiver_latency(divisor):
    dut = UartReceiver(divisor)

    async def testbench(ctx):
        await ctx.tick().repeat(5)
        cycles = 0
        for level in [*levels(0xA5), 1]:
            ctx.set(dut.rx, level)
            for _ in range(divisor):
                if ctx.get(dut.bytes.valid):
                    break
                await ctx.tick()
                cycles += 1
        assert ctx.get(dut.bytes.payload) == 0xA5
        assert cycles == 2 + 1 + divisor // 2 + 9 * divisor

    simulate(dut, testbench)


@pytest.mark.parametrize(
    ("bits", "expected", "framing_errors"),
    [
        pytest.param([*levels(0x12, stop=0), 1, 1, *levels(0x34)], [0x34], 1, id="no stop bit"),
        pytest.param([*[0] * 35, 1, *levels(0x34)], [0x34], 1, id="a break counts once"),
    ],
)
def test_receiver_drops_broken_frames(bits, expected, framing_errors):
    dut = UartReceiver(8)

    async def sender(ctx):
        await send(ctx, dut, [1, *bits, 1], bit_cycles=8)

    async def receiver(ctx):
        assert await collect(ctx, dut, len(expected)) == expected
        assert ctx.get(dut.framing_errors) == framing_errors

    simulate(dut, sender, receiver)


def test_receiver_ignores_a_spike_shorter_than_half_a_bit():
    dut = UartReceiver(8)

    async def sender(ctx):
        ctx.set(dut.rx, 0)
        await ctx.tick().repeat(3)
        ctx.set(dut.rx, 1)
        await ctx.tick().repeat(20)
        await send(ctx, dut, [*levels(0x5A), 1], bit_cycles=8)

    async def receiver(ctx):
        assert await collect(ctx, dut, 1) == [0x5A]
        assert ctx.get(dut.framing_errors) == 0

    simulate(dut, sender, receiver)


def test_receiver_keeps_the_byte_that_waits_and_counts_the_ones_lost():
    dut = UartReceiver(4)

    async def testbench(ctx):
        for byte in (1, 2, 3):
            await send(ctx, dut, levels(byte), bit_cycles=4)
        await ctx.tick().repeat(8)
        assert ctx.get(dut.overruns) == 2
        assert await collect(ctx, dut, 1) == [1]
        await send(ctx, dut, [*levels(4), 1], bit_cycles=4)
        assert await collect(ctx, dut, 1) == [4]

    simulate(dut, testbench)


@pytest.mark.parametrize("divisor", [4, 7, 24])
@pytest.mark.parametrize(
    "pauses", [pytest.param([0], id="back to back"), pytest.param([0, 17, 300], id="idle between")]
)
def test_transmitter_sends_every_bit_for_its_time(divisor, pauses):
    dut = UartTransmitter(divisor)
    accepted = []

    async def sender(ctx):
        cycle = 0
        for number, byte in enumerate(BYTES):
            for _ in range(pauses[number % len(pauses)]):
                await ctx.tick()
                cycle += 1
            ctx.set(dut.bytes.payload, byte)
            ctx.set(dut.bytes.valid, 1)
            while not ctx.get(dut.bytes.ready):
                await ctx.tick()
                cycle += 1
            await ctx.tick()
            cycle += 1
            accepted.append(cycle)
            ctx.set(dut.bytes.valid, 0)
        await ctx.tick().repeat(10 * divisor + 2)

    line = []

    async def watch(ctx):
        async for *_, level in ctx.tick().sample(dut.tx):
            line.append(level)

    simulator = Simulator(Fragment.get(dut, None))
    simulator.add_clock(1e-6)
    simulator.add_testbench(sender)
    simulator.add_process(watch)
    simulator.run()

    expected = [1] * len(line)
    for start, byte in zip(accepted, BYTES, strict=True):
        for bit, level in enumerate(levels(byte)):
            expected[start + bit * divisor : start + (bit + 1) * divisor] = [level] * divisor
    assert line == expected[: len(line)]
    if pauses == [0]:
        assert {b - a for a, b in itertools.pairwise(accepted)} == {10 * divisor}


@pytest.mark.parametrize(
    ("clock", "baud", "divisor"),
    [
        pytest.param(24e6, 1_000_000, 24, id="exact"),
        pytest.param(12e6, 115_200, 104, id="0.16 % off"),
    ],
)
def test_divisor(clock, baud, divisor):
    assert uart_divisor(clock, baud) == divisor


@pytest.mark.parametrize(
    ("clock", "baud"),
    [
        pytest.param(24e6, 12_000_000, id="a bit of two cycles"),
        pytest.param(30e6, 4_000_000, id="6 % off"),
    ],
)
def test_divisor_refused(clock, baud):
    with pytest.raises(ValueError, match=f"cannot make {baud} baud within 2 %"):
        uart_divisor(clock, baud)


@pytest.mark.usefixtures("refused_components")
@pytest.mark.parametrize("component", [UartReceiver, UartTransmitter])
@pytest.mark.parametrize(
    ("divisor", "error"),
    [
        pytest.param(3, ValueError, id="too fast"),
        pytest.param(24.0, TypeError, id="not an integer"),
    ],
)
def test_wrong_divisor_is_shown(component, divisor, error):
    with pytest.raises(error, match=repr(divisor)):
        component(divisor)
