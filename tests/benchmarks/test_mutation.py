"""A small fixed choice of mutants dies, and so does nearly all of a large one."""

import json
from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner

from mutants.cores import SUBJECTS
from mutants.trial import mutants, short_name
from mutation import RESULTS, main
from spikeloom_cosim.toolchain import find_toolchain

SEED = 4


@pytest.mark.slow
def test_twenty_mutants_die(tmp_path):
    made = mutants(
        SUBJECTS[1], count=20, seed=SEED, tools=find_toolchain(), folder=tmp_path / "core"
    )
    assert made.death(0) is None
    assert len(made.mutations) == 20
    survivors = [made.mutations[at] for at in range(20) if made.death(at + 1) is None]
    assert [short_name(mutation) for mutation in survivors] == []


@pytest.mark.slow
def test_score(tmp_path):
    result = CliRunner().invoke(main, ["--output", str(tmp_path / "mutation.json")])
    assert result.exit_code == 0, result.output
    document = json.loads((tmp_path / "mutation.json").read_text())
    assert document["mutants"] >= 500
    assert document["score"] >= 0.95


def test_recorded_score():
    document = json.loads(Path(RESULTS).read_text())
    fates = Counter(row["fate"] for row in document["rows"])
    assert len(document["rows"]) == document["mutants"] >= 500
    assert fates["killed"] == document["killed"]
    assert fates["survived"] + fates["open"] == len(document["survivors"])
    killable = document["mutants"] - fates["equivalent"]
    assert document["score"] == round(fates["killed"] / killable, 4) >= 0.95
    assert all(survivor["explanation"] for survivor in document["survivors"])
