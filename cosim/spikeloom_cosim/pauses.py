"""The pauses that the test bench makes, cycle by cycle: so what happens under them has its time.

The bench (`templates/bench.sv.j2`) draws them with two generators that step in every cycle,
whatever the core does. A mood of 64 cycles adds long rests and long full speed.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from spikeloom_cosim.simulation import Mode

BLOCK = 1 << 14
"""Cycles that are drawn at once."""
MOOD = 64
"""Cycles of a mood."""

_PLAYER, _SINK = 0x9E3779B9, 0xFF4A7C15
_MOOD_OF_PLAYER, _MOOD_OF_SINK = 0, MOOD // 2


class Pauses:
    """The pace (`spikeloom.reference.Pace`) of a run; to be asked in the order of cycles.

    Args:
        mode: how often either side rests.
        seed: of the run.
    """

    def __init__(self, mode: Mode, seed: int) -> None:
        self._player = _Side(seed ^ _PLAYER, chance=mode.idle, turn=_MOOD_OF_PLAYER)
        self._sink = _Side(seed ^ _SINK, chance=mode.stall, turn=_MOOD_OF_SINK)

    def offered(self, now: int) -> int:
        """The player reads an event as the one before it is taken, and offers it a cycle later."""
        return self._player.awake(now - 1) + 1

    def taken(self, offered: int) -> int:
        """Whether the sink is ready is decided a cycle before."""
        return self._sink.awake(offered - 1) + 1


class _Side:
    """One side: in which cycles it does not rest."""

    def __init__(self, state: int, *, chance: int, turn: int) -> None:
        self._blocks = _rests(state, chance=chance, turn=turn)
        self._first = -BLOCK
        self._next: list[int] = []

    def awake(self, cycle: int) -> int:
        """The first cycle from `cycle` on in which it does not rest."""
        while True:
            if cycle < self._first:
                raise ValueError(f"cycle {cycle!r} is asked for after {self._first!r}")
            place = cycle - self._first
            if place < len(self._next):
                found = self._next[place]
                if found < BLOCK:
                    return self._first + found
                cycle = self._first + BLOCK
            rests = next(self._blocks)
            self._first += BLOCK
            places = np.where(rests, BLOCK, np.arange(BLOCK))
            self._next = np.minimum.accumulate(places[::-1])[::-1].tolist()


def _rests(state: int, *, chance: int, turn: int) -> Iterator[NDArray[np.bool_]]:
    """Bool [`BLOCK`], whether a side rests in a cycle, block after block."""
    mood = 0
    for drawn in _draws(state):
        # The generator shows its mood in the cycle after the one in which it changes.
        moods = np.repeat(drawn[turn::MOOD] & 3, MOOD)
        moods = np.concatenate([np.full(turn + 1, mood), moods])
        mood = int(moods[BLOCK])
        moods = moods[:BLOCK]
        draws = drawn >> 8 & 255
        yield np.full(BLOCK, chance != 0) & (moods != 0) & ((moods == 3) | (draws < chance))


def _draws(state: int) -> Iterator[NDArray[np.uint32]]:
    """Uint32 [`BLOCK`], the generator's state in a cycle, block after block."""
    block = np.array([state], dtype=np.uint32)
    # A step is linear over single bits, and so are many steps: what each does to one bit tells all.
    jump = _xorshift(np.uint32(1) << np.arange(32, dtype=np.uint32))
    while len(block) < BLOCK:
        block = np.concatenate([block, _apply(jump, block)])
        jump = _apply(jump, jump)
    while True:
        yield block
        block = _apply(jump, block)


def _xorshift(x: NDArray[np.uint32]) -> NDArray[np.uint32]:
    x = x ^ x << np.uint32(13)
    x = x ^ x >> np.uint32(17)
    return x ^ x << np.uint32(5)


def _apply(jump: NDArray[np.uint32], states: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """States, some steps later; `jump` has where those steps bring each single bit."""
    after = np.zeros_like(states)
    for bit, image in enumerate(jump):
        after ^= (states >> np.uint32(bit) & np.uint32(1)) * image
    return after
