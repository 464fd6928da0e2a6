"""Where a neuron's state lies: the one place that knows banks and addresses."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spikeloom.connections import Shape
from spikeloom.neurons import Integers
from spikeloom.packing.words import unsigned_bits


@dataclass(frozen=True, kw_only=True)
class BankMap:
    """The states of a population in `lanes` banks.

    Channel `c` of a place lives in bank `c mod lanes`, whatever the place, so that the synapses of
    a kernel keep their banks wherever the kernel lies. A place takes `groups` addresses, one
    behind another, places row by row. A list of neurons is a map of one place.

    Attributes:
        shape: of the population.
        lanes: L, banks.
    """

    shape: Shape
    lanes: int

    @property
    def channels(self) -> int:
        """Neurons of a place."""
        return self.shape[-1]

    @property
    def places(self) -> int:
        """Places of the map."""
        height, width = self.shape[:2] if len(self.shape) == 3 else (1, 1)
        return height * width

    @property
    def groups(self) -> int:
        """Addresses of a place: its channels, `lanes` at a time."""
        return -(-self.channels // self.lanes)

    @property
    def addresses(self) -> int:
        """Addresses of a bank."""
        return self.places * self.groups

    @property
    def address_bits(self) -> int:
        """Width of an address."""
        return unsigned_bits(self.addresses - 1)

    def place(self, neuron: npt.ArrayLike) -> tuple[Integers, Integers]:
        """Bank and address of neurons, int64 of their shape each."""
        at, channel = np.divmod(np.asarray(neuron, dtype=np.int64), self.channels)
        group, bank = np.divmod(channel, self.lanes)
        return bank, at * self.groups + group

    def neuron(self, bank: npt.ArrayLike, address: npt.ArrayLike) -> Integers:
        """The neurons at banks and addresses, -1 where none lives."""
        at, group = np.divmod(np.asarray(address, dtype=np.int64), self.groups)
        channel = group * self.lanes + np.asarray(bank, dtype=np.int64)
        return np.where(channel < self.channels, at * self.channels + channel, -1)
