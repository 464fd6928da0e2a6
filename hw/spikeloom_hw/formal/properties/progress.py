"""No deadlock: what is asked for comes within a number of cycles."""

from dataclasses import replace
from functools import partial

from amaranth.hdl import Signal, Value

from spikeloom_hw.core.params import CoreParams
from spikeloom_hw.core.spiking_core import SpikingCore
from spikeloom_hw.core.spiking_layer import SpikingLayer
from spikeloom_hw.formal.bench import Bench
from spikeloom_hw.formal.proof import Proof
from spikeloom_hw.formal.small import small_layer

_STEPS = 3
_CORE_CYCLES = 48


def _within(bench: Bench, asked: Value, answered: Value, cycles: int) -> Signal:
    """``answered`` comes at most ``cycles`` after ``asked``; returns the cycles waited so far."""
    m = bench.m
    waited = Signal(range(cycles + 2))
    waiting = Signal()
    with m.If(answered):
        m.d.sync += [waiting.eq(0), waited.eq(0)]
    with m.Elif(asked | waiting):
        m.d.sync += [waiting.eq(1), waited.eq(waited + 1)]
    bench.prove(waited <= cycles)
    return waited


def layer(bench: Bench, *, overlapped: bool, step_cycles: int, ready_cycles: int) -> None:
    """A layer that nobody blocks: any events, at any pace."""
    m = bench.m
    small = small_layer([[1, 1], [0, 1]], lanes=1, overlapped=overlapped)
    dut = SpikingLayer(small.params, small.contents)
    inside = bench.add(dut)
    inside.let_loose("update.lane_0")
    bench.drive(dut.events, "events")
    event = dut.events.payload
    step = dut.events.valid & dut.events.ready & event.step

    # Any one of the steps, until its last group.
    chosen = bench.any(name="chosen")
    ends = dut.groups.valid & dut.groups.payload.end
    before = Signal(3)
    m.d.sync += before.eq(before + step - ends)
    watched, ahead = Signal(), Signal(3)
    over = watched & ends & (ahead == 0)
    with m.If(step & chosen & ~watched):
        m.d.sync += [watched.eq(1), ahead.eq(before - ends)]
    with m.Elif(watched & ends):
        m.d.sync += [ahead.eq(ahead - 1), watched.eq(~over)]
    waited = _within(bench, step & chosen & ~watched, over, step_cycles)
    _within(bench, dut.events.valid & ~dut.events.ready, dut.events.ready, ready_cycles)
    bench.cover(over & (waited > step_cycles // 2))
    bench.cover(watched & (ahead == 2))


def core(bench: Bench, *, cycles: int) -> None:
    """A core of two layers, whatever its neurons do, with somebody who takes the scores."""
    m = bench.m
    hidden = small_layer([[1], [1]], lanes=1)
    output = small_layer([[1, 1]], lanes=1, spiking=False)
    params = CoreParams(
        layers=(replace(hidden.params, name="hidden"), replace(output.params, name="output")),
        contents=(hidden.contents, output.contents),
        time_steps=2,
        count_readout=False,
    )
    dut = SpikingCore(params)
    inside = bench.add(dut)
    inside.let_loose("layer_hidden.update.lane_0")
    inside.let_loose("layer_output.update.lane_0")
    bench.drive(dut.events, "events")
    m.d.comb += dut.scores.ready.eq(1)
    event = dut.events.payload
    last = dut.events.valid & dut.events.ready & event.step & event.last
    told = dut.scores.valid & dut.scores.payload.last
    # One sample at a time is open, and it has few steps.
    open_ = Signal()
    steps = Signal(range(_STEPS + 1))
    with m.If(told):
        m.d.sync += [open_.eq(0), steps.eq(0)]
    with m.Elif(dut.events.valid & dut.events.ready & event.step):
        m.d.sync += [open_.eq(event.last), steps.eq(steps + 1)]
    bench.assume(~(dut.events.valid & open_))
    bench.assume(~(dut.events.valid & event.step & ~event.last) | (steps < _STEPS - 1))
    _within(bench, last, told, cycles)
    bench.prove(bench.lawful(dut.scores))
    bench.cover(told & (steps == 1))


PROOFS = (
    *(
        Proof(
            name=f"progress.layer_{name}",
            sentence=f"A STEP that a layer has taken ends within {step} cycles if nobody blocks "
            f"the layer, and an event that is offered is taken within {ready}.",
            size=f"rows of 2 words and 1, 2 neurons, {name}",
            mode="bounded",
            depth=step + 4,
            reach=20,
            build=partial(layer, overlapped=overlapped, step_cycles=step, ready_cycles=ready),
        )
        for name, overlapped, step, ready in (
            ("in_place", False, 27, 11),
            ("overlapped", True, 25, 11),
        )
    ),
    Proof(
        name="progress.core",
        sentence=f"The last score of a sample of up to {_STEPS} steps leaves within "
        f"{_CORE_CYCLES} cycles of its STEP(last), whatever spikes; a score that is offered stays.",
        size="2-1-2 neurons, scores taken at once",
        mode="bounded",
        depth=_CORE_CYCLES + 4,
        reach=34,
        build=partial(core, cycles=_CORE_CYCLES),
    ),
)
