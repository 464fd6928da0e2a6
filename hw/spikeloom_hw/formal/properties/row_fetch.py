"""From events to rows: each once, in order, and only what is empty is left out."""

from functools import partial
from typing import Any

from amaranth.hdl import Array, Const, Mux, Signal, Value

from spikeloom_hw.core.layouts import RowLayout
from spikeloom_hw.core.row_fetch import RowFetch, pointer_words
from spikeloom_hw.formal.bench import Bench
from spikeloom_hw.formal.proof import Proof
from spikeloom_hw.formal.small import SmallLayer, small_layer


def _small(pointer_rows: int) -> SmallLayer:
    # Two empty rows, and addresses up to 7 of which 5 and above are no rows.
    weights = [[1, 0], [0, 0], [1, 2], [0, 3], [0, 0]]
    return small_layer(weights, lanes=1, index_form="absolute", pointer_rows=pointer_rows)


def lawful(bench: Bench) -> None:
    """Rules of streams."""
    small = _small(2)
    dut = RowFetch(small.params, small.contents)
    bench.add(dut)
    bench.drive(dut.events, "events")
    bench.take(dut.rows, "rows")
    bench.prove(bench.lawful(dut.rows))
    # An event waits for nothing but a row that waits.
    bench.prove(dut.events.ready | (dut.rows.valid & ~dut.rows.ready))
    bench.cover(bench.before(dut.rows.valid & ~dut.rows.ready) & dut.rows.ready)


def exactly_once(bench: Bench, *, pointer_rows: int) -> None:
    """What is due is told by the contents; at most two rows are on their way."""
    m = bench.m
    small = _small(pointer_rows)
    params, counts = small.params, small.contents.counts
    dut = RowFetch(params, small.contents)
    inside = bench.add(dut)
    bench.drive(dut.events, "events")
    bench.take(dut.rows, "rows")
    event, row = dut.events.payload, dut.rows.payload
    taken = dut.events.valid & dut.events.ready
    leaves = dut.rows.valid & dut.rows.ready

    # The row of every address that an event can have; none has no words.
    places = 1 << params.address_bits
    words = [counts[row] if row < params.inputs else 0 for row in range(places)]
    count_of = Array(Const(count, params.row_word_bits) for count in words)
    first_of = Array(Const(sum(words[:row]), params.first_word_bits) for row in range(places))

    layout = RowLayout(params)
    due = [Signal(layout, name=f"due_{number}") for number in range(2)]
    waiting = Signal(range(4))
    new = Signal(layout)
    m.d.comb += [
        new.step.eq(event.step),
        new.last.eq(event.last),
        new.base.eq(first_of[event.address]),
        new.count.eq(count_of[event.address]),
    ]
    arrives = taken & (event.step | (new.count != 0))
    left = waiting - leaves
    m.d.sync += waiting.eq(left + arrives)
    with m.If(leaves):
        m.d.sync += due[0].eq(due[1])
    for number in range(2):
        with m.If(arrives & (left == number)):
            m.d.sync += due[number].eq(new)

    def same(row: Any, expected: Any) -> Value:
        at = (row.base == expected.base) & (row.count == expected.count)
        return (row.step == expected.step) & Mux(row.step, row.last == expected.last, at)

    bench.prove(~leaves | ((waiting != 0) & same(row, due[0])))
    bench.prove(~arrives | (left < 2))

    # What makes it inductive: the event that is held, and its pointer.
    held = inside["held"]
    at = Signal(params.address_bits)
    step, last = Signal(), Signal()
    with m.If(dut.events.ready):
        m.d.sync += [at.eq(event.address), step.eq(event.step), last.eq(event.last)]
    pointers = Array(map(Const, pointer_words(params, small.contents)))
    has_row = held & (step | (count_of[at] != 0))
    bench.prove(waiting == dut.rows.valid + has_row)
    bench.prove(~dut.rows.valid | same(row, due[0]))
    with m.If(held):
        bench.prove((inside["step"] == step) & (inside["last"] == last))
        bench.prove(inside["known"] == (at < params.inputs))
        bench.prove(inside["number"] == at[: params.row_bits])
        known = at < params.inputs
        bench.prove(~known | (dut.pointers.data == pointers[at >> params.row_bits]))
    for number, expected in enumerate(due):
        with m.If(has_row & (dut.rows.valid == number)):
            bench.prove((expected.step == step) & (~step | (expected.last == last)))
            where = (expected.base == first_of[at]) & (expected.count == count_of[at])
            bench.prove(step | where)
    bench.cover(leaves & row.step & row.last & (waiting == 2))
    bench.cover(leaves & ~row.step & (row.base == sum(words) - 1))


PROOFS = (
    Proof(
        name="row_fetch.stream",
        sentence="A row that is offered stays, unchanged, until it is taken; an event waits for "
        "nothing but a row that waits.",
        size="5 rows, 2 a pointer word",
        mode="induction",
        depth=3,
        reach=8,
        build=lawful,
    ),
    *(
        Proof(
            name=f"row_fetch.exactly_once_{pointer_rows}",
            sentence="Each event's row is asked for once, in order, and each STEP passes in its "
            "place; only rows without words and addresses without a row are left out.",
            size=f"5 rows, 2 of them empty, {pointer_rows} a pointer word",
            mode="induction",
            depth=2,
            reach=8,
            build=partial(exactly_once, pointer_rows=pointer_rows),
        )
        for pointer_rows in (1, 4)
    ),
)
