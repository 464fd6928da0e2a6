"""What a host can ask of a device, and what it answers: `docs/protocol.md`, line by line."""

from dataclasses import replace

import numpy as np
import pytest
from amaranth.hdl import ClockDomain, Module
from amaranth.lib import wiring
from hypothesis import given, settings
from hypothesis import strategies as st

from networks import random_events, random_network
from spikeloom.arithmetic import IntegrateLeak
from spikeloom.host import protocol
from spikeloom.host.frames import frame
from spikeloom.host.protocol import Command, Status
from spikeloom.packing import pack_network
from spikeloom.reference import simulate as reference
from spikeloom_hw.core import CoreParams, SpikingCore
from spikeloom_hw.core.counters import count_names
from spikeloom_hw.core.layouts import MemoryKind
from spikeloom_hw.core.loading import load_sequence, make_loadable
from spikeloom_hw.events import EventLayout, ScoreLayout
from spikeloom_hw.host.port import MOST_COUNTERS, HostPort
from spikeloom_hw.identity import identify
from spikeloom_hw.targets import find_target

from .conversation import Host, simulate

LANES = (4, 2)
DESIGN_SHA256 = "5e" * 32


def make_network(seed, shape=(20, 24, 6)):
    image = random_network(
        np.random.default_rng(seed), list(shape), leak=IntegrateLeak(), density=0.4
    )
    layers = (replace(layer, bias=np.zeros_like(layer.bias)) for layer in image.layers)
    return image.with_layers(tuple(layers))


FIRST, SECOND = make_network(1), make_network(2, (17, 20, 6))


class Served:
    """A core behind its host port, without the serial line."""

    def __init__(self, image=FIRST, *, loadable=True, single_ports=0, distributed_depth=0):
        fixed = CoreParams.from_packed(
            image,
            pack_network(image, LANES),
            counters=True,
            distributed_depth=distributed_depth,
        )
        self.params = make_loadable(fixed, single_ports=single_ports) if loadable else fixed
        self.identity = identify(
            self.params, target=find_target("icebreaker"), design_sha256=DESIGN_SHA256
        )
        core = SpikingCore(self.params)
        self.port = HostPort(
            event=core.events.payload.shape(),
            score=core.scores.payload.shape(),
            identity=self.identity,
            load=core.load.payload.shape() if loadable else None,
        )
        self.module = m = Module()
        m.domains.sync = self.domain = ClockDomain()
        m.submodules.port, m.submodules.core = self.port, core
        wiring.connect(m, self.port.events, core.events)
        wiring.connect(m, core.scores, self.port.scores)
        m.d.comb += [core.select.eq(self.port.select), self.port.count.eq(core.count)]
        if loadable:
            wiring.connect(m, self.port.load, core.load)
            m.d.comb += self.port.chunk.eq(core.chunk)

    def talk(self, conversation):
        """Run `conversation(host)` after a reset."""

        async def bench(ctx):
            host = Host(ctx, self.port.received, self.port.sent)
            await host.ask(Command.RESET, sequence=250)
            await conversation(host)

        simulate(self.module, bench)


def events_of(image, seed, samples):
    return random_events(np.random.default_rng(seed), image, samples)


async def send_sample(host, sample, *, cut=None):
    """The events of a sample; of its words only `cut`, if given."""
    steps = [np.flatnonzero(step).tolist() for step in sample]
    words = b"".join(protocol.encode_events(steps))
    words = words if cut is None else words[: 2 * cut]
    for at in range(0, len(words), protocol.PAYLOAD_BYTES):
        answer = await host.ask(Command.EVENTS, words[at : at + protocol.PAYLOAD_BYTES])
        assert answer.status == Status.OK


async def check_results(host, image, events, *, first=0):
    """Each sample's class and scores are those of the reference."""
    trace = reference(image, events)
    for number, sample in enumerate(events):
        await send_sample(host, sample)
        result = await ask_result(host, first + number, 6)
        assert result.scores == tuple(trace.scores[number].tolist())
        assert result.label == trace.predictions[number]


async def ask_result(host, sample, outputs, *, first=0):
    answer = await host.ask(Command.RESULT, protocol.encode_result(sample, first, outputs))
    assert answer.status == Status.OK
    return protocol.decode_result(answer.payload)


async def load(host, image, params):
    loads = load_sequence(image, params)
    for payload in protocol.encode_loads(loads):
        assert (await host.ask(Command.LOAD, payload)).status == Status.OK
    readable = [each for each in loads if each[1] != MemoryKind.THRESHOLD.value]
    for payload, chunks in protocol.encode_reads(readable):
        answer = await host.ask(Command.READ, payload)
        assert answer.status == Status.OK
        assert protocol.decode_chunks(answer.payload) == chunks


def test_identity():
    served = Served()

    async def conversation(host):
        for command in (Command.IDENTIFY, Command.RESET):
            answer = await host.ask(command)
            assert answer.status == Status.OK
            assert protocol.decode_identity(answer.payload) == served.identity

    served.talk(conversation)


@pytest.mark.parametrize(
    ("single_ports", "networks"),
    [
        pytest.param(0, [FIRST, SECOND], id="block RAM"),
        pytest.param(1, [SECOND, FIRST], id="one memory in single-port RAM"),
        pytest.param(4, [FIRST, SECOND, FIRST], id="all of them"),
    ],
)
def test_results_of_one_network_after_another(single_ports, networks):
    served = Served(single_ports=single_ports)

    async def conversation(host):
        for turn, image in enumerate(networks):
            await load(host, image, served.params)
            await check_results(host, image, events_of(image, 3, 2), first=2 * turn)

    served.talk(conversation)


def test_a_core_with_fixed_memories():
    served = Served(loadable=False)

    async def conversation(host):
        await check_results(host, FIRST, events_of(FIRST, 3, 2))
        for command in (Command.LOAD, Command.READ):
            assert (await host.ask(command, bytes(6))).status == Status.UNKNOWN

    served.talk(conversation)


def test_results_can_be_asked_for_again_and_in_parts():
    async def conversation(host):
        events = events_of(FIRST, 3, 3)
        trace = reference(FIRST, events)
        for sample in events:
            await send_sample(host, sample)
        for number in (2, 1, 2):
            for first, outputs in ((0, 6), (5, 1), (2, 3)):
                result = await ask_result(host, number, outputs, first=first)
                expected = trace.scores[number, first : first + outputs]
                assert result.scores == tuple(expected.tolist())
                assert result.label == trace.predictions[number]
        # Of the first, nothing is left; and of samples that were never sent.
        for number in (0, 3, 4, 255):
            answer = await host.ask(Command.RESULT, protocol.encode_result(number, 0, 6))
            assert (answer.status, answer.payload) == (Status.UNAVAILABLE, b"")

    Served().talk(conversation)


def test_nothing_is_there_before_the_first_sample():
    async def conversation(host):
        for number in (0, 1, 254, 255):
            answer = await host.ask(Command.RESULT, protocol.encode_result(number, 0, 6))
            assert answer.status == Status.UNAVAILABLE

    Served().talk(conversation)


def test_a_sample_that_is_given_up_leaves_no_trace():
    async def conversation(host):
        events = events_of(FIRST, 3, 2)
        for cut in (0, 1, 5, 12):
            await send_sample(host, events[1], cut=cut)
            answer = await host.ask(Command.RESET, sequence=77)
            assert answer.next == 78
            empty = await host.ask(Command.RESULT, protocol.encode_result(0, 0, 6))
            assert empty.status == Status.UNAVAILABLE
            await check_results(host, FIRST, events)

    Served().talk(conversation)


def test_a_load_that_is_broken_off_is_simply_begun_again():
    served = Served()

    async def conversation(host):
        payloads = list(protocol.encode_loads(load_sequence(SECOND, served.params)))
        await host.ask(Command.LOAD, payloads[0])
        await host.send(
            frame(protocol.encode_request(host.sequence, Command.LOAD, payloads[1]))[:9]
        )
        await host.send(b"\0")
        assert (await host.answer()).status == Status.CORRUPT
        await host.ask(Command.RESET)
        await load(host, SECOND, served.params)
        await check_results(host, SECOND, events_of(SECOND, 4, 2))

    served.talk(conversation)


def test_ordered_commands_are_carried_out_once_and_in_order():
    async def conversation(host):
        sample = events_of(FIRST, 3, 1)
        steps = [np.flatnonzero(step).tolist() for step in sample[0]]
        (words,) = protocol.encode_events(steps)
        begun = host.sequence
        early = await host.ask(Command.EVENTS, words, sequence=begun + 1)
        assert (early.status, early.next) == (Status.SEQUENCE, begun)
        once = await host.ask(Command.EVENTS, words, sequence=begun)
        assert (once.status, once.next) == (Status.OK, (begun + 1) % 256)
        again = await host.ask(Command.EVENTS, words, sequence=begun)
        assert (again.status, again.next) == (Status.SEQUENCE, (begun + 1) % 256)
        trace = reference(FIRST, sample)
        result = await ask_result(host, 0, 6)
        assert result.scores == tuple(trace.scores[0].tolist())
        # It was one sample, not two.
        answer = await host.ask(Command.RESULT, protocol.encode_result(1, 0, 6))
        assert answer.status == Status.UNAVAILABLE

    Served().talk(conversation)


@pytest.mark.parametrize("begun", [250, 120])
def test_sequence_numbers_run_over(begun):
    async def conversation(host):
        await host.ask(Command.RESET, sequence=begun)
        for number in range(1, 16):
            answer = await host.ask(Command.EVENTS, b"")
            assert answer.status == Status.OK
            assert answer.next == (begun + number + 1) % 256

    Served().talk(conversation)


MALFORMED = {
    "half a word": (Command.EVENTS, b"\1"),
    "a word and a half": (Command.EVENTS, b"\1\0\2"),
    "address beyond the network": (Command.EVENTS, b"\x14\0"),
    "word without a meaning": (Command.EVENTS, b"\2\x80"),
    "another": (Command.EVENTS, b"\xff\xff"),
    "load of nothing": (Command.LOAD, b""),
    "load cut short": (Command.LOAD, b"\0\0\0"),
    "half a chunk": (Command.LOAD, b"\0\0\0\0\5"),
    "load of a layer that is not there": (Command.LOAD, b"\x08\0\0\0"),
    "and of one far off": (Command.LOAD, b"\0\x10\0\0"),
    "load of a memory that is not there": (Command.LOAD, b"\3\0\0\0"),
    "load beyond a memory": (Command.LOAD, b"\0\0\0\xf0"),
    "read cut short": (Command.READ, b"\0\0\0\0"),
    "read too long": (Command.READ, b"\0\0\0\0\0\0"),
    "read of a threshold": (Command.READ, b"\2\0\0\0\0"),
    "more than an answer holds": (Command.READ, b"\0\0\0\0\x7c"),
    "result cut short": (Command.RESULT, b"\0\0"),
    "result too long": (Command.RESULT, b"\0\0\0\0"),
    "result far too long": (Command.RESULT, bytes(7)),
    "more outputs than there are": (Command.RESULT, b"\0\0\6"),
    "an output that is not there": (Command.RESULT, b"\0\6\0"),
    "and one that would run over": (Command.RESULT, b"\0\xff\xff"),
}


def test_what_is_malformed_is_answered_and_the_device_goes_on():
    async def conversation(host):
        for case, (command, payload) in MALFORMED.items():
            answer = await host.ask(command, payload)
            assert (answer.status, answer.payload) == (Status.MALFORMED, b""), case
            await host.ask(Command.RESET)
            await check_results(host, FIRST, events_of(FIRST, 3, 1))

    Served().talk(conversation)


def test_an_unknown_command_is_answered():
    async def conversation(host):
        for command in (8, 77, 255):
            for payload in (b"", b"abc", bytes(protocol.PAYLOAD_BYTES)):
                answer = await host.ask(command, payload)
                assert (answer.status, answer.payload) == (Status.UNKNOWN, b""), command
        await check_results(host, FIRST, events_of(FIRST, 3, 1))

    Served().talk(conversation)


def test_no_load_while_a_sample_is_under_way():
    async def conversation(host):
        sample = events_of(FIRST, 3, 1)
        await send_sample(host, sample[0], cut=3)
        for command, payload in ((Command.LOAD, bytes(6)), (Command.READ, bytes(5))):
            answer = await host.ask(command, payload)
            assert (answer.status, answer.payload) == (Status.UNAVAILABLE, b"")

    Served().talk(conversation)


def test_counters():
    async def conversation(host):
        events = events_of(FIRST, 3, 2)
        await check_results(host, FIRST, events)
        await host.ask(Command.EVENTS, b"\xff\x7f" * 3)
        await host.send(frame(b"abc")[:-2] + b"\0")
        assert (await host.answer()).status == Status.CORRUPT
        answer = await host.ask(Command.COUNTERS)
        link, core = protocol.decode_counters(answer.payload)
        assert link == {"refused": 1, "framing_errors": 0, "overruns": 0, "ignored": 3}
        counted = dict(zip(count_names(2), core, strict=True))
        assert counted["layer0.events"] == events.sum()
        assert counted["layer1.operations"] > 0
        assert counted["cycles"] > counted["layer0.words"] > 0

    Served().talk(conversation)


@settings(max_examples=8)
@given(st.lists(st.binary(min_size=2, max_size=30), max_size=8), st.integers(0, 2**32))
def test_any_requests_are_answered_and_a_reset_mends_all(requests, seed):
    async def conversation(host):
        for request in requests:
            await host.send(frame(request))
            answer = await host.answer()
            assert answer.sequence == request[0]
        await host.ask(Command.RESET)
        served_events = events_of(FIRST, seed, 1)
        await check_results(host, FIRST, served_events)

    Served(loadable=False).talk(conversation)


@pytest.mark.usefixtures("refused_components")
@pytest.mark.parametrize(
    ("change", "score", "message"),
    [
        ({"inputs": 0}, (12, 4), "32768 addresses, not 0"),
        ({"inputs": 32769}, (12, 4), "32768 addresses, not 32769"),
        ({"outputs": 257}, (12, 4), "256 classes, not 257"),
        ({"counters": MOST_COUNTERS + 1}, (12, 4), "61 counters, not 62"),
        ({}, (33, 4), "up to 32 bits, not 33"),
    ],
)
def test_what_the_protocol_can_not_name_is_refused(change, score, message):
    identity = replace(
        Served(loadable=False).identity, **{"inputs": 100, "outputs": 10, "counters": 0, **change}
    )
    with pytest.raises(ValueError, match=message):
        HostPort(event=EventLayout(7), score=ScoreLayout(*score), identity=identity)
