"""The estimate against synthesis: blocks exact, cells within the error that the model tells."""

import pytest

from calibration import COEFFICIENTS, read_calibration
from costs.fit import by_family, fit, foresee
from spikeloom_hw.logic import FamilyModel, logic_cells, models
from spikeloom_hw.memories import blocks

RECORDS = read_calibration()
BLOCKS = {"ice40": "EBR", "ecp5": "DP16KD"}
CELLS = {"ice40": "LC", "ecp5": "LUT4"}
WITHIN = 0.15


@pytest.fixture(scope="module")
def foreseen():
    return {key: foresee(record) for key, record in RECORDS.items()}


def test_there_are_designs_of_each_family():
    assert {name: len(records) > 8 for name, records in by_family(RECORDS).items()} == {
        "ice40": True,
        "ecp5": True,
    }


def test_blocks_are_exact(foreseen):
    got = {
        key: (blocks(own.memories, "block"), blocks(own.memories, "single-port"))
        for key, own in foreseen.items()
    }
    assert got == {
        key: (record.cells[BLOCKS[foreseen[key].target.family]], record.cells.get("SPRAM", 0))
        for key, record in RECORDS.items()
    }


def test_cells_are_within_the_band_on_every_design(foreseen):
    for key, own in foreseen.items():
        cells = RECORDS[key].cells[CELLS[own.target.family]]
        band = logic_cells(own.core, own.memories, own.target)
        assert band.low <= cells <= band.high, key
        assert abs(band.median / cells - 1) < WITHIN, key


def test_the_coefficients_are_those_of_the_records():
    assert COEFFICIENTS.is_file()
    for name, records in by_family(RECORDS).items():
        fitted, residuals = fit(records)
        assert isinstance(fitted, FamilyModel)
        assert fitted.cells == pytest.approx(models()[name].cells, rel=1e-3, abs=1e-3)
        assert fitted.cells_error == models()[name].cells_error < WITHIN
        assert max(abs(own.cells_error or 0) for own in residuals) <= fitted.cells_error
