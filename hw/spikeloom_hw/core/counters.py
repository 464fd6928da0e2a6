"""What a layer does, counted on the chip.

In every cycle a layer either reads a word, or updates its neurons, or waits for events; of the
update, the cycles in which the walk waits for room behind it are counted apart. So the cycles that
are not synaptic operations have a cause.
"""

from collections.abc import Mapping

from amaranth.hdl import Array, Cat, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from spikeloom.packing.words import unsigned_bits

COUNT_BITS = 32
LAYER_COUNTS = ("events", "words", "operations", "updating", "blocked")
"""What is counted for each layer, in order: spikes taken, words read, synaptic operations, cycles
between a STEP and the next row, and those of them in which the walk could not begin."""


def count_names(layers: int) -> tuple[str, ...]:
    """What each counter of a core counts, by its number: ``cycles``, then each layer's."""
    own = [f"layer{layer}.{name}" for layer in range(layers) for name in LAYER_COUNTS]
    return ("cycles", *own)


class Counters(wiring.Component):
    """Counts modulo 2³², and shows one of the counts at a time.

    Args:
        widths: width of what is added in a cycle, by name.
        first: what every count begins with.

    Members:
        NAME: In, for each name; added in every cycle.
        select: In, number of the count to show, in the order of ``widths``.
        count: Out, the count selected in the cycle before.
    """

    def __init__(self, widths: Mapping[str, int], *, first: int = 0) -> None:
        self.widths = dict(widths)
        self.first = first
        members = {name: In(width) for name, width in self.widths.items()}
        members["select"] = In(unsigned_bits(len(self.widths) - 1))
        members["count"] = Out(COUNT_BITS)
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        counts = Array(
            Signal(COUNT_BITS, name=f"{name}_count", init=self.first) for name in self.widths
        )
        for name, count in zip(self.widths, counts, strict=True):
            m.d.sync += count.eq(count + getattr(self, name))
        m.d.sync += self.count.eq(counts[self.select])
        return m


def population(bits: list[Value]) -> Value:
    """How many of ``bits`` are set."""
    if len(bits) == 1:
        return Cat(bits)
    half = len(bits) // 2
    return population(bits[:half]) + population(bits[half:])
