"""The verb `generate`."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from spikeloom.arithmetic import IntegrateLeak
from spikeloom.image import Layer, save_image
from spikeloom_hw.cli.generate import MOST_SAMPLES
from spikeloom_hw.generate import load_design


def test_a_board_that_encodes(spikeloom, document, network, small_image, tmp_path):
    done = document(
        spikeloom("generate", network, "--encoder", "-o", tmp_path / "design", "--json")
    )
    assert done["encoder"] == msgspec.to_builtins(small_image.sample_code)
    assert load_design(tmp_path / "design").identity.takes_frames
    assert "encoder" in (tmp_path / "design" / "top.v").read_text()


def test_a_loadable_core(spikeloom, document, small_image, tmp_path):
    hidden, last = small_image.layers
    hidden = replace(hidden, threshold=np.full_like(hidden.threshold, 7))
    network = tmp_path / "network.safetensors"
    save_image(network, small_image.with_layers((hidden, last)))
    result = document(
        spikeloom("generate", network, "--loadable", "-o", tmp_path / "design", "--json")
    )
    assert result["loadable"]
    assert load_design(tmp_path / "design").loadable
    source = (tmp_path / "design" / "core.v").read_text()
    assert "module single_port_ram" in source
    assert "load__payload" in source


@pytest.mark.parametrize(
    ("target", "fits"),
    [
        pytest.param("icebreaker", False, id="a small device"),
        pytest.param("ulx3s-85f", True, id="a large one"),
    ],
)
def test_what_will_not_fit_is_written_and_said(spikeloom, small_image, tmp_path, target, fits):
    weights = np.random.default_rng(1).integers(1, 8, (256, 128))
    large = Layer.from_dense(weights, name="large", leak=IntegrateLeak())
    last = Layer.from_dense(weights[:128, :10], name="last", leak=IntegrateLeak(), spiking=False)
    network = tmp_path / "network.safetensors"
    save_image(network, small_image.with_layers((large, last)))
    result = spikeloom("generate", network, "--target", target)
    assert result.exit_code == 0, result.stderr
    assert (tmp_path / "design" / target / "core.v").is_file()
    said = [line for line in result.stderr.splitlines() if "it will not fit" in line]
    if fits:
        assert not said
    else:
        (line,) = said
        assert "blocks and icebreaker has 30" in line


@pytest.mark.parametrize("count", [0, MOST_SAMPLES + 1])
def test_samples_beyond_what_a_test_bench_takes_are_refused(
    spikeloom, one_sentence, network, tmp_path, count
):
    result = spikeloom(
        "generate", network, "--top", "core", "--samples", count, "-o", tmp_path / "core"
    )
    assert result.exit_code == 2
    assert f"{count} is not in the range 1<=x<={MOST_SAMPLES}" in one_sentence(result)
    assert not (tmp_path / "core").exists()
