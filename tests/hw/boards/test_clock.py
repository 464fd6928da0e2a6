"""A core clock other than the preset's."""

from dataclasses import replace

import pytest

from spikeloom.errors import UserError
from spikeloom_hw.boards.clock import at_clock
from spikeloom_hw.targets import TARGETS


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
@pytest.mark.parametrize("clock", [30, 40.5])
def test_another_clock(target, clock):
    assert at_clock(target, clock) == replace(target, core_clock_mhz=clock)


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_the_preset_can_be_made(target):
    assert at_clock(target, target.core_clock_mhz) == target


@pytest.mark.parametrize(
    ("name", "clock", "reason"),
    [
        pytest.param("icebreaker", 500, "The PLL cannot make 500 MHz from 12 MHz", id="PLL"),
        pytest.param("ulx3s-25f", 3.5, "A clock of 3500000.0 Hz cannot make", id="serial line"),
    ],
)
def test_a_clock_that_can_not_be_made(name, clock, reason):
    with pytest.raises(UserError, match=f"{name} can not run at {clock:g} MHz") as refused:
        at_clock(TARGETS[name], clock)
    assert reason in str(refused.value)
