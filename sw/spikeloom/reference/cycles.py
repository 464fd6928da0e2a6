"""How many cycles the core takes: exact, from the events alone, without simulating a register.

Every part of the core serves in order, so time is a max-plus recurrence over events: a thing
happens one cycle after the thing before it, or when what it waits for is there, whichever is
later. With ``e`` the cycle in which a layer takes an event, ``f`` the one in which its pointer is
there, and ``h`` the one in which its row is handed to the weight memory::

    e = max(offered, f of the row before)
    f = max(e + 1, h of the last row that had words)
    h = max(f + 1, weight memory free)                 an empty row: never
    row of k words      memory free again at h + k
    STEP                walk starts at s = max(h + 5, room for its groups)
                        memory free again at s + groups + update latency - 4
                        group g shows its spikes at s + g + 3

A layer whose sums stand apart from its membranes takes rows again at h + 1 of a STEP; the next
STEP is handed over at s + groups + update latency - 4 at the earliest, and spikes show a cycle
later.

The spikes of a layer wait in its queue, are sent one a cycle, and so are offered to the next layer,
whose pace in turn holds up the queue. Co-simulation checks the result against the RTL.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import numpy.typing as npt

from spikeloom.arithmetic import DecayLeak, Leak
from spikeloom.image import NetworkImage
from spikeloom.packing import SynapseWords
from spikeloom.reference.simulate import Spikes, Trace

# In cycles; the gateware's docstrings say where each comes from.
STEP_TO_WALK = 5
GROUP_LATENCY = 3
WALK_TO_SCORE = 6


def update_latency(leak: Leak) -> int:
    """Cycles from a group's address to the one in which its next potential is written."""
    return 5 if isinstance(leak, DecayLeak) else 4


def queue_depth(groups: int) -> int:
    """Groups that can wait between two layers: what the smallest block RAM holds, or two steps."""
    return max(256, 2 * groups)


def resume_stage(leak: Leak) -> int:
    """Cycles from a walk's last address to the one in which its layer is told to go on."""
    return update_latency(leak) - 4


@dataclass(frozen=True, kw_only=True)
class Timing:
    """When the samples of a trace are done.

    Attributes:
        latency: int64 ``[S]``, cycles of a sample that has the core for itself: from the cycle
            that takes its first event to the one that first offers its last score, both counted.
        results: int64 ``[S]``, with samples back to back: the cycle that first offers each last
            score, where the first event of all is taken in cycle 1.
    """

    latency: npt.NDArray[np.int64]
    results: npt.NDArray[np.int64]


def cycle_times(
    image: NetworkImage,
    trace: Trace,
    packed: Sequence[SynapseWords],
    *,
    overlapped: Sequence[bool] | None = None,
) -> Timing:
    """The cycles that a core takes for every sample, when its layers are packed as ``packed``.

    Events of a step are taken to arrive in ascending order, one in every cycle that has room.

    Args:
        image: the network.
        trace: what it does.
        packed: its layers, as the core reads them.
        overlapped: of each layer, whether its sums stand apart from its membranes; none do if
            not given.
    """
    samples = range(len(trace.events))
    apart = overlapped or [False] * len(packed)
    return Timing(
        latency=np.array(
            [_results(image, packed, apart, trace, [sample])[0] for sample in samples],
            dtype=np.int64,
        ),
        results=np.array(_results(image, packed, apart, trace, samples), dtype=np.int64),
    )


def _results(
    image: NetworkImage,
    packed: Sequence[SynapseWords],
    overlapped: Sequence[bool],
    trace: Trace,
    samples: Sequence[int],
) -> list[int]:
    """Runs ``samples`` back to back; the cycle of each last score, from 1."""
    readout = _Readout(neurons=image.outputs)
    consumer: _Queue | _Readout = readout
    chain: list[_Layer] = []
    for number in reversed(range(len(packed))):
        layer = _Layer(
            words=packed[number],
            leak=image.layers[number].leak,
            overlapped=overlapped[number],
            spikes=_steps(trace.spikes[number], samples),
            consumer=consumer,
        )
        chain.append(layer)
        consumer = _Queue(words=packed[number - 1], following=layer)
    first = chain[-1]
    now = 1
    for sample in samples:
        for step in range(image.time_steps):
            last = step == image.time_steps - 1
            for address in np.flatnonzero(trace.events[sample, step]).tolist():
                now = first.take_spike(now, address) + 1
            now = first.take_step(now, last=last) + 1
    return readout.done


def _steps(spikes: Spikes, samples: Sequence[int]) -> Iterator[list[int]]:
    """The neurons that spike, for every step of every sample in order."""
    for sample in samples:
        for step in spikes[sample]:
            yield np.flatnonzero(step).tolist()


class _Layer:
    """RowFetch, WordStream and NeuronUpdate of one layer."""

    def __init__(
        self,
        *,
        words: SynapseWords,
        leak: Leak,
        overlapped: bool,
        spikes: Iterator[list[int]],
        consumer: "_Queue | _Readout",
    ) -> None:
        self.counts = words.count.tolist()
        self.groups = words.groups
        self.resume = resume_stage(leak)
        self.overlapped = overlapped
        self.spikes = spikes
        self.consumer = consumer
        self.fetch_free = 0
        self.handed = 0
        self.memory_free = 0
        self.updated = 0

    def take_spike(self, offered: int, address: int) -> int:
        """The cycle that takes the event offered from ``offered`` on."""
        taken = max(offered, self.fetch_free)
        count = self.counts[address]
        if count == 0:
            self.fetch_free = max(taken + 1, self.handed)
        else:
            self._hand_over(taken)
            self.memory_free = self.handed + count
        return taken

    def take_step(self, offered: int, *, last: bool) -> int:
        """The cycle that takes the STEP offered from ``offered`` on."""
        taken = max(offered, self.fetch_free)
        self.memory_free = max(self.memory_free, self.updated)
        self._hand_over(taken)
        start = max(self.handed + STEP_TO_WALK, self.consumer.free)
        self.updated = start + self.groups + self.resume
        self.memory_free = self.handed + 1 if self.overlapped else self.updated
        self.consumer.walk(start + self.overlapped, self.groups, next(self.spikes), last=last)
        return taken

    def _hand_over(self, taken: int) -> None:
        self.fetch_free = max(taken + 1, self.handed)
        self.handed = max(self.fetch_free + 1, self.memory_free)


class _Queue:
    """SpikeQueue, and the layer that it feeds."""

    def __init__(self, *, words: SynapseWords, following: _Layer) -> None:
        self.lanes = words.lanes
        self.following = following
        # With more groups stored than this, there is no room for a step.
        self.most = queue_depth(words.groups) - words.groups
        self.fetched: deque[int] = deque(maxlen=self.most + 1)
        self.popped = 0
        self.sent = 0

    @property
    def free(self) -> int:
        """The cycle from which on there is room for a step."""
        return self.fetched[0] + 1 if len(self.fetched) > self.most else 0

    def walk(self, start: int, groups: int, spikes: list[int], *, last: bool) -> None:
        """Queues the spikes of a walk that starts at ``start``, and sends them on."""
        entries = {group: list(own) for group, own in groupby(spikes, lambda n: n // self.lanes)}
        entries.setdefault(groups - 1, [])
        for group, addresses in entries.items():
            pushed = start + group + GROUP_LATENCY
            self.fetched.append(max(pushed + 1, self.popped))
            self.popped = max(self.fetched[-1] + 1, self.sent)
            offered = self.popped + 1
            for address in addresses:
                self.sent = self.following.take_spike(offered, address)
                offered = self.sent + 1
            if group == groups - 1:
                self.sent = self.following.take_step(offered, last=last)


class _Readout:
    """Readout: scores after the last step."""

    def __init__(self, *, neurons: int) -> None:
        self.neurons = neurons
        self.free = 0
        self.done: list[int] = []

    def walk(self, start: int, groups: int, spikes: list[int], *, last: bool) -> None:
        """Tells the scores after the walk of a sample's last step."""
        if last:
            first_score = start + groups + WALK_TO_SCORE
            self.free = first_score + self.neurons
            self.done.append(self.free - 1)
