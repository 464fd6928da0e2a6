"""Who a device is: the same from the generator and from the folder that it left."""

from dataclasses import replace

import numpy as np
import pytest

from networks import random_network
from spikeloom_hw.generate import generate, load_design
from spikeloom_hw.identity import identify
from spikeloom_hw.targets import find_target

TARGET = find_target("icebreaker")


def make(folder, seed=1, target=TARGET, lanes=(2, 1)):
    image = random_network(np.random.default_rng(seed), [9, 8, 3])
    return generate(image, target=target, lanes=lanes, directory=folder)


def test_the_folder_says_what_the_generator_built_in(tmp_path):
    design = make(tmp_path / "design")
    read = load_design(tmp_path / "design")
    assert read.identity == design.identity
    assert read.identity == identify(read.core, target=TARGET, network_sha256=design.network_sha256)
    assert (design.identity.inputs, design.identity.outputs, design.identity.layers) == (9, 3, 2)
    assert design.identity.clock_hz == TARGET.core_clock_mhz * 1_000_000
    # Its bytes are in the Verilog: the device tells them from a table.
    table = (tmp_path / "design" / "top.v").read_text()
    assert all(f"8'h{byte:02x}" in table for byte in design.identity.design_hash)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"seed": 2}, id="another network"),
        pytest.param({"target": replace(TARGET, core_clock_mhz=24)}, id="another clock"),
        pytest.param({"target": find_target("ulx3s-25f")}, id="another board"),
        pytest.param({"lanes": (1, 1)}, id="other lanes"),
    ],
)
def test_another_design_has_another_hash(tmp_path, other):
    design, different = make(tmp_path / "one"), make(tmp_path / "two", **other)
    assert design.identity.design_hash != different.identity.design_hash
