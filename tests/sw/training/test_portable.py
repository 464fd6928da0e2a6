"""Sums that have the same bits on every x86-64 processor with AVX2."""

import subprocess
import sys

import pytest

CASES = {
    "chosen before torch computes": ("", "True"),
    "chosen when torch has computed": ("sums_are_portable(); ", "False"),
}


@pytest.mark.parametrize(("before", "expected"), CASES.values(), ids=CASES.keys())
def test_sums(before, expected, monkeypatch):
    for name in ("ATEN_CPU_CAPABILITY", "MKL_CBWR"):
        monkeypatch.delenv(name, raising=False)
    code = (
        "from spikeloom.config import TrainingConfig\n"
        "from spikeloom.training.device import make_deterministic\n"
        "from spikeloom.training.portable import sums_are_portable\n"
        f"{before}make_deterministic(TrainingConfig(portable=True))\n"
        "print(sums_are_portable())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == expected, done.stderr
