"""The queue between two layers: order, exactness, bounds."""

from amaranth.hdl import Array, Const, Mux, Signal, Value
from amaranth.lib import data

from spikeloom_hw.core.layouts import SpikesLayout
from spikeloom_hw.core.params import LayerParams
from spikeloom_hw.core.spike_queue import SpikeQueue
from spikeloom_hw.formal.bench import Bench, Inside
from spikeloom_hw.formal.proof import Proof
from spikeloom_hw.formal.small import small_layer
from spikeloom_hw.formal.walks import Walks

_SIZE = "5 neurons, 2 lanes, room for 4 groups"


def _params() -> LayerParams:
    return small_layer([[1] * 5] * 2, lanes=2).params


class _Walked:
    """A queue that gets groups as ``NeuronUpdate`` sends them."""

    def __init__(self, bench: Bench) -> None:
        self.params = _params()
        self.dut = SpikeQueue(self.params)
        self.inside: Inside = bench.add(self.dut)
        bench.take(self.dut.events, "events")
        self.walks = Walks(bench, self.dut.groups, self.params, may_begin=~self.dut.full)


def lawful(bench: Bench) -> None:
    """Rules of streams."""
    dut = SpikeQueue(_params())
    bench.add(dut)
    bench.drive(dut.groups, "groups", lawful=False)
    bench.take(dut.events, "events")
    bench.prove(bench.lawful(dut.events))
    bench.cover(bench.before(dut.events.valid & ~dut.events.ready) & dut.events.ready)


def bounds(bench: Bench) -> None:
    """No entry too many, none from an empty queue."""
    queue = _Walked(bench)
    depth = queue.params.queue_depth
    group = queue.dut.groups
    push = group.valid & (group.payload.spikes.any() | group.payload.end)
    stored, oldest = queue.inside["stored"], queue.inside["oldest"]
    fetched = bench.before(oldest) != oldest
    bench.prove(~push | (stored < depth))
    bench.prove(~fetched | (bench.before(stored) != 0))
    _room(bench, queue)
    bench.cover(stored == depth)
    bench.cover(queue.dut.full & ~queue.walks.under_way)


def order(bench: Bench) -> None:
    """Groups leave in the order in which they came; of each, its spikes and then its STEP."""
    m = bench.m
    queue = _Walked(bench)
    params, dut, inside = queue.params, queue.dut, queue.inside
    group, event = dut.groups.payload, dut.events.payload
    lanes, lane_bits, depth = params.lanes, params.lane_bits, params.queue_depth
    layout = SpikesLayout(params)
    push = dut.groups.valid & (group.spikes.any() | group.end)
    stored, oldest, shown, held = (inside[n] for n in ("stored", "oldest", "shown", "held"))
    sending = data.View(layout, inside["sending"])
    _room(bench, queue)

    # Any one of the groups that take a place is watched: what it is, and how many are before it.
    chosen = bench.any(name="chosen")
    watched = Signal()
    before = Signal(range(depth + 3))
    watch = Signal(layout)
    rest = Signal(lanes)
    sent = dut.events.valid & dut.events.ready
    only_one = ~(sending.spikes & (sending.spikes - 1)).any()
    leaves = sent & Mux(sending.end, event.step, only_one)
    waiting = stored + shown + held
    with m.If(push & chosen & ~watched):
        m.d.sync += [
            watched.eq(1),
            before.eq(waiting - leaves),
            watch.group.eq(group.group),
            watch.spikes.eq(group.spikes),
            watch.end.eq(group.end),
            watch.last.eq(group.last),
            rest.eq(group.spikes),
        ]
    with m.Elif(watched & leaves & (before != 0)):
        m.d.sync += before.eq(before - 1)

    # While it is its turn: the lowest spike that is left, then the STEP.
    lowest = Signal(lanes)
    m.d.comb += lowest.eq(rest & (~rest + 1))
    mine = watched & (before == 0) & sent
    with m.If(mine & rest.any()):
        bench.prove(~event.step & ~event.last)
        bench.prove(event.address >> lane_bits == watch.group)
        bench.prove(Const(1) << event.address[:lane_bits] == lowest)
        m.d.sync += rest.eq(rest & ~lowest)
        with m.If((rest == lowest) & ~watch.end):
            m.d.sync += watched.eq(0)
    with m.Elif(mine):
        bench.prove(watch.end & event.step & (event.last == watch.last))
        m.d.sync += watched.eq(0)

    # What makes it inductive: where the watched group lies.
    words = Array(inside.memory("queue"))
    own = Value.cast(watch)
    place = oldest + before - held - shown
    at = Mux(place >= depth, place - depth, place)
    bench.prove(~watched | (before < waiting))
    with m.If(watched & (before < held)):
        bench.prove((sending.spikes == rest) & (sending.group == watch.group))
        bench.prove((sending.end == watch.end) & (sending.last == watch.last))
        bench.prove(rest.any() | watch.end)
    with m.Elif(watched & (before < held + shown)):
        bench.prove(inside["queue.read__data"] == own)
    with m.Elif(watched):
        bench.prove(words[at] == own)
    with m.If(watched & (before >= held)):
        bench.prove((rest == watch.spikes) & (rest.any() | watch.end))
    bench.cover(mine & event.step & event.last & watch.spikes.any())
    bench.cover(mine & (watch.spikes == 3) & (waiting > 1))


def _room(bench: Bench, queue: _Walked) -> None:
    """What makes bounds inductive: a walk under way has room for what is to come."""
    depth, groups = queue.params.queue_depth, queue.params.groups
    stored, newest, oldest = (queue.inside[name] for name in ("stored", "newest", "oldest"))
    bench.prove(stored <= depth)
    bench.prove(~queue.walks.under_way | (stored + groups - queue.walks.place <= depth))
    bench.prove((newest < depth) & (oldest < depth) & (queue.walks.place < groups))
    bench.prove((oldest + stored == newest) | (oldest + stored == newest + depth))
    bench.prove((stored != depth) | (newest == oldest))


PROOFS = (
    Proof(
        name="spike_queue.stream",
        sentence="An event that the queue offers stays, unchanged, until it is taken.",
        size=_SIZE,
        mode="induction",
        depth=3,
        reach=10,
        build=lawful,
    ),
    Proof(
        name="spike_queue.bounds",
        sentence="The queue never holds more groups than it has room for, takes none when full "
        "and gives none when empty.",
        size=_SIZE,
        mode="induction",
        depth=3,
        reach=12,
        build=bounds,
    ),
    Proof(
        name="spike_queue.order",
        sentence="The spikes of each group are sent once, lowest lane first, then the STEP if the "
        "group ends a step; groups in the order in which they came; nothing else.",
        size=_SIZE,
        mode="induction",
        depth=2,
        reach=12,
        build=order,
    ),
)
