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
from spikeloom.image.network import Readout
from spikeloom_cosim.fitting import Fitting, fit_design
from spikeloom_cosim.loads import scrambled, with_looks
from spikeloom_hw.core.build import core_params
from spikeloom_hw.core.loading import load_sequence
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
        sprams: single-port RAMs that it is taken to have; None: as many as it has.
        density: of the synapses.
        readout: of the network.
        threshold: of all neurons, which then have no bias; None: each neuron its own.
        loadable: the memories are filled by a host.
        membrane_bits: of each layer; few, so that both rails are met.
        time_steps: of a sample.
        seed: of the weights.
        full: a synapse everywhere, so that the weight memories of a loadable core are full.
        turned: rows 0 and 1 of each layer change places, and thresholds and biases are mirrored
            in their ranges. What a layer reads for a STEP is row 0: in one network it is empty, in
            the other it is not.
    """

    name: str
    sizes: tuple[int, ...]
    lanes: tuple[int, ...]
    leaks: tuple[Leak, ...]
    resets: tuple[Reset, ...]
    target: str
    density: Sequence[float]
    membrane_bits: tuple[int, ...]
    readout: Readout = "membrane"
    sprams: int | None = None
    threshold: int | None = None
    loadable: bool = False
    time_steps: int = 6
    seed: int = 0
    full: bool = False
    turned: bool = False

    @property
    def networks(self) -> tuple[Subject, ...]:
        """What is run in the core: in a fixed one, it is other contents of the same memories."""
        turned = replace(self, turned=True)
        if not self.loadable:
            return self, turned
        full = replace(self, full=True)
        others = [
            replace(full if at % 2 else self, seed=self.seed + at, threshold=threshold)
            for at, threshold in enumerate((23, 43, 14, 213), 1)
        ]
        return self, turned, *others

    def image(self) -> NetworkImage:
        """The network, always the same."""
        random = np.random.default_rng(self.seed)
        layers = []
        for number, (inputs, neurons) in enumerate(pairwise(self.sizes)):
            last = number == len(self.sizes) - 2
            lanes = self.lanes[number]
            spiking = not last or self.readout == "count"
            # Short rows among the long: the last word of one and the first of the next may add
            # to the same membrane.
            kinds = random.random((inputs, 1))
            density = np.where(kinds < 0.4, 0.12, self.density[number])
            present = random.random((inputs, neurons)) < density
            # Runs of rows that add to one group of neurons, all lanes at once, cycle by cycle.
            group = np.arange(neurons) // lanes
            chosen = np.arange(inputs) // 4 % (group[-1] + 1)
            present = np.where(kinds > 0.75, group == chosen[:, None], present)
            if self.full:
                present[...] = True
            # Neurons that are driven up, down, and both ways: each bank meets both rails.
            drift = random.choice([-4, -1, 0, 0, 1, 1, 2, 5], neurons)
            weights = np.clip(random.integers(-5, 6, (inputs, neurons)) + drift, -7, 7)
            # And in each bank one that jumps from rail to rail.
            weights[:, -lanes:] = random.choice([-7, 7], (inputs, lanes))
            if self.full:  # in small steps: the sum is no wider than that of some large ones
                weights = random.choice([-2, -1, 1, 2], weights.shape)
            weights *= present
            weights[1] = 0  # an empty row
            if self.turned:
                weights[[0, 1]] = weights[[1, 0]]
            layers.append(
                Layer.from_dense(
                    weights,
                    name=f"layer{number}",
                    bias=self._mirrored(-3, 3, neurons, random) if self.threshold is None else 0,
                    leak=self.leaks[number],
                    threshold=self.threshold or self._mirrored(3, 8, neurons, random),
                    reset=self.resets[number],
                    spiking=spiking,
                    membrane_bits=self.membrane_bits[number],
                    scale=1.0,
                )
            )
        return NetworkImage.chain(
            layers=tuple(layers),
            time_steps=self.time_steps,
            encoding=LatencyEncoding(),
            readout=self.readout,
            provenance=Provenance(dataset="digits", seed=0),
        )

    def _mirrored(
        self, low: int, high: int, count: int, random: np.random.Generator
    ) -> NDArray[np.int64]:
        """Parameters from `low` to `high`, both among them."""
        values = random.integers(low, high, count, endpoint=True)
        values[:2] = low, high
        return low + high - values if self.turned else values

    def fittings(self, folder: Path) -> list[Fitting]:
        """The core, generated below `folder`, with each of its networks in it.

        A loadable one is loaded with another network first, then with its own, in any order, and
        all of it is read back.
        """
        fittings = [self.fitting(folder / str(at), own) for at, own in enumerate(self.networks)]
        if not self.loadable:
            return fittings
        random = np.random.default_rng(self.seed)
        params = fittings[0].params
        loads = [load_sequence(own.image(), params) for own in self.networks]
        played = []
        for fitting, before, own in zip(fittings, loads[-1:] + loads[:-1], loads, strict=True):
            parts = [
                with_looks(scrambled(before, params, random), params, random, share=0.3),
                with_looks(scrambled(own, params, random), params, random),
            ]
            payloads, looks = (np.concatenate(both) for both in zip(*parts, strict=True))
            core = replace(fitting.core, loads=payloads, looks=looks)
            played.append(replace(fitting, core=core))
        return played

    def fitting(self, folder: Path, own: Subject | None = None) -> Fitting:
        """The core, generated in `folder`, with one of its networks in it, or this one.

        A loadable one is made for this network and loaded with the other; a fixed one is made for
        the other.
        """
        own = own or self
        image = self.image() if self.loadable else own.image()
        target = TARGETS[self.target]
        if self.sprams is not None:
            target = replace(target, sprams=self.sprams)
        generate(
            image,
            target=target,
            lanes=self.lanes,
            directory=folder,
            bare=True,
            loadable=self.loadable,
        )
        fitting = fit_design(folder, own.image(), network=folder)
        params = core_params(image, target=target, lanes=self.lanes, loadable=self.loadable)
        write_core(folder, replace(params, first_count=FIRST_COUNT))
        return fitting

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
        sizes=(22, 14, 11, 35),
        lanes=(4, 2, 1),
        leaks=(ShiftLeak(shift=2), DecayLeak(multiplier=5, fraction_bits=4), IntegrateLeak()),
        resets=("subtract", "zero", "subtract"),
        target="icebreaker",
        density=(0.5, 0.9, 1.0),
        membrane_bits=(5, 5, 6),
        seed=90,
    ),
    Subject(
        name="overlapped, spike counts",
        sizes=(18, 26, 12),
        lanes=(4, 1),
        leaks=(DecayLeak(multiplier=3, fraction_bits=3), ShiftLeak(shift=3)),
        resets=("zero", "subtract"),
        target="ulx3s-85f",
        density=(0.8, 0.4),
        membrane_bits=(5, 5),
        seed=84,
        readout="count",
        time_steps=7,
    ),
    Subject(
        name="loadable, single port",
        sizes=(60, 16, 16),
        lanes=(4, 1),
        leaks=(ShiftLeak(shift=2), IntegrateLeak()),
        resets=("subtract", "subtract"),
        target="icebreaker",
        sprams=1,
        density=(0.6, 0.9),
        membrane_bits=(5, 7),
        seed=151,
        threshold=5,
        loadable=True,
    ),
)
