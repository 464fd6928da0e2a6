"""The dividers of the ECP5's PLL."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikeloom_hw.boards.ecp5_pll import (
    DETECTOR_MHZ,
    DIVIDERS,
    OSCILLATOR_MHZ,
    OUTPUT_MHZ,
    PllSettings,
    pll_settings,
)


@pytest.mark.parametrize(
    ("board", "output", "expected"),
    [
        pytest.param(25, 50, (1, 24, 12, 50.0), id="twice"),
        pytest.param(25, 80, (1, 16, 5, 80.0), id="a fraction"),
        pytest.param(25, 85, (1, 17, 5, 85.0), id="another fraction"),
        pytest.param(24, 100, (1, 25, 6, 100.0), id="another oscillator"),
        pytest.param(25, 25, (1, 24, 24, 25.0), id="as it comes"),
        pytest.param(100, 400, (1, 4, 1, 400.0), id="fastest"),
    ],
)
def test_settings_for_a_board(board, output, expected):
    clki, clkop, clkos, made = expected
    assert pll_settings(board, output) == PllSettings(
        clki_div=clki, clkop_div=clkop, clkos_div=clkos, output_mhz=made
    )


@settings(deadline=None, max_examples=50)
@given(st.floats(5, 450), st.floats(2, 450))
def test_settings_stay_within_the_limits(board, output):
    try:
        made = pll_settings(board, output)
    except ValueError:
        return
    assert {made.clki_div, made.clkop_div, made.clkos_div} <= set(DIVIDERS)
    detector = board / made.clki_div
    oscillator = detector * made.clkop_div
    assert DETECTOR_MHZ[0] <= detector <= DETECTOR_MHZ[1]
    assert OSCILLATOR_MHZ[0] <= oscillator <= OSCILLATOR_MHZ[1]
    assert OUTPUT_MHZ[0] <= made.output_mhz <= OUTPUT_MHZ[1]
    assert made.output_mhz == oscillator / made.clkos_div
    assert abs(made.output_mhz / output - 1) <= 0.005


@pytest.mark.parametrize(
    ("board", "output"),
    [
        pytest.param(25, 2, id="slow"),
        pytest.param(25, 500, id="fast"),
        pytest.param(5, 50, id="slow oscillator"),
        pytest.param(25, 396, id="between two"),
    ],
)
def test_impossible_frequency_is_shown(board, output):
    with pytest.raises(ValueError, match=f"cannot make {output} MHz from {board} MHz"):
        pll_settings(board, output)
