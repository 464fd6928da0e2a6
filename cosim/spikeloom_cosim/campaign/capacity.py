"""A loadable core in memory: what networks it takes, and what it must do with them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikeloom.image import NetworkImage
from spikeloom.reference import simulate
from spikeloom_cosim.core import Core
from spikeloom_cosim.design import load_core
from spikeloom_cosim.driver import load_payloads
from spikeloom_cosim.expectation import Expectation, expect
from spikeloom_hw.core.loading import fit, load_sequence
from spikeloom_hw.core.params import CoreParams
from spikeloom_hw.generate import load_design


@dataclass(frozen=True, kw_only=True, eq=False)
class LoadableCore:
    """A generated loadable core.

    Attributes:
        core: its files and ports.
        params: its capacity.
    """

    core: Core
    params: CoreParams

    @classmethod
    def of(cls, folder: Path) -> LoadableCore:
        """The one that `spikeloom generate --loadable` made in a folder."""
        return cls(core=load_core(folder), params=load_design(folder).core)

    @property
    def addresses(self) -> int:
        """Addresses that an event can have; those beyond the inputs drive nothing."""
        return 1 << self.core.shape.address_bits

    def loads(self, image: NetworkImage) -> NDArray[np.uint64]:
        """What fills its memories with a network.

        Raises:
            UserError: the network is beyond the core.
        """
        return load_payloads(load_sequence(image, self.params), self.params)

    def expect(self, image: NetworkImage, events: NDArray[np.bool_]) -> Expectation:
        """What it must do with a network on `events`, bool [samples, steps, addresses].

        An event of an address without a row is an event of an empty row: ignored, and counted.
        """
        fitted, packed = fit(image, self.params)
        first, words = fitted.layers[0], packed[0]
        beyond = (0, self.addresses - first.inputs)
        rows = replace(first, row_ptr=np.pad(first.row_ptr, beyond, mode="edge"))
        fitted = replace(fitted, layers=(rows, *fitted.layers[1:]))
        packed = (replace(words, count=np.pad(words.count, beyond)), *packed[1:])
        overlapped = tuple(layer.overlapped for layer in self.params.layers)
        return expect(fitted, simulate(fitted, events), packed, overlapped=overlapped)
