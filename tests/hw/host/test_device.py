"""A whole conversation over the serial line, bit by bit, with a core behind it."""

from dataclasses import replace

import numpy as np
import pytest
from amaranth.hdl import Fragment
from amaranth.sim import Simulator

from networks import random_events, random_network
from spikeloom.encoding import encode
from spikeloom.packing import pack_network
from spikeloom.reference import simulate
from spikeloom_hw.core import CoreParams, SpikingCore
from spikeloom_hw.core.counters import count_names
from spikeloom_hw.core.loading import load_sequence, make_loadable
from spikeloom_hw.host import protocol
from spikeloom_hw.host.device import SerialDevice

BIT = 4
HASH = b"\x01\x02\x03\x04"
IDENTITY = protocol.Identity(version=protocol.VERSION, design_hash=HASH)


def talk(core, *parts, inputs=16):
    """Send bytes, with idle cycles between; return what came back, and the lights at the end."""
    dut = SerialDevice(core, inputs=inputs, design_hash=HASH, clock_hz=BIT * 1e6)
    received = bytearray()
    lights = {}

    async def host(ctx):
        assert not ctx.get(dut.active)
        for part in parts:
            if isinstance(part, int):
                await ctx.tick().repeat(part)
                continue
            for byte in part:
                for level in [0, *((byte >> bit) & 1 for bit in range(8)), 1]:
                    ctx.set(dut.rx, level)
                    await ctx.tick().repeat(BIT)
        lights.update(active=ctx.get(dut.active), lost=ctx.get(dut.lost), label=ctx.get(dut.label))

    async def line(ctx):
        while True:
            await ctx.negedge(dut.tx)
            await ctx.tick().repeat(BIT // 2)
            byte = 0
            for bit in range(8):
                await ctx.tick().repeat(BIT)
                byte |= ctx.get(dut.tx) << bit
            await ctx.tick().repeat(BIT)
            assert ctx.get(dut.tx) == 1, "no stop bit"
            received.append(byte)

    simulator = Simulator(Fragment.get(dut, None))
    simulator.add_clock(1e-6)
    simulator.add_testbench(host)
    simulator.add_testbench(line, background=True)
    simulator.run()
    return bytes(received), lights


def answer_time(count):
    return (count + 2) * 10 * BIT


def test_identify(echo_core):
    sent = protocol.encode_words([protocol.IDENTIFY])
    answer, lights = talk(echo_core, sent, answer_time(protocol.IDENTITY_BYTES))
    assert protocol.decode_identity(answer) == IDENTITY
    assert lights == {"active": 1, "lost": 0, "label": 0}


def test_samples_in_a_row_are_answered_in_order(echo_core):
    # 30 words each: the answers of 17 bytes keep up, so nothing has to wait.
    samples = [[[s % 16, (s + 1) % 16] * 5] * 3 for s in range(4)]
    sent = b"".join(protocol.encode_sample(steps) for steps in samples)
    answers, lights = talk(echo_core, sent, answer_time(protocol.answer_bytes(4)))
    size = protocol.answer_bytes(4)
    assert len(answers) == len(samples) * size
    label = None
    for number, steps in enumerate(samples):
        answer = protocol.decode_answer(answers[number * size : (number + 1) * size], 4)
        addresses = [address for step in steps for address in step]
        counts = tuple(sum(a % 4 == n for a in addresses) for n in range(4))
        label = addresses[-1] % 4
        assert (answer.scores, answer.label) == (counts, label)
    assert lights == {"active": 1, "lost": 0, "label": label}


def test_a_burst_of_short_samples_loses_nothing_within_the_fifo(echo_core):
    # Each 4 bytes ask for 17, so that most of what is sent waits in the FIFO.
    sample = protocol.encode_sample([[5]])
    answers, lights = talk(echo_core, sample * 40, answer_time(40 * protocol.answer_bytes(4)))
    assert answers == protocol.encode_answer([0, 1, 0, 0], 1) * 40
    assert lights["lost"] == 0


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(protocol.encode_words([0x9000]), id="word without a meaning"),
        pytest.param(protocol.encode_words([0xA000]), id="nothing to load"),
        pytest.param(protocol.encode_words([16]), id="address beyond the network"),
    ],
)
def test_a_loss_lights_up_and_the_device_goes_on(echo_core, sent):
    sample = protocol.encode_sample([[6]])
    answers, lights = talk(echo_core, sent + sample, answer_time(protocol.answer_bytes(4)))
    assert answers == protocol.encode_answer([0, 0, 1, 0], 2)
    assert lights == {"active": 1, "lost": 1, "label": 2}


def test_a_network_answers_as_the_reference_does(small_image):
    pixels = np.random.default_rng(5).integers(0, 256, (3, 64), dtype=np.uint8)
    events = encode(small_image.encoding, pixels, small_image.time_steps)
    expected = simulate(small_image, events)
    sent = b"".join(
        protocol.encode_sample([np.flatnonzero(step).tolist() for step in sample])
        for sample in events
    )
    core = SpikingCore(CoreParams.from_image(small_image, (2, 1)))
    size = protocol.answer_bytes(10)
    answers, lights = talk(core, sent, answer_time(2 * size), inputs=64)
    assert len(answers) == 3 * size
    for number in range(3):
        answer = protocol.decode_answer(answers[number * size : (number + 1) * size], 10)
        assert list(answer.scores) == expected.scores[number].tolist()
        assert answer.label == expected.predictions[number]
    assert lights["lost"] == 0


def test_another_network_is_loaded_over_the_line_and_its_work_counted():
    first, second = (random_network(np.random.default_rng(seed), [9, 8, 3]) for seed in (1, 2))
    first, second = map(without_bias, (first, second))
    packed = pack_network(first, (2, 1))
    params = make_loadable(CoreParams.from_packed(first, packed, counters=True), single_ports=4)
    core = SpikingCore(params)
    parts, expected = [], b""
    for image in (first, second):
        events = random_events(np.random.default_rng(3), image, 1)
        trace = simulate(image, events)
        expected += protocol.encode_answer(trace.scores[0].tolist(), int(trace.predictions[0]))
        sample = protocol.encode_sample([np.flatnonzero(step).tolist() for step in events[0]])
        loads = protocol.encode_load(load_sequence(image, params))
        parts += [loads + sample, answer_time(protocol.answer_bytes(3))]
    counters = protocol.COUNT_BYTES * 11
    ask = protocol.encode_words([protocol.COUNTERS])
    answers, lights = talk(core, *parts, ask, answer_time(counters), inputs=9)
    assert lights["lost"] == 0
    assert answers[:-counters] == expected
    counts = protocol.decode_counters(answers[-counters:])
    names = count_names(2)
    assert counts[names.index("layer1.operations")] > 0
    assert counts[names.index("layer0.events")] == 2 * events.sum()


def without_bias(image):
    layers = (replace(layer, bias=np.zeros_like(layer.bias)) for layer in image.layers)
    return replace(image, layers=tuple(layers))
