"""The network file: it comes back whole, or is refused by name."""

import hashlib
import json
from dataclasses import replace

import msgspec
import numpy as np
import pytest
import safetensors.numpy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from networks import random_network
from spikeloom.encoding import MultiThresholdEncoding
from spikeloom.errors import UserError
from spikeloom.image import IntegrateLeak, ShiftLeak, load_image, save_image
from spikeloom.image.chain import chain_graph
from spikeloom.image.identity import network_sha256
from spikeloom.image.schema1 import ARRAYS


@pytest.fixture(scope="module")
def image():
    return random_network(np.random.default_rng(3), [6, 9, 4], shared=False)


@pytest.fixture(scope="module")
def saved(image, tmp_path_factory):
    path = tmp_path_factory.mktemp("image") / "network.safetensors"
    save_image(path, image)
    return path


def test_round_trip(image, saved):
    again = load_image(saved)
    assert network_sha256(load_image(str(saved))) == network_sha256(again)
    assert network_sha256(again) == network_sha256(image)
    for before, after in zip(image.layers, again.layers, strict=True):
        for array in ARRAYS:
            assert getattr(after, array).tolist() == getattr(before, array).tolist()
        assert (after.leak, after.reset, after.spiking) == (
            before.leak,
            before.reset,
            before.spiking,
        )
    assert (again.time_steps, again.encoding, again.readout, again.provenance) == (
        image.time_steps,
        image.encoding,
        image.readout,
        image.provenance,
    )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(at=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_no_flipped_bit_goes_unnoticed(saved, tmp_path, at, bit):
    damaged = bytearray(saved.read_bytes())
    position = int(at * len(damaged))
    damaged[position] ^= 1 << bit
    path = tmp_path / "damaged.safetensors"
    path.write_bytes(damaged)
    with pytest.raises(UserError, match=r"damaged\.safetensors"):
        load_image(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(part=st.floats(0, 1, exclude_max=True))
def test_no_truncation_goes_unnoticed(saved, tmp_path, part):
    whole = saved.read_bytes()
    path = tmp_path / "short.safetensors"
    path.write_bytes(whole[: int(part * len(whole))])
    with pytest.raises(UserError, match=r"short\.safetensors"):
        load_image(path)


@pytest.mark.parametrize("size", [0, 7, 100])
def test_noise_is_refused(tmp_path, size):
    path = tmp_path / "noise.safetensors"
    path.write_bytes(np.random.default_rng(size).bytes(size))
    with pytest.raises(UserError, match=r"noise\.safetensors: not a safetensors file"):
        load_image(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match="no such file"):
        load_image(tmp_path / "absent.safetensors")


def test_another_project_s_safetensors_is_refused(tmp_path):
    path = tmp_path / "other.safetensors"
    safetensors.numpy.save_file({"x": np.zeros(3)}, path)
    with pytest.raises(UserError, match="without a 'spikeloom' header"):
        load_image(path)


def test_an_unknown_header_field_is_named(saved, tmp_path):
    with safetensors.safe_open(saved, framework="numpy") as file:
        header = json.loads(file.metadata()["spikeloom"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    path = tmp_path / "newer.safetensors"
    header["colour"] = "blue"
    safetensors.numpy.save_file(tensors, path, {"spikeloom": json.dumps(header)})
    with pytest.raises(UserError, match="colour"):
        load_image(path)


CHANGES = [
    pytest.param({"time_steps": 0}, r"time_steps is 0: it must be 1 to 4096", id="no steps"),
    pytest.param({"readout": "count"}, r"layer1\.spiking is False.*must spike", id="readout"),
    pytest.param({"graph": chain_graph(())}, r"layers is 0", id="no layers"),
    pytest.param(
        {"encoding": MultiThresholdEncoding(levels=64)}, r"encoding: .* multiple of 64", id="code"
    ),
]


CLAIMS = [
    pytest.param({"input_events": (-50.0, 1.0)}, r"input_events is -50", id="negative"),
    pytest.param({"operations": (float("inf"), 1.0)}, r"operations is inf", id="infinite"),
    pytest.param({"operations": (1.0,)}, r"one for each of 2 layers", id="too few"),
    pytest.param({"accuracy_test": 98.9}, r"accuracy_test is 98.9: 0 to 1", id="per cent"),
]


@pytest.mark.parametrize(("claim", "message"), CLAIMS)
def test_an_impossible_claim_is_named(image, tmp_path, claim, message):
    claimed = msgspec.structs.replace(image.provenance, **claim)
    with pytest.raises(UserError, match=message):
        save_image(tmp_path / "x", replace(image, provenance=claimed))


def test_an_unknown_leak_parameter_is_named(saved, tmp_path):
    with safetensors.safe_open(saved, framework="numpy") as file:
        header = json.loads(file.metadata()["spikeloom"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    path = tmp_path / "newer.safetensors"
    header["layers"][0]["leak"]["rounding"] = "toward_zero"
    safetensors.numpy.save_file(tensors, path, {"spikeloom": json.dumps(header)})
    with pytest.raises(UserError, match="rounding"):
        load_image(path)


@pytest.mark.parametrize(("change", "message"), CHANGES)
def test_an_invalid_image_is_not_written(image, tmp_path, change, message):
    path = tmp_path / "network.safetensors"
    with pytest.raises(UserError, match=message):
        save_image(path, replace(image, **change))
    assert list(tmp_path.iterdir()) == []


LAYER_CHANGES = [
    pytest.param({"membrane_bits": 49}, r"layer0\.membrane_bits is 49", id="wide membrane"),
    pytest.param({"leak": ShiftLeak(shift=0)}, r"layer0\.leak\.shift is 0", id="no shift"),
    pytest.param(
        {"threshold": np.zeros(9, dtype=np.int32)}, r"layer0\.threshold is 0", id="threshold"
    ),
    pytest.param(
        {"row_ptr": np.array([0, 2, 1, 1, 1, 1, 1], dtype=np.int32)},
        r"layer0\.row_ptr\[2\] is 1: pointers never fall",
        id="falling pointer",
    ),
    pytest.param({"scale": float("nan")}, r"layer0\.scale is nan", id="scale"),
    pytest.param({"spiking": False}, r"layer0\.spiking is False", id="silent hidden layer"),
    pytest.param({"name": "layer1"}, r"names must be unique", id="same name"),
    pytest.param({"name": "a\nb"}, r"a layer's name is 'a\\nb'", id="name of two lines"),
    pytest.param({"name": "x" * 65}, r"a letter, then up to 63", id="long name"),
    pytest.param(
        {"row_ptr": np.array([0, 2**31 - 1, -(2**31), -5, 9, 9, 9], dtype=np.int32)},
        r"layer0\.row_ptr\[2\] is -2147483648: pointers never fall",
        id="pointers whose difference wraps",
    ),
]


@pytest.mark.parametrize(("change", "message"), LAYER_CHANGES)
def test_an_invalid_layer_is_named(image, tmp_path, change, message):
    first = replace(image.layers[0], **change)
    with pytest.raises(UserError, match=message):
        save_image(tmp_path / "x", image.with_layers((first, *image.layers[1:])))


@pytest.mark.parametrize(("bits", "chain"), [(32, True), (33, False)])
def test_membranes_of_more_than_32_bits_make_no_chain(image, bits, chain):
    first = replace(image.layers[0], membrane_bits=bits)
    assert image.with_layers((first, *image.layers[1:])).is_chain is chain


ROW_CHANGES = [
    pytest.param([0, 2], [1, 0], [1, 1], r"target\[1\] is 0.*ascend", id="descending"),
    pytest.param([0, 2], [0, 3], [1, 1], r"target is 3: 0 to 2", id="no such neuron"),
    pytest.param([0, 2], [0, 1], [1, 0], r"weight\[1\] is 0: a zero weight", id="zero weight"),
    pytest.param([0, 3], [0, 1], [1, 1], r"row_ptr\[-1\] is 3", id="too few targets"),
    pytest.param([1, 2], [0, 1], [1, 1], r"row_ptr\[0\] is 1", id="late start"),
]


@pytest.mark.parametrize(("row_ptr", "target", "weight", "message"), ROW_CHANGES)
def test_an_invalid_row_is_named(tmp_path, row_ptr, target, weight, message):
    image = random_network(np.random.default_rng(0), [1, 3])
    layer = replace(
        image.layers[0],
        row_ptr=np.array(row_ptr, dtype=np.int32),
        target=np.array(target, dtype=np.int32),
        weight=np.array(weight, dtype=np.int16),
        leak=IntegrateLeak(),
    )
    with pytest.raises(UserError, match=message):
        save_image(tmp_path / "x", image.with_layers((layer,)))


@pytest.mark.parametrize("lacking", ["version", "operations"])
def test_a_file_with_fewer_keys_of_provenance_still_loads(image, tmp_path, lacking):
    path = tmp_path / "old.safetensors"
    save_image(path, image)
    tensors = safetensors.numpy.load_file(path)
    with safetensors.safe_open(path, framework="numpy") as file:
        header = json.loads(file.metadata()["spikeloom"])
    del header["provenance"][lacking]
    text = json.dumps({**header, "sha256": ""}, separators=(",", ":"))
    digest = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        digest.update(f"{name}:{tensors[name].dtype.name}:{tensors[name].shape}".encode())
        digest.update(tensors[name].tobytes())
    signed = text.removesuffix('""}') + f'"{digest.hexdigest()}"}}'
    safetensors.numpy.save_file(tensors, path, {"spikeloom": signed})
    assert network_sha256(load_image(path)) == network_sha256(image)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param(b"PK\x03\x04rest", "the .pth files of torch.save", id="pth"),
        pytest.param(b"\x89HDF\r\n\x1a\n", "as .nir and .h5 files are", id="nir"),
        pytest.param(b"version https://git-lfs.github.com/spec/v1", "git lfs pull", id="pointer"),
    ],
)
def test_another_kind_of_file_is_named(tmp_path, content, says):
    path = tmp_path / "network.safetensors"
    path.write_bytes(content)
    with pytest.raises(UserError, match="give the file that 'spikeloom export' makes") as refusal:
        load_image(path)
    assert says in str(refusal.value)
