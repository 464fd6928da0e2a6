"""A core with a network in it: made for it, or loaded with it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikeloom.image import NetworkImage
from spikeloom.packing import SynapseWords, pack_network
from spikeloom.reference import simulate
from spikeloom_cosim.core import Core
from spikeloom_cosim.design import load_core
from spikeloom_cosim.driver import load_payloads
from spikeloom_cosim.expectation import Expectation, expect
from spikeloom_hw.core import CoreParams
from spikeloom_hw.core.loading import fit, load_sequence
from spikeloom_hw.design_check import check_design
from spikeloom_hw.generate import load_design


@dataclass(frozen=True, kw_only=True, eq=False)
class Fitting:
    """A core with a network in it.

    Attributes:
        core: the core, with what it is loaded with.
        image: the network as the core runs it; silent neurons fill up a loadable core.
        packed: its layers, as the core reads them.
        overlapped: of each layer, whether its sums stand apart from its membranes.
        params: the core's parameters, without contents.
    """

    core: Core
    image: NetworkImage
    packed: tuple[SynapseWords, ...]
    overlapped: tuple[bool, ...]
    params: CoreParams

    def with_every_address(self) -> Fitting:
        """The same, but what is expected takes events of every address that an event can have.

        One of an address without a row is an event of an empty row: ignored, and counted.
        """
        first, words = self.image.layers[0], self.packed[0]
        beyond = (0, self.core.shape.addresses - first.inputs)
        rows = replace(first, row_ptr=np.pad(first.row_ptr, beyond, mode="edge"))
        return replace(
            self,
            image=self.image.with_layers((rows, *self.image.layers[1:])),
            packed=(replace(words, count=np.pad(words.count, beyond)), *self.packed[1:]),
        )

    def expect(self, events: NDArray[np.bool_]) -> Expectation:
        """What the core must do on `events`, bool [samples, steps, inputs of the network]."""
        silent = self.image.inputs - events.shape[2]
        events = np.pad(events, ((0, 0), (0, 0), (0, silent))) if silent else events
        return expect(
            self.image, simulate(self.image, events), self.packed, overlapped=self.overlapped
        )


def fit_design(folder: Path, image: NetworkImage, *, network: Path) -> Fitting:
    """The core in a folder made by `spikeloom generate`, with `image` in it.

    Args:
        folder: the design.
        image: the network; any within its capacity for a loadable core, else its own.
        network: where the network lies, for the message.

    Raises:
        UserError: a file is missing or damaged, the core is of another network, or the network is
            beyond a loadable core.
    """
    design = load_design(folder)
    if not design.loadable:
        overlapped = tuple(layer.overlapped for layer in design.parameters)
        check_design(folder, image=image, network=network)
        core = load_core(folder)
        packed = pack_network(image, core.lanes)
        return Fitting(
            core=core, image=image, packed=packed, overlapped=overlapped, params=design.core
        )
    return fit_network(load_core(folder), design.core, image)


def fit_network(core: Core, params: CoreParams, image: NetworkImage) -> Fitting:
    """A loadable core with `image` in it.

    Args:
        core: its files and ports.
        params: its capacity.
        image: the network.

    Raises:
        UserError: the network is beyond the core.
    """
    fitted, packed = fit(image, params)
    return Fitting(
        core=replace(core, loads=load_payloads(load_sequence(image, params), params)),
        image=fitted,
        packed=packed,
        overlapped=tuple(layer.overlapped for layer in params.layers),
        params=params,
    )
