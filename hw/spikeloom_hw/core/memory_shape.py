"""How memories are shaped, and which RAM of the device they ask for."""

from dataclasses import dataclass

from spikeloom.packing.words import unsigned_bits

BLOCK_RAM = {"ram_style": "block", "no_rw_check": 1}
"""Keeps a small memory in block RAM, where the cost model counts it; logic cells are scarcer.

No reader relies on a word that is written in the same cycle, so that the tool need not build logic
for that case on devices whose block RAM leaves it open.
"""

DISTRIBUTED_RAM = {"ram_style": "distributed", "no_rw_check": 1}
"""Puts a small memory into logic cells: faster than block RAM, on devices that can."""

LEAST_DEPTH = 2
"""A memory of one word would have an address without bits, which Verilog can not express."""


CHUNK_BITS = 16
"""What a host loads at once."""


@dataclass(frozen=True)
class MemoryShape:
    """How the words of a memory lie in it, and how a host that fills it names them.

    Attributes:
        width: bits of a word.
        depth: words.
    """

    width: int
    depth: int

    @property
    def chunk_bits(self) -> int:
        """Bits that are loaded at once."""
        return min(CHUNK_BITS, self.width)

    @property
    def chunks(self) -> int:
        """Chunks of a word."""
        return -(-self.width // self.chunk_bits)

    @property
    def select_bits(self) -> int:
        """Width of a chunk's number; 0 when a word is one chunk."""
        return (self.chunks - 1).bit_length()

    @property
    def word_bits(self) -> int:
        """Width of a word's address."""
        return unsigned_bits(self.depth - 1)

    @property
    def address_bits(self) -> int:
        """Width of a chunk's address: the word's, and below it the chunk's number."""
        return self.word_bits + self.select_bits
