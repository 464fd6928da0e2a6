"""What would make a network fit that does not: options that were tried, not guessed."""

from collections.abc import Iterator, Sequence
from itertools import takewhile

from spikeloom.encoding import SampleCode
from spikeloom.errors import UserError
from spikeloom.image import NetworkImage
from spikeloom.packing import LANES, SynapseWords, pack_network, propose_lanes
from spikeloom_hw.capacity import beyond
from spikeloom_hw.core.build import core_params
from spikeloom_hw.memories import core_memories
from spikeloom_hw.targets import TARGETS, Target

PACKINGS = 2
"""Lane counts that are tried: packing is what takes time."""


def remedies(
    image: NetworkImage,
    packed: Sequence[SynapseWords],
    *,
    target: Target,
    loadable: bool,
    encoder: SampleCode | None,
) -> tuple[str, ...]:
    """Options of the command line with which ``image`` fits, each enough on its own.

    Memories that the host fills, or fewer lanes; and the smallest target that is large enough.

    Args:
        image: a network that does not fit.
        packed: its layers, with the lanes that were asked for.
        target: the device that it does not fit.
        loadable: the host fills the memories.
        encoder: what becomes of values that a host sends, if they are taken.
    """
    return (
        *_on_the_same(image, packed, target=target, loadable=loadable, encoder=encoder),
        *_on_a_larger(image, packed, target=target, loadable=loadable, encoder=encoder),
    )


def _on_the_same(
    image: NetworkImage,
    packed: Sequence[SynapseWords],
    *,
    target: Target,
    loadable: bool,
    encoder: SampleCode | None,
) -> Iterator[str]:
    if not loadable and _fits(image, packed, target, loadable=True, encoder=encoder):
        yield "--loadable"
        return
    most = max(words.lanes for words in packed)
    fewer = [*takewhile(lambda lanes: lanes < most, LANES)]
    for lanes in fewer[: -PACKINGS - 1 : -1]:
        tried = pack_network(image, propose_lanes(image, lanes))
        for filled in sorted({loadable, True}):
            if _fits(image, tried, target, loadable=filled, encoder=encoder):
                yield f"--lanes {lanes}" + " --loadable" * (filled and not loadable)
                return


def _on_a_larger(
    image: NetworkImage,
    packed: Sequence[SynapseWords],
    *,
    target: Target,
    loadable: bool,
    encoder: SampleCode | None,
) -> Iterator[str]:
    larger = (preset for preset in TARGETS.values() if preset.memory_bits > target.memory_bits)
    for preset in sorted(larger, key=lambda preset: preset.memory_bits):
        if _fits(image, packed, preset, loadable=loadable, encoder=encoder):
            yield f"--target {preset.name}"
            return


def _fits(
    image: NetworkImage,
    packed: Sequence[SynapseWords],
    target: Target,
    *,
    loadable: bool,
    encoder: SampleCode | None,
) -> bool:
    lanes = [words.lanes for words in packed]
    try:
        core = core_params(image, target=target, lanes=lanes, loadable=loadable, packed=packed)
    except UserError:
        return False
    return not beyond(core, tuple(core_memories(core, target, encoder)), target)
