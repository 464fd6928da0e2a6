"""Draws cores, networks that fit them, and events: the usual, the extreme and the empty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from spikeloom.arithmetic import DecayLeak, IntegrateLeak, Leak, Reset, ShiftLeak
from spikeloom.encoding import LatencyEncoding
from spikeloom.image import Layer, NetworkImage, Provenance
from spikeloom.image.network import Readout
from spikeloom.packing.lanes import LANES
from spikeloom_hw.core.params import CoreParams, LayerParams

HIGHEST = (1, 3, 7, 7, 127)
"""Largest weights of a core's layers: 2, 3, 4 and 8 bits."""
DENSITIES = (0.0, 0.02, 0.1, 0.3, 1.0)
RATES = (0.0, 0.05, 0.3, 1.0)
MAX_STEPS = 5
TARGETS = ("icebreaker", "ulx3s-25f")
"""Single-port weight memory and sums in the membranes' bank; block RAM and sums apart."""


@dataclass(frozen=True, kw_only=True)
class CoreDraw:
    """What a core is generated from.

    Attributes:
        image: the network it is made for, as large as any that will be loaded.
        lanes: of each layer.
        target: name of the device.
    """

    image: NetworkImage
    lanes: tuple[int, ...]
    target: str


def draw_core(random: np.random.Generator) -> CoreDraw:
    """A core of one to three layers, 1 ... 90 inputs, 1 ... 48 neurons a layer, any lanes."""
    readout: Readout = "count" if random.random() < 0.3 else "membrane"
    layers = int(random.integers(1, 4))
    sizes = [_size(random, 90), *(_size(random, 48) for _ in range(layers - 1)), _size(random, 12)]
    reset: Reset = "zero" if random.random() < 0.5 else "subtract"
    image = NetworkImage.chain(
        layers=tuple(
            Layer.from_dense(
                _largest_weights(random, shape),
                name=f"layer{number}",
                leak=_leak(random),
                threshold=1,
                reset=reset,
                spiking=number < layers - 1 or readout == "count",
                membrane_bits=int(random.integers(4, 17)),
            )
            for number, shape in enumerate(pairwise(sizes))
        ),
        time_steps=MAX_STEPS,
        encoding=LatencyEncoding(),
        readout=readout,
        provenance=Provenance(dataset="digits", seed=0),
    )
    # Thirty-two lanes take a minute to compile.
    often = [1, 1, 1, 1, 0.5, 0.125]
    lanes = random.choice(LANES, size=layers, p=np.array(often) / sum(often)).tolist()
    return CoreDraw(image=image, lanes=tuple(lanes), target=str(random.choice(TARGETS)))


def draw_fixed(random: np.random.Generator) -> CoreDraw:
    """A core with fixed contents, of a network in which each neuron has a threshold and a bias."""
    shape = draw_core(random)
    layers = [_own_parameters(random, layer) for layer in shape.image.layers]
    return replace(shape, image=shape.image.with_layers(tuple(layers)))


def _own_parameters(random: np.random.Generator, layer: Layer) -> Layer:
    highest = int(random.choice(HIGHEST))
    weights = random.integers(-highest, highest + 1, (layer.inputs, layer.neurons))
    weights[random.random(weights.shape) >= random.choice(DENSITIES[1:])] = 0
    bits = random.uniform(0, layer.membrane_bits, layer.neurons)
    return Layer.from_dense(
        weights,
        name=layer.name,
        leak=layer.leak,
        threshold=np.maximum(1, 2**bits).astype(np.int64),
        bias=random.integers(-highest - 1, highest + 2, layer.neurons),
        reset=layer.reset,
        spiking=layer.spiking,
        membrane_bits=layer.membrane_bits,
    )


def draw_network(random: np.random.Generator, core: CoreParams) -> NetworkImage:
    """A network within a core's capacity: it has one threshold a layer, and no bias.

    It has the core's leaks and resets, as many inputs and hidden neurons as it has or fewer,
    weights of one sign or both, rows without a synapse, or no synapse at all.
    """
    inputs = _part(random, core.layers[0].inputs)
    hidden = [_part(random, layer.neurons) for layer in core.layers[:-1]]
    sizes = [inputs, *hidden, core.layers[-1].neurons]
    layers = [
        _draw_layer(random, params, shape)
        for params, shape in zip(core.layers, pairwise(sizes), strict=True)
    ]
    return NetworkImage.chain(
        layers=tuple(layers),
        time_steps=int(random.integers(1, core.time_steps + 1)),
        encoding=LatencyEncoding(),
        readout="count" if core.count_readout else "membrane",
        provenance=Provenance(dataset="digits", seed=0),
    )


def draw_events(
    random: np.random.Generator, samples: int, steps: int, addresses: int
) -> NDArray[np.bool_]:
    """Bool [samples, steps, addresses]: steps from empty to full."""
    rates = random.choice(RATES, size=(samples, steps, 1))
    return random.random((samples, steps, addresses)) < rates


def _draw_layer(random: np.random.Generator, params: LayerParams, shape: Sequence[int]) -> Layer:
    highest = (1 << params.weight_bits - 1) - 1
    signs = random.choice([-1, 1], size=shape)
    if random.random() < 0.3:
        signs[...] = random.choice([-1, 1])
    sizes = random.integers(1, highest + 1, shape)
    if random.random() < 0.2:
        sizes[...] = highest
    present = random.random(shape) < random.choice(DENSITIES)
    if random.random() < 0.3:
        present[random.random(shape[0]) < 0.5] = False
    limit = (1 << min(params.threshold_bits, params.membrane_bits - 1)) - 1
    # Small ones more often: what never spikes shows little.
    threshold = int(min(limit, 2 ** random.uniform(0, params.weight_bits + 1)))
    return Layer.from_dense(
        signs * sizes * present,
        name=params.name,
        leak=params.leak,
        threshold=threshold,
        reset=params.reset,
        spiking=params.spiking,
        membrane_bits=params.membrane_bits,
    )


def _largest_weights(random: np.random.Generator, shape: Sequence[int]) -> NDArray[np.int64]:
    """Every place a synapse, so that whatever is loaded has room; both rails are asked for."""
    highest = int(random.choice(HIGHEST))
    weights = np.full(shape, highest)
    # Sums of either sign as large as those of any network that is loaded.
    weights[:, 0] = -highest
    return weights


def _leak(random: np.random.Generator) -> Leak:
    kind = random.integers(3)
    if kind == 0:
        return IntegrateLeak()
    if kind == 1:
        return ShiftLeak(shift=int(random.integers(1, 7)))
    bits = int(random.integers(1, 9))
    return DecayLeak(multiplier=int(random.integers(1, (1 << bits) + 1)), fraction_bits=bits)


def _size(random: np.random.Generator, largest: int) -> int:
    """1 ... `largest`; half the time every order of magnitude is as likely."""
    if random.random() < 0.5:
        return int(random.integers(1, largest + 1))
    return int(np.exp(random.uniform(0, np.log(largest + 0.99))))


def _part(random: np.random.Generator, largest: int) -> int:
    return largest if random.random() < 0.5 else int(random.integers(1, largest + 1))
