"""Drive and observe streams in Amaranth's simulator: producers, consumers, patterns of pauses."""

from amaranth.hdl import Fragment
from amaranth.sim import Simulator

DEADLINE = 20_000

PAUSES = {
    "full rate": (0,),
    "slow producer": (3, 0, 1),
    "long pauses": (0, 0, 17),
}
"""Cycles to wait before each transfer, in turn; for tests with ``idle`` and ``back-pressure``."""


class TooLongError(AssertionError):
    """The test benches did not end before the deadline."""


def run_scenario(dut, *benches, background=(), deadline=DEADLINE):
    """Runs ``benches`` to their ends.

    Raises:
        TooLongError: they take more than ``deadline`` cycles, as in a deadlock.
    """
    running = set(range(len(benches)))

    def counted(number, bench):
        async def run(ctx):
            await bench(ctx)
            running.discard(number)

        return run

    async def watchdog(ctx):
        for _ in range(deadline):
            await ctx.tick()
            if not running:
                return
        raise TooLongError(f"{len(running)} test benches still run after {deadline} cycles")

    simulator = Simulator(Fragment.get(dut, None))
    simulator.add_clock(1e-6)
    for number, bench in enumerate(benches):
        simulator.add_testbench(counted(number, bench))
    for bench in background:
        simulator.add_testbench(bench, background=True)
    simulator.add_testbench(watchdog)
    simulator.run()


async def stream_put(ctx, port, payload):
    """One transfer into ``port``."""
    ctx.set(port.payload, payload)
    ctx.set(port.valid, 1)
    await ctx.tick().until(port.ready)
    ctx.set(port.valid, 0)


async def stream_get(ctx, port):
    """One transfer out of ``port``."""
    ctx.set(port.ready, 1)
    (payload,) = await ctx.tick().sample(port.payload).until(port.valid)
    ctx.set(port.ready, 0)
    return payload


async def stream_assert(ctx, port, expected):
    """One transfer out of ``port``; names the field that differs."""
    payload = await stream_get(ctx, port)
    for field, value in expected.items():
        assert payload[field] == value, f"{field} is {payload[field]}, expected {value}"


def producer(port, payloads, pauses=(0,)):
    """A bench that sends ``payloads``."""

    async def bench(ctx):
        for number, payload in enumerate(payloads):
            if pause := pauses[number % len(pauses)]:
                await ctx.tick().repeat(pause)
            await stream_put(ctx, port, payload)

    return bench


def consumer(port, taken, count, pauses=(0,)):
    """A bench that takes ``count`` payloads into the list ``taken``."""

    async def bench(ctx):
        for number in range(count):
            if pause := pauses[number % len(pauses)]:
                await ctx.tick().repeat(pause)
            taken.append(await stream_get(ctx, port))

    return bench


def recorder(valid, *signals, into):
    """A background bench: notes ``(cycle, *signals)`` in every cycle in which ``valid`` is high."""

    async def bench(ctx):
        cycle = 0
        async for _, _, now, *values in ctx.tick().sample(valid, *signals):
            cycle += 1
            if now:
                into.append((cycle, *values))

    return bench
