"""How many lanes each layer deserves."""

from spikeloom.errors import UserError
from spikeloom.image import NetworkImage
from spikeloom.packing.pack import pack

LANES = (1, 2, 4, 8)
"""Lane counts that the core can be built with."""


def propose_lanes(image: NetworkImage, lanes: int) -> tuple[int, ...]:
    """Lanes for each layer, so that no layer waits long for another.

    Layers work on successive steps at the same time, so the slowest sets the pace. The busiest
    layer gets ``lanes``, the others the fewest with which they are not slower than it. A layer's
    work is the words that its events read on average and one cycle for each group of neurons.

    Raises:
        UserError: ``lanes`` is not one of :data:`LANES`.
    """
    if lanes not in LANES:
        raise UserError(f"lanes is {lanes}: choose one of {', '.join(map(str, LANES))}")
    work = [_work(image, number, lanes) for number in range(len(image.layers))]
    pace = max(work)
    return tuple(
        lanes if own == pace else _fewest(image, number, lanes, pace)
        for number, own in enumerate(work)
    )


def _fewest(image: NetworkImage, number: int, lanes: int, pace: float) -> int:
    slower = (fewer for fewer in LANES if fewer <= lanes)
    return next(fewer for fewer in slower if fewer == lanes or _work(image, number, fewer) <= pace)


def _work(image: NetworkImage, number: int, lanes: int) -> float:
    """Cycles that layer ``number`` is busy in an average sample."""
    layer = image.layers[number]
    events = image.provenance.input_events
    # Without a record of its activity, each input is taken to spike once in a sample.
    mean_events = events[number] if len(events) > number else float(layer.inputs)
    words = pack(layer, lanes)
    return mean_events * words.words / layer.inputs + image.time_steps * words.groups
