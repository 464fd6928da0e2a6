"""The encoders' Verilog in Verilator: the whole test set of the digits, and what would be seen."""

import pytest

from spikeloom.datasets import load_dataset
from spikeloom.encoding import DeltaEncoding, LatencyEncoding, RateEncoding, SampleCode
from spikeloom.errors import UserError
from spikeloom_cosim.encoders import build_encoder, compare_encoder

DIGITS = load_dataset("digits").test.images[:]


@pytest.mark.parametrize(
    ("encoding", "time_steps", "faulty"),
    [
        pytest.param(LatencyEncoding(), 5, LatencyEncoding(threshold=81), id="latency"),
        pytest.param(DeltaEncoding(), 8, DeltaEncoding(delta=80), id="delta"),
    ],
)
def test_whole_test_set(tmp_path, tools, encoding, time_steps, faulty):
    right, wrong = (
        SampleCode(encoding=encoding, values=DIGITS.shape[1], time_steps=time_steps)
        for encoding in (encoding, faulty)
    )
    build = build_encoder(right, folder=tmp_path / "v", tools=tools)
    for pause in (0, 100):
        outcome = compare_encoder(build, right, DIGITS, folder=tmp_path / "run", pause=pause)
        assert outcome.identical, outcome
        assert outcome.samples == len(DIGITS)
        assert outcome.events > len(DIGITS) * (time_steps + 5)
    seen = compare_encoder(build, wrong, DIGITS, folder=tmp_path / "run")
    assert 0 < seen.mismatches <= len(DIGITS) + 1
    assert not seen.identical


def test_too_few_samples_are_seen(tmp_path, tools):
    longer, code = (
        SampleCode(encoding=DeltaEncoding(), values=values, time_steps=8) for values in (72, 64)
    )
    build = build_encoder(longer, folder=tmp_path / "v", tools=tools)
    cut = compare_encoder(build, code, DIGITS[:10], folder=tmp_path / "run")
    assert cut.hung
    assert not cut.identical


def test_codes_without_gateware_are_refused(tmp_path, tools):
    code = SampleCode(encoding=RateEncoding(), values=4, time_steps=4)
    with pytest.raises(UserError, match="the rate encoding has no gateware"):
        build_encoder(code, folder=tmp_path / "v", tools=tools)
