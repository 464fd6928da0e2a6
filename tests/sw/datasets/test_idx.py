import gzip
import struct

import numpy as np
import pytest

from spikeloom.datasets import load_dataset
from spikeloom.datasets.idx import read_idx
from spikeloom.errors import UserError

RANDOM = np.random.default_rng(4)


def idx(array):
    header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.astype(np.uint8).tobytes()


FILES = {
    "train-images-idx3-ubyte": RANDOM.integers(0, 256, (120, 28, 28)),
    "train-labels-idx1-ubyte": np.arange(120) % 10,
    "t10k-images-idx3-ubyte": RANDOM.integers(0, 256, (20, 28, 28)),
    "t10k-labels-idx1-ubyte": np.arange(20) % 10,
}


@pytest.fixture
def data_dir(tmp_path):
    folder = tmp_path / "mnist"
    folder.mkdir()
    for name, array in FILES.items():
        (folder / f"{name}.gz").write_bytes(gzip.compress(idx(array)))
    return tmp_path


def test_splits_of_a_data_set_in_files(data_dir):
    data = load_dataset("mnist", data_dir)
    assert (len(data.train), len(data.validation), len(data.test)) == (110, 10, 20)
    assert data.shape == (28, 28)
    for split, source in ((data.validation, "train"), (data.test, "t10k")):
        at = split.index - (120 if source == "t10k" else 0)
        assert np.array_equal(
            split.images, FILES[f"{source}-images-idx3-ubyte"].reshape(-1, 784)[at]
        )
        assert np.array_equal(split.labels, FILES[f"{source}-labels-idx1-ubyte"][at])


def test_the_folder_comes_from_the_environment(data_dir, monkeypatch, offline):
    monkeypatch.setenv("SPIKELOOM_DATA", str(data_dir))
    assert len(load_dataset("mnist").test) == 20
    monkeypatch.delenv("SPIKELOOM_DATA")
    with pytest.raises(UserError, match=r"no folder was given.*no route to host.*SPIKELOOM_DATA"):
        load_dataset("mnist")


def test_plain_files_are_taken_too(data_dir):
    for file in (data_dir / "mnist").glob("*.gz"):
        file.with_suffix("").write_bytes(gzip.decompress(file.read_bytes()))
        file.unlink()
    assert len(load_dataset("mnist", data_dir).test) == 20


GOOD = idx(FILES["t10k-labels-idx1-ubyte"])


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        pytest.param("a", None, "is missing", id="missing"),
        pytest.param("a", b"", "not an IDX file", id="empty"),
        pytest.param("a", GOOD[:6], "ends within its header", id="half a header"),
        pytest.param("a", b"\0\0\x08\0x", "0 dimensions", id="no dimension"),
        pytest.param(
            "a",
            b"\0\0\x08\x41" + b"\0\0\0\1" * 65 + b"x",
            "65 dimensions",
            id="more than an array has",
        ),
        pytest.param(
            "a",
            b"\0\0\x08\3" + b"\x80\0\0\0" * 2 + b"\0\0\0\4",
            "holds 0 elements",
            id="2⁶⁴ elements",
        ),
        pytest.param("a", GOOD[:-3], "holds 17 elements", id="truncated"),
        pytest.param("a", GOOD + b"x", "holds 21 elements", id="too long"),
        pytest.param("a", b"\0\0\x0d\x01" + GOOD[4:], "unsigned bytes", id="floats"),
        pytest.param("a.gz", GOOD, "cannot be read", id="not gzip"),
        pytest.param("a.gz", gzip.compress(GOOD)[:-9], "cannot be read", id="truncated gzip"),
    ],
)
def test_damaged_files_are_refused_by_name(tmp_path, name, content, says):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError) as refusal:
        read_idx(path)
    assert str(path) in str(refusal.value)
    assert says in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "array", "says"),
    [
        pytest.param("t10k-labels-idx1-ubyte", np.zeros(19), "19 labels for the 20", id="count"),
        pytest.param("t10k-labels-idx1-ubyte", np.full(20, 10), "labels 0 to 9", id="label 10"),
        pytest.param("t10k-images-idx3-ubyte", np.zeros((20, 3, 4)), "side, side", id="shape"),
        pytest.param("t10k-images-idx3-ubyte", np.zeros((20, 8, 8)), "one data set", id="mixed"),
    ],
)
def test_files_that_do_not_fit_together(data_dir, name, array, says):
    (data_dir / "mnist" / f"{name}.gz").write_bytes(gzip.compress(idx(np.asarray(array))))
    with pytest.raises(UserError, match=says):
        load_dataset("mnist", data_dir)


def from_openml(monkeypatch, images, labels):
    asked = []

    def fetch(title):
        asked.append(title)
        return images, labels

    monkeypatch.setattr("spikeloom.datasets.openml.fetch_arrays", fetch)
    return asked


def test_what_is_in_no_folder_is_fetched_once(tmp_path, monkeypatch, offline):
    images = RANDOM.integers(0, 256, (10_120, 784), dtype=np.uint8)
    labels = (np.arange(10_120) % 10).astype(np.uint8)
    asked = from_openml(monkeypatch, images, labels)
    for _ in range(2):
        data = load_dataset("fashion-mnist", tmp_path)
        assert (len(data.train), len(data.validation), len(data.test)) == (110, 10, 10_000)
        assert np.array_equal(data.test.images, images[120:])
        assert np.array_equal(data.validation.images, images[data.validation.index])
        assert np.array_equal(data.test.labels, labels[120:])
    assert asked == ["Fashion-MNIST"]


@pytest.mark.parametrize(
    ("images", "labels", "says"),
    [
        pytest.param(np.zeros((90, 784)), np.zeros(90), "90 images", id="too few"),
        pytest.param(np.zeros((20_000, 784)), np.zeros(9), "with 9 labels", id="labels"),
        pytest.param(np.zeros((20_000, 9)), np.zeros(20_000), "cannot reshape", id="shape"),
    ],
)
def test_what_openml_should_not_send(tmp_path, monkeypatch, offline, images, labels, says):
    from_openml(monkeypatch, images, labels)
    with pytest.raises(UserError, match=says):
        load_dataset("mnist", tmp_path)
    assert not list(tmp_path.rglob("*ubyte*"))


def test_one_missing_file_is_not_fetched(data_dir, monkeypatch, offline):
    (data_dir / "mnist" / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(UserError, match="is missing"):
        load_dataset("mnist", data_dir)
