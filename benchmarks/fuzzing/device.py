"""A device that answers what the fuzzer likes, in frames that are whole.

An input is what the device does with one request after another. Each begins with a byte:

===============  ==========================================================================
first byte       what follows, and what the device does
===============  ==========================================================================
`ANSWER`         a length and a payload: it answers that, and takes the request for done
`TWIST`          a length and a payload, and two bytes more for the status and for how far
                 off the numbers are: it answers that
`NOISE`          a length and bytes: they come instead of an answer
any other        it says nothing
===============  ==========================================================================

When the input is at its end, the device is silent, and time passes as fast as the host waits.
"""

from __future__ import annotations

import io
import struct
from collections import deque
from collections.abc import Iterator
from enum import IntEnum
from pathlib import Path

import numpy as np

from spikeloom.arithmetic import IntegrateLeak
from spikeloom.encoding import LatencyEncoding
from spikeloom.host import Device, frames, protocol
from spikeloom.host.design import Contents, HostDesign
from spikeloom.host.protocol import Command, Identity, Status
from spikeloom.image import Layer, NetworkImage, Provenance


class Act(IntEnum):
    """What the device does with a request."""

    ANSWER = 0
    TWIST = 1
    NOISE = 2
    SILENCE = 3


WAIT_SECONDS = 0.05
SAMPLES = 3

_HASH = bytes(range(8))
_LOADS = [(0, 1, address, 3 * address) for address in range(130)]
_IMAGE = NetworkImage.chain(
    layers=(
        Layer.from_dense(
            np.ones((4, 70), dtype=np.int64), name="layer", leak=IntegrateLeak(), spiking=False
        ),
    ),
    time_steps=2,
    encoding=LatencyEncoding(),
    readout="membrane",
    provenance=Provenance(dataset="digits", seed=0),
)
_DESIGN = HostDesign(
    source="design",
    board="board",
    design_hash=_HASH,
    loadable=True,
    network=None,
    contents=lambda _image: Contents(loads=_LOADS, readable=_LOADS),
    count_names=("cycles",),
)


class AnsweringLine:
    """A line to a device that follows `script`; a `spikeloom.host.transport.Transport`."""

    name = "line"
    simulated = True
    seconds_per_byte = 1e-5

    def __init__(self, script: bytes) -> None:
        self._script = io.BytesIO(script)
        self._heard = frames.FrameReader()
        self._said: deque[bytes] = deque()
        self._next = 0
        self._now = 0.0

    def write(self, data: bytes) -> None:
        """Requests come in, and the script goes on."""
        for contents in self._heard.feed(data):
            self._act(sequence=contents[0], command=contents[1])

    def read(self) -> bytes:
        """An answer; or nothing, and time passes."""
        if self._said:
            return self._said.popleft()
        self._now += WAIT_SECONDS
        return b""

    def now(self) -> float:
        """Seconds that the host has waited."""
        return self._now

    line_time = heard_time = now

    def reopen(self) -> None:
        """Drop what is on its way."""
        self._said.clear()

    def close(self) -> None:
        """Nothing is held."""

    def _act(self, *, sequence: int, command: int) -> None:
        match self._byte():
            case Act.ANSWER:
                self._carry_out(sequence, command)
                self._answer(sequence, self._bytes(), self._next, Status.OK)
            case Act.TWIST:
                payload, status, off = self._bytes(), self._byte(), self._byte()
                if status == Status.OK:
                    self._carry_out(sequence, command)
                self._answer(sequence + (off & 15), payload, self._next + (off >> 4), status)
            case Act.NOISE:
                self._said.append(self._bytes())
            case _:  # silence
                pass

    def _carry_out(self, sequence: int, command: int) -> None:
        if command in protocol.ORDERED or command == Command.RESET:
            self._next = sequence + 1

    def _answer(self, sequence: int, payload: bytes, following: int, status: int) -> None:
        size = protocol.SEQUENCES
        contents = bytes([sequence % size, *payload, following % size, status])
        self._said.append(frames.frame(contents[-frames.CONTENTS_BYTES :]))

    def _byte(self) -> int:
        return (self._script.read(1) or bytes([Act.SILENCE]))[0]

    def _bytes(self) -> bytes:
        return self._script.read(self._byte())


def converse(path: Path) -> object:
    """Load a network, run samples and read the counters, on a device that follows a file."""
    images = np.full((SAMPLES, _IMAGE.inputs), 200, dtype=np.uint8)
    with Device(AnsweringLine(path.read_bytes()), design=_DESIGN) as device:
        device.load(_IMAGE)
        answers = device.classify(images)
        counters = device.counters()
    return answers.labels.tolist(), answers.scores.tolist(), counters


def conversations() -> list[bytes]:
    """A conversation without a fault; and ones in which faults are overcome."""
    met, loaded, *rest = [_said(payload) for payload in _answers()]
    whole = [met, loaded, *rest]
    # Two requests are under way, so the second has come when the first is answered.
    out_of_turn = _told(Status.SEQUENCE)
    return [
        b"".join(own)
        for own in (
            whole,
            [bytes([Act.SILENCE, Act.NOISE, 2, 9, 0]), *whole],
            [met, _told(Status.CORRUPT), out_of_turn, loaded, *rest],
            [met, loaded, _told(Status.OVERRUN), *rest],
            [met, bytes([Act.NOISE, 3, 1, 2, 0]), out_of_turn, loaded, *rest],
        )
    ]


def _told(status: Status) -> bytes:
    return bytes([Act.TWIST, 0, status, 0])


def _said(payload: bytes) -> bytes:
    return bytes([Act.ANSWER, len(payload)]) + payload


def _identity() -> bytes:
    return protocol.encode_identity(
        Identity(
            loadable=True,
            takes_frames=False,
            design_hash=_HASH,
            inputs=4,
            outputs=_IMAGE.outputs,
            layers=1,
            counters=1,
            clock_hz=30_000_000,
        )
    )


def _answers() -> Iterator[bytes]:
    """Payloads of the answers to what `converse` asks, in the order of the requests."""
    yield _identity()
    yield from (b"" for _ in protocol.encode_loads(_LOADS))
    for _, chunks in protocol.encode_reads(_LOADS):
        yield b"".join(chunk.to_bytes(protocol.CHUNK_BYTES, "little") for chunk in chunks)
    for _ in range(SAMPLES):
        yield b""
        for first in range(0, _IMAGE.outputs, protocol.SCORES_IN_RESULT):
            outputs = range(first, min(first + protocol.SCORES_IN_RESULT, _IMAGE.outputs))
            yield struct.pack(f"<B{len(outputs)}i", 1, *outputs)
    yield struct.pack(f"<{len(protocol.LINK_COUNTS)}BI", *range(len(protocol.LINK_COUNTS)), 1000)
