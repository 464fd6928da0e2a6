"""How a host may load a core: in any order, with anything where a word has padding, and looking."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from spikeloom_cosim.driver import load_payloads
from spikeloom_hw.core.layouts import MemoryKind, core_load_layout
from spikeloom_hw.core.loading import Load
from spikeloom_hw.core.memory_shape import CHUNK_BITS, MemoryShape
from spikeloom_hw.core.params import CoreParams, LayerParams


def scrambled(loads: Sequence[Load], core: CoreParams, random: np.random.Generator) -> list[Load]:
    """The same contents: in random order, with random bits where nothing is kept.

    Args:
        loads: of one network, so that no address comes twice.
        core: what they are for.
        random: draws both.
    """
    fields = random.permutation(np.array(loads, dtype=np.int64).reshape(-1, 4))
    for number, layer in enumerate(core.layers):
        for kind in MemoryKind:
            chosen = (fields[:, 0] == number) & (fields[:, 1] == kind.value)
            used = _used_bits(layer, kind, fields[chosen, 2])
            noise = random.integers(0, 1 << CHUNK_BITS, len(used)) >> used << used
            fields[chosen, 3] |= noise
    return [(layer, kind, address, data) for layer, kind, address, data in fields.tolist()]


def with_looks(
    loads: Sequence[Load], core: CoreParams, random: np.random.Generator, *, share: float = 1.0
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """The loads, and behind them looks at what they stored, in random order.

    Args:
        loads: of one network.
        core: what they are for.
        random: draws the order.
        share: of the chunks that are looked at.

    Returns:
        Payloads of the loading port, and what the looks among them must find.
    """
    fields = np.array(loads, dtype=np.int64).reshape(-1, 4)
    fields = random.permutation(fields[fields[:, 1] != MemoryKind.THRESHOLD.value])
    fields = fields[: int(share * len(fields))]
    found = fields[:, 3].copy()
    for number, layer in enumerate(core.layers):
        for kind in (MemoryKind.POINTERS, MemoryKind.WEIGHTS):
            chosen = (fields[:, 0] == number) & (fields[:, 1] == kind.value)
            found[chosen] &= (1 << _used_bits(layer, kind, fields[chosen, 2])) - 1
    fields[:, 3] = random.integers(0, 1 << CHUNK_BITS, len(fields))
    look = np.uint64(1 << core_load_layout(core)["look"].offset)
    asked = load_payloads([tuple(row) for row in fields.tolist()], core) | look
    return np.concatenate([load_payloads(loads, core), asked]), found


def _used_bits(
    layer: LayerParams, kind: MemoryKind, addresses: NDArray[np.int64]
) -> NDArray[np.int64]:
    """How many of the sixteen bits at each address mean something."""
    if kind is MemoryKind.THRESHOLD:
        return np.full(len(addresses), layer.threshold_bits)
    shape: MemoryShape = (
        layer.pointer_memory if kind is MemoryKind.POINTERS else layer.weight_memory
    )
    chunk = addresses & (1 << shape.select_bits) - 1
    return np.minimum(shape.chunk_bits, shape.width - chunk * shape.chunk_bits)
