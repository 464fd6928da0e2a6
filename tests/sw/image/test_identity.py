"""The hash that names a network: over what the hardware computes, and nothing besides."""

from dataclasses import fields, replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from networks import random_network
from spikeloom.encoding import (
    DeltaEncoding,
    LatencyEncoding,
    MultiThresholdEncoding,
    RateEncoding,
)
from spikeloom.image import (
    DecayLeak,
    IntegrateLeak,
    Layer,
    NetworkImage,
    Provenance,
    ShiftLeak,
    load_image,
    save_image,
)
from spikeloom.image.identity import network_sha256

IMAGE = random_network(np.random.default_rng(5), [8, 6, 4], leak=ShiftLeak(shift=2))
ENCODINGS = (
    LatencyEncoding(threshold=9),
    LatencyEncoding(threshold=8),
    RateEncoding(seed=1, gain=9),
    RateEncoding(seed=2, gain=9),
    RateEncoding(seed=1, gain=8),
    MultiThresholdEncoding(levels=2),
    MultiThresholdEncoding(levels=4),
    DeltaEncoding(delta=9),
    DeltaEncoding(delta=8),
)
LEAKS = (
    IntegrateLeak(),
    ShiftLeak(shift=3),
    DecayLeak(multiplier=1, fraction_bits=3),
    DecayLeak(multiplier=2, fraction_bits=3),
    DecayLeak(multiplier=1, fraction_bits=4),
    *(ShiftLeak(shift=2, rounding=rounding) for rounding in ("nearest", "toward-zero")),
    DecayLeak(multiplier=1, fraction_bits=4, rounding="nearest"),
)


def with_layer(number, **changed):
    """The network with something else in one layer."""
    layers = list(IMAGE.layers)
    layers[number] = replace(layers[number], **changed)
    return IMAGE.with_layers(tuple(layers))


def bumped(array, at=-1):
    other = array.copy()
    other[at] += 1
    return other


HIDDEN, READOUT = IMAGE.layers
FEWER = HIDDEN.row_ptr.copy()
FEWER[4] = FEWER[5]
NEURON = {
    "row_ptr": with_layer(0, row_ptr=FEWER),
    "target": with_layer(0, target=HIDDEN.target[::-1].copy()),
    "weight": with_layer(0, weight=bumped(HIDDEN.weight)),
    "bias": with_layer(0, bias=bumped(HIDDEN.bias)),
    "threshold": with_layer(0, threshold=bumped(HIDDEN.threshold)),
    "leak": with_layer(0, leak=ShiftLeak(shift=3)),
    "reset": with_layer(0, reset="zero"),
    "spiking": with_layer(1, spiking=True),
    "membrane_bits": with_layer(0, membrane_bits=HIDDEN.membrane_bits + 1),
}
NETWORK = {
    "graph": IMAGE.with_layers(IMAGE.layers[:1]),
    "time_steps": replace(IMAGE, time_steps=IMAGE.time_steps + 1),
    "encoding": replace(IMAGE, encoding=LatencyEncoding(threshold=200)),
    "readout": replace(IMAGE, readout="count"),
}
SAME = {
    "name": with_layer(0, name="another"),
    "scale": with_layer(0, scale=3.0),
    "provenance": replace(IMAGE, provenance=Provenance(dataset="mnist", seed=9, config="[a]\n")),
    "threshold of a layer that never spikes": with_layer(1, threshold=bumped(READOUT.threshold)),
    "reset of a layer that never spikes": with_layer(1, reset="zero"),
}


@pytest.mark.parametrize("what", [*NEURON, *NETWORK])
def test_what_the_hardware_computes_is_in_the_hash(what):
    changed = {**NEURON, **NETWORK}[what]
    assert network_sha256(changed) != network_sha256(IMAGE)


@pytest.mark.parametrize("what", SAME)
def test_what_it_does_not_compute_is_not(what):
    assert network_sha256(SAME[what]) == network_sha256(IMAGE)


def test_every_field_is_either_computed_or_not():
    assert {field.name for field in fields(Layer)} == {*NEURON, "name", "scale"}
    assert {field.name for field in fields(NetworkImage)} == {*NETWORK, "provenance"}


def test_every_parameter_of_a_code_or_a_leak_counts():
    codes = {network_sha256(replace(IMAGE, encoding=encoding)) for encoding in ENCODINGS}
    assert len(codes) == len(ENCODINGS)
    leaks = {network_sha256(with_layer(0, leak=leak)) for leak in LEAKS}
    assert len(leaks) == len(LEAKS)
    # One more field needs one more row above.
    assert {
        kind.__name__: kind.__struct_fields__ for kind in {type(each) for each in ENCODINGS + LEAKS}
    } == {
        "LatencyEncoding": ("threshold",),
        "RateEncoding": ("seed", "gain"),
        "MultiThresholdEncoding": ("levels",),
        "DeltaEncoding": ("delta",),
        "IntegrateLeak": (),
        "ShiftLeak": ("shift", "rounding"),
        "DecayLeak": ("multiplier", "fraction_bits", "rounding"),
    }


def test_the_width_of_an_array_does_not_count():
    wide = replace(HIDDEN, weight=HIDDEN.weight.astype(np.int64))
    assert network_sha256(IMAGE.with_layers((wide, READOUT))) == network_sha256(IMAGE)


def test_a_file_keeps_the_hash(tmp_path):
    save_image(tmp_path / "network.safetensors", IMAGE)
    assert network_sha256(load_image(tmp_path / "network.safetensors")) == network_sha256(IMAGE)


SHIPPED = Path(__file__).parents[3] / "bitstreams"


@pytest.mark.parametrize(
    "manifest", sorted(SHIPPED.glob("*/manifest.json")), ids=lambda path: path.parent.name
)
def test_the_hash_of_a_shipped_network_is_the_recorded_one(manifest):
    # So this also fails when a change of the code gives every network another name.
    recorded = msgspec.json.decode(manifest.read_bytes())["sha256"]["network"]
    assert network_sha256(load_image(manifest.parent / "network.safetensors")) == recorded
