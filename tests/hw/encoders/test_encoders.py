"""Encoders: the events of `spikeloom.encoding`, at any pace, and samples that are given up."""

from typing import NamedTuple

import numpy as np
import pytest

from spikeloom.encoding import (
    DeltaEncoding,
    LatencyEncoding,
    MultiThresholdEncoding,
    RateEncoding,
    SampleCode,
    encode,
    encoding_inputs,
)
from spikeloom.errors import UserError
from spikeloom.packing.words import unsigned_bits
from spikeloom_hw.encoders import (
    DeltaEncoder,
    LatencyEncoder,
    encoder_memory,
    make_encoder,
    require_encoder,
)
from streams import PAUSES, consumer, producer, recorder, run_scenario

CODES = {
    "latency": (LatencyEncoding(threshold=64), 12, 4),
    "latency, every value spikes but 0": (LatencyEncoding(threshold=1), 8, 8),
    "latency, steps that are no power of two": (LatencyEncoding(threshold=40), 9, 5),
    "latency, one value": (LatencyEncoding(), 1, 3),
    "latency, one step": (LatencyEncoding(), 7, 1),
    "latency, more steps than levels": (LatencyEncoding(threshold=200), 3, 300),
    "delta": (DeltaEncoding(delta=40), 12, 4),
    "delta, every change": (DeltaEncoding(delta=1), 15, 5),
    "delta, the largest change": (DeltaEncoding(delta=255), 8, 4),
    "delta, one channel": (DeltaEncoding(delta=30), 7, 7),
    "delta, one step": (DeltaEncoding(delta=30), 6, 1),
}
EDGES = np.array([0, 255, 0, 1, 254, 40, 64, 63, 127, 128, 200, 199, 80, 41, 39], np.uint8)


def built(code, values, time_steps):
    inputs = encoding_inputs(code, values, time_steps)
    whole = SampleCode(encoding=code, values=values, time_steps=time_steps)
    dut = make_encoder(whole, address_bits=unsigned_bits(inputs - 1))
    assert dut is not None
    return dut


def samples(values, count):
    rng = np.random.default_rng(values)
    drawn = rng.integers(0, 256, (count, values), dtype=np.uint8)
    drawn[0] = np.resize(EDGES, values)
    drawn[1] = np.resize(EDGES[::-1], values)
    return drawn


def expected(code, sample, time_steps):
    """The events of one sample: (address, step, last)."""
    events = []
    for t, step in enumerate(encode(code, sample[None], time_steps)[0]):
        events += [(int(address), 0, 0) for address in np.flatnonzero(step)]
        events.append((0, 1, int(t == time_steps - 1)))
    return events


def fields(event):
    return (event.address, event.step, event.last)


@pytest.mark.parametrize(("code", "values", "time_steps"), CODES.values(), ids=CODES)
def test_events_equal_python_at_any_pace(code, values, time_steps):
    given = samples(values, 4)
    wanted = [event for sample in given for event in expected(code, sample, time_steps)]
    paces = PAUSES if time_steps < 100 else {"full rate": PAUSES["full rate"]}
    for pace, pauses in paces.items():
        dut = built(code, values, time_steps)
        taken = []
        run_scenario(
            dut,
            producer(dut.frames, given.ravel().tolist(), pauses),
            consumer(dut.events, taken, len(wanted), pauses[::-1]),
            deadline=50_000,
        )
        assert [fields(event) for event in taken] == wanted, pace


SHORT = {name: case for name, case in CODES.items() if case[2] < 100}


@pytest.mark.parametrize(("code", "values", "time_steps"), SHORT.values(), ids=SHORT)
def test_samples_that_are_given_up(code, values, time_steps):
    """Aborts in every state, against the sentence that defines them."""
    dut = built(code, values, time_steps)
    rng = np.random.default_rng(7)
    log = []

    async def bench(ctx):
        waiting = False
        for _ in range(4000):
            if not waiting and (waiting := bool(rng.random() < 0.7)):
                ctx.set(dut.frames.payload, int(rng.integers(0, 256)))
            ctx.set(dut.frames.valid, waiting)
            ctx.set(dut.events.ready, int(rng.random() < 0.6))
            ctx.set(dut.abort, int(rng.random() < 0.02))
            took = waiting and ctx.get(dut.frames.ready)
            log.append(
                Cycle(
                    took=ctx.get(dut.frames.payload) if took else None,
                    abort=ctx.get(dut.abort),
                    busy=ctx.get(dut.busy),
                    sending=ctx.get(dut.sending),
                    offered=fields(ctx.get(dut.events.payload))
                    if ctx.get(dut.events.valid)
                    else None,
                    ready=ctx.get(dut.events.ready),
                )
            )
            waiting = waiting and not took
            await ctx.tick()

    run_scenario(dut, bench)
    ends = retell(log, code, values, time_steps)
    assert set(ends) == {"whole", "cut", "dropped"}


class Cycle(NamedTuple):
    """What a cycle shows of an encoder: the value taken, the event offered."""

    took: int | None
    abort: int
    busy: int
    sending: int
    offered: tuple[int, int, int] | None
    ready: int


def retell(log, code, values, time_steps):
    """Checks every event of a log; how each sample ended."""
    ends = []
    sample, shown = [], []
    held, ending = False, False
    for cycle in log:
        if cycle.offered and not held:
            if ending:
                assert cycle.offered == (0, 1, 1)
                ending = False
            else:
                shown.append(cycle.offered)
                if cycle.offered[2]:
                    whole, sample = sample[:values], sample[values:]
                    assert shown == expected(code, np.array(whole, np.uint8), time_steps)
                    shown = []
                    ends.append("whole")
        assert cycle.busy or not (cycle.offered or sample or ending)
        assert cycle.sending or not (cycle.offered or ending)
        assert cycle.busy or not cycle.sending
        held = bool(cycle.offered) and not cycle.ready
        if cycle.took is not None:
            assert not cycle.abort
            assert not ending
            sample.append(cycle.took)
        if cycle.abort and sample:
            # Whatever the rest would have been, this is how its events begin.
            rest = np.zeros(values, np.uint8)
            rest[: len(sample)] = sample
            assert shown == expected(code, rest, time_steps)[: len(shown)]
            ending = bool(shown)
            ends.append("cut" if ending else "dropped")
            sample, shown = [], []
    return ends


def test_cycles_of_a_latency_sample():
    dut = built(LatencyEncoding(threshold=64), 9, 5)
    sample = samples(9, 2)[0]
    wanted = expected(LatencyEncoding(threshold=64), sample, 5)
    taken, came, gone = [], [], []
    run_scenario(
        dut,
        producer(dut.frames, sample.tolist()),
        consumer(dut.events, taken, len(wanted)),
        background=[
            recorder(dut.frames.valid & dut.frames.ready, into=came),
            recorder(dut.events.valid & dut.events.ready, dut.events.payload.last, into=gone),
        ],
    )
    assert came[-1][0] - came[0][0] == 2 * (9 - 1)
    # The last value is stored a cycle behind; the event register adds a cycle to the looks.
    assert gone[-1][0] - came[-1][0] == 1 + 5 * (9 + 1) + 2
    assert gone[-1][1]


def test_cycles_of_delta_values():
    dut = built(DeltaEncoding(delta=50), 6, 2)
    sample = [100, 0, 10, 100, 60, 90]
    taken, came = [], []
    run_scenario(
        dut,
        producer(dut.frames, sample * 2),
        consumer(dut.events, taken, 2 * 5),
        background=[recorder(dut.frames.valid & dut.frames.ready, into=came)],
    )
    spikes, ends = [1, 0, 0, 0, 1, 1], [0, 0, 1, 0, 0, 1]
    cycles = [cycle for (cycle,) in came[:7]]
    assert np.diff(cycles).tolist() == [3 + a + b for a, b in zip(spikes, ends, strict=True)]


@pytest.mark.parametrize(
    ("code", "values", "time_steps", "shape"),
    [
        pytest.param(LatencyEncoding(), 784, 8, (4, 784), id="latency"),
        pytest.param(LatencyEncoding(), 1, 1, (1, 2), id="latency, one value"),
        pytest.param(DeltaEncoding(), 784, 28, (8, 28), id="delta"),
    ],
)
def test_memory(code, values, time_steps, shape):
    memory = encoder_memory(SampleCode(encoding=code, values=values, time_steps=time_steps))
    assert (memory.width, memory.depth) == shape


@pytest.mark.parametrize("code", [RateEncoding(), MultiThresholdEncoding()])
def test_codes_without_gateware(code):
    whole = SampleCode(encoding=code, values=8, time_steps=4)
    assert make_encoder(whole, address_bits=8) is None
    with pytest.raises(UserError, match="encoding has no gateware: send events"):
        require_encoder(whole, address_bits=8)
    with pytest.raises(UserError, match="encoding has no gateware: send events"):
        encoder_memory(whole)


def test_frames_of_unequal_size_are_refused():
    with pytest.raises(UserError, match="10 values are no 4 frames"):
        make_encoder(SampleCode(encoding=DeltaEncoding(), values=10, time_steps=4), address_bits=8)


@pytest.mark.usefixtures("refused_components")
@pytest.mark.parametrize(
    ("kind", "arguments", "says"),
    [
        pytest.param(LatencyEncoder, {"values": 0}, "Values .* not 0", id="no value"),
        pytest.param(LatencyEncoder, {"values": 17}, "1 to 16, not 17", id="many values"),
        pytest.param(LatencyEncoder, {"time_steps": 0}, "steps .* not 0", id="latency, no step"),
        pytest.param(LatencyEncoder, {"threshold": 0}, "Threshold .* not 0", id="threshold"),
        pytest.param(DeltaEncoder, {"channels": 0}, "Channels .* not 0", id="no channel"),
        pytest.param(DeltaEncoder, {"channels": 9}, "1 to 8, not 9", id="many channels"),
        pytest.param(DeltaEncoder, {"time_steps": 0}, "steps .* not 0", id="delta, no step"),
        pytest.param(DeltaEncoder, {"delta": 256}, "Delta .* not 256", id="delta"),
    ],
)
def test_wrong_parameters_are_refused(kind, arguments, says):
    least = {
        LatencyEncoder: {"values": 4, "threshold": 64},
        DeltaEncoder: {"channels": 4, "delta": 64},
    }
    with pytest.raises(ValueError, match=says):
        kind(**{"time_steps": 4, "address_bits": 4, **least[kind], **arguments})
