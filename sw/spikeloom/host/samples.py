"""Samples as requests, and results as arrays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import UserError
from spikeloom.host import protocol
from spikeloom.host.frames import frame_bytes
from spikeloom.host.link import Reply, Request
from spikeloom.host.outcome import Answers, Timings
from spikeloom.host.protocol import ANSWER_BYTES, REQUEST_BYTES, SCORES_IN_RESULT, Command
from spikeloom.image import NetworkImage


@dataclass(frozen=True, kw_only=True)
class Part:
    """One of the requests of a sample.

    Attributes:
        sample: its number among those that were given.
        begins: it is the sample's first.
        outputs: scores that it asks for, first and number; None if it sends the sample.
        line_bytes: bytes of it, and of the result if it asks for one, that the line carries.
    """

    sample: int
    begins: bool
    outputs: tuple[int, int] | None
    line_bytes: int

    @property
    def name(self) -> str:
        """For messages."""
        return f"sample {self.sample}"


@dataclass(frozen=True, kw_only=True)
class Sending:
    """A sample on its way: as events, or as values that the device encodes.

    Attributes:
        command: EVENTS or FRAME.
        payloads: of its requests.
    """

    command: Command
    payloads: Iterable[bytes]


def as_events(trains: NDArray[np.bool_]) -> Iterator[Sending]:
    """Samples that are bool [S, T, inputs]."""
    for train in trains:
        steps = [np.flatnonzero(step).tolist() for step in train]
        yield Sending(command=Command.EVENTS, payloads=protocol.encode_events(steps))


def as_values(images: NDArray[np.uint8]) -> Iterator[Sending]:
    """Samples that are uint8 [S, values]."""
    for values in images:
        yield Sending(command=Command.FRAME, payloads=protocol.encode_values(values.tobytes()))


def sample_requests(
    sending: Sending, *, sample: int, number: int, outputs: int
) -> Iterator[Request[Part]]:
    """What a host asks, to have a sample run.

    Args:
        sending: the sample.
        sample: its number among those that were given.
        number: its number on the device, modulo 256.
        outputs: scores that the network has.
    """
    for at, payload in enumerate(sending.payloads):
        size = frame_bytes(REQUEST_BYTES + len(payload))
        part = Part(sample=sample, begins=at == 0, outputs=None, line_bytes=size)
        yield Request(key=part, command=sending.command, payload=payload)
    for first in range(0, outputs, SCORES_IN_RESULT):
        count = min(SCORES_IN_RESULT, outputs - first)
        payload = protocol.encode_result(number, first, count)
        answer = ANSWER_BYTES + 1 + protocol.SCORE_BYTES * count
        size = frame_bytes(REQUEST_BYTES + len(payload)) + frame_bytes(answer)
        part = Part(sample=sample, begins=False, outputs=(first, count), line_bytes=size)
        yield Request(key=part, command=Command.RESULT, payload=payload)


def check_trains(image: NetworkImage, trains: NDArray[np.bool_]) -> None:
    """Refuse spike trains that are none of the network's.

    Raises:
        UserError: their type or shape is wrong.
    """
    _check(trains, np.dtype(np.bool_), (image.time_steps, image.inputs))


def check_values(image: NetworkImage, images: NDArray[np.uint8]) -> None:
    """Refuse samples that are none of the network's.

    Raises:
        UserError: their type or shape is wrong.
    """
    _check(images, np.dtype(np.uint8), (image.sample_code.values,))


def _check(samples: object, kind: np.dtype[Any], shape: tuple[int, ...]) -> None:
    if not isinstance(samples, np.ndarray):
        told = f"a {type(samples).__name__}"
    elif samples.dtype != kind or not samples.ndim or samples.shape[1:] != shape:
        told = f"{samples.dtype} {list(samples.shape)}"
    else:
        return
    wanted = f"{kind} [{', '.join(map(str, ('samples', *shape)))}]"
    raise UserError(
        f"the samples are {told}, and the network takes {wanted}; give it samples of the kind "
        "that it was trained on"
    )


class Collector:
    """Puts results together, S samples."""

    def __init__(self, samples: int, outputs: int) -> None:
        self._labels = np.zeros(samples, dtype=np.int64)
        self._scores = np.zeros((samples, outputs), dtype=np.int64)
        self._begun, self._heard, self._line = (np.zeros(samples) for _ in range(3))

    def add(self, reply: Reply[Part], *, seconds_per_byte: float) -> bool:
        """Take a reply; whether its sample is complete now.

        Raises:
            ValueError: a result has another number of scores than it was asked for.
        """
        part = reply.key
        sample = part.sample
        self._line[sample] += part.line_bytes * seconds_per_byte
        if part.begins:
            self._begun[sample] = reply.sent
        if part.outputs is None:
            return False
        first, count = part.outputs
        result = protocol.decode_result(reply.payload)
        if len(result.scores) != count:
            raise ValueError(f"{len(result.scores)} scores, and {count} were asked for")
        self._scores[sample, first : first + count] = result.scores
        self._labels[sample] = result.label
        self._heard[sample] = reply.heard
        return first + count == self._scores.shape[1]

    def answers(self, *, simulated: bool) -> Answers:
        """All of it."""
        total = float(self._heard.max() - self._begun.min()) if len(self._labels) else 0.0
        timings = Timings(
            latency=self._heard - self._begun, line=self._line, total=total, simulated=simulated
        )
        return Answers(labels=self._labels, scores=self._scores, timings=timings)
