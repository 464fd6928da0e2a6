"""What the memories of rows hold: pointers and synapses."""

from collections.abc import Sequence

from spikeloom_hw.engine.params import EngineParams
from spikeloom_hw.engine.rows import ConnectionRows


def first_rows(connections: Sequence[ConnectionRows], params: EngineParams) -> dict[str, int]:
    """Number of the first row of each connection, which begins a pointer word."""
    found, rows = {}, 0
    for own in connections:
        found[own.connection.name] = rows
        rows += -(-own.rows // params.pointer_rows) * params.pointer_rows
    return found


def pointer_words(connections: Sequence[ConnectionRows], params: EngineParams) -> list[int]:
    """The pointer memory: a first word, and the number of words of each of its rows."""
    words, base = [], 0
    for own in connections:
        counts = own.words.count.tolist()
        for at in range(0, len(counts), params.pointer_rows):
            word = base & (1 << params.base_bits) - 1
            for number, count in enumerate(counts[at : at + params.pointer_rows]):
                word |= count << params.base_bits + number * params.count_bits
                base += count
            words.append(word)
    return words


def weight_words(connections: Sequence[ConnectionRows], params: EngineParams) -> list[int]:
    """The weight memory: for each lane, from the lowest, a gap and a weight above it."""
    words, mask = [], (1 << params.weight_bits) - 1
    for own in connections:
        slots = own.words.index | (own.words.weight & mask) << params.index_bits
        for slots_of_word in slots.tolist():
            word = 0
            for lane, slot in enumerate(slots_of_word):
                word |= slot << lane * params.slot_bits
            words.append(word)
    return words
