"""The link against a model of the device, over lines that lose, break and add bytes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device_model import ModelDevice, ModelLine, Noise
from networks import random_network
from spikeloom.host.failures import DeviceError, NoAnswerError
from spikeloom.host.link import SILENCES, Link, Request
from spikeloom.host.protocol import Command, Status

IMAGE = random_network(np.random.default_rng(3), (6, 5, 3))
EVENTS = [bytes([number % 6, 0]) for number in range(400)]


def carried_out(device, command=Command.EVENTS):
    return [payload for name, payload in device.carried_out if name == command]


def send(link, payloads=EVENTS):
    requests = [Request(key=at, command=Command.EVENTS, payload=p) for at, p in enumerate(payloads)]
    return list(link.exchange(requests))


def test_requests_that_are_under_way_together_are_written_together():
    class Counting(ModelLine):
        pieces = 0

        def write(self, data):
            self.pieces += 1
            super().write(data)

    line = Counting(ModelDevice(IMAGE))
    link = Link(line)
    link.reset()
    before = line.pieces
    assert len(send(link, EVENTS[:2])) == 2
    assert line.pieces == before + 1


class Losing(ModelLine):
    """Loses whole writes, and whole reads, by their numbers."""

    def __init__(self, device, *, writes=(), reads=()):
        super().__init__(device)
        self.writes, self.reads, self.written, self.heard = set(writes), set(reads), 0, 0

    def write(self, data):
        self.written += 1
        if self.written not in self.writes:
            super().write(data)

    def read(self):
        data = super().read()
        self.heard += bool(data)
        return b"" if data and self.heard in self.reads else data


def test_ordered_commands_on_a_quiet_line():
    device = ModelDevice(IMAGE)
    line = ModelLine(device)
    link = Link(line)
    link.reset()
    replies = send(link)
    assert [reply.key for reply in replies] == list(range(400))
    assert {reply.status for reply in replies} == {Status.OK}
    assert carried_out(device) == EVENTS
    assert (link.tally.repeated, link.tally.silences, link.tally.refused) == (0, 0, 0)
    assert link.tally.frames == 401


def test_two_requests_and_no_more_are_under_way():
    most = []

    class Watching(ModelDevice):
        def receive(self, data):
            super().receive(data)
            most.append(len(self.kept))

    link = Link(ModelLine(Watching(IMAGE)))
    link.reset()
    send(link)
    assert max(most) == 2


@given(
    # Together fewer than the silences after which nobody is there.
    writes=st.sets(st.integers(2, 40), max_size=4),
    reads=st.sets(st.integers(2, 30), max_size=3),
)
@settings(max_examples=100, deadline=None)
def test_what_is_lost_is_sent_again_and_carried_out_once(writes, reads):
    device = ModelDevice(IMAGE)
    link = Link(Losing(device, writes=writes, reads=reads))
    link.reset()
    assert len(send(link, EVENTS[:20])) == 20
    assert carried_out(device) == EVENTS[:20]


@given(st.integers(0, 2**32 - 1), st.sampled_from([30, 60, 200]), st.sampled_from([0.0, 0.3]))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_noise(seed, one_in, garbage):
    device = ModelDevice(IMAGE)
    noise = Noise(seed=seed, one_in=one_in, garbage=garbage)
    link = Link(ModelLine(device, noise=noise))
    link.reset()
    requests = []
    for at, payload in enumerate(EVENTS[:60]):
        requests.append(Request(key=at, command=Command.EVENTS, payload=payload))
        requests.append(Request(key=at, command=Command.IDENTIFY))
    replies = list(link.exchange(requests))
    assert [reply.key for reply in replies] == [at for at in range(60) for _ in range(2)]
    assert {reply.status for reply in replies} == {Status.OK}
    assert all(reply.payload == device.identity() for reply in replies[1::2])
    assert carried_out(device) == EVENTS[:60]


def test_a_question_is_answered_after_the_commands_before_it():
    # The events are lost, and the question after them arrives: it is asked again.
    device = ModelDevice(IMAGE)
    line = Losing(device, writes={2})
    link = Link(line)
    link.reset()
    sample = (0x8001).to_bytes(2, "little")
    events, result = link.exchange(
        [
            Request(key=0, command=Command.EVENTS, payload=sample),
            Request(key=1, command=Command.RESULT, payload=bytes([0, 0, 2])),
        ]
    )
    assert (events.status, result.status, len(result.payload)) == (Status.OK, Status.OK, 13)


@pytest.mark.parametrize("name", range(256))
def test_answers_to_another_host_mean_nothing(name, monkeypatch):
    # What the device still had to say to a host that was killed, under every number we may choose.
    monkeypatch.setattr("secrets.randbelow", lambda _limit: name)
    device = ModelDevice(IMAGE)
    for at in range(6):
        device.receive([0])
        device.next = at
        device.answer(at, b"", 0)
        device.answer(name, b"", 0)
        device.answer(name, bytes(24), 0)
    link = Link(ModelLine(device))
    link.reset()
    send(link, EVENTS[:5])
    assert carried_out(device) == EVENTS[:5]


def test_nothing_answers():
    class Deaf(ModelDevice):
        def receive(self, data):
            pass

    link = Link(ModelLine(Deaf(IMAGE)))
    with pytest.raises(NoAnswerError, match=r"nothing answers at model; check that it is the"):
        link.reset()
    assert link.tally.frames == SILENCES


def test_something_else_answers():
    class Other(ModelDevice):
        def receive(self, data):
            self.sent += b"login: "

    link = Link(ModelLine(Other(IMAGE)))
    with pytest.raises(NoAnswerError, match=r"answers, but not as a Spikeloom device"):
        link.reset()


def test_an_older_device():
    class Older(ModelDevice):
        def identity(self):
            return b"SPKL\2" + super().identity()[5:]

    with pytest.raises(NoAnswerError, match=r"speaks version 2, the host 3; flash the board"):
        Link(ModelLine(Older(IMAGE))).reset()


def test_it_falls_silent():
    device = ModelDevice(IMAGE)
    line = Losing(device, writes=range(20, 1000))
    link = Link(line)
    link.reset()
    with pytest.raises(NoAnswerError, match=r"model has fallen silent; plug the board in"):
        send(link)


def test_a_device_that_was_switched_off():
    device = ModelDevice(IMAGE)
    link = Link(ModelLine(device))
    link.reset()
    send(link, EVENTS[:9])
    expected = device.next
    device.switch_on()
    device.next = (expected + 77) % 256
    with pytest.raises(DeviceError, match=r"has lost its place, as after a reset of the board"):
        send(link, EVENTS[:9])


def test_a_line_that_lets_nothing_long_through():
    class Short(ModelDevice):
        def contents(self, coded):
            return super().contents(coded) if len(coded) < 20 else None

    link = Link(ModelLine(Short(IMAGE)))
    link.reset()
    with pytest.raises(NoAnswerError, match=r"too noisy: a request of 40 bytes"):
        send(link, [bytes(40)])


def test_a_command_that_a_device_does_not_have():
    link = Link(ModelLine(ModelDevice(IMAGE)))
    link.reset()
    assert link.ask(Command.FRAME, b"12").status == Status.UNKNOWN


def test_what_means_nothing_is_told():
    link = Link(ModelLine(ModelDevice(IMAGE)))
    link.reset()
    assert link.ask(Command.EVENTS, b"\x06\x00").status == Status.MALFORMED
    assert link.ask(Command.RESULT, b"\0\0\0").status == Status.UNAVAILABLE
