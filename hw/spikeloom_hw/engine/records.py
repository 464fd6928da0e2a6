"""What passes through an engine, and what it has done, as the model tells it."""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from spikeloom.neurons import Integers
from spikeloom_hw.engine.program import Opcode

InputEvent = tuple[int, int, int, int]
"""Summary word, bit, map word and lane of an input that is 1."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Update:
    """What an observer sees of a sweep: a group of neurons a row, in the order of time.

    Attributes:
        address: int64 `[groups]`, of the state.
        current: bool `[groups]`, whether the state is a current, else a membrane.
        spikes: bool `[groups, lanes]`.
        values: int64 `[groups, lanes]`, the state after the step.
    """

    address: Integers
    current: np.ndarray
    spikes: np.ndarray
    values: Integers


@dataclass(kw_only=True, eq=False)
class Result:
    """What a sample gave.

    Attributes:
        scores: in order.
        updates: of each sweep.
        cycles: from the first instruction to the last, with a host that never pauses.
        spent: those cycles by instruction.
        spent_at: those cycles by the word of the program that their instruction stands in.
        events, words: events found by all scans, and words of synapses that they read.
        at: the word that the instruction under way stands in.
    """

    scores: list[int] = field(default_factory=list)
    updates: list[Update] = field(default_factory=list)
    cycles: int = 0
    spent: Counter[Opcode] = field(default_factory=Counter)
    spent_at: Counter[int] = field(default_factory=Counter)
    events: int = 0
    words: int = 0
    at: int = 0

    def spend(self, opcode: Opcode, cycles: int) -> None:
        """Counts the cycles of an instruction."""
        self.cycles += cycles
        self.spent_at[self.at] += cycles
        self.spent[opcode] += cycles


@dataclass(frozen=True)
class MapEvent:
    """A spike, or all of a map word, on its way to its rows."""

    plane: int
    group: int
    y: int
    x: int
    word: int
    lane: int
    mask: int


@dataclass(frozen=True)
class RowRead:
    """A row, where it counts from, and the lanes that take part."""

    row: int
    base: int
    mask: int
    shift: int
