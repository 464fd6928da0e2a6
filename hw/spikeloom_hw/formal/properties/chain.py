"""The update together with what takes its groups: no room is promised that is not there."""

from functools import partial

from amaranth.hdl import Signal, Value
from amaranth.lib import data, wiring

from spikeloom_hw.core.neuron_update import NeuronUpdate
from spikeloom_hw.core.readout import Readout
from spikeloom_hw.core.spike_queue import SpikeQueue
from spikeloom_hw.formal.bench import Bench, Inside
from spikeloom_hw.formal.proof import Proof
from spikeloom_hw.formal.small import SmallLayer, small_layer

_GAP = 5
"""Cycles from a resume to the next step at least: proved for the word stream."""


def _updates(bench: Bench, *, overlapped: bool) -> tuple[SmallLayer, NeuronUpdate, Inside]:
    """An update that is told of steps as soon and as late as a layer tells it."""
    m = bench.m
    small = small_layer([[1] * 3] * 2, lanes=2, overlapped=overlapped, membrane_bits=3)
    dut = NeuronUpdate(small.params, small.contents)
    inside = bench.add(dut, "update")
    bench.drive(dut.steps, "steps", lawful=False)
    for number in range(small.params.lanes):
        potential = bench.any(small.params.accumulator_bits, name=f"u_{number}")
        m.d.comb += Value.cast(dut.potentials[number]).eq(potential)
    busy = Signal()
    recent: Value = dut.resume
    past: Value = dut.resume
    for _ in range(_GAP - 1):
        past = bench.before(past)
        recent = recent | past
    bench.assume(~dut.steps.valid | ~(busy | recent))
    with m.If(dut.steps.valid):
        m.d.sync += busy.eq(1)
    with m.Elif(dut.resume):
        m.d.sync += busy.eq(0)
    walking, group = inside["walking"], inside["group"]
    bench.prove((group < small.params.groups) & (walking | (group == 0)))
    bench.prove(~walking | busy)
    return small, dut, inside


def _on_the_way(small: SmallLayer, inside: Inside) -> Value:
    """Groups that will still arrive of the walk under way."""
    layout = data.StructLayout({"valid": 1, "group": small.params.group_bits, "end": 1, "last": 1})
    shown = 3 + small.params.overlapped
    tokens = [data.View(layout, inside[f"stage_{n}"]).valid for n in range(1, shown + 1)]
    group = inside["group"]
    return sum(tokens[1:], tokens[0]) + (group != 0) * (small.params.groups - group)


def queue_has_room(bench: Bench, *, overlapped: bool) -> None:
    """Every group that spiked finds a place."""
    small, update, inside = _updates(bench, overlapped=overlapped)
    params = small.params
    queue = SpikeQueue(params)
    own = bench.add(queue, "queue")
    wiring.connect(bench.m, update.groups, queue.groups)
    bench.m.d.comb += update.blocked.eq(queue.full)
    bench.take(queue.events, "events")
    group = queue.groups.payload
    push = queue.groups.valid & (group.spikes.any() | group.end)
    stored, depth = own["stored"], params.queue_depth
    bench.prove(~push | (stored < depth))
    bench.prove(stored + _on_the_way(small, inside) <= depth)
    bench.cover(stored == depth)
    bench.cover(update.waiting)


def readout_is_free(bench: Bench, *, overlapped: bool) -> None:
    """No group arrives while scores are told."""
    small, update, _ = _updates(bench, overlapped=overlapped)
    params = small.params
    readout = Readout(params, count=False, score_bits=3, label_bits=params.spike_bits)
    bench.add(readout, "readout")
    wiring.connect(bench.m, update.groups, readout.groups)
    bench.m.d.comb += update.blocked.eq(readout.busy)
    bench.take(readout.scores, "scores")
    bench.prove(~(readout.groups.valid & readout.busy))
    bench.cover(update.waiting)
    bench.cover(bench.before(update.waiting) & ~update.waiting)


PROOFS = tuple(
    Proof(
        name=f"chain.{name}_{how}",
        sentence=sentence,
        size=f"3 neurons, 2 lanes, {how}",
        mode="induction",
        depth=14,
        reach=reach,
        build=partial(build, overlapped=overlapped),
    )
    for name, build, reach, sentence in (
        (
            "queue",
            queue_has_room,
            26,
            "A layer whose queue says that it has room never overflows it, with all that is "
            "between the two.",
        ),
        (
            "readout",
            readout_is_free,
            24,
            "No group of neurons reaches the readout while it tells scores.",
        ),
    )
    for how, overlapped in (("in_place", False), ("overlapped", True))
)
