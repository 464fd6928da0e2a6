"""What a host sends to a chip and must receive, for some samples.

::

    identify │ load, if loadable │ counters │ sample │ counters │ sample │ counters …
        └── 9 bytes                  └── C · 4 bytes  └── its scores and class

A sample is sent when everything before it has been answered, and the counters are read after each,
so that what the chip counted in a sample tells what it did in it: spikes into each layer, words
read, synaptic operations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikeloom_hw.core.loading import Load
from spikeloom_hw.host import protocol

WAIT = 1 << 31
"""Bit of a word of the script that is a number of bytes to wait for."""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How the bytes of a chip are laid out.

    Attributes:
        outputs: scores of a sample.
        counters: counts that the chip tells.
    """

    outputs: int
    counters: int

    @property
    def first(self) -> int:
        """Bytes before the first sample's: who it is, and its counters."""
        return protocol.IDENTITY_BYTES + self.counters * protocol.COUNT_BYTES

    @property
    def sample(self) -> int:
        """Bytes of a sample: its answer, and the counters after it."""
        return protocol.answer_bytes(self.outputs) + self.counters * protocol.COUNT_BYTES

    def samples_in(self, received: int) -> int:
        """Samples that are complete when so many bytes have been received."""
        return max(0, received - self.first) // self.sample


def write_script(
    events: NDArray[np.bool_], layout: Layout, *, loads: Sequence[Load] | None
) -> NDArray[np.uint32]:
    """The script of the bench, word by word.

    Args:
        events: bool [samples, steps, inputs].
        layout: of what is received, to be waited for.
        loads: what fills the memories first; None for a chip that has its contents.
    """
    counters = protocol.encode_words([protocol.COUNTERS])
    total = protocol.IDENTITY_BYTES
    parts = [_bytes(protocol.encode_words([protocol.IDENTIFY])), _wait(total)]
    if loads is not None:
        parts.append(_bytes(protocol.encode_load(loads)))
    total = layout.first
    parts += [_bytes(counters), _wait(total)]
    for sample in events:
        steps = [np.flatnonzero(step).tolist() for step in sample]
        total += protocol.answer_bytes(layout.outputs)
        parts += [_bytes(protocol.encode_sample(steps)), _wait(total)]
        total += layout.counters * protocol.COUNT_BYTES
        parts += [_bytes(counters), _wait(total)]
    return np.concatenate(parts)


def _bytes(data: bytes) -> NDArray[np.uint32]:
    return np.frombuffer(data, np.uint8).astype(np.uint32)


def _wait(received: int) -> NDArray[np.uint32]:
    return np.array([WAIT | received], dtype=np.uint32)


@dataclass(frozen=True, kw_only=True, eq=False)
class Answers:
    """What a chip said, as far as it said it: S samples.

    Attributes:
        identity: who it is.
        scores: int64 [S, outputs].
        labels: int64 [S].
        counts: int64 [S + 1, counters], before the first sample and after each.
        surplus: bytes after the last complete sample.
        broken: bytes without a stop bit.
    """

    identity: bytes
    scores: NDArray[np.int64]
    labels: NDArray[np.int64]
    counts: NDArray[np.int64]
    surplus: int
    broken: int

    @property
    def samples(self) -> int:
        """Complete samples S."""
        return len(self.labels)


def read_answers(received: NDArray[np.uint8], layout: Layout, *, broken: int = 0) -> Answers:
    """What the bytes of a chip mean.

    Args:
        received: every byte.
        layout: of the bytes.
        broken: how many of them had no stop bit.
    """
    samples = layout.samples_in(len(received))
    end = layout.first + samples * layout.sample
    head = received[: layout.first].tobytes().ljust(layout.first, b"\0")
    rows = received[layout.first : end].reshape(samples, layout.sample)
    answer = protocol.answer_bytes(layout.outputs)
    before = np.frombuffer(head[protocol.IDENTITY_BYTES :], "<u4").astype(np.int64)
    after = np.ascontiguousarray(rows[:, answer:]).view("<u4").astype(np.int64)
    return Answers(
        identity=head[: protocol.IDENTITY_BYTES],
        scores=np.ascontiguousarray(rows[:, : answer - 1]).view("<i4").astype(np.int64),
        labels=rows[:, answer - 1].astype(np.int64),
        counts=np.concatenate([before[None], after]),
        surplus=max(0, len(received) - end),
        broken=broken,
    )
