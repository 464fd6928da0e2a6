"""The dividers of the ECP5's PLL."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from spikeloom_hw.boards.ecp5_pll import PllSettings, pll_settings


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


DIVIDERS = np.arange(1, 129, dtype=np.float64)


def naive(board: float, output: float) -> float | None:
    """How near any dividers within the data sheet's limits come, as a part of `output`."""
    if not 8 <= board <= 400:
        return None
    detector = board / DIVIDERS[:, None, None]
    oscillator = detector * DIVIDERS[:, None]
    made = oscillator / DIVIDERS
    within = (detector >= 10) & (detector <= 400) & (oscillator >= 400) & (oscillator <= 800)
    within = within & (made >= 3.125) & (made <= 400)
    nearest = float(np.abs(made[within] / output - 1).min(initial=1.0))
    return nearest if nearest <= 0.005 else None


@settings(max_examples=25)
@example(8, 3.125)
@example(400, 400)
@example(7.999, 50)
@example(400.001, 50)
@example(10, 400)
@given(st.floats(5, 450), st.floats(2, 450))
def test_settings_are_the_nearest_within_the_limits(board, output):
    nearest = naive(board, output)
    if nearest is None:
        with pytest.raises(ValueError, match="The PLL cannot make"):
            pll_settings(board, output)
        return
    made = pll_settings(board, output)
    assert abs(made.output_mhz / output - 1) == nearest
    assert made.output_mhz == board / made.clki_div * made.clkop_div / made.clkos_div


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
