"""What a network will cost on a device: exact bits, words and blocks, before any synthesis."""

from collections.abc import Iterator, Sequence

import msgspec

from spikeloom.errors import UserError
from spikeloom.image import NetworkImage
from spikeloom.packing import (
    PackingCost,
    SynapseWords,
    mean_words,
    pack_network,
    packing_cost,
)
from spikeloom.reference.cycles import STEP_TO_WALK, resume_stage
from spikeloom_hw.core.build import core_params
from spikeloom_hw.core.params import CoreParams
from spikeloom_hw.host.protocol import LABELS
from spikeloom_hw.memories import Kind, MemoryCost, core_memories
from spikeloom_hw.targets import Target


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
        single_ports: single-port RAMs taken.
        single_ports_available: single-port RAMs of the device.
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
    single_ports: int
    single_ports_available: int
    activity: tuple[LayerActivity, ...]
    interval_cycles: float
    interval_microseconds: float
    fits: bool
    exceeds: tuple[str, ...]


def estimate(
    image: NetworkImage, *, target: Target, lanes: Sequence[int], loadable: bool = False
) -> Estimate:
    """What ``image`` costs on ``target`` with ``lanes`` lanes in each layer.

    Raises:
        UserError: ``loadable``, and the network has a threshold or a bias for each neuron.
    """
    packed = pack_network(image, lanes)
    costs = tuple(map(packing_cost, image.layers, packed))
    core = core_params(image, target=target, lanes=lanes, loadable=loadable)
    memories = tuple(core_memories(core, target))
    activity = tuple(_activity(image, packed, core))
    interval = max(layer.busy_cycles for layer in activity)
    exceeds = (*beyond_the_link(image, target), *_beyond_the_memory(target, memories))
    return Estimate(
        target=target.name,
        lanes=tuple(lanes),
        bits_stored=sum(cost.bits for cost in costs),
        layers=costs,
        memories=memories,
        blocks=_blocks(memories, "block"),
        blocks_available=target.block_ram_count,
        single_ports=_blocks(memories, "single-port"),
        single_ports_available=target.sprams,
        activity=activity,
        interval_cycles=interval,
        interval_microseconds=interval / target.core_clock_mhz,
        fits=not exceeds,
        exceeds=exceeds,
    )


def check_fits(
    image: NetworkImage, *, target: Target, lanes: Sequence[int], loadable: bool = False
) -> None:
    """Refuses a network that the device can not hold, before any tool runs.

    Raises:
        UserError: what exceeds, by how much, and what would help.
    """
    found = estimate(image, target=target, lanes=lanes, loadable=loadable)
    if not found.fits:
        raise UserError("; ".join(found.exceeds))


def _activity(
    image: NetworkImage, packed: Sequence[SynapseWords], core: CoreParams
) -> Iterator[LayerActivity]:
    recorded = image.provenance.input_events
    for number, (layer, words) in enumerate(zip(image.layers, packed, strict=True)):
        # Without a record of its activity, each input is taken to spike once in a sample.
        events = recorded[number] if len(recorded) > number else float(layer.inputs)
        read = mean_words(image, number, words)
        walks = image.time_steps * (STEP_TO_WALK + words.groups + resume_stage(layer.leak))
        if core.layers[number].overlapped:
            busy = max(read + image.time_steps, walks + image.time_steps)
        else:
            busy = read + walks
        yield LayerActivity(name=layer.name, events=events, words=read, busy_cycles=busy)


def beyond_the_link(image: NetworkImage, target: Target) -> Iterator[str]:
    """What the host link of the target's top can not name, if anything."""
    if target.has_top and image.outputs > LABELS:
        yield (
            f"the network has {image.outputs} outputs and the host link of {target.name} names "
            f"{LABELS} classes: use a network of fewer outputs, or a target without a board"
        )


def _blocks(memories: Sequence[MemoryCost], kind: Kind) -> int:
    return sum(memory.blocks for memory in memories if memory.kind == kind)


def _beyond_the_memory(target: Target, memories: Sequence[MemoryCost]) -> Iterator[str]:
    blocks = _blocks(memories, "block")
    if blocks > target.block_ram_count:
        largest = max(
            (memory for memory in memories if memory.kind == "block"),
            key=lambda memory: memory.blocks,
        )
        loadable = ""
        if target.sprams and largest.name.endswith(".weights"):
            loadable = "put the weights into single-port RAM with --loadable, "
        yield (
            f"the network needs {blocks} {target.block_name} blocks and {target.name} has "
            f"{target.block_ram_count}: {blocks - target.block_ram_count} too many, "
            f"{largest.blocks} of them for {largest.name}; {loadable}lower the density, the "
            "neurons or --lanes, or choose a larger target"
        )
    for memory in memories:
        if memory.kind == "single-port" and memory.blocks > target.sprams:
            yield (
                f"{memory.name} needs {memory.blocks} single-port RAMs and {target.name} has "
                f"{target.sprams}, {memory.blocks - target.sprams} too many: lower the density"
            )
