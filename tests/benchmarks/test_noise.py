"""The noise benchmark, short: against the model and against the Verilog."""

import json

import pytest
from click.testing import CliRunner

import noise


@pytest.mark.slow
def test_noise(tmp_path):
    path = tmp_path / "noise.json"
    arguments = ["--frames", "500", "--results", str(path), "--seed", "5"]
    done = CliRunner().invoke(noise.main, arguments, catch_exceptions=False)
    assert done.exit_code == 0
    told = json.loads(path.read_text())
    for device in ("model", "rtl"):
        assert told[f"{device}_mismatches"] == 0
        assert told[f"{device}_frames"] >= 500
        assert min(told[f"{device}_{kind}"] for kind in ("flipped", "refused", "broken")) > 50
