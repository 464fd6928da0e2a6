"""Fixtures of the importers' tests."""

import pytest

import nir_files
from spikeloom.importers import hdf5
from spikeloom.importers.hdf5_child import answer


@pytest.fixture
def nir_file(tmp_path):
    """`nir_file(nodes, edges)` writes a file and gives its path."""

    def write(nodes, edges):
        return nir_files.write(tmp_path / "graph.nir", nodes, edges)

    return write


@pytest.fixture(autouse=True)
def _reads_here(request, monkeypatch):
    """Files are read in this process, which takes a tenth of the time; `own_process` undoes it."""
    if "own_process" not in request.fixturenames:
        monkeypatch.setattr(hdf5, "_run", lambda path: answer(str(path)))


@pytest.fixture
def own_process():
    """The file is read in a process of its own, as for a user."""
