import gzip
import shutil
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
            split.images[:], FILES[f"{source}-images-idx3-ubyte"].reshape(-1, 784)[at]
        )
        assert np.array_equal(split.labels, FILES[f"{source}-labels-idx1-ubyte"][at])


@pytest.mark.usefixtures("offline")
def test_the_folder_comes_from_the_environment(data_dir, monkeypatch):
    monkeypatch.setenv("SPIKELOOM_DATA", str(data_dir))
    assert len(load_dataset("mnist").test) == 20
    monkeypatch.delenv("SPIKELOOM_DATA")
    with pytest.raises(UserError, match=r"not on this machine.*SPIKELOOM_DATA.*--download"):
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


@pytest.mark.usefixtures("offline")
def test_what_is_in_no_folder_is_fetched_once(monkeypatch):
    monkeypatch.delenv("SPIKELOOM_DATA", raising=False)
    images = RANDOM.integers(0, 256, (10_120, 784), dtype=np.uint8)
    labels = (np.arange(10_120) % 10).astype(np.uint8)
    asked = from_openml(monkeypatch, images, labels)
    for _ in range(2):
        data = load_dataset("fashion-mnist", download=True)
        assert (len(data.train), len(data.validation), len(data.test)) == (110, 10, 10_000)
        assert np.array_equal(data.test.images[:], images[120:])
        assert np.array_equal(data.validation.images[:], images[data.validation.index])
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
@pytest.mark.usefixtures("offline")
def test_what_openml_should_not_send(tmp_path, monkeypatch, images, labels, says):
    monkeypatch.delenv("SPIKELOOM_DATA", raising=False)
    from_openml(monkeypatch, images, labels)
    with pytest.raises(UserError, match=says):
        load_dataset("mnist", download=True)
    assert not list(tmp_path.rglob("*ubyte*"))


@pytest.mark.usefixtures("offline")
def test_one_missing_file_is_not_fetched(data_dir):
    (data_dir / "mnist" / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(UserError, match="is missing"):
        load_dataset("mnist", data_dir)


@pytest.mark.usefixtures("offline")
def test_a_folder_that_was_named_stands_for_no_other(data_dir, tmp_path, monkeypatch):
    """A typo neither takes what was fetched before nor fetches anything."""
    monkeypatch.setenv("SPIKELOOM_CACHE", str(tmp_path / "cache"))
    (tmp_path / "cache").mkdir()
    shutil.copytree(data_dir / "mnist", tmp_path / "cache" / "datasets" / "mnist")
    (tmp_path / "mien").mkdir()
    for download in (False, True):
        with pytest.raises(UserError, match=r"mien/mnist has none of its files"):
            load_dataset("mnist", tmp_path / "mien", download=download)
    monkeypatch.delenv("SPIKELOOM_DATA", raising=False)
    assert load_dataset("mnist").place == str(tmp_path / "cache" / "datasets" / "mnist")


@pytest.mark.usefixtures("offline")
def test_nothing_is_fetched_unasked(monkeypatch):
    monkeypatch.delenv("SPIKELOOM_DATA", raising=False)
    asked = from_openml(monkeypatch, np.zeros((0, 784)), np.zeros(0))
    with pytest.raises(UserError, match="fetch it with --download"):
        load_dataset("mnist")
    assert not asked


def test_names_with_a_dot_are_read(data_dir):
    for file in (data_dir / "mnist").iterdir():
        file.rename(file.with_name(file.name.replace("-idx", ".idx")))
    assert len(load_dataset("mnist", data_dir).test) == 20


def test_classes_are_the_labels_that_occur(data_dir):
    """As in EMNIST's letters: 1 to 26."""
    for part, count in (("train", 120), ("t10k", 20)):
        labels = 1 + np.arange(count) % 26
        path = data_dir / "mnist" / f"{part}-labels-idx1-ubyte.gz"
        path.write_bytes(gzip.compress(idx(labels)))
    data = load_dataset("mnist", data_dir)
    assert data.class_names == tuple(str(label) for label in range(1, 27))
    assert data.classes == 26
    assert np.array_equal(data.test.labels, np.arange(20) % 26)
    assert load_dataset("fashion-mnist", fashion(data_dir)).class_names[0] == "trouser"


def fashion(data_dir):
    """The folder with labels 1 ... 9 of a data set whose labels have names."""
    (data_dir / "mnist").rename(data_dir / "fashion-mnist")
    for part, count in (("train", 120), ("t10k", 20)):
        path = data_dir / "fashion-mnist" / f"{part}-labels-idx1-ubyte.gz"
        path.write_bytes(gzip.compress(idx(1 + np.arange(count) % 9)))
    return data_dir


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param(b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull", id="pointer"),
        pytest.param(b"<!DOCTYPE html>", "a page of HTML", id="a server's answer"),
        pytest.param(b"\x80\x04K\x01.", "pickle, which is never loaded", id="pickle"),
    ],
)
@pytest.mark.parametrize("name", ["plain", "packed.gz"])
def test_what_lies_there_is_named(tmp_path, name, content, says):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=says):
        read_idx(tmp_path / name)
