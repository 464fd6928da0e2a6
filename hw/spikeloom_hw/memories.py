"""Every memory of a core: its shape, and what it takes of a device's RAM."""

from collections.abc import Iterator
from typing import Literal

import msgspec

from spikeloom_hw.core.layouts import SpikesLayout
from spikeloom_hw.core.loading import SINGLE_PORT_DEPTH
from spikeloom_hw.core.params import CHUNK_BITS, CoreParams, LayerParams, MemoryShape
from spikeloom_hw.host.port import FIFO_BYTES
from spikeloom_hw.targets import Target

Kind = Literal["block", "single-port", "distributed"]


class MemoryCost(msgspec.Struct, frozen=True, kw_only=True):
    """One memory of the design.

    Attributes:
        name: layer and memory.
        width: bits of a word.
        depth: words.
        kind: of RAM that it lies in: block RAM, single-port RAM, or logic cells.
        blocks: block RAMs, or single-port RAMs, that it takes.
    """

    name: str
    width: int
    depth: int
    kind: Kind = "block"
    blocks: int = 0


def core_memories(core: CoreParams, target: Target) -> Iterator[MemoryCost]:
    """Every memory of ``core`` on ``target``, with that of its host link."""
    for layer in core.layers:
        yield from _layer_memories(layer, target)
    for layer in core.layers[:-1]:
        width = SpikesLayout(layer).size
        yield _block(target, f"{layer.name}.spikes", width, layer.bank_depth, writable=True)
    last = core.layers[-1]
    width = last.lanes * core.score_bits
    yield _block(target, "readout", width, last.bank_depth, writable=True)
    if target.has_top:
        yield _block(target, "host.fifo", 8, FIFO_BYTES, writable=True)


def _layer_memories(layer: LayerParams, target: Target) -> Iterator[MemoryCost]:
    name, depth = layer.name, layer.bank_depth
    yield _table(target, f"{name}.pointers", layer.pointer_memory, loadable=layer.loadable)
    if layer.single_port:
        yield MemoryCost(
            name=f"{name}.weights",
            width=layer.word_bits,
            depth=layer.words,
            kind="single-port",
            blocks=-(-layer.word_bits // CHUNK_BITS) * -(-layer.words // SINGLE_PORT_DEPTH),
        )
    else:
        yield _table(target, f"{name}.weights", layer.weight_memory, loadable=layer.loadable)
    for bank in _banks(layer):
        width = layer.accumulator_bits
        if layer.distributed_banks:
            yield MemoryCost(name=bank, width=width, depth=depth, kind="distributed")
        else:
            yield _block(target, bank, width, depth, writable=True)
    if layer.shared_threshold is None:
        yield _block(target, f"{name}.thresholds", layer.lanes * layer.threshold_bits, depth)
    if layer.shared_bias is None:
        yield _block(target, f"{name}.biases", layer.lanes * layer.bias_bits, depth)


def _banks(layer: LayerParams) -> Iterator[str]:
    for lane in range(layer.lanes):
        if layer.overlapped:
            yield f"{layer.name}.membranes_{lane}"
            yield from (f"{layer.name}.bank_{lane}_{number}" for number in range(2))
        else:
            yield f"{layer.name}.bank_{lane}"


def _table(target: Target, name: str, shape: MemoryShape, *, loadable: bool) -> MemoryCost:
    width = shape.chunks * shape.chunk_bits if loadable else shape.width
    return _block(target, name, width, shape.depth, writable=loadable)


def _block(
    target: Target, name: str, width: int, depth: int, *, writable: bool = False
) -> MemoryCost:
    blocks = target.block_rams(width, depth, writable=writable)
    return MemoryCost(name=name, width=width, depth=depth, blocks=blocks)
