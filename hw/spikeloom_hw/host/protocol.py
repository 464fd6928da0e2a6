"""The words between host and device: the one place that knows their numbers.

To the device go 16-bit words, low byte first:

    ====================  ====================================================================
    ``0x0000``-``0x7FFF``  a spike at this address
    ``0x8000``             the end of a time step
    ``0x8001``             the end of a sample's last time step; the device answers the sample
    ``0xA000``-``0xAFFF``  load: low bits the kind of memory, above them the layer; then follow the
                           first chunk's address, the number of chunks less one, and the chunks
    ``0xC000``             tell the counters
    ``0xFFFF``             identify
    ====================  ====================================================================

Every other word, and an address that the network does not have, is ignored and counted. A device
whose core is not loadable ignores what it is sent to load, word by word as if it were events: ask
for no such thing.

From the device come

- for a sample: each output neuron's score, neuron 0 first, as four bytes, signed, low byte first;
  then one byte, the class;
- for counters: each count in the order of ``count_names``, as four bytes, low byte first;
- for identify: ``SPKL``, one byte version, four bytes design hash.

Samples are answered in order. Identify is answered as soon as no other answer is under way, hence
possibly before a sample sent ahead of it: ask when no sample is open.

After opening the line a host sends the byte ``0xFF`` until it is identified. If the device held
the first half of a word, that half makes an ignored word with the first ``0xFF``; the pair that is
answered always ends on a word's edge.

This module is plain Python, used by hosts and by tests alike.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

ADDRESSES = 0x8000
STEP = 0x8000
LAST_STEP = 0x8001
LOAD = 0xA000
KIND_BITS = 2
COUNTERS = 0xC000
IDENTIFY = 0xFFFF
MAGIC = b"SPKL"
VERSION = 2
HASH_BYTES = 4
SCORE_BYTES = 4
COUNT_BYTES = 4
MOST_CHUNKS = 0x10000
LABELS = 256
IDENTITY_BYTES = len(MAGIC) + 1 + HASH_BYTES


@dataclass(frozen=True, kw_only=True)
class Identity:
    """What a device says about itself.

    Attributes:
        version: of the protocol.
        design_hash: first four bytes of the design's hash.
    """

    version: int
    design_hash: bytes


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A sample's result: the score of each output neuron, and the class."""

    scores: tuple[int, ...]
    label: int


def encode_words(words: Iterable[int]) -> bytes:
    """Words, each 0 to 65535, as bytes, low byte first."""
    return np.array(list(words), "<u2").tobytes()


def encode_sample(steps: Sequence[Iterable[int]]) -> bytes:
    """A sample, given as the addresses that spike in each time step, as bytes.

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
    return encode_words(words)


def encode_load(loads: Iterable[tuple[int, int, int, int]]) -> bytes:
    """Memory contents, given as layer, kind, chunk address and sixteen bits each, as bytes.

    Chunks of one memory that follow each other travel together.
    """
    words: list[int] = []
    for (layer, kind, _), run in groupby(
        enumerate(loads), lambda item: (item[1][0], item[1][1], item[1][2] - item[0])
    ):
        chunks = [load for _, load in run]
        for first in range(0, len(chunks), MOST_CHUNKS):
            own = chunks[first : first + MOST_CHUNKS]
            words += [LOAD | layer << KIND_BITS | kind, own[0][2], len(own) - 1]
            words += [data for *_, data in own]
    return encode_words(words)


def decode_counters(data: bytes) -> tuple[int, ...]:
    """The answer to counters."""
    return tuple(np.frombuffer(data, "<u4").tolist())


def answer_bytes(outputs: int) -> int:
    """Bytes of a sample's answer from a network with this many output neurons."""
    return outputs * SCORE_BYTES + 1


def encode_answer(scores: Sequence[int], label: int) -> bytes:
    """What the device sends for a sample."""
    return np.array(scores, "<i4").tobytes() + bytes([label])


def decode_answer(data: bytes, outputs: int) -> Answer:
    """The answer to a sample.

    Raises:
        ValueError: the length does not fit, or the class is none of the outputs.
    """
    if len(data) != answer_bytes(outputs):
        raise ValueError(f"An answer has {answer_bytes(outputs)} bytes, not {len(data)}")
    if data[-1] >= outputs:
        raise ValueError(f"Class {data[-1]} is none of {outputs} outputs")
    scores = np.frombuffer(data[:-1], "<i4").tolist()
    return Answer(scores=tuple(scores), label=data[-1])


def encode_identity(identity: Identity) -> bytes:
    """What the device sends when asked to identify itself."""
    if len(identity.design_hash) != HASH_BYTES:
        raise ValueError(f"Design hash must be {HASH_BYTES} bytes, not {identity.design_hash!r}")
    return MAGIC + bytes([identity.version]) + identity.design_hash


def decode_identity(data: bytes) -> Identity:
    """The answer to identify.

    Raises:
        ValueError: this is no such answer.
    """
    if len(data) != IDENTITY_BYTES or not data.startswith(MAGIC):
        raise ValueError(f"Not a Spikeloom device: it answered {data!r}")
    return Identity(version=data[len(MAGIC)], design_hash=bytes(data[-HASH_BYTES:]))
