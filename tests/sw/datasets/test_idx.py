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


def test_the_folder_comes_from_the_environment(data_dir, monkeypatch):
    monkeypatch.setenv("SPIKELOOM_DATA", str(data_dir))
    assert len(load_dataset("mnist").test) == 20
    monkeypatch.delenv("SPIKELOOM_DATA")
    with pytest.raises(UserError, match="--data-dir, or in the environment variable SPIKELOOM"):
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
