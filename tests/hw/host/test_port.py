"""Bytes to events and scores to bytes, with idle and back-pressure on both sides."""

import itertools
import random

import pytest
from amaranth.hdl import Fragment
from amaranth.sim import Simulator

from spikeloom_hw.events import EventLayout, ScoreLayout
from spikeloom_hw.host import protocol
from spikeloom_hw.host.port import HostPort

INPUTS = 100
HASH = bytes.fromhex("c0ffee42")
IDENTITY = protocol.encode_identity(protocol.Identity(version=protocol.VERSION, design_hash=HASH))
STEP = (0, 1, 0)
LAST = (0, 1, 1)


def make_port(inputs=INPUTS, score_bits=12, label_bits=4):
    return HostPort(
        event=EventLayout(7),
        score=ScoreLayout(score_bits, label_bits),
        inputs=inputs,
        design_hash=HASH,
    )


def simulate(dut, *testbenches):
    simulator = Simulator(Fragment.get(dut, None))
    simulator.add_clock(1e-6)
    for testbench in testbenches:
        simulator.add_testbench(testbench)
    simulator.run()


async def pause(ctx, cycles):
    if cycles:
        await ctx.tick().repeat(cycles)


async def put(ctx, stream, payloads, pauses):
    for payload, cycles in zip(payloads, itertools.cycle(pauses), strict=False):
        ctx.set(stream.valid, 0)
        await pause(ctx, cycles)
        ctx.set(stream.payload, payload)
        ctx.set(stream.valid, 1)
        await ctx.tick().until(stream.ready)
    ctx.set(stream.valid, 0)


async def get(ctx, stream, count, pauses):
    taken = []
    for _, cycles in zip(range(count), itertools.cycle(pauses), strict=False):
        ctx.set(stream.ready, 0)
        await pause(ctx, cycles)
        ctx.set(stream.ready, 1)
        (payload,) = await ctx.tick().sample(stream.payload).until(stream.valid)
        taken.append(payload)
    ctx.set(stream.ready, 0)
    return taken


PAUSES = [
    pytest.param([0], id="flowing"),
    pytest.param([0, 0, 3, 1], id="now and then"),
    pytest.param([random.Random(3).randrange(5) for _ in range(31)], id="random"),
]


@pytest.mark.parametrize(
    ("words", "events", "ignored"),
    [
        pytest.param([0, 99, 7], [(0, 0, 0), (99, 0, 0), (7, 0, 0)], 0, id="spikes"),
        pytest.param([0x8000, 0x8001], [STEP, LAST], 0, id="steps"),
        pytest.param([100, 3], [(3, 0, 0)], 1, id="address beyond the network"),
        pytest.param([128 + 5, 3], [(3, 0, 0)], 1, id="address that would wrap"),
        pytest.param([0x7FFF, 0x8002, 0xFFFE, 3], [(3, 0, 0)], 3, id="words without a meaning"),
    ],
)
@pytest.mark.parametrize("put_pauses", PAUSES)
@pytest.mark.parametrize("get_pauses", PAUSES)
def test_words_become_events(words, events, ignored, put_pauses, get_pauses):
    dut = make_port()

    async def host(ctx):
        await put(ctx, dut.received, protocol.encode_words(words), put_pauses)

    async def core(ctx):
        taken = await get(ctx, dut.events, len(events), get_pauses)
        assert [(event.address, event.step, event.last) for event in taken] == events
        await ctx.tick().repeat(8)
        assert ctx.get(dut.ignored) == ignored
        assert not ctx.get(dut.events.valid)

    simulate(dut, host, core)


def test_event_latency():
    dut = make_port()

    async def testbench(ctx):
        await put(ctx, dut.received, protocol.encode_words([5]), [0])
        cycles = 1
        while not ctx.get(dut.events.valid):
            await ctx.tick()
            cycles += 1
        assert cycles == 4

    simulate(dut, testbench)


def test_count_of_ignored_words_stays_at_its_end():
    dut = make_port()

    async def testbench(ctx):
        await put(ctx, dut.received, protocol.encode_words([0x9000] * 300), [0])
        await ctx.tick().repeat(600)
        assert ctx.get(dut.ignored) == 255

    simulate(dut, testbench)


def score_beats(scores, label):
    return [
        {"value": value, "best": label, "last": number == len(scores) - 1}
        for number, value in enumerate(scores)
    ]


@pytest.mark.parametrize("put_pauses", PAUSES)
@pytest.mark.parametrize("get_pauses", PAUSES)
def test_scores_become_answers(put_pauses, get_pauses):
    dut = make_port()
    results = [([-2048, 2047, 0], 1), ([5, -1, 5], 0), ([-1, -1, -1], 0)]
    answers = b"".join(protocol.encode_answer(scores, label) for scores, label in results)

    async def core(ctx):
        for scores, label in results:
            await put(ctx, dut.scores, score_beats(scores, label), put_pauses)

    async def host(ctx):
        assert bytes(await get(ctx, dut.sent, len(answers), get_pauses)) == answers

    simulate(dut, core, host)


def test_identify_waits_for_the_end_of_an_answer():
    dut = make_port()
    answer = protocol.encode_answer([1, 2, 3], 2)

    async def core(ctx):
        await put(ctx, dut.scores, score_beats([1, 2, 3], 2), [20])

    async def host(ctx):
        # The first score's bytes are on their way when the request arrives.
        first = await get(ctx, dut.sent, 2, [0])
        await put(ctx, dut.received, protocol.encode_words([protocol.IDENTIFY]), [0])
        rest = await get(ctx, dut.sent, len(answer) + len(IDENTITY) - 2, [0])
        assert bytes([*first, *rest]) == answer + IDENTITY

    simulate(dut, core, host)


@pytest.mark.parametrize(
    "left", [pytest.param(b"", id="on a word's edge"), pytest.param(b"\x12", id="half a word")]
)
def test_a_host_that_sends_ff_until_answered_ends_on_a_words_edge(left):
    dut = make_port()

    async def host(ctx):
        await put(ctx, dut.received, left, [0])
        sent = 0
        while not ctx.get(dut.sent.valid):
            await put(ctx, dut.received, b"\xff", [0])
            await ctx.tick().repeat(16)
            sent += 1
        assert sent == 2 + len(left)
        assert bytes(await get(ctx, dut.sent, len(IDENTITY), [0])) == IDENTITY
        await put(ctx, dut.received, protocol.encode_words([42]), [0])
        (event,) = await get(ctx, dut.events, 1, [0])
        assert event.address == 42

    simulate(dut, host)


def test_a_full_fifo_holds_512_bytes_and_loses_none():
    dut = make_port()
    words = [number % INPUTS for number in range(400)]
    data = protocol.encode_words(words)
    accepted = 0

    async def host(ctx):
        nonlocal accepted
        for byte in data:
            ctx.set(dut.received.payload, byte)
            ctx.set(dut.received.valid, 1)
            await ctx.tick().until(dut.received.ready)
            accepted += 1
        ctx.set(dut.received.valid, 0)

    async def core(ctx):
        await ctx.tick().repeat(600)
        # Beside the FIFO's 512, one word stands in the decoder.
        assert accepted == 512 + 2
        taken = await get(ctx, dut.events, len(words), [0])
        assert [event.address for event in taken] == words

    simulate(dut, host, core)


@pytest.mark.usefixtures("refused_components")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param({"inputs": 0}, "not 0", id="no inputs"),
        pytest.param({"inputs": 40_000}, "not 40000", id="too many inputs"),
        pytest.param({"score_bits": 33}, "not 33", id="score too wide"),
        pytest.param({"label_bits": 9}, "not 9", id="more classes than a byte names"),
    ],
)
def test_what_the_protocol_cannot_carry_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        make_port(**arguments)
