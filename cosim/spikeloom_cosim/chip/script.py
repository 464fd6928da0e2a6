"""What a host sends to a chip and must receive, for some samples.

::

    reset │ load, read back, if loadable │ counters │ sample │ counters │ sample │ counters …
                                                       └── events, then its class and scores

A request is sent when all but the last one before it have been answered. The counters are read
after each sample, so that what the chip counted in a sample tells what it did in it: spikes into
each layer, words read, synaptic operations.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from spikeloom.host import protocol
from spikeloom.host.frames import FrameReader, frame, frame_bytes
from spikeloom.host.protocol import ORDERED, WINDOW, Command, Status
from spikeloom_hw.core.layouts import MemoryKind
from spikeloom_hw.core.loading import Load

WAIT = 1 << 31
"""Bit of a word of the script that is a number of bytes to wait for."""

Purpose = Literal["identity", "load", "read", "counters", "events", "result"]


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """A request, and what is known of its answer.

    Attributes:
        purpose: of the request.
        request: its contents.
        answer_bytes: of its answer's payload.
        chunks: that a READ must answer.
    """

    purpose: Purpose
    request: bytes
    answer_bytes: int
    chunks: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class Conversation:
    """All that is said, in order.

    Attributes:
        opening: up to the first counters.
        samples: for each sample, up to the counters after it.
        outputs: scores of a sample.
        counters: counts of the core.
    """

    opening: tuple[Exchange, ...]
    samples: tuple[tuple[Exchange, ...], ...]
    outputs: int
    counters: int

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """Every exchange."""
        return (*self.opening, *(each for sample in self.samples for each in sample))

    @cached_property
    def ends(self) -> NDArray[np.int64]:
        """Bytes received when the opening is complete, and after each sample."""
        parts = [self.opening, *self.samples]
        return np.cumsum([sum(map(_received, part)) for part in parts])

    def samples_in(self, received: int) -> int:
        """Samples that are complete when so many bytes have been received."""
        return int(np.searchsorted(self.ends[1:], received, side="right"))


def converse(
    events: NDArray[np.bool_], *, outputs: int, counters: int, loads: Sequence[Load] | None
) -> Conversation:
    """What is said for some samples.

    Args:
        events: bool [samples, steps, inputs].
        outputs: scores of a sample.
        counters: counts of the core.
        loads: what fills the memories first; None for a chip that has its contents.
    """
    sequence = 0

    def exchange(purpose: Purpose, command: Command, payload: bytes, answer: int = 0) -> Exchange:
        nonlocal sequence
        request = protocol.encode_request(sequence, command, payload)
        sequence += command in ORDERED or command == Command.RESET
        return Exchange(purpose=purpose, request=request, answer_bytes=answer)

    def count() -> Exchange:
        size = len(protocol.LINK_COUNTS) + counters * protocol.COUNT_BYTES
        return exchange("counters", Command.COUNTERS, b"", size)

    opening = (
        exchange("identity", Command.RESET, b"", protocol.IDENTITY_BYTES),
        *(
            exchange("load", Command.LOAD, payload)
            for payload in protocol.encode_loads(loads or ())
        ),
        *_reads(loads or ()),
        count(),
    )

    samples: list[tuple[Exchange, ...]] = []
    for number, sample in enumerate(events):
        steps = [np.flatnonzero(step).tolist() for step in sample]
        said = [
            exchange("events", Command.EVENTS, payload) for payload in protocol.encode_events(steps)
        ]
        for first in range(0, outputs, protocol.SCORES_IN_RESULT):
            scores = min(protocol.SCORES_IN_RESULT, outputs - first)
            payload = protocol.encode_result(number, first, scores)
            size = 1 + scores * protocol.SCORE_BYTES
            said.append(exchange("result", Command.RESULT, payload, size))
        samples.append((*said, count()))
    return Conversation(opening=opening, samples=tuple(samples), outputs=outputs, counters=counters)


def _reads(loads: Sequence[Load]) -> Iterator[Exchange]:
    """What reads back the end of each memory: all of it would take as long as the load."""
    kept = [load for load in loads if load[1] != MemoryKind.THRESHOLD.value]
    for _, memory in groupby(kept, lambda load: load[:2]):
        *_, (payload, chunks) = protocol.encode_reads(memory)
        yield Exchange(
            purpose="read",
            request=protocol.encode_request(0, Command.READ, payload),
            answer_bytes=len(chunks) * protocol.CHUNK_BYTES,
            chunks=chunks,
        )


def _received(exchange: Exchange) -> int:
    return frame_bytes(protocol.ANSWER_BYTES + exchange.answer_bytes)


def write_script(conversation: Conversation) -> NDArray[np.uint32]:
    """The script of the bench, word by word."""
    parts: list[NDArray[np.uint32]] = []
    ends = [0] * WINDOW
    for exchange in conversation.exchanges:
        if ends[-WINDOW]:
            parts.append(np.array([WAIT | ends[-WINDOW]], dtype=np.uint32))
        parts.append(np.frombuffer(frame(exchange.request), np.uint8).astype(np.uint32))
        ends.append(ends[-1] + _received(exchange))
    parts.append(np.array([WAIT | ends[-1]], dtype=np.uint32))
    return np.concatenate(parts)


@dataclass(frozen=True, kw_only=True, eq=False)
class Answers:
    """What a chip said, as far as it said it: S samples.

    Attributes:
        identity: who it is; None if it did not say.
        scores: int64 [S, outputs].
        labels: int64 [S].
        counts: int64 [S + 1, counters], before the first sample and after each.
        surplus: frames after the last complete sample.
        broken: bytes without a stop bit, frames with a wrong checksum, and answers that refuse
            or are not those that were expected.
    """

    identity: protocol.Identity | None
    scores: NDArray[np.int64]
    labels: NDArray[np.int64]
    counts: NDArray[np.int64]
    surplus: int
    broken: int

    @property
    def samples(self) -> int:
        """Complete samples S."""
        return len(self.labels)


def read_answers(
    received: NDArray[np.uint8], conversation: Conversation, *, broken: int = 0
) -> Answers:
    """What the bytes of a chip mean.

    Args:
        received: every byte.
        conversation: what it answered.
        broken: how many of the bytes had no stop bit.
    """
    reader = FrameReader()
    said = reader.feed(received.tobytes())
    broken += reader.refused
    identity: protocol.Identity | None = None
    scores: list[list[int]] = []
    labels: list[int] = []
    counts: list[tuple[int, ...]] = []
    told: list[int] = []
    label = 0
    for contents, exchange in zip(said, conversation.exchanges, strict=False):
        payload = _payload(contents, exchange)
        if payload is None or exchange.chunks != protocol.decode_chunks(
            payload if exchange.purpose == "read" else b""
        ):
            broken += 1
            break
        match exchange.purpose:
            case "identity":
                identity = protocol.decode_identity(payload)
            case "result":
                result = protocol.decode_result(payload)
                told += result.scores
                label = result.label
            case "counters":
                counts.append(protocol.decode_counters(payload)[1])
                if len(counts) > 1:
                    scores.append(told)
                    labels.append(label)
                    told = []
            case "load" | "read" | "events":
                pass
    size = conversation.counters
    counted = counts or [(0,) * size]
    complete = len(conversation.opening) + sum(map(len, conversation.samples[: len(labels)]))
    return Answers(
        identity=identity,
        scores=np.array(scores, dtype=np.int64).reshape(-1, conversation.outputs),
        labels=np.array(labels, dtype=np.int64),
        counts=np.array(counted, dtype=np.int64).reshape(-1, size),
        surplus=max(0, len(said) - complete),
        broken=broken,
    )


def _payload(contents: bytes, exchange: Exchange) -> bytes | None:
    """The payload of an answer, if it answers just this request, and well."""
    try:
        answer = protocol.decode_answer(contents)
    except ValueError:
        return None
    fits = len(answer.payload) == exchange.answer_bytes and answer.status == Status.OK
    return answer.payload if fits and answer.sequence == exchange.request[0] else None
