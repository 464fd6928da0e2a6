"""The payloads that travel inside an engine, and its settings as signals."""

from amaranth.hdl import signed
from amaranth.lib import data

from spikeloom.packing.words import unsigned_bits
from spikeloom_hw.core.memory_shape import CHUNK_BITS
from spikeloom_hw.engine.params import LINE_WORDS, EngineParams
from spikeloom_hw.engine.program import registers
from spikeloom_hw.events import ScoreLayout


class SettingsLayout(data.StructLayout):
    """All settings, by register and field."""

    def __init__(self, params: EngineParams) -> None:
        super().__init__(
            {name: data.StructLayout(dict(fields)) for name, fields in registers(params).items()}
        )


class InputLayout(data.StructLayout):
    """An input that is 1, as its places in map and summary; or the end of a step, with `step`."""

    def __init__(self, params: EngineParams) -> None:
        super().__init__(
            {
                "summary": params.summary_address_bits,
                "bit": unsigned_bits(LINE_WORDS - 1),
                "word": params.map_address_bits,
                "lane": params.lane_bits,
                "step": 1,
            }
        )


class LoadLayout(data.StructLayout):
    """Sixteen bits for a memory by its number, at a chunk's address; or a look at them."""

    def __init__(self, params: EngineParams) -> None:
        address = max(shape.address_bits for shape in params.memories.values())
        super().__init__(
            {
                "memory": unsigned_bits(len(params.memories) - 1),
                "address": address,
                "data": CHUNK_BITS,
                "look": 1,
            }
        )


class WordWrite(data.StructLayout):
    """A word to be stored."""

    def __init__(self, address_bits: int, width: int) -> None:
        super().__init__({"address": address_bits, "data": width})


class MapEventLayout(data.StructLayout):
    """A spike, or a map word with all of its spikes, and where it lies.

    `word` counts the words of the plane; `mask` names the lanes that take part in its rows.
    """

    def __init__(self, params: EngineParams) -> None:
        super().__init__(
            {
                "plane": 6,
                "group": params.size_bits,
                "y": min(8, params.size_bits),
                "x": params.size_bits,
                "word": params.map_address_bits,
                "lane": params.lane_bits,
                "mask": params.lanes,
            }
        )


class PlaceLayout(data.StructLayout):
    """What every stage behind the rows carries along: where a row counts from, and for whom.

    `base` is one before the first state, as each state is one behind a gap.
    """

    def __init__(self, params: EngineParams) -> None:
        super().__init__(
            {"base": params.state_address_bits, "mask": params.lanes, "shift": params.shift_bits}
        )


class ReadLayout(data.StructLayout):
    """A row to be read, by its number."""

    def __init__(self, params: EngineParams) -> None:
        super().__init__({"row": params.row_bits, "place": PlaceLayout(params)})


class RowLayout(data.StructLayout):
    """A row to be read, as its first word and how many it has."""

    def __init__(self, params: EngineParams) -> None:
        super().__init__(
            {
                "first": params.base_bits,
                "count": params.count_bits,
                "place": PlaceLayout(params),
            }
        )


class WordLayout(data.StructLayout):
    """A word of synapses; `first` of its row."""

    def __init__(self, params: EngineParams) -> None:
        slot = data.StructLayout({"index": params.index_bits, "weight": signed(params.weight_bits)})
        super().__init__(
            {
                "slots": data.ArrayLayout(slot, params.lanes),
                "first": 1,
                "place": PlaceLayout(params),
            }
        )


def score_layout(params: EngineParams) -> ScoreLayout:
    """A score of the population that is read out."""
    return ScoreLayout(params.state_bits, registers(params)["output"]["neurons"])


class TraceLayout(data.StructLayout):
    """What an observer sees of a group of neurons as it is updated."""

    def __init__(self, params: EngineParams) -> None:
        super().__init__(
            {
                "address": params.state_address_bits,
                "current": 1,
                "spikes": params.lanes,
                "values": data.ArrayLayout(signed(params.state_bits), params.lanes),
            }
        )
