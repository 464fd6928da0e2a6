"""What an engine is built for: lanes, capacities, widths, and the features of its neurons."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from spikeloom.packing import LANES
from spikeloom.packing.words import unsigned_bits
from spikeloom_hw.core.memory_shape import MemoryShape

LaneParameter = Literal["threshold", "amount", "bias", "drive", "reset_value"]
LANE_PARAMETERS: tuple[LaneParameter, ...] = get_args(LaneParameter)
"""The parameters of a neuron, in the order in which a table holds them."""

LINE_WORDS = 16
"""Words of a map that one word of its summary tells of."""

PROGRAM_BITS = 16
"""A word of a program, at least: sixteen bits are what a host loads at once."""


@dataclass(frozen=True, kw_only=True)
class EngineParams:
    """The shape of an engine.

    Attributes:
        lanes: L, synaptic operations a cycle, one of `spikeloom.packing.LANES`.
        weight_bits: signed width of a weight.
        index_bits: width of the gap to the synapse before, in addresses.
        weight_words: depth of the weight memory; a word holds L synapses.
        row_words: most words of a row, a power of two less one.
        pointer_rows: rows that share a pointer word, a power of two.
        pointer_words: depth of the pointer memory.
        state_bits: signed width of a state; sums of a step end in it.
        state_words: states of a bank, a power of two.
        map_words: words of L spikes, a power of two.
        summary_words: words that tell which words of a map have spikes, a power of two.
        program_words: depth of the program memory.
        size_bits: width of a coordinate of a map, and of the number of its groups.
        tap_bits: width of the number of a kernel's taps along an axis.
        decay_bits: fraction of a decay.
        most_shift: bits to the left that a weight can be moved by, planes of a value included.
        strides: of windows.
        currents: neurons may have a synaptic current, and sums may be held over the steps.
        lane_parameters: what may differ from neuron to neuron; all else is a population's.
    """

    lanes: int
    weight_bits: int = 4
    index_bits: int = 4
    weight_words: int = 1 << 14
    row_words: int = 255
    pointer_rows: int = 4
    pointer_words: int = 256
    state_bits: int = 16
    state_words: int = 512
    map_words: int = 2048
    summary_words: int = 256
    program_words: int = 512
    size_bits: int = 8
    tap_bits: int = 4
    decay_bits: int = 14
    most_shift: int = 7
    strides: tuple[int, ...] = (1, 2, 4)
    currents: bool = True
    lane_parameters: tuple[LaneParameter, ...] = LANE_PARAMETERS

    def __post_init__(self) -> None:
        if self.lanes not in LANES:
            raise ValueError(f"lanes must be one of {LANES!r}, not {self.lanes!r}")
        for name in ("pointer_rows", "state_words", "map_words", "summary_words"):
            if getattr(self, name).bit_count() != 1:
                raise ValueError(f"{name} must be a power of two, not {getattr(self, name)!r}")
        if (self.row_words + 1).bit_count() != 1:
            raise ValueError(f"row_words must be a power of two less one, not {self.row_words!r}")
        if not set(self.strides) <= {1, 2, 3, 4} or 1 not in self.strides:
            raise ValueError(f"strides must be 1 and any of 2, 3, 4, not {self.strides!r}")

    @property
    def lane_bits(self) -> int:
        """Width of a lane's number; 0 when there is one lane."""
        return (self.lanes - 1).bit_length()

    @property
    def slot_bits(self) -> int:
        """Width of a synapse in a word."""
        return self.index_bits + self.weight_bits

    @property
    def word_bits(self) -> int:
        """Width of the weight memory."""
        return self.lanes * self.slot_bits

    @property
    def base_bits(self) -> int:
        """Width of a word's address."""
        return unsigned_bits(self.weight_words - 1)

    @property
    def count_bits(self) -> int:
        """Width of a row's number of words."""
        return unsigned_bits(self.row_words)

    @property
    def pointer_bits(self) -> int:
        """Width of the pointer memory."""
        return self.base_bits + self.pointer_rows * self.count_bits

    @property
    def row_bits(self) -> int:
        """Width of a row's number."""
        return unsigned_bits(self.pointer_rows * self.pointer_words - 1)

    @property
    def state_address_bits(self) -> int:
        """Width of a state's address in its bank."""
        return unsigned_bits(self.state_words - 1)

    @property
    def map_address_bits(self) -> int:
        """Width of a map word's address."""
        return unsigned_bits(self.map_words - 1)

    @property
    def summary_address_bits(self) -> int:
        """Width of a summary word's address."""
        return unsigned_bits(self.summary_words - 1)

    @property
    def program_address_bits(self) -> int:
        """Width of a program word's address."""
        return unsigned_bits(self.program_words - 1)

    @property
    def program_bits(self) -> int:
        """Width of the program memory."""
        return max(PROGRAM_BITS, self.state_bits)

    @property
    def shift_bits(self) -> int:
        """Width of a shift."""
        return unsigned_bits(self.most_shift)

    @property
    def memories(self) -> Mapping[str, MemoryShape]:
        """What a host fills, in the order of their numbers."""
        return {
            "program": MemoryShape(self.program_bits, self.program_words),
            "pointers": MemoryShape(self.pointer_bits, self.pointer_words),
            "weights": MemoryShape(self.word_bits, self.weight_words),
        }


ICE40UP5K = EngineParams(
    lanes=8,
    row_words=63,
    pointer_rows=8,
    lane_parameters=("threshold", "amount", "bias"),
)
"""The memories of the iCE40UP5K: weights in its four single-port RAMs, 64 bits a cycle.

Its logic is larger than the device; `docs/engine.md` has the figures.
"""
