"""Turns samples, and what a core is loaded with, into the files that the test bench plays."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom_cosim.shape import CoreShape
from spikeloom_hw.core.layouts import core_load_layout
from spikeloom_hw.core.loading import Load
from spikeloom_hw.core.params import CoreParams

EVENTS, LOADS, STRIKES = "events.bin", "load.bin", "strikes.bin"
LOAD_FIELDS = ("layer", "kind", "address", "data")
"""Of a `Load`, in its order."""

_SAMPLE_END = np.uint32(1 << 31)
_ROUND_END = np.uint32(1 << 30)
_LOAD_END = np.uint64(1 << 63)


def event_words(
    events: NDArray[np.bool_], shape: CoreShape, *, shuffle: int | None = None
) -> NDArray[np.uint32]:
    """Every event of every sample, in order: a word each.

    A step is its spikes, by ascending address, and a STEP; bit 31 marks a sample's last STEP.

    Args:
        events: bool [samples, steps, inputs].
        shape: tells where an event's bits lie.
        shuffle: seed that puts the spikes of each step into a random order instead.
    """
    _, steps, _ = events.shape
    counts, address = _in_order(events, shuffle)
    ends = np.cumsum(counts + 1) - 1
    words = np.empty(len(address) + len(counts), dtype=np.uint32)
    is_spike = np.ones(len(words), dtype=bool)
    is_spike[ends] = False
    step_bit, last_bit = np.uint32(1 << shape.address_bits), np.uint32(2 << shape.address_bits)
    words[is_spike] = address
    words[ends] = step_bit
    words[ends[steps - 1 :: steps]] |= last_bit | _SAMPLE_END
    return words


def event_steps(events: NDArray[np.bool_], *, shuffle: int | None = None) -> list[list[int]]:
    """The addresses of each step of every sample, in the order of `event_words`."""
    counts, address = _in_order(events, shuffle)
    return [own.tolist() for own in np.split(address, np.cumsum(counts)[:-1])]


def _in_order(
    events: NDArray[np.bool_], shuffle: int | None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """How many spikes each step has, int64 [samples × steps]; and the address of each spike."""
    rows = events.reshape(-1, events.shape[-1])
    row, address = np.nonzero(rows)
    if shuffle is not None:
        order = np.lexsort((np.random.default_rng(shuffle).random(len(row)), row))
        address = address[order]
    return rows.sum(axis=1, dtype=np.int64), address


def write_events(folder: Path, rounds: Sequence[NDArray[np.uint32]]) -> None:
    """Put the words of each round where the bench, running in `folder`, looks for them.

    Bit 30 marks a round's last word; $fread is big-endian.
    """
    _marked(rounds, _ROUND_END).astype(">u4").tofile(folder / EVENTS)


def write_strikes(folder: Path, strikes: Sequence[int]) -> None:
    """Put how many cycles of each round go before a reset where the bench looks for it; 0: none."""
    np.array(strikes, dtype=">u4").tofile(folder / STRIKES)


def load_payloads(loads: Sequence[Load], core: CoreParams) -> NDArray[np.uint64]:
    """What fills the memories of `core`, payload by payload, uint64 [loads]."""
    layout = core_load_layout(core)
    fields = np.array(loads, dtype=np.uint64).reshape(-1, len(LOAD_FIELDS))
    offsets = np.array([layout[name].offset for name in LOAD_FIELDS], dtype=np.uint64)
    return np.bitwise_or.reduce(fields << offsets, axis=1)


def write_loads(folder: Path, rounds: Sequence[NDArray[np.uint64]]) -> None:
    """Put what a core is loaded with before each round where the bench looks for it.

    Bit 63 marks a round's last payload.
    """
    _marked(rounds, _LOAD_END).astype(">u8").tofile(folder / LOADS)


def _marked(rounds: Sequence[NDArray[Any]], mark: np.unsignedinteger[Any]) -> NDArray[Any]:
    words = np.concatenate(rounds)
    words[np.cumsum([len(own) for own in rounds]) - 1] |= mark
    return words
