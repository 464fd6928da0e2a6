"""Random networks: the strategies and builders that the tests of every package share."""

import itertools
from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st

from spikeloom.encoding import LatencyEncoding
from spikeloom.image import (
    DecayLeak,
    IntegrateLeak,
    Layer,
    Leak,
    NetworkImage,
    Provenance,
    Reset,
    ShiftLeak,
)
from spikeloom.image.network import Readout

leaks = st.one_of(
    st.just(IntegrateLeak()),
    st.builds(ShiftLeak, shift=st.integers(1, 6)),
    st.integers(1, 8).flatmap(
        lambda bits: st.builds(
            DecayLeak, multiplier=st.integers(1, 1 << bits), fraction_bits=st.just(bits)
        )
    ),
)


@st.composite
def layers(draw: st.DrawFn, *, max_inputs: int = 40, max_neurons: int = 40) -> Layer:
    """A layer of any shape, density and neuron; rows may be empty."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = draw(st.integers(1, max_inputs)), draw(st.integers(1, max_neurons))
    highest = draw(st.sampled_from([1, 7, 127]))
    density = draw(st.sampled_from([0.0, 0.02, 0.2, 0.6, 1.0]))
    return Layer.from_dense(
        rng.integers(-highest, highest + 1, shape) * (rng.random(shape) < density),
        name="layer",
        leak=draw(leaks),
        threshold=rng.integers(1, 50, shape[1]),
        bias=rng.integers(-9, 10, shape[1]),
        reset=draw(st.sampled_from(["subtract", "zero"])),
        membrane_bits=draw(st.integers(4, 16)),
    )


def random_network(
    rng: np.random.Generator,
    shape: Sequence[int],
    *,
    time_steps: int = 3,
    readout: Readout = "membrane",
    leak: Leak | None = None,
    reset: Reset = "subtract",
    density: float = 0.4,
    shared: bool = True,
    membrane_bits: int = 8,
) -> NetworkImage:
    """A network of ``shape`` neurons with 4-bit weights.

    ``shared`` gives all neurons of a layer one threshold and no bias, otherwise each has its own.
    """
    made = []
    for number, (inputs, neurons) in enumerate(itertools.pairwise(shape)):
        last = number == len(shape) - 2
        present = rng.random((inputs, neurons)) < density
        made.append(
            Layer.from_dense(
                rng.integers(-7, 8, (inputs, neurons)) * present,
                name=f"layer{number}",
                leak=ShiftLeak(shift=2) if leak is None else leak,
                threshold=9 if shared else rng.integers(3, 16, neurons),
                bias=0 if shared else rng.integers(-3, 4, neurons),
                reset=reset,
                spiking=not last or readout == "count",
                membrane_bits=membrane_bits,
            )
        )
    return NetworkImage.chain(
        layers=tuple(made),
        time_steps=time_steps,
        encoding=LatencyEncoding(),
        readout=readout,
        provenance=Provenance(dataset="digits", seed=0),
    )


def random_events(
    rng: np.random.Generator, image: NetworkImage, samples: int, rate: float = 0.3
) -> np.ndarray:
    """bool ``[samples, time_steps, inputs]``, each address spiking with probability ``rate``."""
    return rng.random((samples, image.time_steps, image.inputs)) < rate
