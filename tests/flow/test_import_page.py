"""Runs the commands of docs/import.md, with a stand-in for snnTorch."""

import ast
import re
from pathlib import Path

import pytest

from nir_files import one_lif, write
from spikeloom.importers.profile import FRAMEWORKS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "import.md").read_text()
BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks():
    return BLOCK.findall(PAGE)


@pytest.fixture
def with_snntorch(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "tests" / "stand_in"))


def test_every_profile_has_a_row():
    rows = re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)
    assert rows == list(FRAMEWORKS)


def test_from_a_file(reader, tmp_path):
    write(tmp_path / "lif.nir", *one_lif())
    *_, (language, text) = blocks()
    assert language == "sh"
    assert "lif.nir (norse)" in reader(language, text)


@pytest.mark.slow
def test_from_a_module_to_a_simulated_board(reader, with_snntorch):
    (python, trained), (sh, verbs), _ = blocks()
    accuracy = ast.literal_eval(reader(python, trained).strip().splitlines()[-1])
    assert accuracy["float"] > 0.9
    assert accuracy["integers"] > accuracy["float"] - 0.02
    said = reader(sh, verbs)
    assert "every score, class and count equals it" in said
