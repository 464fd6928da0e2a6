"""The dividers of the iCE40's PLL."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from spikeloom_hw.boards.ice40_pll import PllSettings, pll_settings


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


def naive(board: float, output: float) -> tuple[float, int] | None:
    """How near any dividers within the data sheet's limits come, in MHz, and the least DIVR."""
    best = None
    for divr in range(16):
        detector = board / (divr + 1)
        if not 10 <= detector <= 133:
            continue
        for divf in range(128):
            oscillator = detector * (divf + 1)
            if not 533 <= oscillator <= 1066:
                continue
            for divq in range(1, 7):
                made = oscillator / 2**divq
                if 16 <= made <= 275:
                    found = abs(made - output), divr
                    best = found if best is None else min(best, found)
    return None if best is None or best[0] > 0.005 * output else best


@settings(max_examples=25)
@example(12, 30)
@example(10, 16.656)  # the slowest detector and the slowest oscillator
@example(10, 266.5)
@example(100, 275)
@given(st.floats(10, 100), st.floats(15, 300))
def test_settings_are_the_nearest_within_the_limits(board, output):
    nearest = naive(board, output)
    if nearest is None:
        with pytest.raises(ValueError, match="The PLL cannot make"):
            pll_settings(board, output)
        return
    made = pll_settings(board, output)
    assert (abs(made.output_mhz - output), made.divr) == nearest
    assert made.output_mhz == board / (made.divr + 1) * (made.divf + 1) / 2**made.divq


@pytest.mark.parametrize(
    ("detector", "filter_range"),
    [
        *((10, 1), (17, 1), (17.001, 2), (26, 2), (26.001, 3), (44, 3), (44.001, 4)),
        *((66, 4), (66.001, 5), (101, 5), (101.001, 6), (133, 6)),
    ],
)
def test_loop_filter_of_a_detector(detector, filter_range):
    divf = int(1066 // detector)
    made = pll_settings(detector, detector * divf / 2**4)
    assert (made.divr, made.filter_range) == (0, filter_range)


@pytest.mark.parametrize("output", [pytest.param(5, id="slow"), pytest.param(500, id="fast")])
def test_impossible_frequency_is_shown(output):
    with pytest.raises(ValueError, match=f"cannot make {output} MHz from 12 MHz"):
        pll_settings(12, output)
