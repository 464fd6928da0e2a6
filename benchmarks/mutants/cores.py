"""The cores that are mutated. Between them they have every feature of `spikeloom_hw.core`.

In each the last layer is the slowest, so that queues fill up and layers wait for one another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

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
from spikeloom.image.model import Readout
from spikeloom_cosim.fitting import Fitting, fit_design
from spikeloom_hw.core.build import core_params
from spikeloom_hw.generate import generate, write_core
from spikeloom_hw.targets import TARGETS

FIRST_COUNT = (1 << 32) - 900
"""What the counters of a mutated core begin with: their upper bits all change in a long run, and in
the shortest do not."""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A core under mutation.

    Attributes:
        name: of the core.
        sizes: neurons, inputs first.
        lanes: of each layer.
        leaks: of each layer.
        resets: of each layer.
        target: decides where membranes lie, and whether a step's update overlaps the next.
        density: of the synapses.
        readout: of the network.
        shared: one threshold a layer and no bias, or each neuron its own.
        loadable: the memories are filled by a host.
        membrane_bits: few, so that both rails are met.
        time_steps: of a sample.
        seed: of the weights.
    """

    name: str
    sizes: tuple[int, ...]
    lanes: tuple[int, ...]
    leaks: tuple[Leak, ...]
    resets: tuple[Reset, ...]
    target: str
    density: Sequence[float]
    readout: Readout = "membrane"
    shared: bool = False
    loadable: bool = False
    membrane_bits: int = 5
    time_steps: int = 6
    seed: int = 0

    @property
    def networks(self) -> tuple[Subject, ...]:
        """What is run in the core: a loadable one is loaded with other networks as well."""
        if not self.loadable:
            return (self,)
        dense = replace(self, seed=self.seed + 1, density=(1.0,) * len(self.density))
        return self, dense, replace(self, seed=self.seed + 2)

    def image(self) -> NetworkImage:
        """The network, always the same."""
        random = np.random.default_rng(self.seed)
        layers = []
        for number, (inputs, neurons) in enumerate(pairwise(self.sizes)):
            last = number == len(self.sizes) - 2
            spiking = not last or self.readout == "count"
            # Short rows among the long: the last word of one and the first of the next may add
            # to the same membrane.
            density = np.where(random.random((inputs, 1)) < 0.5, 0.12, self.density[number])
            present = random.random((inputs, neurons)) < density
            # Neurons that are driven up, down, and both ways: each bank meets both rails.
            drift = random.integers(-4, 6, neurons)
            weights = np.clip(random.integers(-5, 6, (inputs, neurons)) + drift, -7, 7) * present
            weights[1] = 0  # an empty row
            layers.append(
                Layer.from_dense(
                    weights,
                    name=f"layer{number}",
                    bias=0 if self.shared else random.integers(-3, 4, neurons),
                    leak=self.leaks[number],
                    threshold=5 if self.shared else random.integers(3, 9, neurons),
                    reset=self.resets[number],
                    spiking=spiking,
                    membrane_bits=self.membrane_bits,
                    scale=1.0,
                )
            )
        return NetworkImage(
            layers=tuple(layers),
            time_steps=self.time_steps,
            encoding=LatencyEncoding(),
            readout=self.readout,
            provenance=Provenance(dataset="digits", seed=0),
        )

    def fittings(self, folder: Path) -> list[Fitting]:
        """The core, generated into `folder`, with each of its networks in it."""
        image = self.image()
        generate(
            image,
            target=TARGETS[self.target],
            lanes=self.lanes,
            directory=folder,
            bare=True,
            loadable=self.loadable,
        )
        fittings = [fit_design(folder, own.image(), network=folder) for own in self.networks]
        params = core_params(
            image, target=TARGETS[self.target], lanes=self.lanes, loadable=self.loadable
        )
        write_core(replace(params, first_count=FIRST_COUNT), folder)
        return fittings

    def events(self, samples: int, *, seed: int) -> NDArray[np.bool_]:
        """Random events, from none to all in each step: bool [samples, steps, inputs]."""
        random = np.random.default_rng(seed)
        # Many samples of few events: then the first layer outruns those behind it.
        rates = np.concatenate([[0.0, 1.0], random.random(samples) ** 3])[:samples]
        shape = (samples, self.time_steps, self.sizes[0])
        return random.random(shape) < rates[:, None, None]


SUBJECTS = (
    Subject(
        name="in place",
        sizes=(22, 14, 11, 33),
        lanes=(4, 2, 1),
        leaks=(ShiftLeak(shift=2), DecayLeak(multiplier=5, fraction_bits=4), IntegrateLeak()),
        resets=("subtract", "zero", "subtract"),
        target="icebreaker",
        density=(0.5, 0.9, 1.0),
        seed=378,
    ),
    Subject(
        name="overlapped, spike counts",
        sizes=(18, 8, 12),
        lanes=(4, 1),
        leaks=(DecayLeak(multiplier=3, fraction_bits=3), ShiftLeak(shift=3)),
        resets=("zero", "subtract"),
        target="ulx3s-85f",
        density=(0.8, 0.9),
        seed=34,
        readout="count",
    ),
    Subject(
        name="loadable, single port",
        sizes=(20, 8, 16),
        lanes=(4, 1),
        leaks=(ShiftLeak(shift=2), IntegrateLeak()),
        resets=("subtract", "subtract"),
        target="icebreaker",
        density=(0.6, 0.9),
        seed=225,
        shared=True,
        loadable=True,
    ),
)
