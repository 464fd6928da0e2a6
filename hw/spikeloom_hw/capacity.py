"""What of a core is beyond a device: by how much, and what would help."""

from collections.abc import Iterator, Sequence

from spikeloom.host.protocol import LABELS
from spikeloom_hw.core.counters import count_names
from spikeloom_hw.core.params import CoreParams
from spikeloom_hw.host.port import MOST_COUNTERS
from spikeloom_hw.logic import Band, logic_cells
from spikeloom_hw.memories import MemoryCost, blocks
from spikeloom_hw.targets import Target


def beyond(core: CoreParams, memories: Sequence[MemoryCost], target: Target) -> tuple[str, ...]:
    """Everything of ``core`` that ``target`` can not hold or name; empty when it fits."""
    return (
        *beyond_the_link(core.layers[-1].neurons, len(core.layers), target),
        *_beyond_the_blocks(memories, target),
        *_beyond_the_single_ports(memories, target),
        *_beyond_the_cells(logic_cells(core, memories, target), target),
    )


def beyond_the_link(outputs: int, layers: int, target: Target) -> Iterator[str]:
    """What the host link of the target's top can not name, if anything."""
    if target.has_top and len(count_names(layers)) > MOST_COUNTERS:
        yield (
            f"the network has {layers} layers with {len(count_names(layers))} counters and the "
            f"host link of {target.name} names {MOST_COUNTERS}: use a network of fewer layers, or "
            "a target without a board"
        )
    if target.has_top and outputs > LABELS:
        yield (
            f"the network has {outputs} outputs and the host link of {target.name} names "
            f"{LABELS} classes: use a network of fewer outputs, or a target without a board"
        )


def _beyond_the_blocks(memories: Sequence[MemoryCost], target: Target) -> Iterator[str]:
    needed = blocks(memories, "block")
    if needed <= target.block_ram_count:
        return
    largest = max(
        (memory for memory in memories if memory.kind == "block"),
        key=lambda memory: memory.blocks,
    )
    yield (
        f"the network needs {needed} {target.block_name} blocks and {target.name} has "
        f"{target.block_ram_count}: {needed - target.block_ram_count} too many, "
        f"{largest.blocks} of them for {largest.name}; lower the density, the neurons or --lanes, "
        "or choose a larger target"
    )


def _beyond_the_single_ports(memories: Sequence[MemoryCost], target: Target) -> Iterator[str]:
    for memory in memories:
        if memory.kind == "single-port" and memory.blocks > target.sprams:
            yield (
                f"{memory.name} needs {memory.blocks} single-port RAMs and {target.name} has "
                f"{target.sprams}, {memory.blocks - target.sprams} too many: lower the density"
            )


def _beyond_the_cells(cells: Band, target: Target) -> Iterator[str]:
    if cells.low > target.logic_cells:
        yield (
            f"the network needs about {cells.median:.0f} {target.cell_name} and {target.name} has "
            f"{target.logic_cells}: lower --lanes, or choose a larger target"
        )
