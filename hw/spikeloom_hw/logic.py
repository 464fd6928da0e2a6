"""Logic cells and clock of a core before synthesis: a small model, fitted on synthesis runs.

What a core's registers and adders come to is counted from its parameters, part by part, as the
gateware writes them down; how many cells synthesis makes of a counted bit is fitted. The clock is
the median of designs that were placed and routed. ``benchmarks/calibration.py`` fits ``logic.json``
and tells how far the model is off on designs that it was not fitted on.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources

import msgspec

from spikeloom.image import DecayLeak, IntegrateLeak
from spikeloom_hw.core.params import CoreParams, LayerParams
from spikeloom_hw.memories import MemoryCost
from spikeloom_hw.targets import Target

COEFFICIENTS = "logic.json"


class FamilyModel(msgspec.Struct, frozen=True, kw_only=True):
    """What was fitted for one device family.

    Attributes:
        cells: logic cells for one of each of :func:`counted`.
        cells_error: the largest relative error on a design left out of the fit.
        clock_mhz: that place and route reached, the median of designs.
        clock_error: the largest relative error of the clock, likewise left out.
        designs: synthesised to fit the cells.
        clocks: placed and routed to fit the clock.
    """

    cells: dict[str, float]
    cells_error: float
    clock_mhz: float
    clock_error: float
    designs: int
    clocks: int


class Band(msgspec.Struct, frozen=True, kw_only=True):
    """A figure of the model, and how far off it was at most on designs left out of the fit."""

    low: float
    median: float
    high: float

    @classmethod
    def around(cls, median: float, error: float) -> "Band":
        """The band of a relative ``error`` around ``median``."""
        return cls(
            low=round(median * (1 - error), 1),
            median=round(median, 1),
            high=round(median * (1 + error), 1),
        )


def logic_cells(core: CoreParams, memories: Iterable[MemoryCost], target: Target) -> Band:
    """Logic cells of ``core`` with its host link: LUT4 on ECP5, LUT4 and flip-flop on iCE40."""
    model = models()[target.family]
    cells = sum(model.cells[name] * count for name, count in counted(core, memories).items())
    return Band.around(cells, model.cells_error)


def clock_mhz(target: Target) -> Band:
    """The clock that place and route reaches: what limits it is not in the parameters."""
    model = models()[target.family]
    return Band.around(model.clock_mhz, model.clock_error)


def counted(core: CoreParams, memories: Iterable[MemoryCost]) -> Mapping[str, float]:
    """Bits of registers and adders in each part of ``core``: what the model knows of it."""
    layers = core.layers
    return {
        "core": 1,
        "layer": len(layers),
        "lanes": sum(layer.lanes * _lane_bits(layer) for layer in layers),
        "gaps": sum(
            layer.lanes * layer.group_bits for layer in layers if layer.index_form == "gap"
        ),
        "control": sum(map(_control_bits, layers)),
        "loader": sum(layer.load_address_bits for layer in layers if layer.loadable),
        "multiplexers": sum(memory.multiplexed for memory in memories),
        "distributed": sum(map(_distributed_bits, layers)),
    }


def _lane_bits(layer: LayerParams) -> float:
    """Registers and adders of one lane: slot, read-modify-write, update."""
    slot = layer.index_bits + 3 * layer.weight_bits + 3.5 * layer.group_bits
    potential = (7 if layer.spiking else 5) * layer.accumulator_bits
    membrane = 2 * layer.membrane_bits
    if not isinstance(layer.leak, IntegrateLeak):
        membrane += layer.membrane_bits
    if isinstance(layer.leak, DecayLeak):
        membrane += 3 * layer.membrane_bits
    apart = 4 * layer.accumulator_bits + 2 * layer.group_bits if layer.overlapped else 0
    return slot + potential + membrane + apart


def _control_bits(layer: LayerParams) -> float:
    """Registers and adders of pointers, word addresses, walk and spike queue."""
    pointer = 2 * layer.address_bits + 1.5 * layer.pointer_rows * layer.count_bits
    if layer.pointer_rows > 1:
        pointer += 2 * layer.base_bits
    words = 3 * layer.first_word_bits + 3 * layer.row_word_bits
    return pointer + words + 5 * layer.group_bits + 6 * layer.lanes


def _distributed_bits(layer: LayerParams) -> int:
    if not layer.distributed_banks:
        return 0
    banks = 3 if layer.overlapped else 1
    return banks * layer.lanes * layer.accumulator_bits * -(-layer.bank_depth // 16)


@cache
def models() -> Mapping[str, FamilyModel]:
    """What was fitted, by device family."""
    data = resources.files("spikeloom_hw").joinpath(COEFFICIENTS).read_bytes()
    return msgspec.json.decode(data, type=dict[str, FamilyModel])
