"""What host and device say to each other: the one place that knows the numbers.

`docs/protocol.md` has the whole conversation. A request is a sequence number, a command and a
payload; its answer is the same sequence number, a payload, the sequence number of the next ordered
command that the device expects, and a status. Integers are little-endian. `frames` has what
surrounds both on the line.

Ordered commands change the device. They are carried out in the order of their sequence numbers and
each of them once; so a request whose answer was lost can be sent again. All others can be carried
out at any time and any number of times.

Gateware, driver and tests all take their numbers from here; this module needs no package.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import groupby

VERSION = 3
MAGIC = b"SPKL"
SEQUENCES = 256
"""Sequence numbers count modulo this."""
WINDOW = 2
"""Requests that a device keeps: no more may be unanswered."""
PAYLOAD_BYTES = 248
"""Most bytes of a payload, of a request and of an answer."""
REQUEST_BYTES = 2
"""Of a request, but for its payload: sequence number and command."""
ANSWER_BYTES = 3
"""Of an answer, but for its payload: sequence number, the next one expected, status."""

ADDRESSES = 0x8000
"""Input addresses that an event can name."""
STEP = 0x8000
LAST_STEP = 0x8001
KIND_BITS = 2
LABELS = 256
"""Output neurons that an answer can name."""
SAMPLES = 256
"""Samples are counted modulo this, from the reset on."""
HASH_BYTES = 8
CHUNK_BYTES = 2
SCORE_BYTES = 4
COUNT_BYTES = 4
LINK_COUNTS = ("refused", "framing_errors", "overruns", "ignored")
"""Counts of the link, a byte each, that stay at 255: frames refused, bytes without a stop bit,
bytes lost, words that meant nothing."""
EVENTS_IN_PAYLOAD = PAYLOAD_BYTES // 2
LOAD_HEADER_BYTES = 4
CHUNKS_IN_LOAD = (PAYLOAD_BYTES - LOAD_HEADER_BYTES) // CHUNK_BYTES
CHUNKS_IN_READ = PAYLOAD_BYTES // CHUNK_BYTES
SCORES_IN_RESULT = (PAYLOAD_BYTES - 1) // SCORE_BYTES

_IDENTITY = struct.Struct(f"<4sBB{HASH_BYTES}sHHBBI")
IDENTITY_BYTES = _IDENTITY.size
LOADABLE, TAKES_FRAMES = 1, 2
"""Bits of an identity's flags."""


class Command(IntEnum):
    """What a request asks for.

    Attributes:
        RESET: give up what is under way; the next ordered command has the next sequence number.
            Carried out whatever its own number is. Answers like IDENTIFY.
        IDENTIFY: who the device is, an :class:`Identity`.
        EVENTS: ordered; words of sixteen bits: an address, `STEP` or `LAST_STEP`.
        LOAD: ordered; a memory (the layer's number above `KIND_BITS` of its kind), the address of
            the first chunk, and chunks; sixteen bits each.
        FRAME: ordered; bytes of a sample's values, to a device that encodes them itself.
        READ: a memory, the address of the first chunk, sixteen bits each, and in a byte how many
            chunks less one; answers the chunks.
        RESULT: in a byte each the sample's number, the first output and how many outputs less one;
            answers the class in a byte, and the scores in four bytes each, signed.
        COUNTERS: answers `LINK_COUNTS`, then the core's counts in four bytes each.
    """

    RESET = 0
    IDENTIFY = 1
    EVENTS = 2
    LOAD = 3
    FRAME = 4
    READ = 5
    RESULT = 6
    COUNTERS = 7


ORDERED = frozenset({Command.EVENTS, Command.LOAD, Command.FRAME})
"""Commands that are carried out once each, and in order."""


class Status(IntEnum):
    """How a request went.

    Attributes:
        OK: it was carried out.
        CORRUPT: a frame's checksum or form was wrong: nothing is known of it. The answer's own
            sequence number is meaningless.
        OVERRUN: a frame came while `WINDOW` others waited, and was dropped; as with CORRUPT.
        SEQUENCE: an ordered command that is not the next one was not carried out.
        UNKNOWN: the device has no such command, and did nothing.
        MALFORMED: the payload has the wrong length, or names what is not there; the rest of it was
            carried out.
        UNAVAILABLE: there is no such result, or it is no time to load: nothing was done.
    """

    OK = 0
    CORRUPT = 1
    OVERRUN = 2
    SEQUENCE = 3
    UNKNOWN = 4
    MALFORMED = 5
    UNAVAILABLE = 6


_STATUSES = {int(status): status for status in Status}


@dataclass(frozen=True, kw_only=True)
class Identity:
    """What a device says about itself.

    Attributes:
        version: of the protocol.
        loadable: a host fills its memories.
        takes_frames: it encodes a sample's values itself.
        design_hash: first bytes of the design's hash.
        inputs: addresses that an event may have, 1 to 32,768.
        outputs: scores of a sample, 1 to 256.
        layers: of the network.
        counters: counts of the core.
        clock_hz: of the core.
    """

    version: int = VERSION
    loadable: bool
    takes_frames: bool
    design_hash: bytes
    inputs: int
    outputs: int
    layers: int
    counters: int
    clock_hz: int


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An answer, taken apart.

    Attributes:
        sequence: of the request.
        payload: what was asked for.
        next: sequence number of the ordered command that the device expects next; all before it
            were carried out.
        status: how it went; one that this module does not know stays a plain integer.
    """

    sequence: int
    payload: bytes
    next: int
    status: Status | int


@dataclass(frozen=True, kw_only=True)
class Result:
    """Some of a sample's scores, and its class."""

    label: int
    scores: tuple[int, ...]


def encode_request(sequence: int, command: int, payload: bytes = b"") -> bytes:
    """A request, without checksum.

    Raises:
        ValueError: the payload is too long.
    """
    if len(payload) > PAYLOAD_BYTES:
        raise ValueError(f"A payload has up to {PAYLOAD_BYTES} bytes, not {len(payload)}")
    return bytes([sequence % SEQUENCES, command]) + payload


def decode_answer(contents: bytes) -> Answer:
    """An answer, of which the checksum is right.

    Raises:
        ValueError: it is too short.
    """
    if len(contents) < ANSWER_BYTES:
        raise ValueError(f"An answer has at least {ANSWER_BYTES} bytes, not {len(contents)}")
    status = contents[-1]
    return Answer(
        sequence=contents[0],
        payload=contents[1:-2],
        next=contents[-2],
        status=_STATUSES.get(status, status),
    )


def encode_answer(answer: Answer) -> bytes:
    """What the device sends, without checksum."""
    return bytes([answer.sequence]) + answer.payload + bytes([answer.next, answer.status])


def encode_identity(identity: Identity) -> bytes:
    """The payload of who a device is.

    Raises:
        ValueError: the hash has the wrong length.
    """
    if len(identity.design_hash) != HASH_BYTES:
        raise ValueError(f"Design hash must be {HASH_BYTES} bytes, not {identity.design_hash!r}")
    return _IDENTITY.pack(
        MAGIC,
        identity.version,
        LOADABLE * identity.loadable | TAKES_FRAMES * identity.takes_frames,
        identity.design_hash,
        identity.inputs,
        identity.outputs,
        identity.layers,
        identity.counters,
        identity.clock_hz,
    )


def decode_identity(payload: bytes) -> Identity:
    """Who a device is.

    Raises:
        ValueError: this is no such answer, or that of another version.
    """
    if not payload.startswith(MAGIC) or len(payload) < len(MAGIC) + 1:
        raise ValueError(f"Not a Spikeloom device: it answered {payload!r}")
    if payload[len(MAGIC)] != VERSION or len(payload) != IDENTITY_BYTES:
        raise ValueError(f"The device speaks version {payload[len(MAGIC)]}, the host {VERSION}")
    _, version, flags, design_hash, inputs, outputs, layers, counters, clock_hz = _IDENTITY.unpack(
        payload
    )
    return Identity(
        version=version,
        loadable=bool(flags & LOADABLE),
        takes_frames=bool(flags & TAKES_FRAMES),
        design_hash=design_hash,
        inputs=inputs,
        outputs=outputs,
        layers=layers,
        counters=counters,
        clock_hz=clock_hz,
    )


def encode_events(steps: Sequence[Iterable[int]]) -> Iterator[bytes]:
    """Payloads of EVENTS for a sample, given as the addresses that spike in each time step.

    Raises:
        ValueError: there is no step, or an address has no word.
    """
    if not steps:
        raise ValueError("A sample needs at least one time step")
    words: list[int] = []
    for addresses in steps:
        for address in addresses:
            if not 0 <= address < ADDRESSES:
                raise ValueError(f"Address must be 0 to {ADDRESSES - 1}, not {address!r}")
            words.append(address)
        words.append(STEP)
    words[-1] = LAST_STEP
    for first in range(0, len(words), EVENTS_IN_PAYLOAD):
        yield _words(words[first : first + EVENTS_IN_PAYLOAD])


def encode_values(values: bytes) -> Iterator[bytes]:
    """Payloads of FRAME for a sample's values, a byte each."""
    for first in range(0, len(values), PAYLOAD_BYTES):
        yield values[first : first + PAYLOAD_BYTES]


def encode_loads(loads: Iterable[tuple[int, int, int, int]]) -> Iterator[bytes]:
    """Payloads of LOAD for chunks, given as layer, kind, chunk address and sixteen bits each.

    Chunks of one memory that follow each other travel together.
    """
    for layer, kind, address, chunks in _runs(loads, CHUNKS_IN_LOAD):
        yield _words([memory(layer, kind), address, *chunks])


def encode_reads(
    loads: Iterable[tuple[int, int, int, int]],
) -> Iterator[tuple[bytes, tuple[int, ...]]]:
    """Payloads of READ that read back what `encode_loads` loads, each with the chunks expected."""
    for layer, kind, address, chunks in _runs(loads, CHUNKS_IN_READ):
        yield encode_read(layer, kind, address, len(chunks)), chunks


def encode_read(layer: int, kind: int, address: int, count: int) -> bytes:
    """The payload of READ for `count` chunks from `address` on.

    Raises:
        ValueError: these are too many, or none.
    """
    if not 0 < count <= CHUNKS_IN_READ:
        raise ValueError(f"A read has 1 to {CHUNKS_IN_READ} chunks, not {count!r}")
    return struct.pack("<HHB", memory(layer, kind), address, count - 1)


def decode_chunks(payload: bytes) -> tuple[int, ...]:
    """The chunks that a READ answers.

    Raises:
        ValueError: it has the wrong length.
    """
    if len(payload) % CHUNK_BYTES:
        raise ValueError(f"Chunks have {CHUNK_BYTES} bytes each, and there are {len(payload)}")
    return struct.unpack(f"<{len(payload) // CHUNK_BYTES}H", payload)


def memory(layer: int, kind: int) -> int:
    """The number of a layer's memory of a kind, in LOAD and READ."""
    return layer << KIND_BITS | kind


def encode_result(sample: int, first: int, count: int) -> bytes:
    """The payload of RESULT for `count` outputs of a sample.

    Raises:
        ValueError: these are too many, or none.
    """
    if not 0 < count <= SCORES_IN_RESULT:
        raise ValueError(f"A result has 1 to {SCORES_IN_RESULT} scores, not {count!r}")
    return bytes([sample % SAMPLES, first, count - 1])


def decode_result(payload: bytes) -> Result:
    """What a RESULT answers.

    Raises:
        ValueError: it has the wrong length.
    """
    if len(payload) % SCORE_BYTES != 1:
        raise ValueError(f"A result has a class and whole scores, not {len(payload)} bytes")
    label, *scores = struct.unpack(f"<B{len(payload) // SCORE_BYTES}i", payload)
    return Result(label=label, scores=tuple(scores))


def decode_counters(payload: bytes) -> tuple[dict[str, int], tuple[int, ...]]:
    """What COUNTERS answers: the link's counts by name, and the core's in their order.

    Raises:
        ValueError: it has the wrong length.
    """
    own, core = payload[: len(LINK_COUNTS)], payload[len(LINK_COUNTS) :]
    if len(own) < len(LINK_COUNTS) or len(core) % COUNT_BYTES:
        raise ValueError(f"Counters are whole counts, not {len(payload)} bytes")
    link = dict[str, int](zip(LINK_COUNTS, own, strict=True))
    return link, struct.unpack(f"<{len(core) // COUNT_BYTES}I", core)


def _runs(
    loads: Iterable[tuple[int, int, int, int]], longest: int
) -> Iterator[tuple[int, int, int, tuple[int, ...]]]:
    """Layer, kind, first address and chunks of what follows each other in one memory."""
    numbered = enumerate(loads)
    for (layer, kind, _), run in groupby(
        numbered, lambda item: (item[1][0], item[1][1], item[1][2] - item[0])
    ):
        chunks = [load for _, load in run]
        for first in range(0, len(chunks), longest):
            own = chunks[first : first + longest]
            yield layer, kind, own[0][2], tuple(data for *_, data in own)


def _words(words: Sequence[int]) -> bytes:
    return struct.pack(f"<{len(words)}H", *words)
