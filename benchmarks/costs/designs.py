"""The designs that area and speed are calibrated on: random networks that anyone can build."""

from __future__ import annotations

import itertools
import zlib
from dataclasses import dataclass

import numpy as np

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

__all__ = ["DESIGNS", "Design"]


INTEGRATE = IntegrateLeak()


@dataclass(frozen=True, kw_only=True)
class Design:
    """A network, and how it is to be built.

    Attributes:
        name: of the design; with its target the key of its record.
        shape: neurons of each layer, inputs first.
        fan_out: synapses of a row, for each layer; each as often over all ``banks``.
        banks: over which rows are balanced, for each layer; 1 leaves them as they fall.
        lanes: of each layer.
        highest: largest magnitude of a weight.
        leak, reset, readout: of the neurons.
        shared: one threshold and no bias for the neurons of a layer.
        loadable: the host fills the memories.
        targets: to build it for.
    """

    name: str
    shape: tuple[int, ...]
    fan_out: tuple[int, ...]
    lanes: tuple[int, ...]
    banks: tuple[int, ...] = (1, 1)
    highest: int = 7
    leak: Leak = INTEGRATE
    reset: Reset = "subtract"
    readout: Readout = "membrane"
    shared: bool = True
    loadable: bool = False
    targets: tuple[str, ...] = ("icebreaker", "ulx3s-25f")

    def network(self) -> NetworkImage:
        """The network; the same in every call."""
        rng = np.random.default_rng(zlib.crc32(f"{self.shape}{self.fan_out}".encode()))
        layers = []
        for number, (inputs, neurons) in enumerate(itertools.pairwise(self.shape)):
            last = number == len(self.shape) - 2
            present = _balanced(rng, inputs, neurons, self.fan_out[number], self.banks[number])
            weights = rng.integers(1, self.highest + 1, present.shape)
            layers.append(
                Layer.from_dense(
                    np.where(rng.random(present.shape) < 0.5, -weights, weights) * present,
                    name="readout" if last else f"hidden{number + 1}",
                    leak=self.leak,
                    threshold=2 * self.highest if self.shared else rng.integers(3, 40, neurons),
                    bias=0 if self.shared else rng.integers(-8, 9, neurons),
                    reset=self.reset,
                    spiking=not last or self.readout == "count",
                    membrane_bits=10,
                )
            )
        return NetworkImage.chain(
            layers=tuple(layers),
            time_steps=4,
            encoding=LatencyEncoding(),
            readout=self.readout,
            provenance=Provenance(dataset="random", seed=0),
        )


def _balanced(
    rng: np.random.Generator, inputs: int, neurons: int, fan_out: int, banks: int
) -> np.ndarray:
    """Where synapses are, ``[inputs, neurons]``: ``fan_out`` a row, as many in each bank."""
    order = rng.random((inputs, -(-neurons // banks), banks))
    order.reshape(inputs, -1)[:, neurons:] = np.inf
    rank = order.argsort(axis=1).argsort(axis=1)
    return (rank < fan_out // banks).reshape(inputs, -1)[:, :neurons]


_SMALL = {"shape": (64, 192, 10), "fan_out": (31, 4)}
_MIDDLE = {"shape": (784, 256, 10), "fan_out": (24, 5)}
_LARGE = {"shape": (784, 1024, 10), "fan_out": (128, 5)}
_WIDE = {"shape": (256, 512, 10), "fan_out": (32, 5), "banks": (32, 1)}
_ICE40 = ("icebreaker",)
_ECP5 = ("ulx3s-25f",)

DESIGNS = (
    Design(name="small-8", **_SMALL, lanes=(8, 1), leak=ShiftLeak(shift=4)),
    Design(name="small-4", **_SMALL, lanes=(4, 1), leak=ShiftLeak(shift=4), targets=_ICE40),
    Design(name="small-1", **_SMALL, lanes=(1, 1), leak=ShiftLeak(shift=4), targets=_ICE40),
    Design(name="small-8-loadable", **_SMALL, lanes=(8, 1), loadable=True, targets=_ICE40),
    Design(name="middle-8", **_MIDDLE, banks=(8, 1), lanes=(8, 1), targets=_ICE40),
    Design(name="small-16", **_SMALL, lanes=(16, 2), leak=ShiftLeak(shift=4)),
    Design(name="small-32", **_SMALL, lanes=(32, 2), targets=_ECP5),
    Design(name="middle-8-loadable", **_MIDDLE, banks=(8, 1), lanes=(8, 2), loadable=True),
    Design(
        name="large-8-loadable",
        **_LARGE,
        banks=(64, 1),
        lanes=(8, 1),
        loadable=True,
        targets=_ICE40,
    ),
    Design(
        name="own-thresholds-4",
        shape=(100, 96, 10),
        fan_out=(20, 5),
        lanes=(4, 2),
        shared=False,
    ),
    Design(
        name="decay-4",
        shape=(100, 96, 10),
        fan_out=(20, 5),
        lanes=(4, 1),
        leak=DecayLeak(multiplier=3, fraction_bits=5),
        reset="zero",
        readout="count",
    ),
    Design(
        name="deep-4",
        shape=(196, 128, 64, 10),
        fan_out=(16, 16, 5),
        banks=(16, 4, 1),
        lanes=(4, 2, 1),
        leak=ShiftLeak(shift=3),
    ),
    # Without a second one of many layers, leaving out the first hides what a layer costs.
    Design(
        name="chain-2",
        shape=(128, 64, 48, 32, 10),
        fan_out=(12, 12, 8, 5),
        banks=(8, 4, 4, 1),
        lanes=(2, 2, 1, 1),
        leak=ShiftLeak(shift=3),
    ),
    Design(
        name="eight-bits-4",
        shape=(256, 128, 10),
        fan_out=(12, 5),
        lanes=(4, 1),
        highest=127,
    ),
    Design(
        name="two-2-loadable", **_MIDDLE, banks=(8, 1), lanes=(2, 1), loadable=True, targets=_ICE40
    ),
    Design(name="wide-32", **_WIDE, lanes=(32, 2), targets=_ECP5),
    Design(name="wide-16-zero", **_WIDE, lanes=(16, 1), leak=ShiftLeak(shift=4), reset="zero"),
)
