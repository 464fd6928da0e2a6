"""Reading HDF5: within limits, in a process of its own, and never a pickle."""

import pickle

import h5py
import numpy as np
import pytest

from nir_files import chain, conv2d, end, entry, neurons, one_lif, write_group
from spikeloom.errors import UserError
from spikeloom.importers import hdf5, hdf5_child
from spikeloom.importers.nir import read_nir
from spikeloom.importers.nodes import Convolution


def test_a_process_of_its_own_reads_the_same(nir_file, own_process):
    nodes, edges = chain(
        entry(2, 8, 8),
        conv2d(np.arange(72.0).reshape(4, 2, 3, 3)),
        neurons("IF", (4, 6, 6)),
        end(4, 6, 6),
    )
    path = nir_file(nodes, edges)
    there, here = read_nir(path).nodes, hdf5_child.read(str(path))
    kernel = there["0"]
    assert isinstance(kernel, Convolution)
    assert np.array_equal(kernel.weight, np.arange(72.0).reshape(4, 2, 3, 3))
    assert set(there) == set(nodes)
    assert "tree" in here[0]


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        pytest.param("while True: pass", "it broke its reader, by signal", id="hangs"),
        pytest.param("import os; os.abort()", "it broke its reader, by signal 6", id="crashes"),
        pytest.param("bytearray(1 << 31)", "MemoryError", id="takes all memory"),
        pytest.param("pass", "its reader said nothing", id="says nothing"),
    ],
)
def test_a_file_that_breaks_its_reader(
    nir_file, own_process, monkeypatch, tmp_path, program, expected
):
    """Damaged files make the library behind h5py do each of these."""
    child = tmp_path / "hdf5_child.py"
    limits = "import resource as r; r.setrlimit(r.RLIMIT_CPU, (1, 1)); "
    child.write_text(f"{limits}r.setrlimit(r.RLIMIT_AS, (1 << 30, 1 << 30))\n{program}\n")
    monkeypatch.setattr(hdf5, "CHILD", child)
    with pytest.raises(UserError, match=expected) as error:
        read_nir(nir_file(*one_lif()))
    assert "a damaged HDF5 file" in str(error.value)


class Bomb:
    def __reduce__(self):
        raise AssertionError("a pickle was made or opened")


def test_a_pickle_is_never_opened(tmp_path, monkeypatch):
    path = tmp_path / "network.nir"
    path.write_bytes(pickle.dumps({"weights": [1]}))
    monkeypatch.setattr(pickle, "Unpickler", Bomb)
    monkeypatch.setattr(pickle, "loads", Bomb.__reduce__)
    with pytest.raises(UserError, match="but a Python pickle, which is never loaded"):
        read_nir(path)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(b"", "not an HDF5 file", id="empty"),
        pytest.param(b"PK\x03\x04" + bytes(99), "but a zip archive", id="zip"),
        pytest.param(b"\x89HDF\r\n\x1a\n" + bytes(99), "a damaged HDF5 file", id="damaged"),
    ],
)
def test_other_files(tmp_path, content, expected):
    path = tmp_path / "network.nir"
    path.write_bytes(content)
    with pytest.raises(UserError, match=expected):
        read_nir(path)


def test_links_objects_and_sizes_are_refused(tmp_path):
    path = tmp_path / "network.nir"

    def refused(fill, expected):
        with h5py.File(path, "w") as file:
            write_group(file, {"node": {"type": "NIRGraph"}})
            fill(file)
        with pytest.raises(UserError, match=expected):
            read_nir(path)

    def soft(file):
        file["node/nodes"] = h5py.SoftLink("/elsewhere")

    def external(file):
        file["node/nodes"] = h5py.ExternalLink("other.h5", "/node")

    def reference(file):
        file.create_dataset("node/nodes", data=file["node"].ref, dtype=h5py.ref_dtype)

    def compound(file):
        file.create_dataset("node/nodes", data=np.zeros(2, dtype=[("a", int), ("b", float)]))

    def bomb(file):
        given = {"shape": (1 << 20, 1 << 20), "chunks": (64, 64), "compression": "gzip"}
        file.create_dataset("node/x", dtype="f4", **given)

    def deep(file):
        file.create_group("node/" + "a/" * 20)

    refused(soft, "a link to elsewhere")
    refused(external, "a link to elsewhere")
    refused(reference, "its values are")
    refused(compound, "its values are")
    refused(bomb, "arrays of more than 128 MiB")
    refused(deep, "17 deep")
    refused(lambda file: None, "there are no nodes")
