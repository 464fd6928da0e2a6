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

Who offers events and takes scores may pause (:class:`Pace`); then the same recurrence holds from
the cycles in which they do. A layer that waits for its neurons' update, and an update that waits
for room, are stalls, which the chip counts.

The spikes of a layer wait in its queue, are sent one a cycle, and so are offered to the next layer,
whose pace in turn holds up the queue. Co-simulation checks the result against the RTL.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt

from spikeloom.arithmetic import DecayLeak, Leak
from spikeloom.image import NetworkImage
from spikeloom.packing import SynapseWords
from spikeloom.reference.simulate import Trace

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


@dataclass(frozen=True, kw_only=True, eq=False)
class Run:
    """When a core does what on S samples of T steps; cycles are those of the clock.

    Attributes:
        starts: int64 ``[S]``, takes a sample's first event.
        results: int64 ``[S]``, first offers a sample's last score.
        shown: for each layer int64 ``[S, T]``, shows the first group of neurons after a step; the
            others follow, one a cycle.
        stalls: int64 ``[S, layers, 2]``: how many cycles what comes next waits for the neurons'
            update, and how many of those the update itself waits for room behind it.
        end: takes the last score of all.
    """

    starts: npt.NDArray[np.int64]
    results: npt.NDArray[np.int64]
    shown: tuple[npt.NDArray[np.int64], ...]
    stalls: npt.NDArray[np.int64]
    end: int

    def part(self, samples: slice) -> Self:
        """Some of the samples."""
        return replace(
            self,
            starts=self.starts[samples],
            results=self.results[samples],
            shown=tuple(own[samples] for own in self.shown),
            stalls=self.stalls[samples],
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Timing:
    """When the samples of a trace are done.

    Attributes:
        alone: each sample has the core for itself; its first event is taken in cycle 1.
        together: samples back to back; the first event of all is taken in cycle 1.
    """

    alone: Run
    together: Run

    @property
    def latency(self) -> npt.NDArray[np.int64]:
        """Int64 ``[S]``, cycles of a sample that has the core for itself.

        From the one that takes its first event to the one that first offers its last score, both
        counted.
        """
        return self.alone.results

    @property
    def results(self) -> npt.NDArray[np.int64]:
        """Int64 ``[S]``, with samples back to back: the cycle that first offers each last score."""
        return self.together.results


class Pace(Protocol):
    """How readily events come and scores go."""

    def offered(self, now: int) -> int:
        """The cycle that first offers an event which could be offered from ``now`` on."""
        ...

    def taken(self, offered: int) -> int:
        """The cycle that takes a score which is offered from ``offered`` on."""
        ...


class FullRate:
    """Neither side ever pauses."""

    def offered(self, now: int) -> int:
        """At once."""
        return now

    def taken(self, offered: int) -> int:
        """At once."""
        return offered


FULL_RATE = FullRate()


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
    core = CycleModel(image=image, packed=packed, overlapped=overlapped or [False] * len(packed))
    samples = range(len(trace.events))
    alone = [core.run(trace, samples=[sample]) for sample in samples]
    return Timing(alone=_joined(alone, core), together=core.run(trace))


def _joined(runs: Sequence[Run], core: "CycleModel") -> Run:
    layers = len(core.packed)
    if not runs:
        return Run(
            starts=np.zeros(0, dtype=np.int64),
            results=np.zeros(0, dtype=np.int64),
            shown=(np.zeros((0, core.image.time_steps), dtype=np.int64),) * layers,
            stalls=np.zeros((0, layers, 2), dtype=np.int64),
            end=0,
        )
    return Run(
        starts=np.concatenate([run.starts for run in runs]),
        results=np.concatenate([run.results for run in runs]),
        shown=tuple(np.concatenate([run.shown[at] for run in runs]) for at in range(layers)),
        stalls=np.concatenate([run.stalls for run in runs]),
        end=runs[-1].end,
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class CycleModel:
    """A core, as far as its cycles go.

    Attributes:
        image: the network.
        packed: its layers, as the core reads them.
        overlapped: of each layer, whether its sums stand apart from its membranes.
    """

    image: NetworkImage
    packed: Sequence[SynapseWords]
    overlapped: Sequence[bool]

    def run(
        self,
        trace: Trace,
        *,
        samples: Sequence[int] | None = None,
        steps: Iterable[Sequence[int]] | None = None,
        pace: Pace = FULL_RATE,
        start: int = 0,
    ) -> Run:
        """Runs samples back to back on a core that is idle.

        Args:
            trace: what the network does.
            samples: which of its samples; all if not given.
            steps: the addresses of each of their steps, in the order in which they come; ascending
                if not given.
            pace: of events and scores.
            start: the cycle before the one in which the first event can be offered.
        """
        chosen = range(len(trace.events)) if samples is None else samples
        readout = _Readout(neurons=self.image.outputs, pace=pace)
        consumer: _Queue | _Readout = readout
        chain: list[_Layer] = []
        for number in reversed(range(len(self.packed))):
            layer = _Layer(
                words=self.packed[number],
                leak=self.image.layers[number].leak,
                overlapped=self.overlapped[number],
                spikes=_steps(trace.spikes[number], chosen),
                consumer=consumer,
            )
            chain.insert(0, layer)
            consumer = _Queue(words=self.packed[number - 1], following=layer)
        first, per_sample = chain[0], self.image.time_steps
        now = start + 1
        starts = []
        for number, addresses in enumerate(steps or _steps(trace.events, chosen)):
            step = number % per_sample
            taken = []
            for address in addresses:
                taken.append(first.take_spike(pace.offered(now), address))
                now = taken[-1] + 1
            taken.append(first.take_step(pace.offered(now), last=step == per_sample - 1))
            now = taken[-1] + 1
            if step == 0:
                starts.append(taken[0])
        shape = len(chosen), per_sample
        stalls = [np.array(layer.stalls).reshape(*shape, 2).sum(axis=1) for layer in chain]
        return Run(
            starts=np.array(starts, dtype=np.int64),
            results=np.array(readout.done, dtype=np.int64),
            shown=tuple(np.array(own.shown, dtype=np.int64).reshape(shape) for own in chain),
            stalls=np.stack(stalls, axis=1).astype(np.int64),
            end=readout.free - 1,
        )


def _steps(spikes: npt.NDArray[np.bool_], samples: Sequence[int]) -> Iterator[list[int]]:
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
        self.walkable = 0
        self.started = 0
        self.updated = 0
        self.stalls: list[tuple[int, int]] = []
        self.shown: list[int] = []

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
        if self.overlapped:
            # This STEP stalls, from the cycle in which all before it is read.
            stalled = max(taken + 2, self.handed + 1, self.memory_free + 1)
            self._stall(stalled)
            self.memory_free = max(self.memory_free, self.updated)
        self._hand_over(taken)
        self.walkable = self.handed + STEP_TO_WALK
        self.started = max(self.walkable, self.consumer.free)
        self.updated = self.started + self.groups + self.resume
        self.memory_free = self.handed + 1 if self.overlapped else self.updated
        if not self.overlapped:
            self._stall(self.handed + 2)
        begun = self.started + self.overlapped
        self.shown.append(begun + GROUP_LATENCY)
        self.consumer.walk(begun, self.groups, next(self.spikes), last=last)
        return taken

    def _stall(self, first: int) -> None:
        """Counts what waits for the update under way from the cycle ``first`` on."""
        waiting = max(0, self.updated - first)
        blocked = max(0, self.started - max(self.walkable, first))
        self.stalls.append((waiting, blocked))

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

    def __init__(self, *, neurons: int, pace: Pace) -> None:
        self.neurons = neurons
        self.pace = pace
        self.free = 0
        self.done: list[int] = []

    def walk(self, start: int, groups: int, _spikes: list[int], *, last: bool) -> None:
        """Tells the scores after the walk of a sample's last step."""
        if last:
            offered = start + groups + WALK_TO_SCORE
            for _ in range(self.neurons - 1):
                offered = self.pace.taken(offered) + 1
            self.done.append(offered)
            self.free = self.pace.taken(offered) + 1
