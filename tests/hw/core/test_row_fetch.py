"""RowFetch: every non-empty row and every step, in order, whatever the pace."""

import dataclasses

import pytest

from spikeloom_hw.core.row_fetch import RowFetch
from streams import PAUSES, consumer, producer, recorder, run_scenario


def spike(address):
    return {"address": address, "step": 0, "last": 0}


def step(last=0):
    return {"address": 0, "step": 1, "last": last}


def expected_rows(contents, events):
    rows = []
    for event in events:
        if event["step"]:
            rows.append(("step", event["last"]))
        elif any(words := contents.counts[event["address"] : event["address"] + 1]):
            rows.append((sum(contents.counts[: event["address"]]), *words))
    return rows


def as_row(payload):
    if payload.step:
        return "step", payload.last
    return payload.base, payload.count


EVENTS = {
    "one row": [spike(0), step(1)],
    "a step with nothing": [step(), step(1)],
    "every row, twice": [*map(spike, range(11)), *map(spike, range(11)), step(1)],
    "addresses that are no rows": [spike(11), spike(3), spike(15), step(1)],
}


@pytest.mark.parametrize("back_pressure", PAUSES.values(), ids=PAUSES)
@pytest.mark.parametrize("idle", PAUSES.values(), ids=PAUSES)
@pytest.mark.parametrize("events", EVENTS.values(), ids=EVENTS)
def test_rows_in_order(layer_of, events, idle, back_pressure):
    _, params, contents = layer_of([11, 6], 2, density=0.15)
    assert 0 in contents.counts
    expected = expected_rows(contents, events)
    dut = RowFetch(params, contents)
    rows = []
    run_scenario(
        dut,
        producer(dut.events, events, idle),
        consumer(dut.rows, rows, len(expected), back_pressure),
    )
    assert [as_row(row) for row in rows] == expected


def test_one_event_a_cycle(layer_of):
    _, params, contents = layer_of([11, 6], 2, density=1.0)
    dut = RowFetch(params, contents)
    seen = []

    async def always_ready(ctx):
        ctx.set(dut.rows.ready, 1)

    async def events(ctx):
        await producer(dut.events, [*map(spike, range(11)), step()])(ctx)
        await ctx.tick()

    run_scenario(
        dut,
        always_ready,
        events,
        background=[recorder(dut.rows.valid, into=seen)],
    )
    first = seen[0][0]
    assert first == 3
    assert [cycle for (cycle,) in seen] == list(range(first, first + 11))


def test_the_word_behind_the_last_row_is_no_row(layer_of):
    """A memory has two words at least: the second of a single row's is not to be read."""
    _, params, contents = layer_of([1, 6], 2, density=1.0)
    behind = dataclasses.replace(contents, counts=(*contents.counts, 1))
    dut, rows = RowFetch(params, behind), []
    events = [spike(1), spike(0), step(1)]
    run_scenario(dut, producer(dut.events, events), consumer(dut.rows, rows, 2))
    assert [as_row(row) for row in rows] == [(0, contents.counts[0]), ("step", 1)]


def test_a_step_with_the_address_of_an_empty_row(layer_of):
    _, params, contents = layer_of([11, 6], 2, density=0.15)
    empty = contents.counts.index(0)
    dut, rows = RowFetch(params, contents), []
    events = [{"address": address, "step": 1, "last": 0} for address in (empty, 15)]
    run_scenario(dut, producer(dut.events, events), consumer(dut.rows, rows, 2))
    assert [as_row(row) for row in rows] == [("step", 0)] * 2
