"""Every board's bitstream: the reference network of the digits, placed and routed at its clock."""

from pathlib import Path

import pytest

from spikeloom.cli.console import Console
from spikeloom.image import load_image
from spikeloom.packing import resolve_lanes
from spikeloom_hw.generate import generate
from spikeloom_hw.synth.flow import synthesize
from spikeloom_hw.targets import TARGETS

NETWORK = Path(__file__).parents[3] / "bitstreams/digits-icebreaker/network.safetensors"
LANES = (8,)
# Both families' bitstreams open with a comment.
OPENING = b"\xff\x00"


@pytest.mark.slow
@pytest.mark.parametrize("name", TARGETS)
def test_every_preset_builds_and_meets_its_clock(tmp_path, name):
    target = TARGETS[name]
    image = load_image(NETWORK)
    design = tmp_path / "design"
    generate(image, target=target, lanes=resolve_lanes(image, LANES), directory=design)
    made = synthesize(
        design, target=target, directory=tmp_path / "out", progress=Console(as_json=True)
    )
    assert made.fmax_mhz >= made.constraint_mhz == target.core_clock_mhz
    assert made.bitstream.read_bytes()[:2] == OPENING
    assert made.utilization[target.cell_name].available == target.logic_cells
    assert made.utilization[target.block_name].available == target.block_ram_count
