"""A whole conversation over the serial line, bit by bit, with a core behind it."""

from dataclasses import replace

import numpy as np
from amaranth.hdl import Fragment
from amaranth.sim import Simulator

from networks import random_network
from spikeloom.encoding import encode
from spikeloom.host import protocol
from spikeloom.host.frames import FrameReader, frame, frame_bytes
from spikeloom.host.protocol import Command, Status
from spikeloom.reference import simulate
from spikeloom_hw.core import CoreParams, SpikingCore
from spikeloom_hw.host.device import SerialDevice
from spikeloom_hw.identity import identify
from spikeloom_hw.targets import find_target

BIT = 4
BYTE = 10 * BIT
OUTPUTS = 4


def identity_of(params):
    """The identity of a core with a clock that makes bits of four cycles."""
    whole = identify(params, target=find_target("icebreaker"), design_sha256="ab" * 32)
    return replace(whole, clock_hz=BIT * 1_000_000)


def talk(dut, *parts):
    """Send bytes, with idle cycles between; the answers, and the lights at the end."""
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
    reader = FrameReader()
    answers = [protocol.decode_answer(contents) for contents in reader.feed(bytes(received))]
    assert reader.refused == 0
    return answers, lights


def answer_time(payload):
    return (frame_bytes(protocol.ANSWER_BYTES + payload) + 4) * BYTE


def request(sequence, command, payload=b""):
    return frame(protocol.encode_request(sequence, command, payload))


def test_a_network_answers_as_the_reference_does():
    random = np.random.default_rng(5)
    image = random_network(random, (12, 8, OUTPUTS))
    pixels = random.integers(0, 256, (3, 12), dtype=np.uint8)
    events = encode(image.encoding, pixels, image.time_steps)
    expected = simulate(image, events)
    params = CoreParams.from_image(image, (2, 1))
    identity = identity_of(params)
    parts = [request(9, Command.RESET), answer_time(protocol.IDENTITY_BYTES)]
    sequence = 10
    sizes = []
    for number, sample in enumerate(events):
        # The result is asked for while the events are still carried out.
        for payload in protocol.encode_events([np.flatnonzero(step).tolist() for step in sample]):
            parts.append(request(sequence, Command.EVENTS, payload))
            sequence += 1
        parts.append(request(0, Command.RESULT, protocol.encode_result(number, 0, OUTPUTS)))
        parts.append(answer_time(1 + OUTPUTS * protocol.SCORE_BYTES) + 1000)
        sizes.append(sequence)
    answers, lights = talk(SerialDevice(SpikingCore(params), identity=identity), *parts)
    assert {answer.status for answer in answers} == {Status.OK}
    assert protocol.decode_identity(answers[0].payload) == identity
    results = [protocol.decode_result(a.payload) for a in answers[1:] if a.payload]
    assert [list(result.scores) for result in results] == expected.scores.tolist()
    assert [result.label for result in results] == expected.predictions.tolist()
    assert answers[-1].next == sequence
    assert lights == {"active": 1, "lost": 0, "label": results[-1].label}


def test_garbage_lights_up_and_the_device_goes_on(echo_core):
    garbage = bytes(range(1, 40)) + b"\0"
    broken = bytearray(request(0, Command.IDENTIFY))
    broken[2] ^= 0x10
    sent = garbage + bytes(broken) + request(3, Command.IDENTIFY)
    dut = SerialDevice(echo_core, identity=echo_core.identity)
    answers, lights = talk(dut, sent, 4 * answer_time(protocol.IDENTITY_BYTES))
    assert [a.status for a in answers] == [Status.CORRUPT, Status.CORRUPT, Status.OK]
    assert protocol.decode_identity(answers[-1].payload) == echo_core.identity
    assert lights == {"active": 1, "lost": 1, "label": 0}
