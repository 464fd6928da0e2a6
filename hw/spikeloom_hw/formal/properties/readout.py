"""Scores are what the last step left, in order, and the class is the first of the highest."""

from functools import partial

from amaranth.hdl import Array, Mux, Signal, signed
from amaranth.lib import data

from spikeloom_hw.core.readout import Readout
from spikeloom_hw.formal.bench import Bench
from spikeloom_hw.formal.proof import Proof
from spikeloom_hw.formal.small import small_layer
from spikeloom_hw.formal.walks import Walks

_SCORE_BITS = 3


def scores(bench: Bench, *, count: bool) -> None:
    """Every score, the class, and the rules of streams."""
    m = bench.m
    params = small_layer([[1] * 3] * 2, lanes=2, spiking=count, membrane_bits=_SCORE_BITS).params
    neurons, lanes = params.neurons, params.lanes
    dut = Readout(params, count=count, score_bits=_SCORE_BITS, label_bits=params.spike_bits)
    inside = bench.add(dut)
    bench.take(dut.scores, "scores")
    walks = Walks(bench, dut.groups, params, may_begin=~dut.busy)
    # None comes while scores are told: proved for the update (`chain.readout`).
    bench.assume(~(dut.groups.valid & dut.busy))
    group, score = dut.groups.payload, dut.scores.payload
    told = dut.scores.valid & dut.scores.ready
    bench.prove(bench.lawful(dut.scores))

    # Naively: a score for each neuron, and the number of those that have been told.
    kept = [Signal(signed(_SCORE_BITS), name=f"kept_{n}") for n in range(neurons)]
    fresh = Signal(init=1)
    for number, own in enumerate(kept):
        at, lane = divmod(number, lanes)
        with m.If(dut.groups.valid & (group.group == at)):
            if count:
                m.d.sync += own.eq(Mux(fresh, 0, own) + group.spikes[lane])
            else:
                m.d.sync += own.eq(group.membranes[lane])
    ends = dut.groups.valid & group.end
    with m.If(ends):
        m.d.sync += fresh.eq(group.last)
    telling = Signal()
    next_one = Signal(range(neurons))
    with m.If(ends & group.last):
        m.d.sync += telling.eq(1)
    with m.If(told):
        m.d.sync += next_one.eq(next_one + 1)
        with m.If(next_one == neurons - 1):
            m.d.sync += [next_one.eq(0), telling.eq(0)]

    bench.prove(~dut.scores.valid | telling)
    with m.If(told):
        bench.prove(score.value == Array(kept)[next_one])
        bench.prove(score.last == (next_one == neurons - 1))
        for number, own in enumerate(kept):
            with m.If(number <= next_one):
                best = Array(kept)[score.best]
                bench.prove((best > own) | ((best == own) & (score.best <= number)))

    # What makes it inductive: where the scores are on their way out.
    writing, held, asking = inside["writing"], inside["held"], inside["asking"]
    passing = bench.before(group.group)
    valid = dut.scores.valid
    shape = data.ArrayLayout(signed(_SCORE_BITS), lanes)
    words = [data.View(shape, word) for word in inside.memory("kept")]
    for number, own in enumerate(kept):
        at, lane = divmod(number, lanes)
        late = writing & (passing == at)
        bench.prove(late | (words[at][lane] == own))
        with m.If(late):
            bench.prove(inside["write__data"].word_select(lane, _SCORE_BITS) == own.as_unsigned())
    arriving = bench.before(ends & group.last)
    bench.prove(writing == bench.before(dut.groups.valid))
    bench.prove(telling == (arriving | asking | held | valid))
    bench.prove(~arriving | ~(asking | held | valid))
    bench.prove(~(writing & ~arriving) | ~telling)
    bench.prove(inside["fresh"] == Mux(bench.before(ends), bench.before(fresh), fresh))
    ahead = Signal(range(neurons + 3))
    m.d.comb += ahead.eq(next_one + valid + held)
    bench.prove((next_one < neurons) & (ahead <= neurons))
    bench.prove(telling | (next_one == 0))
    with m.If(telling & ~arriving):
        bench.prove(asking == (ahead != neurons))
        bench.prove(inside["neuron"] == Mux(asking, ahead, 0))
    with m.Else():
        bench.prove(inside["neuron"] == 0)
    with m.If(valid):
        bench.prove(inside["telling"] == next_one)
        bench.prove(inside["value"] == Array(kept)[next_one])
    with m.If(held):
        bench.prove(inside["told"] == next_one + valid)
        now = Array(word.as_value() for word in words)
        bench.prove(inside["kept.read__data"] == now[inside["told"] >> params.lane_bits])
    with m.If(next_one != 0):
        bench.prove(inside["best"] < next_one)
        bench.prove(inside["best_value"] == Array(kept)[inside["best"]])
        for number, own in enumerate(kept):
            with m.If(number < next_one):
                highest = inside["best_value"]
                first = (highest == own) & (inside["best"] <= number)
                bench.prove((highest > own) | first)
    bench.prove(~walks.under_way | ~dut.busy)
    bench.cover(told & score.last & (score.best == 1) & (score.value == Array(kept)[1]))
    bench.cover(told & score.last & (score.best == 2))


PROOFS = tuple(
    Proof(
        name=f"readout.{name}",
        sentence=f"The scores are {what}, one for each neuron in order; the class is the first "
        "of the highest; a score that is offered stays until it is taken.",
        size="3 neurons, 2 lanes, scores of 3 bits",
        mode="induction",
        depth=3,
        reach=16,
        build=partial(scores, count=count),
    )
    for name, count, what in (
        ("membrane", False, "the membranes after the last step"),
        ("count", True, "the numbers of spikes"),
    )
)
