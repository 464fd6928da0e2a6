"""FRAME: samples as values, to a device that encodes them."""

from dataclasses import replace

import numpy as np
import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring

from networks import random_network
from spikeloom.encoding import DeltaEncoding, LatencyEncoding, encode, encoding_inputs
from spikeloom.host import protocol
from spikeloom.host.protocol import Command, Status
from spikeloom.reference import simulate as reference
from spikeloom_hw.core import CoreParams, SpikingCore
from spikeloom_hw.encoders import require_encoder
from spikeloom_hw.host.port import HostPort
from spikeloom_hw.identity import identify
from spikeloom_hw.targets import find_target

from .conversation import Host, simulate

STEPS, OUTPUTS = 4, 3
CODES = {"latency": (LatencyEncoding(), 20), "delta": (DeltaEncoding(delta=50), 24)}


class Encoding:
    """A core behind a host port with its encoder."""

    def __init__(self, encoding, values, *, encoder=True):
        shape = [encoding_inputs(encoding, values, STEPS), 16, OUTPUTS]
        drawn = random_network(np.random.default_rng(2), shape, density=0.6, time_steps=STEPS)
        self.image = replace(drawn, encoding=encoding)
        params = CoreParams.from_image(self.image, (2, 1))
        code = self.image.sample_code if encoder else None
        self.identity = identify(
            params,
            target=find_target("icebreaker"),
            design_sha256="5e" * 32,
            takes_frames=encoder,
        )
        core = SpikingCore(params)
        event = core.events.payload.shape()
        self.port = HostPort(
            event=event,
            score=core.scores.payload.shape(),
            identity=self.identity,
            encoder=code and require_encoder(code, address_bits=event.address_bits),
        )
        self.module = m = Module()
        m.submodules.port, m.submodules.core = self.port, core
        wiring.connect(m, self.port.events, core.events)
        wiring.connect(m, core.scores, self.port.scores)

    def samples(self, count):
        values = self.image.sample_code.values
        return np.random.default_rng(9).integers(0, 256, (count, values), dtype=np.uint8)

    def expected(self, samples):
        trains = encode(self.image.encoding, samples, STEPS)
        return reference(self.image, trains).scores.tolist(), trains

    def talk(self, conversation):
        async def bench(ctx):
            host = Host(ctx, self.port.received, self.port.sent)
            await host.ask(Command.RESET, sequence=250)
            await conversation(host)

        simulate(self.module, bench)


@pytest.fixture(params=CODES.values(), ids=list(CODES))
def device(request):
    return Encoding(*request.param)


async def send(host, values, at):
    """A sample's values in requests of `at` bytes."""
    for first in range(0, len(values), at):
        answer = await host.ask(Command.FRAME, bytes(values[first : first + at]))
        assert answer.status == Status.OK


async def scores(host, number):
    answer = await host.ask(Command.RESULT, protocol.encode_result(number, 0, OUTPUTS))
    assert answer.status == Status.OK
    return list(protocol.decode_result(answer.payload).scores)


@pytest.mark.parametrize("at", [1, 7, protocol.PAYLOAD_BYTES])
def test_scores_of_values(device, at):
    samples = device.samples(3)
    expected, _ = device.expected(samples)
    found = []

    async def conversation(host):
        answer = await host.ask(Command.IDENTIFY)
        assert protocol.decode_identity(answer.payload) == device.identity
        assert device.identity.takes_frames
        for number, values in enumerate(samples):
            await send(host, values.tolist(), at)
            found.append(await scores(host, number))

    device.talk(conversation)
    assert found == expected


def test_several_samples_in_one_request(device):
    samples = device.samples(2)
    expected, _ = device.expected(samples)
    found = []

    async def conversation(host):
        await send(host, samples.ravel().tolist(), protocol.PAYLOAD_BYTES)
        # An empty request says nothing.
        await send(host, [], 1)
        assert (await host.ask(Command.FRAME)).status == Status.OK
        found.extend([await scores(host, 0), await scores(host, 1)])

    device.talk(conversation)
    assert found == expected


def test_values_and_events_in_turn(device):
    samples = device.samples(4)
    expected, trains = device.expected(samples)
    found = []

    async def conversation(host):
        for number in range(4):
            if number % 2:
                await send(host, samples[number].tolist(), 50)
            else:
                steps = [np.flatnonzero(step).tolist() for step in trains[number]]
                for payload in protocol.encode_events(steps):
                    assert (await host.ask(Command.EVENTS, payload)).status == Status.OK
            found.append(await scores(host, number))

    device.talk(conversation)
    assert found == expected


def test_what_is_not_complete_has_no_result(device):
    async def conversation(host):
        await send(host, device.samples(1)[0].tolist()[:-1], 50)
        answer = await host.ask(Command.RESULT, protocol.encode_result(0, 0, OUTPUTS))
        assert answer.status == Status.UNAVAILABLE

    device.talk(conversation)


def test_reset_gives_up_a_sample_anywhere(device):
    whole, samples = device.samples(1)[0].tolist(), device.samples(2)
    expected, _ = device.expected(samples)

    async def conversation(host):
        for cut in (1, 3, 6, 7, 11, len(whole) - 1, len(whole)):
            await send(host, whole[:cut], 5)
            assert (await host.ask(Command.RESET)).status == Status.OK
            for number, values in enumerate(samples):
                await send(host, values.tolist(), 50)
                assert await scores(host, number) == expected[number], cut

    device.talk(conversation)


def test_reset_ends_events_and_values_that_were_mixed(device):
    samples = device.samples(1)
    expected, _ = device.expected(samples)

    async def conversation(host):
        await send(host, samples[0].tolist()[:7], 50)
        assert (await host.ask(Command.EVENTS, bytes([1, 0, 0, 0x80]))).status == Status.OK
        assert (await host.ask(Command.RESET)).status == Status.OK
        await send(host, samples[0].tolist(), 50)
        assert await scores(host, 0) == expected[0]

    device.talk(conversation)


def test_a_device_without_an_encoder_has_no_such_command():
    device = Encoding(LatencyEncoding(), 20, encoder=False)
    assert not device.identity.takes_frames

    async def conversation(host):
        assert (await host.ask(Command.FRAME, bytes(20))).status == Status.UNKNOWN

    device.talk(conversation)


@pytest.mark.usefixtures("refused_components")
def test_identity_and_encoder_belong_together():
    device = Encoding(LatencyEncoding(), 20)
    with pytest.raises(ValueError, match="Encoder is None, takes_frames True"):
        HostPort(event=device.port.event, score=device.port.score, identity=device.identity)
