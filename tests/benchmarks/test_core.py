"""The recorded figures of inference: of these networks, on the page, and within their budget."""

import pytest

from core import PAGE, read_records
from inference.beside import LINKS
from inference.page import page
from inference.peers import PEERS, SOURCES
from inference.rows import BITSTREAMS, ROWS
from spikeloom.image import load_image
from spikeloom.image.identity import network_sha256
from spikeloom_hw.estimate import estimate
from spikeloom_hw.targets import TARGETS

RECORDS = read_records()
BUSY = 0.80
OVER_ENTROPY = 1.25


@pytest.fixture(scope="module", params=RECORDS.values(), ids=list(RECORDS))
def record(request):
    return request.param


@pytest.fixture(scope="module")
def image(record):
    return load_image(BITSTREAMS / record.network["name"] / "network.safetensors")


def test_every_row_has_a_name_of_its_own():
    assert len({row.key for row in ROWS}) == len(ROWS)
    assert set(RECORDS) <= {row.key for row in ROWS}


def test_the_page_shows_what_is_recorded():
    assert PAGE.read_text() == page([*RECORDS.values()], PEERS)


def test_the_network_is_the_one_here(record, image):
    assert record.network["sha256"] == network_sha256(image)


def test_blocks_and_bits_are_those_of_the_estimate(record, image):
    found = estimate(
        image, target=TARGETS[record.target], lanes=record.lanes, loadable=record.loadable
    )
    assert record.bits["stored"] == found.bits_stored
    if record.synthesis is not None:
        used = record.synthesis["utilization"]
        name = TARGETS[record.target].block_name
        assert used[name]["used"] == found.blocks
        assert used.get("SPRAM", {"used": 0})["used"] == found.single_ports


@pytest.mark.parametrize(
    "counters", [own.counters for own in RECORDS.values() if own.counters is not None]
)
def test_counters_explain_every_cycle(counters):
    assert counters["mismatches"] == 0
    for layer in counters["layers"]:
        assert sum(layer["shares"].values()) == pytest.approx(1)


@pytest.mark.parametrize("key", [row.key for row in ROWS if row.build and "mnist" in row.network])
def test_lanes_of_the_reference_networks_are_busy(key):
    record = RECORDS[key]
    assert record.busiest["sop_per_cycle_per_lane"] >= BUSY
    assert record.bits["ratio"] <= OVER_ENTROPY


def test_each_figure_of_a_peer_names_its_source():
    used = [source for peer in PEERS for _, source in peer["cells"].values()]
    assert set(used) == set(SOURCES)
    assert all(peer["cells"] for peer in PEERS)


def test_what_we_found_of_peers_says_that_we_did():
    for key, source in SOURCES.items():
        published = "arXiv" in source or "doi" in source
        assert published != source.endswith("measured by us, script not published"), key


def test_latencies_and_intervals_have_columns_of_their_own():
    heading = next(line for line in PAGE.read_text().splitlines() if "weight bits" in line)
    columns = [column.strip() for column in heading.split("|")]
    for what in ("latency", "interval"):
        assert sum(column.startswith(what) for column in columns) == 2
    assert set(LINKS) <= set(RECORDS)
