"""Where a population lies in an engine: its states in the banks, its spikes in a map.

A map is read line by line: a line is a row of places for one group of channels, a word for each
place, a bit for each lane. A list of neurons is one line of places with a group each, so that a
summary word tells of many of its neurons.

```
 neuron (y, x, channel) ─► group = channel div L, lane = channel mod L
     map word   (group·height + y)·width + x                     bit: lane
     state      (y·(width + halo) + halo + x)·groups + group      bank: lane
```

The halo is columns between the lines that nobody reads: what the line of a kernel adds beyond the
border of the map ends up there.
"""

from dataclasses import dataclass
from math import prod

import numpy as np

from spikeloom.connections import Shape
from spikeloom.neurons import Integers
from spikeloom.packing.bank_map import BankMap
from spikeloom_hw.engine.params import LINE_WORDS


@dataclass(frozen=True, kw_only=True)
class Placement:
    """The geometry of a population in an engine of `lanes` lanes.

    Attributes:
        shape: of the population.
        lanes: L.
        halo: columns beside each line of states.
    """

    shape: Shape
    lanes: int
    halo: int = 0

    @property
    def listed(self) -> bool:
        """Whether it is a list of neurons and no map."""
        return len(self.shape) == 1

    @property
    def _banks(self) -> BankMap:
        return BankMap(shape=self.shape, lanes=self.lanes)

    @property
    def groups(self) -> int:
        """Words of a place."""
        return 1 if self.listed else self._banks.groups

    @property
    def height(self) -> int:
        """Lines of a group."""
        return 1 if self.listed else self.shape[0]

    @property
    def width(self) -> int:
        """Words of a line."""
        return self._banks.groups if self.listed else self.shape[1]

    @property
    def channels(self) -> int:
        """Neurons of a place of the map, or of the list."""
        return self.shape[-1]

    @property
    def last_lanes(self) -> int:
        """Neurons in the last word of a place, or of the list."""
        return (self.channels - 1) % self.lanes + 1

    @property
    def neurons(self) -> int:
        """Of all places."""
        return prod(self.shape)

    @property
    def words(self) -> int:
        """Map words of a plane."""
        return self.groups * self.height * self.width

    @property
    def chunks(self) -> int:
        """Summary words of a line."""
        return -(-self.width // LINE_WORDS)

    @property
    def summaries(self) -> int:
        """Summary words of a plane."""
        return self.groups * self.height * self.chunks

    @property
    def place_pitch(self) -> int:
        """States from one place to the next."""
        return self.groups

    @property
    def line_pitch(self) -> int:
        """States from one line to the next."""
        return (self.width + self.halo) * self.groups

    @property
    def first_state(self) -> int:
        """States before that of the first neuron."""
        return self.halo * self.groups

    @property
    def states(self) -> int:
        """States of a bank, the halo among them."""
        return self.height * self.line_pitch + self.first_state

    def coordinates(self, neuron: Integers) -> tuple[Integers, Integers, Integers, Integers]:
        """Line, place, group and lane of neurons."""
        neuron = np.asarray(neuron, dtype=np.int64)
        if self.listed:
            x, lane = np.divmod(neuron, self.lanes)
            return np.zeros_like(x), x, np.zeros_like(x), lane
        place, channel = np.divmod(neuron, self.channels)
        y, x = np.divmod(place, self.width)
        group, lane = np.divmod(channel, self.lanes)
        return y, x, group, lane

    def word(self, neuron: Integers) -> tuple[Integers, Integers]:
        """Map word of a plane, and lane, of neurons."""
        y, x, group, lane = self.coordinates(neuron)
        return (group * self.height + y) * self.width + x, lane

    def summary(self, neuron: Integers) -> tuple[Integers, Integers]:
        """Summary word of a plane, and bit, of neurons."""
        y, x, group, _ = self.coordinates(neuron)
        chunk, bit = np.divmod(x, LINE_WORDS)
        return (group * self.height + y) * self.chunks + chunk, bit

    def state(self, neuron: Integers) -> tuple[Integers, Integers]:
        """State and bank of neurons, counted from the first neuron's."""
        y, x, group, lane = self.coordinates(neuron)
        return y * self.line_pitch + x * self.place_pitch + group, lane

    @property
    def in_order(self) -> Integers:
        """int64 `[words, lanes]`: the neurons in the order of an update; -1 where none is."""
        order = np.full((self.words, self.lanes), -1, dtype=np.int64)
        neurons = np.arange(self.neurons)
        order[self.word(neurons)] = neurons
        return order
