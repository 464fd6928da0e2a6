"""A stream through a register: nothing lost, nothing doubled, one cycle later."""

import pytest

from spikeloom_hw.host.register import StreamRegister
from streams import PAUSES, consumer, producer, recorder, run_scenario


@pytest.mark.parametrize("idle", PAUSES.values(), ids=PAUSES)
@pytest.mark.parametrize("back_pressure", PAUSES.values(), ids=PAUSES)
def test_every_beat_once_and_in_order(idle, back_pressure):
    dut = StreamRegister(8)
    sent, taken = list(range(1, 40)), []
    run_scenario(
        dut,
        producer(dut.input, sent, idle),
        consumer(dut.output, taken, len(sent), back_pressure),
    )
    assert taken == sent


def test_a_beat_leaves_a_cycle_later_and_every_other_cycle():
    dut = StreamRegister(8)
    entered, left = [], []
    run_scenario(
        dut,
        producer(dut.input, [3, 5, 7]),
        consumer(dut.output, [], 3),
        background=[
            recorder(dut.input.valid & dut.input.ready, dut.input.payload, into=entered),
            recorder(dut.output.valid & dut.output.ready, dut.output.payload, into=left),
        ],
    )
    first = entered[0][0]
    assert entered == [(first, 3), (first + 2, 5), (first + 4, 7)]
    assert left == [(first + 1, 3), (first + 3, 5), (first + 5, 7)]
