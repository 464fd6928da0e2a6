"""Random networks for co-simulation; their data set is the digits, so that the verb takes them."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from spikeloom.arithmetic import IntegrateLeak, Leak, Reset
from spikeloom.encoding import LatencyEncoding
from spikeloom.image import Layer, NetworkImage, Provenance
from spikeloom.image.network import Readout


def random_network(
    sizes: Sequence[int],
    *,
    leak: Leak,
    reset: Reset = "subtract",
    readout: Readout = "membrane",
    bias: int = 0,
    density: float = 0.3,
    membrane_bits: int = 10,
    time_steps: int = 6,
    seed: int = 7,
) -> NetworkImage:
    """A network of `sizes` neurons, inputs first; biases lie in -bias ... bias."""
    random = np.random.default_rng(seed)
    layers = []
    for number, (inputs, neurons) in enumerate(pairwise(sizes)):
        weights = random.integers(-7, 8, (inputs, neurons))
        weights[random.random(weights.shape) >= density] = 0
        weights[0] = 0  # an empty row
        spiking = number < len(sizes) - 2 or readout == "count"
        layers.append(
            Layer.from_dense(
                weights,
                name=f"layer{number}",
                bias=random.integers(-bias, bias + 1, neurons),
                leak=leak if spiking else IntegrateLeak(),
                threshold=random.integers(5, 12, neurons) if spiking else 1,
                reset=reset,
                spiking=spiking,
                membrane_bits=membrane_bits,
                scale=1.0,
            )
        )
    return NetworkImage.chain(
        layers=tuple(layers),
        time_steps=time_steps,
        encoding=LatencyEncoding(threshold=16),
        readout=readout,
        provenance=Provenance(dataset="digits", seed=seed),
    )
