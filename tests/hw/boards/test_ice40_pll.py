"""The dividers of the iCE40's PLL."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikeloom_hw.boards.ice40_pll import (
    DETECTOR_MHZ,
    OSCILLATOR_MHZ,
    PllSettings,
    pll_settings,
)


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        # The same as icepll's.
        pytest.param(24, (0, 63, 5, 24.0), id="24"),
        pytest.param(30, (0, 79, 5, 30.0), id="30"),
        pytest.param(48, (0, 63, 4, 48.0), id="48"),
        pytest.param(25, (0, 66, 5, 25.125), id="nearest to 25"),
    ],
)
def test_settings_for_the_board(output, expected):
    divr, divf, divq, made = expected
    assert pll_settings(12, output) == PllSettings(
        divr=divr, divf=divf, divq=divq, filter_range=1, output_mhz=made
    )


@settings(deadline=None, max_examples=50)
@given(st.floats(10, 100), st.floats(20, 200))
def test_settings_stay_within_the_limits(board, output):
    try:
        made = pll_settings(board, output)
    except ValueError:
        return
    detector = board / (made.divr + 1)
    oscillator = detector * (made.divf + 1)
    assert DETECTOR_MHZ[0] <= detector <= DETECTOR_MHZ[1]
    assert OSCILLATOR_MHZ[0] <= oscillator <= OSCILLATOR_MHZ[1]
    assert made.output_mhz == oscillator / 2**made.divq
    assert abs(made.output_mhz / output - 1) <= 0.005


@pytest.mark.parametrize("output", [pytest.param(5, id="slow"), pytest.param(500, id="fast")])
def test_impossible_frequency_is_shown(output):
    with pytest.raises(ValueError, match=f"cannot make {output} MHz from 12 MHz"):
        pll_settings(12, output)
