import pytest

from spikeloom.packing import pack


@pytest.mark.parametrize("lanes", [(1, 1), (8, 1), (2, 4)])
def test_numbers_are_those_of_the_image(spikeloom, document, network, small_image, lanes):
    data = document(spikeloom("inspect", network, "--lanes", "{},{}".format(*lanes), "--json"))
    hidden, readout = small_image.layers
    assert data["synapses"] == hidden.synapses + readout.synapses
    assert data["weight_bits"] == 4
    assert data["encoding"] == {"kind": "latency", "threshold": 64}
    assert data["bits_stored"] == sum(
        pack(layer, own).bits for layer, own in zip(small_image.layers, lanes, strict=True)
    )
    assert data["lanes"] == list(lanes)
    assert data["bits_dense"] == (64 * 12 + 12 * 10) * 4
    assert [layer["neurons"] for layer in data["layers"]] == [12, 10]
    assert data["layers"][0]["threshold"] == [
        int(hidden.threshold.min()),
        int(hidden.threshold.max()),
    ]
    assert data["layers"][1]["threshold"] is None
    assert data["provenance"]["accuracy_test"] == 0.25


def test_tables(spikeloom, run_folder):
    result = spikeloom("inspect", run_folder)
    assert result.exit_code == 0
    for text in ("64 → 12 → 10", "v - (v >> 3)", "25.00%", "latency, threshold 64", "4 bits"):
        assert text in result.stdout
    assert result.stderr == ""
