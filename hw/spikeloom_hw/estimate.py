"""What a network will cost on a device: exact bits, words and blocks, before any synthesis."""

from collections.abc import Iterator, Sequence

import msgspec

from spikeloom.errors import UserError
from spikeloom.image import NetworkImage
from spikeloom.packing import PackingCost, SynapseWords, mean_words, pack, packing_cost
from spikeloom.reference.cycles import STEP_TO_WALK, update_latency
from spikeloom_hw.core.layouts import SpikesLayout
from spikeloom_hw.core.params import CoreParams, LayerParams
from spikeloom_hw.host.port import FIFO_BYTES
from spikeloom_hw.host.protocol import LABELS
from spikeloom_hw.targets import Target


class MemoryCost(msgspec.Struct, frozen=True, kw_only=True):
    """One memory of the design: its shape, and the block RAMs that it takes."""

    name: str
    width: int
    depth: int
    blocks: int


class LayerActivity(msgspec.Struct, frozen=True, kw_only=True):
    """A layer at work in an average sample.

    Attributes:
        name: the layer.
        events: that enter it.
        words: that they read.
        busy_cycles: reading words and updating neurons.
    """

    name: str
    events: float
    words: float
    busy_cycles: float


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """The cost of a network on a target.

    Attributes:
        target: the device.
        lanes: of each layer.
        bits_stored: slots, padding, escapes and pointers of all layers.
        layers: packing of each layer, exact.
        memories: every memory of the design with its host link, exact.
        blocks: block RAMs taken.
        blocks_available: block RAMs of the device.
        activity: work in an average sample, from the activity recorded at export.
        interval_cycles: between results when samples follow each other, about: the busiest
            layer's work. A sample alone takes longer, as it passes through every layer.
        interval_microseconds: the same at the target's clock.
        fits: the device holds the memories, and its host link names every class.
        exceeds: what is too large, by how much, and what would help; empty when it fits.
    """

    target: str
    lanes: tuple[int, ...]
    bits_stored: int
    layers: tuple[PackingCost, ...]
    memories: tuple[MemoryCost, ...]
    blocks: int
    blocks_available: int
    activity: tuple[LayerActivity, ...]
    interval_cycles: float
    interval_microseconds: float
    fits: bool
    exceeds: tuple[str, ...]


def estimate(image: NetworkImage, *, target: Target, lanes: Sequence[int]) -> Estimate:
    """What ``image`` costs on ``target`` with ``lanes`` lanes in each layer."""
    packed = [pack(layer, own) for layer, own in zip(image.layers, lanes, strict=True)]
    costs = tuple(map(packing_cost, image.layers, packed))
    params = CoreParams.from_image(image, tuple(lanes))
    memories = tuple(_memories(params, target))
    blocks = sum(memory.blocks for memory in memories)
    activity = tuple(_activity(image, packed))
    interval = max(layer.busy_cycles for layer in activity)
    exceeds = (*beyond_the_link(image, target), *_beyond_the_memory(target, memories, blocks))
    return Estimate(
        target=target.name,
        lanes=tuple(lanes),
        bits_stored=sum(cost.bits for cost in costs),
        layers=costs,
        memories=memories,
        blocks=blocks,
        blocks_available=target.block_ram_count,
        activity=activity,
        interval_cycles=interval,
        interval_microseconds=interval / target.core_clock_mhz,
        fits=not exceeds,
        exceeds=exceeds,
    )


def check_fits(image: NetworkImage, *, target: Target, lanes: Sequence[int]) -> None:
    """Refuses a network that the device can not hold, before any tool runs.

    Raises:
        UserError: what exceeds, by how much, and what would help.
    """
    found = estimate(image, target=target, lanes=lanes)
    if not found.fits:
        raise UserError("; ".join(found.exceeds))


def _memories(params: CoreParams, target: Target) -> Iterator[MemoryCost]:
    for layer in params.layers:
        yield from _layer_memories(layer, target)
    for layer in params.layers[:-1]:
        width = SpikesLayout(layer).size
        yield _cost(target, f"{layer.name}.spikes", width, layer.bank_depth, writable=True)
    last = params.layers[-1]
    width = last.lanes * params.score_bits
    yield _cost(target, "readout", width, last.bank_depth, writable=True)
    if target.has_top:
        yield _cost(target, "host.fifo", 8, FIFO_BYTES, writable=True)


def _layer_memories(layer: LayerParams, target: Target) -> Iterator[MemoryCost]:
    name, depth = layer.name, layer.bank_depth
    yield _cost(target, f"{name}.pointers", layer.pointer_bits, layer.pointers)
    yield _cost(target, f"{name}.weights", layer.word_bits, layer.words)
    for lane in range(layer.lanes):
        yield _cost(target, f"{name}.bank_{lane}", layer.accumulator_bits, depth, writable=True)
    if layer.shared_threshold is None:
        yield _cost(target, f"{name}.thresholds", layer.lanes * layer.threshold_bits, depth)
    if layer.shared_bias is None:
        yield _cost(target, f"{name}.biases", layer.lanes * layer.bias_bits, depth)


def _cost(
    target: Target, name: str, width: int, depth: int, *, writable: bool = False
) -> MemoryCost:
    blocks = target.block_rams(width, depth, writable=writable)
    return MemoryCost(name=name, width=width, depth=depth, blocks=blocks)


def _activity(image: NetworkImage, packed: Sequence[SynapseWords]) -> Iterator[LayerActivity]:
    recorded = image.provenance.input_events
    for number, (layer, words) in enumerate(zip(image.layers, packed, strict=True)):
        # Without a record of its activity, each input is taken to spike once in a sample.
        events = recorded[number] if len(recorded) > number else float(layer.inputs)
        read = mean_words(image, number, words)
        walk = STEP_TO_WALK + words.groups + update_latency(layer.leak) - 4
        yield LayerActivity(
            name=layer.name,
            events=events,
            words=read,
            busy_cycles=read + image.time_steps * walk,
        )


def beyond_the_link(image: NetworkImage, target: Target) -> Iterator[str]:
    """What the host link of the target's top can not name, if anything."""
    if target.has_top and image.outputs > LABELS:
        yield (
            f"the network has {image.outputs} outputs and the host link of {target.name} names "
            f"{LABELS} classes: use a network of fewer outputs, or a target without a board"
        )


def _beyond_the_memory(
    target: Target, memories: Sequence[MemoryCost], blocks: int
) -> Iterator[str]:
    if blocks > target.block_ram_count:
        largest = max(memories, key=lambda memory: memory.blocks)
        yield (
            f"the network needs {blocks} {target.block_name} blocks and {target.name} has "
            f"{target.block_ram_count}: {blocks - target.block_ram_count} too many, "
            f"{largest.blocks} of them for {largest.name}; lower the density, the neurons or "
            "--lanes, or choose a larger target"
        )
