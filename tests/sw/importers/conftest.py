"""Fixtures of the importers' tests."""

import pytest

import nir_files


@pytest.fixture
def nir_file(tmp_path):
    """`nir_file(nodes, edges)` writes a file and gives its path."""

    def write(nodes, edges):
        return nir_files.write(tmp_path / "graph.nir", nodes, edges)

    return write
