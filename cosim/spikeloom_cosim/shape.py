"""What the test bench must know of a core: the widths of its ports."""

from __future__ import annotations

from dataclasses import dataclass

from spikeloom_hw.core.counters import count_names

WORD_BITS = 32
LOAD_RECORD_BITS = 64


@dataclass(frozen=True, kw_only=True)
class LayerShape:
    """The trace port of one layer.

    Attributes:
        name: the layer's name, for messages.
        neurons: number of neurons.
        lanes: neurons in one trace beat.
        group_bits: width of a beat's group number.
        membrane_bits: signed width of one membrane.
    """

    name: str
    neurons: int
    lanes: int
    group_bits: int
    membrane_bits: int

    @property
    def groups(self) -> int:
        """Trace beats a step; the last may be partly filled."""
        return -(-self.neurons // self.lanes)


@dataclass(frozen=True, kw_only=True)
class CoreShape:
    """The ports of one core; two cores of equal shape share a test bench.

    Attributes:
        address_bits: width of an event's address; above it lie the bits `step` and `last`.
        score_bits: signed width of a score.
        label_bits: width of a class number.
        layers: the trace ports, first layer first; the last one's neurons are the outputs.
        load_bits: width of the port that fills the memories; 0 for a core that has none.
    """

    address_bits: int
    score_bits: int
    label_bits: int
    layers: tuple[LayerShape, ...]
    load_bits: int = 0

    def __post_init__(self) -> None:
        widest = max(
            self.event_bits + 2,
            self.score_bits,
            self.label_bits,
            *(max(layer.lanes, layer.membrane_bits, layer.group_bits) for layer in self.layers),
        )
        if widest > WORD_BITS:
            raise ValueError(f"a field of {widest!r} bits does not fit a {WORD_BITS}-bit record")
        if self.load_bits >= LOAD_RECORD_BITS:
            raise ValueError(
                f"a load of {self.load_bits!r} bits does not fit a {LOAD_RECORD_BITS}-bit record"
            )

    @property
    def event_bits(self) -> int:
        """Width of an event."""
        return self.address_bits + 2

    @property
    def addresses(self) -> int:
        """Addresses that an event can have; those beyond the inputs drive nothing."""
        return 1 << self.address_bits

    @property
    def outputs(self) -> int:
        """Score beats a sample."""
        return self.layers[-1].neurons

    @property
    def counters(self) -> int:
        """Counters on the chip, see `spikeloom_hw.core.counters`."""
        return len(count_names(len(self.layers)))
