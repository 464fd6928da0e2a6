"""A loadable core in memory, and networks in it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from spikeloom.image import NetworkImage
from spikeloom_cosim.core import Core
from spikeloom_cosim.design import load_core
from spikeloom_cosim.fitting import Fitting, fit_network
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

    def fit(self, image: NetworkImage) -> Fitting:
        """The core with a network in it, for events of every address.

        Raises:
            UserError: the network is beyond the core.
        """
        return fit_network(self.core, self.params, image).with_every_address()
