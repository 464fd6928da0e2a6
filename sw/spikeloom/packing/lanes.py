"""How many lanes each layer deserves."""

from collections.abc import Sequence

from spikeloom.errors import UserError
from spikeloom.image import NetworkImage
from spikeloom.packing.pack import pack
from spikeloom.packing.words import SynapseWords

LANES = (1, 2, 4, 8, 16, 32)
"""Lane counts that the core can be built with."""


def resolve_lanes(image: NetworkImage, requested: int | Sequence[int]) -> tuple[int, ...]:
    """Lanes for each layer from what a user asked for.

    One number is for the busiest layer, and the others get their share of it
    (:func:`propose_lanes`); otherwise it takes one number a layer.

    Raises:
        UserError: a number that the core can not be built with, or too few or too many of them.
    """
    if isinstance(requested, int):
        requested = (requested,)
    if len(requested) == 1:
        return propose_lanes(image, requested[0])
    if len(requested) != len(image.layers):
        raise UserError(
            f"lanes has {len(requested)} numbers for {len(image.layers)} layers: "
            "give one for each layer, or one for the busiest"
        )
    for lanes in requested:
        _check(lanes)
    return tuple(requested)


def propose_lanes(image: NetworkImage, lanes: int) -> tuple[int, ...]:
    """Lanes for each layer, so that no layer waits long for another.

    Layers work on successive steps at the same time, so the slowest sets the pace. The busiest
    layer gets ``lanes``, the others the fewest with which they are not slower than it. A layer's
    work is the words that its events read on average and one cycle for each group of neurons.

    Raises:
        UserError: ``lanes`` is not one of :data:`LANES`.
    """
    _check(lanes)
    work = [_work(image, number, lanes) for number in range(len(image.layers))]
    pace = max(work)
    return tuple(
        lanes if own == pace else _fewest(image, number, lanes, pace)
        for number, own in enumerate(work)
    )


def _fewest(image: NetworkImage, number: int, lanes: int, pace: float) -> int:
    fewer = (own for own in LANES if own < lanes)
    return next((own for own in fewer if _work(image, number, own) <= pace), lanes)


def _check(lanes: int) -> None:
    if lanes not in LANES:
        raise UserError(f"lanes is {lanes}: choose one of {', '.join(map(str, LANES))}")


def mean_words(image: NetworkImage, number: int, words: SynapseWords) -> float:
    """Words that layer ``number``, packed as ``words``, reads in an average sample.

    Every synapse that an event drives brings its share of its row's words. Without a record of
    the layer's activity, each input is taken to spike once in a sample.
    """
    recorded = image.provenance.operations
    if len(recorded) <= number:
        return float(words.words)
    return recorded[number] * words.words / max(1, image.layers[number].synapses)


def _work(image: NetworkImage, number: int, lanes: int) -> float:
    """Cycles that layer ``number`` is busy in an average sample."""
    words = pack(image.layers[number], lanes)
    return mean_words(image, number, words) + image.time_steps * words.groups
