"""The synapses of a connection as memory words, whatever its kind."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from spikeloom.connections import Connection, Conv2d, Identity, Linear, SparseRows, Window
from spikeloom.neurons import Integers
from spikeloom.packing.addressing import Addressing, ByPhase, ByTap, Indexed
from spikeloom.packing.bank_map import BankMap
from spikeloom.packing.pack import pack, slot_addresses
from spikeloom.packing.rows import MatrixRows
from spikeloom.packing.words import IndexForm, SynapseWords


@dataclass(frozen=True, kw_only=True, eq=False)
class PackedConnection:
    """Words that hold the synapses of a connection.

    Attributes:
        connection: what is packed.
        banks: where its targets' states lie.
        addressing: which rows an event reads, and which neuron a slot names.
        words: the rows.
    """

    connection: Connection
    banks: BankMap
    addressing: Addressing
    words: SynapseWords

    def rows(self, event: int) -> Iterator[tuple[int, int]]:
        """The synapses of one input, read back from the words: `(target neuron, weight)`."""
        for read in self.addressing.reads(event):
            start = int(self.words.base[read.row])
            for word in range(start, start + int(self.words.count[read.row])):
                for lane in np.flatnonzero(self.words.weight[word]).tolist():
                    column = int(self._addresses[word, lane]) * self.words.lanes + lane
                    target = self.addressing.target(read, column)
                    if target is not None:
                        yield target, int(self.words.weight[word, lane])

    @cached_property
    def _addresses(self) -> Integers:
        return slot_addresses(self.words)

    @cached_property
    def words_read(self) -> Integers:
        """int64 `[inputs]`: words that an event of each input reads, a cycle each."""
        count = self.words.count.tolist()
        return np.array(
            [
                sum(count[read.row] for read in self.addressing.reads(event))
                for event in range(self.connection.inputs)
            ],
            dtype=np.int64,
        )

    @property
    def fill(self) -> float:
        """Synapses as a fraction of the slots that events read, all inputs alike."""
        slots = int(self.words_read.sum()) * self.words.lanes
        return int(self.connection.fan_out.sum()) / slots if slots else 1.0


def pack_connection(
    connection: Connection, lanes: int, *, index_form: IndexForm | None = None
) -> PackedConnection:
    """The words of a connection for `lanes` lanes.

    A kernel is addressed by phase or by tap, whichever has the smaller product of bits and of
    words read by an event at a place chosen at random.

    Args:
        connection: of a kind that has weights.
        lanes: slots of a word.
        index_form: "absolute" or "gap"; by default what costs less.

    Raises:
        ValueError: its kind has no weights to pack.
    """
    banks = BankMap(shape=connection.target_shape, lanes=lanes)
    candidates = [
        PackedConnection(
            connection=connection,
            banks=banks,
            addressing=addressing,
            words=pack(
                MatrixRows(name=connection.name, matrix=addressing.matrix),
                lanes,
                index_form=index_form,
            ),
        )
        for addressing in _addressings(connection, banks)
    ]
    return min(candidates, key=lambda packed: packed.words.bits * int(packed.words_read.sum()))


def _addressings(connection: Connection, banks: BankMap) -> list[Addressing]:
    match connection:
        case Linear():
            return [Indexed(connection, banks)]
        case Conv2d():
            return [ByPhase(connection, banks), ByTap(connection, banks)]
        case Identity():
            return [ByTap(_as_convolution(connection), banks)]
        case _:
            raise ValueError(f"{connection.name}: {connection.kind} has no weights to pack")


def _as_convolution(connection: Identity) -> Conv2d:
    """One integer a channel is a convolution of one tap, its kernel a diagonal."""
    shape = connection.source_shape
    maps = shape if len(shape) == 3 else (1, 1, *shape)
    channels = np.arange(maps[2])
    weight = np.broadcast_to(connection.weight, maps[2])
    kept = weight != 0
    return Conv2d(
        name=connection.name,
        source=connection.source,
        target=connection.target,
        source_shape=maps,
        weights=SparseRows.from_synapses(
            channels[kept], channels[kept], weight[kept], shape=(maps[2], maps[2])
        ),
        window=Window(kernel=(1, 1)),
    )
