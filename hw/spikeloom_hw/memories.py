"""Every memory of a core: its shape, and what it takes of a device's RAM."""

from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from operator import or_
from typing import Literal

import msgspec

from spikeloom.encoding import SampleCode
from spikeloom_hw.core.layouts import SpikesLayout
from spikeloom_hw.core.loading import SINGLE_PORT_DEPTH
from spikeloom_hw.core.memory_shape import CHUNK_BITS, MemoryShape
from spikeloom_hw.core.params import CoreParams, LayerContents, LayerParams
from spikeloom_hw.core.row_fetch import pointer_words
from spikeloom_hw.core.word_stream import weight_words
from spikeloom_hw.encoders import encoder_memory
from spikeloom_hw.host.frame_receiver import SLOT_BYTES, SLOTS
from spikeloom_hw.host.frame_sender import BUFFER_BYTES
from spikeloom_hw.host.results import KEPT
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
        multiplexed: two-way multiplexers between blocks that hold different words of it.
    """

    name: str
    width: int
    depth: int
    kind: Kind = "block"
    blocks: int = 0
    multiplexed: int = 0


def core_memories(
    core: CoreParams, target: Target, encoder: SampleCode | None = None
) -> Iterator[MemoryCost]:
    """Every memory of ``core`` on ``target``, with that of its host link and its ``encoder``."""
    for layer, contents in zip(core.layers, core.contents, strict=True):
        yield from _layer_memories(layer, contents, target)
    for layer in core.layers[:-1]:
        width = SpikesLayout(layer).size
        yield _block(target, f"{layer.name}.spikes", width, layer.queue_depth, writable=True)
    last = core.layers[-1]
    width = last.lanes * core.score_bits
    yield _block(target, "readout", width, last.bank_depth, writable=True)
    if target.has_top:
        yield _block(target, "host.received", 8, SLOTS * SLOT_BYTES, writable=True)
        yield _block(target, "host.sent", 8, BUFFER_BYTES, writable=True)
        results = KEPT << core.label_bits
        yield _block(target, "host.results", core.score_bits, results, writable=True)
    if encoder is not None:
        shape = encoder_memory(encoder)
        yield _block(target, "host.encoder", shape.width, shape.depth, writable=True)


def blocks(memories: Iterable[MemoryCost], kind: Kind) -> int:
    """Blocks that the memories of one kind take together."""
    return sum(memory.blocks for memory in memories if memory.kind == kind)


def _layer_memories(
    layer: LayerParams, contents: LayerContents, target: Target
) -> Iterator[MemoryCost]:
    name, depth = layer.name, layer.bank_depth
    pointers = f"{name}.pointers", layer.pointer_memory
    weights = f"{name}.weights", layer.weight_memory
    if layer.loadable:
        yield _loaded(target, *pointers)
    else:
        yield _fixed(target, *pointers, pointer_words(layer, contents))
    if layer.single_port:
        width = layer.word_bits - layer.spill_bits
        yield MemoryCost(
            name=f"{name}.weights",
            width=width,
            depth=layer.words,
            kind="single-port",
            blocks=-(-width // CHUNK_BITS) * -(-layer.words // SINGLE_PORT_DEPTH),
        )
        if layer.spill_bits:
            yield _block(
                target, f"{name}.weights.spilled", layer.spill_bits, layer.words, writable=True
            )
    elif layer.loadable:
        yield _loaded(target, *weights)
    else:
        yield _fixed(target, *weights, weight_words(layer, contents))
    for bank in _banks(layer):
        width = layer.accumulator_bits
        if layer.distributed_banks:
            yield MemoryCost(name=bank, width=width, depth=depth, kind="distributed")
        else:
            yield _block(target, bank, width, depth, writable=True)
    if layer.shared_threshold is None and layer.spiking:
        shape = MemoryShape(layer.lanes * layer.threshold_bits, depth)
        yield _fixed(
            target, f"{name}.thresholds", shape, _groups(contents.thresholds, shape, layer)
        )
    if layer.shared_bias is None:
        shape = MemoryShape(layer.lanes * layer.bias_bits, depth)
        yield _fixed(target, f"{name}.biases", shape, _groups(contents.biases, shape, layer))


def _groups(groups: Sequence[Sequence[int]], shape: MemoryShape, layer: LayerParams) -> list[int]:
    """What lies in a memory of one value for each lane."""
    bits = shape.width // layer.lanes
    mask = (1 << bits) - 1
    return [
        sum((value & mask) << lane * bits for lane, value in enumerate(group)) for group in groups
    ]


def _banks(layer: LayerParams) -> Iterator[str]:
    for lane in range(layer.lanes):
        if layer.overlapped:
            yield f"{layer.name}.membranes_{lane}"
            yield from (f"{layer.name}.bank_{lane}_{number}" for number in range(2))
        else:
            yield f"{layer.name}.bank_{lane}"


def _fixed(target: Target, name: str, shape: MemoryShape, words: Sequence[int]) -> MemoryCost:
    """A memory that nobody writes: bits that are the same in all words are none of it."""
    filled = [*words, *([0] * (shape.depth > len(words)))]
    varying = reduce(or_, (word ^ filled[0] for word in filled)).bit_count()
    if not varying:
        return MemoryCost(name=name, width=shape.width, depth=shape.depth)
    return msgspec.structs.replace(_block(target, name, varying, shape.depth), width=shape.width)


def _loaded(target: Target, name: str, shape: MemoryShape) -> MemoryCost:
    """A memory that a host fills, chunk by chunk; what its last chunk has too much is not read."""
    width = shape.chunks * shape.chunk_bits
    return MemoryCost(
        name=name,
        width=shape.width,
        depth=shape.depth,
        blocks=target.block_rams(
            width, shape.depth, writable=True, chunk=shape.chunk_bits, used=shape.width
        ),
        multiplexed=target.multiplexed_bits(width, shape.depth, writable=True),
    )


def _block(
    target: Target, name: str, width: int, depth: int, *, writable: bool = False
) -> MemoryCost:
    return MemoryCost(
        name=name,
        width=width,
        depth=depth,
        blocks=target.block_rams(width, depth, writable=writable),
        multiplexed=target.multiplexed_bits(width, depth, writable=writable),
    )
