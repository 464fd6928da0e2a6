"""The payloads that travel inside a layer."""

from amaranth.hdl import signed
from amaranth.lib import data, enum

from spikeloom.packing.words import unsigned_bits
from spikeloom_hw.core.bank_shape import BankShape
from spikeloom_hw.core.memory_shape import CHUNK_BITS
from spikeloom_hw.core.params import CoreParams, LayerParams


class MemoryKind(enum.Enum, shape=2):
    """What a host loads into a layer."""

    POINTERS = 0
    WEIGHTS = 1
    THRESHOLD = 2


LOOK_CYCLES = 4
"""Cycles from the one in which a core takes a look to the one in which it shows the chunk."""


class LoadLayout(data.StructLayout):
    """Sixteen bits for the memory ``kind`` of a layer, at a chunk's address; or a look at them."""

    def __init__(self, address_bits: int) -> None:
        super().__init__(
            {"kind": MemoryKind, "address": address_bits, "data": CHUNK_BITS, "look": 1}
        )


def core_load_layout(params: CoreParams) -> data.StructLayout:
    """A :class:`LoadLayout` for the layer with the number ``layer``."""
    address_bits = max(layer.load_address_bits for layer in params.layers)
    return data.StructLayout(
        {
            "layer": unsigned_bits(len(params.layers) - 1),
            "kind": MemoryKind,
            "address": address_bits,
            "data": CHUNK_BITS,
            "look": 1,
        }
    )


class PointerLayout(data.StructLayout):
    """A pointer word: the first word of its first row, and how many words each row has."""

    def __init__(self, params: LayerParams) -> None:
        counts = data.ArrayLayout(params.count_bits, params.pointer_rows)
        super().__init__({"base": params.base_bits, "counts": counts})


class RowLayout(data.StructLayout):
    """A row to be read, as its first word and how many it has; or a step's end, with ``step``."""

    def __init__(self, params: LayerParams) -> None:
        super().__init__(
            {
                "base": params.first_word_bits,
                "count": params.row_word_bits,
                "step": 1,
                "last": 1,
            }
        )


class SlotLayout(data.StructLayout):
    """One lane's share of a word. Weight 0 is padding or an escape."""

    def __init__(self, params: LayerParams) -> None:
        super().__init__({"index": params.index_bits, "weight": signed(params.weight_bits)})


class WordLayout(data.StructLayout):
    """A word of slots, with its place in the row; or the end of a step when ``step`` is 1.

    ``first`` marks a row's first word, ``block`` is its number modulo the interleaved blocks.
    """

    def __init__(self, params: LayerParams) -> None:
        slots = data.ArrayLayout(SlotLayout(params), params.lanes)
        super().__init__(
            {"slots": slots, "first": 1, "block": params.block_bits, "step": 1, "last": 1}
        )


class OperationLayout(data.StructLayout):
    """One synaptic operation: add ``weight`` to the membrane at ``address`` of a bank."""

    def __init__(self, params: LayerParams | BankShape) -> None:
        super().__init__({"address": params.group_bits, "weight": signed(params.weight_bits)})


class StepLayout(data.StructLayout):
    """The end of a step; ``last`` of the sample."""

    def __init__(self) -> None:
        super().__init__({"last": 1})


class GroupLayout(data.StructLayout):
    """A group of neurons after its update: one neuron of each bank.

    ``end`` marks the last group of the step, ``last`` a sample's last step.
    """

    def __init__(self, params: LayerParams) -> None:
        super().__init__(
            {
                "group": params.group_bits,
                "spikes": params.lanes,
                "membranes": data.ArrayLayout(signed(params.membrane_bits), params.lanes),
                "end": 1,
                "last": 1,
            }
        )


class SpikesLayout(data.StructLayout):
    """The spikes of one group, on their way to be sent one at a time."""

    def __init__(self, params: LayerParams) -> None:
        super().__init__({"group": params.group_bits, "spikes": params.lanes, "end": 1, "last": 1})


class UpdatedLayout(data.StructLayout):
    """The potential with which the neuron at ``address`` of a bank enters the next step."""

    def __init__(self, params: LayerParams | BankShape) -> None:
        super().__init__(
            {"address": params.group_bits, "potential": signed(params.accumulator_bits)}
        )
