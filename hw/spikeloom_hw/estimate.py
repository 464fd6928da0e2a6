"""What a network will cost on a device, before any synthesis.

Bits, words and blocks are exact; logic cells and clock come from a model with a known error.
"""

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
from spikeloom.results import Result
from spikeloom_hw.capacity import beyond
from spikeloom_hw.core.build import core_params
from spikeloom_hw.core.params import CoreParams
from spikeloom_hw.logic import Band, clock_mhz, logic_cells
from spikeloom_hw.memories import MemoryCost, blocks, core_memories
from spikeloom_hw.remedies import remedies
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


class Estimate(Result, msgspec.Struct, frozen=True, kw_only=True):
    """The cost of a network on a target.

    Attributes:
        target: the device.
        lanes: of each layer.
        loadable: the host fills the memories.
        bits_stored: slots, padding, escapes and pointers of all layers.
        layers: packing of each layer, exact.
        memories: every memory of the design with its host link, exact.
        blocks: block RAMs taken.
        blocks_available: block RAMs of the device.
        single_ports: single-port RAMs taken.
        single_ports_available: single-port RAMs of the device.
        cells: logic cells, about.
        cells_available: logic cells of the device.
        clock_mhz: what place and route reaches, about.
        activity: work in an average sample, from the activity recorded at export.
        interval_cycles: between results when samples follow each other, about: the busiest
            layer's work. A sample alone takes longer, as it passes through every layer.
        interval_microseconds: the same at the target's clock.
        fits: the device holds the memories and, with the model's error, the logic; and its host
            link names every class.
        exceeds: what is too large, by how much, and what would help; empty when it fits.
        remedies: options of the command line with which it fits, each enough on its own.
    """

    target: str
    lanes: tuple[int, ...]
    loadable: bool
    bits_stored: int
    layers: tuple[PackingCost, ...]
    memories: tuple[MemoryCost, ...]
    blocks: int
    blocks_available: int
    single_ports: int
    single_ports_available: int
    cells: Band
    cells_available: int
    clock_mhz: Band
    activity: tuple[LayerActivity, ...]
    interval_cycles: float
    interval_microseconds: float
    fits: bool
    exceeds: tuple[str, ...]
    remedies: tuple[str, ...]


def estimate(
    image: NetworkImage,
    *,
    target: Target,
    lanes: Sequence[int],
    loadable: bool = False,
    encoder: bool = False,
) -> Estimate:
    """What ``image`` costs on ``target`` with ``lanes`` lanes in each layer.

    Args:
        image: the network.
        target: the device.
        lanes: of each layer.
        loadable: the host fills the memories.
        encoder: the board makes the events.

    Raises:
        UserError: ``loadable``, and the network has a threshold or a bias for each neuron;
            ``encoder``, and the encoding has no gateware.
    """
    packed = pack_network(image, lanes)
    costs = tuple(map(packing_cost, image.layers, packed))
    core = core_params(image, target=target, lanes=lanes, loadable=loadable, packed=packed)
    code = image.sample_code if encoder else None
    memories = tuple(core_memories(core, target, code))
    activity = tuple(_activity(image, packed, core))
    interval = max(layer.busy_cycles for layer in activity)
    cells = logic_cells(core, memories, target)
    exceeds = beyond(core, memories, target)
    return Estimate(
        target=target.name,
        lanes=tuple(lanes),
        loadable=loadable,
        bits_stored=sum(cost.bits for cost in costs),
        layers=costs,
        memories=memories,
        blocks=blocks(memories, "block"),
        blocks_available=target.block_ram_count,
        single_ports=blocks(memories, "single-port"),
        single_ports_available=target.sprams,
        cells=cells,
        cells_available=target.logic_cells,
        clock_mhz=clock_mhz(target),
        activity=activity,
        interval_cycles=interval,
        interval_microseconds=interval / target.core_clock_mhz,
        fits=not exceeds,
        exceeds=exceeds,
        remedies=(
            remedies(image, packed, target=target, loadable=loadable, encoder=code)
            if exceeds
            else ()
        ),
    )


def check_fits(
    image: NetworkImage,
    *,
    target: Target,
    lanes: Sequence[int],
    loadable: bool = False,
    encoder: bool = False,
) -> None:
    """Refuses a network that the device can not hold, before any tool runs.

    Raises:
        UserError: what exceeds, by how much, and what would help.
    """
    found = estimate(image, target=target, lanes=lanes, loadable=loadable, encoder=encoder)
    if not found.fits:
        raise UserError("; ".join((*found.exceeds, advice(found))))


def advice(found: Estimate) -> str:
    """What would make a network fit that does not."""
    if found.remedies:
        return f"it fits with {' or with '.join(found.remedies)}"
    return "no other lanes, memories or target make it fit: it needs fewer synapses or neurons"


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
