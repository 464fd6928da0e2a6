"""The table of boards is that of the measurements, and has every board."""

import pytest

import boards
from spikeloom_hw.targets import TARGETS


def test_every_board_was_measured_and_met_its_clock():
    records = boards.read_records()
    assert list(records) == list(TARGETS)
    for name, record in records.items():
        assert record.fmax_mhz >= record.clock_mhz == TARGETS[name].core_clock_mhz


def test_the_page_has_the_table():
    page = boards.PAGE.read_text()
    assert boards.in_page(page, boards.table(boards.read_records())) == page
    assert all(f"`{name}`" in page for name in TARGETS)


@pytest.mark.parametrize("words", [1, 20])
def test_rows_of_the_network_fill_their_words(words):
    hidden = boards._network(1024, words).layers[0]
    assert set(hidden.fan_out) == {words * boards.LANES}
    (packed, _) = boards.pack_network(boards._network(1024, words), (boards.LANES, 1))
    assert packed.words == words * boards.INPUTS
