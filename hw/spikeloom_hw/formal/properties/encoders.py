"""The encoders: each event once and in order, at any pace, and samples that are given up."""

from collections.abc import Sequence
from functools import reduce
from operator import or_

from amaranth.hdl import Array, Const, Mux, Signal, Value, ValueLike

from spikeloom_hw.encoders import DeltaEncoder, Encoder, LatencyEncoder
from spikeloom_hw.formal.bench import Bench
from spikeloom_hw.formal.proof import Proof

_VALUES, _STEPS, _LEVEL = 2, 2, 100
_LATENCY_QUIET = _VALUES + 5
_DELTA_QUIET = 3


class _Told:
    """What an encoder has to tell, by :func:`spikeloom_hw.encoders.members.encoder_members`."""

    def __init__(self, bench: Bench, dut: Encoder, address_bits: int) -> None:
        self.bench, self.dut = bench, dut
        self.step = 1 << address_bits
        self.last = self.step | self.step << 1
        bench.add(dut)
        bench.drive(dut.frames, "frames")
        bench.take(dut.events, "events")
        self.abort = bench.any(name="abort")
        bench.m.d.comb += dut.abort.eq(self.abort)
        self.taken = dut.frames.valid & dut.frames.ready

    def follow(
        self, slots: Sequence[ValueLike], *, complete: Value, due: Value, count: Signal, quiet: int
    ) -> None:
        """Prove that just the events come that are due.

        Args:
            slots: payloads of events, in their order.
            complete: the value that is taken in this cycle makes the events ``due`` known.
            due: a bit for each of ``slots``.
            count: values of the sample that have been taken before, back at 0 with its last one.
            quiet: most cycles without an event while one is due.
        """
        bench, dut, m = self.bench, self.dut, self.bench.m
        valid, event = dut.events.valid, Value.cast(dut.events.payload)
        left = Signal(len(slots))
        begun, ending = Signal(), Signal()
        shown = valid & ~bench.before(valid & ~dut.events.ready)
        lowest = Signal.like(left)
        rest = Signal.like(left)
        going = Signal()
        m.d.comb += [
            lowest.eq(left & (~left + 1)),
            rest.eq(Mux(shown, left & ~lowest, left)),
            going.eq((begun | shown) & ~(shown & (event == self.last))),
        ]
        matches = (lowest[at] & (event == slot) for at, slot in enumerate(slots))
        right = Mux(ending, event == self.last, reduce(or_, matches))
        bench.prove(bench.lawful(dut.events))
        bench.prove(~shown | right)
        bench.prove(~(self.taken & (self.abort | (ending & going) | rest.any())))

        m.d.sync += [left.eq(rest), begun.eq(going), ending.eq(ending & going)]
        with m.If(complete):
            m.d.sync += left.eq(due)
        with m.If(self.abort):
            m.d.sync += [left.eq(0), ending.eq(going), count.eq(0)]

        # Nothing is kept back, and it is told that something is to come.
        silent = Signal(range(quiet + 2))
        coming = left.any() | ending
        m.d.sync += silent.eq(Mux(coming & ~valid & ~self.abort, silent + 1, 0))
        bench.prove(silent <= quiet)
        bench.prove(dut.sending | ~(coming | valid))
        bench.prove(dut.busy | ~(coming | valid | begun | (count != 0)))
        bench.cover(shown & ending & (event == self.last))
        bench.cover(shown & ~ending & (event == self.last) & (lowest == 1 << len(slots) - 1))


def latency(bench: Bench) -> None:
    """A frame of two values in two steps."""
    m = bench.m
    dut = LatencyEncoder(values=_VALUES, time_steps=_STEPS, threshold=_LEVEL, address_bits=1)
    told = _Told(bench, dut, 1)
    value = dut.frames.payload
    count = Signal(range(_VALUES))
    earlier = Array(Signal(8, name=f"value_{place}") for place in range(_VALUES - 1))
    with m.If(told.taken):
        m.d.sync += [earlier[count].eq(value), count.eq(count + 1)]
    complete = told.taken & (count == _VALUES - 1)
    due: list[Value] = []
    slots: list[int] = []
    for step in range(_STEPS):
        for place, own in enumerate([*earlier, value]):
            due.append((own >= _LEVEL) & ((255 - own) * _STEPS >> 8 == step))
            slots.append(place)
        due.append(Const(1))
        slots.append(told.last if step == _STEPS - 1 else told.step)
    flags = reduce(or_, (bit.bool() << at for at, bit in enumerate(due)))
    told.follow(slots, complete=complete, due=flags, count=count, quiet=_LATENCY_QUIET)


def delta(bench: Bench) -> None:
    """Two frames of two channels."""
    m = bench.m
    dut = DeltaEncoder(channels=_VALUES, time_steps=_STEPS, delta=_LEVEL, address_bits=2)
    told = _Told(bench, dut, 2)
    value = dut.frames.payload
    count = Signal(range(_VALUES * _STEPS))
    channel = count % _VALUES
    references = Array(Signal(8, name=f"reference_{place}") for place in range(_VALUES))
    reference = Mux(count < _VALUES, 0, references[channel])
    rises, falls = value >= reference + _LEVEL, value + _LEVEL <= reference
    address, last = Signal(2), Signal()
    with m.If(told.taken):
        m.d.sync += [
            count.eq(count + 1),
            references[channel].eq(Mux(rises | falls, value, reference)),
            address.eq(2 * channel + falls),
            last.eq(count == _VALUES * _STEPS - 1),
        ]
    due = (rises | falls) | (channel == _VALUES - 1) << 1
    slots = [address, Mux(last, told.last, told.step)]
    told.follow(slots, complete=told.taken, due=due, count=count, quiet=_DELTA_QUIET)


_SENTENCE = (
    "The events are those of the encoding, each once and in order, at any pace of both sides; one "
    "that is offered stays; an abort at any time ends the sample with STEP(last) if an event of it "
    "has been offered, and without any event if not; nothing that is due is kept back."
)

PROOFS = (
    Proof(
        name="encoder.latency",
        sentence=_SENTENCE,
        size="2 values in 2 steps",
        mode="bounded",
        depth=14,
        reach=16,
        build=latency,
    ),
    Proof(
        name="encoder.delta",
        sentence=_SENTENCE,
        size="2 channels in 2 steps",
        mode="bounded",
        depth=14,
        reach=21,
        build=delta,
    ),
)
