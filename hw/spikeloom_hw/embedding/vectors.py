"""Samples for the delivered test bench, and what the integer reference makes of them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spikeloom.image import NetworkImage
from spikeloom.reference import simulate
from spikeloom_hw.embedding.interface import Ports

DENSITY = 0.1
"""Share of the inputs that spike in a step of a random sample."""
_SEED = 1


@dataclass(frozen=True, kw_only=True, eq=False)
class Vectors:
    """What goes in and what must come out, as words of a memory file.

    Attributes:
        samples: how many.
        events: ``{last, step, address}``, one word an event.
        scores: ``{class of the sample, value}``, one word an output neuron.
        digits: hexadecimal digits of an event and of a score.
    """

    samples: int
    events: tuple[int, ...]
    scores: tuple[int, ...]
    digits: tuple[int, int]

    def files(self) -> dict[str, str]:
        """Names and texts of the memory files."""
        pairs = zip(("events.mem", "scores.mem"), (self.events, self.scores), strict=True)
        return {
            name: "".join(f"{word:0{digits}x}\n" for word in words)
            for (name, words), digits in zip(pairs, self.digits, strict=True)
        }


def random_events(image: NetworkImage, count: int) -> npt.NDArray[np.bool_]:
    """Spikes of ``count`` samples, bool ``[count, T, inputs]``, the same on every machine."""
    random = np.random.Generator(np.random.PCG64(_SEED))
    return random.random((count, image.time_steps, image.inputs)) < DENSITY


def make_vectors(image: NetworkImage, events: npt.NDArray[np.bool_], ports: Ports) -> Vectors:
    """Event and score words of ``events``, bool ``[samples, T, inputs]``."""
    trace = simulate(image, events)
    mask = (1 << ports.value) - 1
    scores = [
        int(label) << ports.value | int(value) & mask
        for values, label in zip(trace.scores, trace.predictions, strict=True)
        for value in values
    ]
    widths = (ports.address + 2, ports.value + ports.label)
    return Vectors(
        samples=len(events),
        events=tuple(word for sample in events for word in _words(sample, ports.address)),
        scores=tuple(scores),
        digits=(-(-widths[0] // 4), -(-widths[1] // 4)),
    )


def _words(sample: npt.NDArray[np.bool_], address_bits: int) -> Iterator[int]:
    """A sample's spikes, and an end after each step."""
    for step, spikes in enumerate(sample):
        yield from map(int, np.flatnonzero(spikes))
        yield ((step == len(sample) - 1) << 1 | 1) << address_bits
