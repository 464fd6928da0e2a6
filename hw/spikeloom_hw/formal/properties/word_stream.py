"""From rows to words: each word once, in order, none of a later step before the update."""

from functools import partial

from amaranth.hdl import Array, Const, Signal, Value

from spikeloom_hw.core.word_stream import WordStream, weight_words
from spikeloom_hw.formal.bench import Bench
from spikeloom_hw.formal.proof import Proof
from spikeloom_hw.formal.small import small_layer


def _stream(bench: Bench, *, overlapped: bool) -> None:
    m = bench.m
    small = small_layer([[1, 2, 3], [3, 2, 0], [0, 1, 2]], lanes=1, overlapped=overlapped)
    params = small.params
    dut = WordStream(params, small.contents)
    inside = bench.add(dut)
    bench.drive(dut.rows, "rows")
    row, word = dut.rows.payload, dut.words.payload
    bench.assume(row.step | ((row.count != 0) & (row.base + row.count <= params.words)))
    taken = dut.rows.valid & dut.rows.ready

    # An update is owed from the moment a STEP leaves; only then can there be a resume.
    resume = bench.any(name="resume")
    m.d.comb += dut.resume.eq(resume)
    owed = Signal()
    bench.assume(~resume | owed)
    with m.If(dut.words.valid & word.step):
        m.d.sync += owed.eq(1)
    with m.Elif(resume):
        m.d.sync += owed.eq(0)

    # Naively: a row is read from the cycle after it is taken, and a word leaves two later.
    left = Signal(params.row_word_bits)
    at = Signal(range(params.words + 1))
    block = Signal(params.block_bits)
    first, step, last = Signal(), Signal(), Signal()
    m.d.sync += [first.eq(0), step.eq(0)]
    with m.If(left != 0):
        m.d.sync += [left.eq(left - 1), at.eq(at + 1), block.eq(block + 1)]
    with m.If(taken & row.step):
        m.d.sync += [step.eq(1), last.eq(row.last)]
    with m.Elif(taken):
        m.d.sync += [left.eq(row.count), at.eq(row.base), first.eq(1), block.eq(0)]
    reads = (left != 0) | step
    bench.prove(~taken | (left <= 1))

    def later(value: Value, cycles: int = 2) -> Value:
        for _ in range(cycles):
            value = bench.before(value)
        return value

    words = Array(Const(value, params.word_bits) for value in weight_words(params, small.contents))
    bench.prove(dut.words.valid == later(reads))
    with m.If(dut.words.valid):
        bench.prove(word.step == later(step))
        with m.If(word.step):
            bench.prove(word.last == later(last))
        with m.Else():
            bench.prove(word.first == later(first))
            bench.prove(word.block == later(block))
            bench.prove(Value.cast(word.slots) == words[later(at)])

    # From a STEP to the resume nothing is taken; in an overlapped layer, no further STEP.
    waiting = Signal()
    with m.If(taken & row.step):
        m.d.sync += waiting.eq(1)
    with m.Elif(resume):
        m.d.sync += waiting.eq(0)
    holds = row.step if overlapped else 1
    bench.prove(~(taken & waiting & holds))
    # A row waits for nothing else but the words of the row before it.
    bench.prove(dut.rows.ready | (left > 1) | (waiting & holds))
    # The next walk is at least five cycles behind the resume.
    walk = dut.words.valid & word.step
    recent = resume | later(resume, 1) | later(resume, 2) | later(resume, 3)
    bench.prove(~(walk & recent))

    # What makes it inductive.
    bench.prove(inside["remaining"] == left)
    bench.prove(inside["step"] == step)
    bench.prove((left == 0) | (inside["address"] == at))
    bench.prove((left == 0) | (at + left <= params.words))
    bench.prove((left == 0) | (inside["block"] == block))
    bench.prove((left == 0) | (inside["first"] == first))
    bench.prove(~step | (inside["last"] == last))
    bench.prove(waiting == (step | inside["updating"]))
    under_way = step | later(step, 1) | later(step, 2)
    bench.prove(waiting | ~(owed | under_way))
    bench.prove(~waiting | (owed + step + later(step, 1) + later(step, 2) == 1))
    bench.prove(~(left != 0) | ~step)
    bench.cover(dut.words.valid & ~word.step & ~word.first)
    bench.cover(walk & word.last)
    bench.cover(later(resume, 1) & taken & ~row.step)


PROOFS = tuple(
    Proof(
        name=f"word_stream.{name}",
        sentence="The words of each row leave once and in order, the STEP behind them; from a "
        f"STEP to the end of its update {held} is taken; a row waits for nothing else.",
        size=f"3 rows of 2 or 3 words, {name}",
        mode="induction",
        depth=6,
        reach=12,
        build=partial(_stream, overlapped=overlapped),
    )
    for name, overlapped, held in (
        ("in_place", False, "nothing"),
        ("overlapped", True, "no further STEP"),
    )
)
