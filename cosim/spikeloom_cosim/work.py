"""What each layer did, by the chip's own counters: the share of cycles by what they went into."""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from spikeloom_cosim.shape import CoreShape, LayerShape
from spikeloom_hw.core.counters import LAYER_COUNTS


class Shares(msgspec.Struct, frozen=True, kw_only=True):
    """Where a layer's cycles went, as parts of 1.

    Attributes:
        synapses: synaptic operations, a lane's worth of them a cycle.
        padding: words read for slots that hold no synapse.
        update: rows waited for the neurons' update, after a step.
        blocked: an update that waited for room behind it.
        idle: nothing to do.
    """

    synapses: float
    padding: float
    update: float
    blocked: float
    idle: float


class LayerWork(msgspec.Struct, frozen=True, kw_only=True):
    """What one layer counted while samples followed each other at full rate.

    Attributes:
        name: of the layer.
        lanes: of the layer.
        cycles: from a simulation's first event to its last result. They are the bench's: the
            chip's own count runs from reset.
        events: spikes that came in.
        words: words of synapses read.
        operations: synaptic operations.
        updating: cycles in which nothing was read because the neurons were being updated.
        blocked: those of them in which the update waited for room behind it.
        sop_per_cycle_per_lane: synaptic operations, by cycle and by lane.
        shares: of the cycles, by cause.
    """

    name: str
    lanes: int
    cycles: int
    events: int
    words: int
    operations: int
    updating: int
    blocked: int
    sop_per_cycle_per_lane: float
    shares: Shares


def layer_work(counts: NDArray[np.int64], shape: CoreShape, cycles: int) -> tuple[LayerWork, ...]:
    """What each layer of `shape` did in `cycles`, when it has counted `counts`.

    Args:
        counts: int64 [layers, counters], those of `spikeloom_hw.core.counters.LAYER_COUNTS`.
        shape: the core's.
        cycles: from the first event to the last result.
    """
    return tuple(
        _work(layer, dict(zip(LAYER_COUNTS, own, strict=True)), cycles)
        for layer, own in zip(shape.layers, counts.tolist(), strict=True)
    )


def _work(layer: LayerShape, counted: dict[str, int], cycles: int) -> LayerWork:
    words, updating, blocked = counted["words"], counted["updating"], counted["blocked"]
    synapses = counted["operations"] / layer.lanes
    return LayerWork(
        name=layer.name,
        lanes=layer.lanes,
        cycles=cycles,
        sop_per_cycle_per_lane=synapses / cycles,
        shares=Shares(
            synapses=synapses / cycles,
            padding=(words - synapses) / cycles,
            update=(updating - blocked) / cycles,
            blocked=blocked / cycles,
            idle=(cycles - words - updating) / cycles,
        ),
        **counted,
    )
