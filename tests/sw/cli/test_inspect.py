import numpy as np
import pytest

from spikeloom.arithmetic import DecayLeak, IntegrateLeak, ShiftLeak, first_leaking, leak
from spikeloom.image import Layer
from spikeloom.packing import pack
from spikeloom.report.network import leak_share


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
    # Of the values below the thresholds 6 to 11, few reach the 8 from which a shift of 3 takes.
    assert result.stderr == (
        "hidden: 13% of the positive membranes below the threshold leak; the leak takes nothing "
        "from membranes of 0 to 7, and thresholds are 6 to 11 (docs/training.md, What leaks)\n"
    )


def layer(leak, threshold=14, **changes):
    return Layer.from_dense([[1]], name="a", leak=leak, threshold=threshold, **changes)


@pytest.mark.parametrize(
    ("one", "smallest", "share"),
    [
        pytest.param(layer(IntegrateLeak()), None, None, id="no leak"),
        pytest.param(layer(ShiftLeak(shift=4)), 16, 0.0, id="a shift above the threshold"),
        pytest.param(layer(ShiftLeak(shift=3)), 8, 6 / 13, id="a shift below it"),
        pytest.param(layer(ShiftLeak(shift=1), 2), 2, 0.0, id="the smallest threshold"),
        pytest.param(layer(ShiftLeak(shift=4), 1), 16, None, id="no value below the threshold"),
        pytest.param(
            layer(DecayLeak(multiplier=3, fraction_bits=4)), 6, 8 / 13, id="a fixed-point decay"
        ),
        pytest.param(
            layer(ShiftLeak(shift=4), spiking=False, membrane_bits=6), 16, 16 / 31, id="a readout"
        ),
    ],
)
def test_what_leaks(one, smallest, share):
    values = np.arange(1, 1 << 6)
    lost = values[leak(values, one.leak) != values]
    assert first_leaking(one.leak) == smallest == (int(lost[0]) if lost.size else None)
    assert leak_share(one) == share
