"""A core that runs any network within its capacity, and what a host sends to make it run one.

A loadable core is made for one network, with room around it: on devices with single-port RAM the
largest weight memory fills that, or lies in it but for the last bits of its words, and the others
get what their last block RAM leaves over. Another
network is *fitted* to it: silent neurons fill its layers up, and its rows are packed in the form
that the core reads.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from spikeloom.errors import UserError
from spikeloom.image import Layer, NetworkImage
from spikeloom.packing import SynapseWords, pack
from spikeloom.packing.words import unsigned_bits
from spikeloom_hw.core.layouts import MemoryKind
from spikeloom_hw.core.memory_shape import CHUNK_BITS, MemoryShape
from spikeloom_hw.core.params import CoreParams, LayerParams, layer_contents
from spikeloom_hw.core.row_fetch import pointer_words
from spikeloom_hw.core.word_stream import weight_words

SINGLE_PORT_DEPTH = 1 << 14
BLOCK_DEPTH = 256
"""Weight memories in block RAM are made as deep as a multiple of this."""

ACCUMULATOR_ROOM = 1
"""Bits that potentials may have more than in the network that the core was made for."""

Load = tuple[int, int, int, int]
"""Layer, :class:`MemoryKind` as a number, chunk address, sixteen bits."""


def make_loadable(core: CoreParams, *, single_ports: int = 0) -> CoreParams:
    """``core`` with memories that a host fills.

    Args:
        core: made for a network, whose contents its block RAM has at first.
        single_ports: single-port RAMs of 2¹⁴ words of sixteen bits that the device has.

    Raises:
        UserError: a layer has a threshold or a bias for each neuron.
    """
    room = CHUNK_BITS * single_ports
    narrow = [layer for layer in core.layers if layer.word_bits <= room + CHUNK_BITS and room]
    largest = max(narrow, key=lambda layer: layer.words * layer.word_bits, default=None)
    layers = []
    for layer in core.layers:
        if layer.shared_threshold is None or layer.shared_bias != 0:
            raise UserError(
                f"layer {layer.name} has a threshold or a bias for each neuron, and a loadable "
                "core has one threshold a layer and no bias: build it with fixed memories"
            )
        single_port = layer is largest
        spill_bits = max(0, layer.word_bits - room) if single_port else 0
        unit = SINGLE_PORT_DEPTH if single_port and not spill_bits else BLOCK_DEPTH
        words = -(-layer.words // unit) * unit
        accumulator_bits = layer.accumulator_bits + ACCUMULATOR_ROOM
        layers.append(
            replace(
                layer,
                words=words,
                base_bits=unsigned_bits((words - 1) // layer.granule),
                count_bits=unsigned_bits(-(-layer.groups // layer.granule)),
                accumulator_bits=accumulator_bits,
                threshold_bits=min(accumulator_bits - 1, CHUNK_BITS),
                loadable=True,
                single_port=single_port,
                spill_bits=spill_bits,
            )
        )
    return replace(core, layers=tuple(layers))


def fit(image: NetworkImage, core: CoreParams) -> tuple[NetworkImage, tuple[SynapseWords, ...]]:
    """``image`` with silent neurons to fill ``core``, and its layers packed as the core reads them.

    Inputs that the network does not have drive nothing; scores and classes are those of ``image``.

    Raises:
        UserError: the network is beyond the core: what, by how much, and what to change.
    """
    if len(image.layers) != len(core.layers):
        raise UserError(
            f"the network has {len(image.layers)} layers and the core {len(core.layers)}: "
            "generate a core for this network"
        )
    outputs = core.layers[-1].neurons
    if image.outputs != outputs or (image.readout == "count") != core.count_readout:
        raise UserError(
            f"the network has {image.outputs} outputs read as {image.readout}, and the core "
            f"{outputs} read as {'count' if core.count_readout else 'membrane'}: "
            "generate a core for this network"
        )
    if core.count_readout and image.time_steps > core.time_steps:
        raise UserError(
            f"the network counts spikes over {image.time_steps} time steps and the core over "
            f"{core.time_steps}: generate a core for this network"
        )
    for layer, params in zip(image.layers, core.layers, strict=True):
        if beyond := "; ".join(_beyond_the_shape(layer, params)):
            raise UserError(f"layer {layer.name}: {beyond}; generate a core for this network")
    layers = tuple(
        _fill_up(layer, params) for layer, params in zip(image.layers, core.layers, strict=True)
    )
    packed = tuple(map(_pack_as, layers, core.layers))
    return image.with_layers(layers), packed


def load_sequence(image: NetworkImage, core: CoreParams) -> list[Load]:
    """All that a host loads so that ``core`` runs ``image``.

    Raises:
        UserError: the network is beyond the core, as :func:`fit` tells.
    """
    fitted, packed = fit(image, core)
    loads: list[Load] = []
    for number, (layer, words) in enumerate(zip(fitted.layers, packed, strict=True)):
        params = core.layers[number]
        contents = layer_contents(layer, words)
        for kind, shape, values in (
            (MemoryKind.POINTERS, params.pointer_memory, pointer_words(params, contents)),
            (MemoryKind.WEIGHTS, params.weight_memory, weight_words(params, contents)),
        ):
            loads += [
                (number, kind.value, address, chunk)
                for at, value in enumerate(values)
                for address, chunk in _chunks(shape, at, value)
            ]
        loads.append((number, MemoryKind.THRESHOLD.value, 0, int(layer.threshold[0])))
    return loads


def _chunks(shape: MemoryShape, at: int, word: int) -> Iterator[tuple[int, int]]:
    mask = (1 << shape.chunk_bits) - 1
    for chunk in range(shape.chunks):
        yield at << shape.select_bits | chunk, word >> chunk * shape.chunk_bits & mask


def _beyond_the_shape(layer: Layer, params: LayerParams) -> Iterator[str]:
    for name, needed, room in (
        ("inputs", layer.inputs, params.inputs),
        ("neurons", layer.neurons, params.neurons),
        ("bits of a weight", layer.weight_bits, params.weight_bits),
        ("bits of a potential", layer.accumulator_bits, params.accumulator_bits),
        ("bits of a threshold", int(layer.threshold.max()).bit_length(), params.threshold_bits),
    ):
        if needed > room:
            yield f"it has {needed} {name} and the core {room}, {needed - room} too many"
    for name, own, built in (
        ("a leak of", layer.leak, params.leak),
        ("a reset of", layer.reset, params.reset),
        ("membrane bits of", layer.membrane_bits, params.membrane_bits),
        ("spiking", layer.spiking, params.spiking),
    ):
        if own != built:
            yield f"it has {name} {own!r} and the core {built!r}"
    if (layer.threshold != layer.threshold[0]).any() or layer.bias.any():
        yield "it has a threshold or a bias for each neuron, and the core one threshold, no bias"


def _fill_up(layer: Layer, params: LayerParams) -> Layer:
    rows = np.minimum(np.arange(params.inputs + 1), layer.inputs)
    return replace(
        layer,
        row_ptr=layer.row_ptr[rows],
        bias=np.zeros(params.neurons, dtype=np.int32),
        threshold=np.full(params.neurons, layer.threshold[0], dtype=np.int32),
    )


def _pack_as(layer: Layer, params: LayerParams) -> SynapseWords:
    gap = params.index_form == "gap"
    words = pack(
        layer,
        params.lanes,
        index_form=params.index_form,
        index_bits=params.index_bits if gap else None,
        blocks=None if gap else params.blocks,
        pointer_rows=params.pointer_rows,
        granule=params.granule,
    )
    if words.words > params.words:
        raise UserError(
            f"layer {layer.name} takes {words.words} words of {params.lanes} synapses and the core "
            f"has room for {params.words}, {words.words - params.words} too many: lower the "
            "density, balance its banks in training, or generate a core for this network"
        )
    return replace(words, weight_bits=params.weight_bits)
