"""WordStream: the words of each row, one a cycle, and a step that waits for the update."""

import pytest

from spikeloom_hw.core.word_stream import WordStream
from streams import PAUSES, producer, recorder, run_scenario


def row(contents, number):
    base, count = sum(contents.counts[:number]), contents.counts[number]
    return {"base": base, "count": count, "step": 0, "last": 0}


STEP = {"base": 0, "count": 0, "step": 1, "last": 1}


def words_of(contents, numbers):
    for number in numbers:
        base, count = sum(contents.counts[:number]), contents.counts[number]
        for at in range(count):
            yield at == 0, contents.words[base + at]


def slots_of(payload, lanes):
    return tuple((payload.slots[lane].index, payload.slots[lane].weight) for lane in range(lanes))


@pytest.mark.parametrize("idle", PAUSES.values(), ids=PAUSES)
@pytest.mark.parametrize("lanes", [1, 4])
def test_words_in_order(layer_of, lanes, idle):
    _, params, contents = layer_of([9, 20], lanes, density=0.7)
    order = [0, 8, 3, 3, 1]
    dut = WordStream(params, contents)
    seen = []

    async def settle(ctx):
        await producer(dut.rows, [row(contents, number) for number in order], idle)(ctx)
        await ctx.tick().repeat(20)

    run_scenario(dut, settle, background=[recorder(dut.words.valid, dut.words.payload, into=seen)])
    got = [(bool(word.first), slots_of(word, lanes)) for _, word in seen]
    assert got == list(words_of(contents, order))


def test_rows_follow_without_a_bubble(layer_of):
    _, params, contents = layer_of([9, 20], 4, density=0.7)
    dut = WordStream(params, contents)
    seen = []

    async def settle(ctx):
        await producer(dut.rows, [row(contents, number) for number in range(9)])(ctx)
        await ctx.tick().repeat(20)

    run_scenario(dut, settle, background=[recorder(dut.words.valid, into=seen)])
    cycles = [cycle for (cycle,) in seen]
    assert cycles == list(range(4, 4 + len(contents.words)))


@pytest.mark.parametrize("wait", [1, 2, 9])
def test_a_step_holds_the_next_row_until_resume(layer_of, wait):
    _, params, contents = layer_of([9, 20], 4, density=0.7)
    dut = WordStream(params, contents)
    seen = []
    taken = []

    async def rows(ctx):
        await producer(dut.rows, [STEP, row(contents, 2)])(ctx)
        await ctx.tick().repeat(10)

    async def resume(ctx):
        await ctx.tick().repeat(2 + wait)
        ctx.set(dut.resume, 1)
        await ctx.tick()
        ctx.set(dut.resume, 0)

    run_scenario(
        dut,
        rows,
        resume,
        background=[
            recorder(dut.words.valid, dut.words.payload.step, into=seen),
            recorder(dut.rows.valid & dut.rows.ready, into=taken),
        ],
    )
    assert seen[0] == (4, 1)
    assert taken == [(1,), (2 + wait + 2,)]
    assert seen[1] == (2 + wait + 5, 0)


def test_a_step_reads_no_word_whatever_its_pointer(layer_of):
    _, params, contents = layer_of([9, 20], 4, density=0.7)
    dut, seen = WordStream(params, contents), []

    async def settle(ctx):
        await producer(dut.rows, [{"base": 0, "count": 3, "step": 1, "last": 1}])(ctx)
        await ctx.tick().repeat(9)

    observer = recorder(dut.words.valid, dut.words.payload.step, into=seen)
    run_scenario(dut, settle, background=[observer])
    assert seen == [(4, 1)]
