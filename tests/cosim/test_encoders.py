"""The encoders' Verilog in Verilator: the whole test set of the digits, and what would be seen."""

import pytest

from spikeloom.datasets import load_dataset
from spikeloom.encoding import DeltaEncoding, LatencyEncoding, RateEncoding
from spikeloom.errors import UserError
from spikeloom_cosim.encoders import build_encoder, compare_encoder

DIGITS = load_dataset("digits").test.images


@pytest.mark.parametrize(
    ("code", "time_steps", "faulty"),
    [
        pytest.param(LatencyEncoding(), 5, LatencyEncoding(threshold=81), id="latency"),
        pytest.param(DeltaEncoding(), 8, DeltaEncoding(delta=80), id="delta"),
    ],
)
def test_whole_test_set(tmp_path, tools, code, time_steps, faulty):
    values = DIGITS.shape[1]
    build = build_encoder(
        code, values=values, time_steps=time_steps, folder=tmp_path / "v", tools=tools
    )
    for pause in (0, 100):
        outcome = compare_encoder(
            build, code, DIGITS, time_steps, folder=tmp_path / "run", pause=pause
        )
        assert outcome.identical, outcome
        assert outcome.samples == len(DIGITS)
        assert outcome.events > len(DIGITS) * (time_steps + 5)
    wrong = compare_encoder(build, faulty, DIGITS, time_steps, folder=tmp_path / "run")
    assert 0 < wrong.mismatches <= len(DIGITS) + 1
    assert not wrong.identical


def test_too_few_samples_are_seen(tmp_path, tools):
    code = DeltaEncoding()
    build = build_encoder(code, values=72, time_steps=8, folder=tmp_path / "v", tools=tools)
    cut = compare_encoder(build, code, DIGITS[:10], 8, folder=tmp_path / "run")
    assert cut.hung
    assert not cut.identical


def test_codes_without_gateware_are_refused(tmp_path, tools):
    with pytest.raises(UserError, match="has no gateware"):
        build_encoder(RateEncoding(), values=4, time_steps=4, folder=tmp_path / "v", tools=tools)
