"""The parameters of the core: every width derived in one place, from the packed network."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from spikeloom.image import Layer, Leak, NetworkImage, Reset
from spikeloom.image.widths import signed_bits
from spikeloom.packing import LANES, IndexForm, SynapseWords, pack_network
from spikeloom.packing.words import unsigned_bits
from spikeloom.reference import cycles
from spikeloom_hw.core.memory_shape import LEAST_DEPTH, MemoryShape


@dataclass(frozen=True, kw_only=True)
class LayerParams:
    """The shape of one layer's gateware.

    Attributes:
        name: names the layer's memories.
        inputs: presynaptic neurons, rows.
        neurons: postsynaptic neurons.
        lanes: synaptic operations a cycle, one of ``spikeloom.packing.LANES``.
        words: depth of the weight memory.
        index_form: how a slot names its neuron, "absolute" or "gap".
        blocks: interleaved blocks of a bank's addresses.
        index_bits: width of a slot's index.
        weight_bits: signed width of a weight.
        pointer_rows: rows of one pointer word.
        granule: unit of pointers in words, a power of two.
        base_bits: width of a pointer word's first word.
        count_bits: width of a row's number of words.
        membrane_bits: signed width of a membrane after the clamp.
        accumulator_bits: signed width in which no order of events overflows.
        threshold_bits: width of a threshold, which is positive.
        bias_bits: signed width of a bias.
        shared_threshold: the threshold of all neurons, or None when each has its own.
        shared_bias: the bias of all neurons, or None when each has its own.
        leak: how a membrane decays.
        reset: what a spike does to its membrane.
        spiking: False for a readout layer.
        loadable: the host fills pointers, weights and the threshold.
        single_port: the weights lie in a single-port memory without first contents.
        spill_bits: highest bits of a weight word that do not fit its single-port memory, and lie in
            block RAM beside it.
        distributed_banks: the membranes lie in logic cells used as RAM, not in block RAM.
        overlapped: accumulators stand apart from membranes, so that a step's update overlaps the
            next step's rows.
    """

    name: str
    inputs: int
    neurons: int
    lanes: int
    words: int
    index_form: IndexForm
    blocks: int
    index_bits: int
    weight_bits: int
    pointer_rows: int
    granule: int
    base_bits: int
    count_bits: int
    membrane_bits: int
    accumulator_bits: int
    threshold_bits: int
    bias_bits: int
    shared_threshold: int | None
    shared_bias: int | None
    leak: Leak
    reset: Reset
    spiking: bool
    loadable: bool = False
    single_port: bool = False
    spill_bits: int = 0
    distributed_banks: bool = False
    overlapped: bool = False

    def __post_init__(self) -> None:
        if self.lanes not in LANES:
            raise ValueError(f"lanes must be one of {LANES!r}, not {self.lanes!r}")

    @property
    def groups(self) -> int:
        """Neurons of one bank; a group is one neuron of each bank."""
        return -(-self.neurons // self.lanes)

    @property
    def bank_depth(self) -> int:
        """Words of a memory that holds something for each group."""
        return max(LEAST_DEPTH, self.groups)

    @property
    def group_bits(self) -> int:
        return unsigned_bits(self.groups - 1)

    @property
    def queue_depth(self) -> int:
        """Groups that can wait to be sent to the next layer."""
        return cycles.queue_depth(self.groups)

    @property
    def lane_bits(self) -> int:
        """Width of a lane's number; 0 when there is one lane."""
        return (self.lanes - 1).bit_length()

    @property
    def slot_bits(self) -> int:
        """Width of a slot."""
        return self.index_bits + self.weight_bits

    @property
    def word_bits(self) -> int:
        """Width of the weight memory: a slot for each lane."""
        return self.lanes * self.slot_bits

    @property
    def row_bits(self) -> int:
        """Width of a row's number in its pointer word; 0 when it has one for itself."""
        return (self.pointer_rows - 1).bit_length()

    @property
    def block_bits(self) -> int:
        """Width of a block's number; 0 when there is one."""
        return (self.blocks - 1).bit_length()

    @property
    def granule_bits(self) -> int:
        """Low bits that pointers leave out."""
        return (self.granule - 1).bit_length()

    @property
    def pointers(self) -> int:
        """Depth of the pointer memory."""
        return -(-self.inputs // self.pointer_rows)

    @property
    def pointer_bits(self) -> int:
        """Width of the pointer memory."""
        return self.base_bits + self.pointer_rows * self.count_bits

    @property
    def pointer_memory(self) -> MemoryShape:
        return MemoryShape(self.pointer_bits, max(LEAST_DEPTH, self.pointers))

    @property
    def weight_memory(self) -> MemoryShape:
        return MemoryShape(self.word_bits, self.words)

    @property
    def load_address_bits(self) -> int:
        """Width of a chunk's address in any of the layer's memories."""
        return max(self.pointer_memory.address_bits, self.weight_memory.address_bits)

    @property
    def first_word_bits(self) -> int:
        """Width of a word's address."""
        return unsigned_bits(self.words - 1)

    @property
    def row_word_bits(self) -> int:
        """Width of a row's number of words."""
        return self.count_bits + self.granule_bits

    @property
    def address_bits(self) -> int:
        """Width of the address of an event that enters."""
        return unsigned_bits(self.inputs - 1)

    @property
    def spike_bits(self) -> int:
        """Width of the address of a spike that leaves."""
        return unsigned_bits(self.neurons - 1)


@dataclass(frozen=True, kw_only=True)
class LayerContents:
    """What the memories of a layer hold.

    Attributes:
        counts: for each row, the number of its words; rows lie one after another.
        words: for each word, the slots from lane 0, each ``(index, weight)``.
        thresholds: for each group, the threshold of each lane; 1 where no neuron is.
        biases: for each group, the bias of each lane; 0 where no neuron is.
    """

    counts: tuple[int, ...]
    words: tuple[tuple[tuple[int, int], ...], ...]
    thresholds: tuple[tuple[int, ...], ...]
    biases: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, kw_only=True)
class CoreParams:
    """The shape and contents of a whole core.

    Attributes:
        layers: in order.
        contents: of each layer.
        time_steps: steps a sample takes; bounds a spike count.
        count_readout: scores are spike counts rather than membranes.
        trace: observers' ports are brought out.
        counters: the core counts what it does.
        first_count: what its counters begin with; near 2³², a short run sees them run over.
    """

    layers: tuple[LayerParams, ...]
    contents: tuple[LayerContents, ...]
    time_steps: int
    count_readout: bool
    trace: bool = False
    counters: bool = False
    first_count: int = 0

    @property
    def loadable(self) -> bool:
        """The host fills the memories."""
        return any(layer.loadable for layer in self.layers)

    @property
    def score_bits(self) -> int:
        """Signed width of a score."""
        if self.count_readout:
            return unsigned_bits(self.time_steps) + 1
        return self.layers[-1].membrane_bits

    @property
    def label_bits(self) -> int:
        return self.layers[-1].spike_bits

    @classmethod
    def from_image(
        cls, image: NetworkImage, lanes: tuple[int, ...], *, trace: bool = False
    ) -> Self:
        """The core that runs ``image`` with ``lanes`` lanes in each layer."""
        return cls.from_packed(image, pack_network(image, lanes), trace=trace)

    @classmethod
    def from_packed(
        cls,
        image: NetworkImage,
        packed: Sequence[SynapseWords],
        *,
        trace: bool = False,
        counters: bool = False,
        distributed_depth: int = 0,
    ) -> Self:
        """The core that runs ``image``, whose layers are packed as ``packed``.

        Layers with at most ``distributed_depth`` neurons a lane keep them in distributed RAM, of
        which there is enough to hold accumulators apart from membranes.
        """
        layers = map(layer_params, image.layers, packed)
        return cls(
            layers=tuple(
                replace(layer, distributed_banks=True, overlapped=True)
                if layer.groups <= distributed_depth
                else layer
                for layer in layers
            ),
            contents=tuple(map(layer_contents, image.layers, packed)),
            time_steps=image.time_steps,
            count_readout=image.readout == "count",
            trace=trace,
            counters=counters,
        )


def layer_params(layer: Layer, words: SynapseWords) -> LayerParams:
    """The shape of the gateware for ``layer``, packed as ``words``."""
    return LayerParams(
        name=layer.name,
        inputs=layer.inputs,
        neurons=layer.neurons,
        lanes=words.lanes,
        words=max(LEAST_DEPTH, words.words),
        index_form=words.index_form,
        blocks=words.blocks,
        index_bits=words.index_bits,
        weight_bits=words.weight_bits,
        pointer_rows=words.pointer_rows,
        granule=words.granule,
        base_bits=words.base_bits,
        count_bits=words.count_bits,
        membrane_bits=layer.membrane_bits,
        accumulator_bits=layer.accumulator_bits,
        threshold_bits=unsigned_bits(int(layer.threshold.max())),
        bias_bits=max(2, signed_bits(int(layer.bias.min()), int(layer.bias.max()))),
        shared_threshold=_shared(layer.threshold),
        shared_bias=_shared(layer.bias),
        leak=layer.leak,
        reset=layer.reset,
        spiking=layer.spiking,
    )


def layer_contents(layer: Layer, words: SynapseWords) -> LayerContents:
    """What the memories hold for ``layer``, packed as ``words``."""
    slots = np.stack([words.index, words.weight], axis=-1).tolist()
    return LayerContents(
        counts=tuple(words.count.tolist()),
        words=tuple(tuple((index, weight) for index, weight in word) for word in slots),
        thresholds=_by_group(layer.threshold, words, filler=1),
        biases=_by_group(layer.bias, words, filler=0),
    )


def _shared(values: np.ndarray) -> int | None:
    return int(values[0]) if (values == values[0]).all() else None


def _by_group(
    values: np.ndarray, words: SynapseWords, *, filler: int
) -> tuple[tuple[int, ...], ...]:
    padded = np.full(words.groups * words.lanes, filler, dtype=np.int64)
    padded[: words.neurons] = values
    return tuple(map(tuple, padded.reshape(words.groups, words.lanes).tolist()))
