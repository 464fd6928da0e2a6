"""SynapseWords: one layer's synapses as the memory words that the core reads."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt

IndexForm = Literal["absolute", "gap"]


def unsigned_bits(highest: int) -> int:
    """The smallest width, at least 1, that holds 0 … ``highest``."""
    return max(1, highest.bit_length())


@dataclass(frozen=True, kw_only=True, eq=False)
class SynapseWords:
    """Rows of synapses, each a run of words; a word is one slot for each membrane bank.

    Neuron ``n`` lives in bank ``n mod lanes`` at address ``n div lanes``. Slot ``l`` of a word is
    ``(index, weight)`` for bank ``l``. With "absolute" indices, word ``i`` of a row holds addresses
    ``a`` with ``a mod blocks == i mod blocks``, and the index is ``a div blocks``: the place in the
    row says the rest. With "gap" it is how many addresses lie between this slot and the one before
    it in the row. A slot of weight 0 is padding, or an escape that only moves the gap's origin on.

    The pointers of ``pointer_rows`` rows share one memory word: the first row's first word, and how
    many words each has. Both are stored in units of ``granule`` words.

    Attributes:
        name: the layer's name.
        lanes: L, slots a word.
        inputs: rows.
        neurons: postsynaptic neurons.
        index_form: "absolute" or "gap".
        blocks: B, interleaved blocks of a bank's addresses; 1 for "gap".
        index_bits: unsigned width of an index; 0 where the place in the row says all.
        weight_bits: signed width of a weight.
        pointer_rows: R, rows of one pointer word.
        granule: power of two that divides every row's count.
        count: int64 ``[inputs]``, words of each row; 0 for an empty row.
        index: int64 ``[words, lanes]``.
        weight: int64 ``[words, lanes]``.
    """

    name: str
    lanes: int
    inputs: int
    neurons: int
    index_form: IndexForm
    blocks: int
    index_bits: int
    weight_bits: int
    pointer_rows: int
    granule: int
    count: npt.NDArray[np.int64]
    index: npt.NDArray[np.int64]
    weight: npt.NDArray[np.int64]

    @property
    def words(self) -> int:
        return len(self.index)

    @property
    def groups(self) -> int:
        """Addresses a bank has: the neurons, ``lanes`` at a time."""
        return -(-self.neurons // self.lanes)

    @property
    def group_bits(self) -> int:
        """Width of an address in a bank."""
        return unsigned_bits(self.groups - 1)

    @property
    def slot_bits(self) -> int:
        return self.index_bits + self.weight_bits

    @property
    def word_bits(self) -> int:
        return self.lanes * self.slot_bits

    @cached_property
    def base(self) -> npt.NDArray[np.int64]:
        """First word of each row, int64 ``[inputs]``."""
        return np.cumsum(self.count) - self.count

    @cached_property
    def base_bits(self) -> int:
        return unsigned_bits(int(self.base[:: self.pointer_rows].max(initial=0)) // self.granule)

    @cached_property
    def count_bits(self) -> int:
        return unsigned_bits(int(self.count.max(initial=0)) // self.granule)

    @property
    def pointers(self) -> int:
        """Words of the pointer memory."""
        return -(-self.inputs // self.pointer_rows)

    @property
    def pointer_bits(self) -> int:
        """Width of the pointer memory."""
        return self.base_bits + self.pointer_rows * self.count_bits

    @property
    def bits(self) -> int:
        """All that is stored: slots, padding and pointers."""
        return self.words * self.word_bits + self.pointers * self.pointer_bits
