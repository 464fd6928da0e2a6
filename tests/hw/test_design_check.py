"""A design's folder that was damaged, or belongs to another network."""

from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from networks import random_network
from spikeloom.errors import UserError
from spikeloom_hw.design_check import check_design, check_memories
from spikeloom_hw.generate import MemoryDesign, generate, load_design
from spikeloom_hw.targets import TARGETS


@pytest.fixture(scope="module")
def image():
    return random_network(np.random.default_rng(1), [20, 12, 5], shared=False)


@pytest.fixture(scope="module")
def folder(image, tmp_path_factory):
    folder = tmp_path_factory.mktemp("check") / "design"
    generate(image, target=TARGETS["icebreaker"], lanes=(4, 1), directory=folder)
    return folder


def test_every_memory_is_described_and_whole(folder):
    design = load_design(folder)
    described = {memory.file for memory in design.memories}
    assert described == {path.name for path in folder.glob("*.mem")}
    (weights,) = (memory for memory in design.memories if "layer0.stream.weights" in memory.file)
    assert (weights.depth, weights.width) == (design.layers[0].words, design.layers[0].word_bits)
    check_memories(folder, design)


def test_the_network_is_compared(image, folder):
    assert check_design(folder, image=image, network=Path("own")) == load_design(folder)
    with pytest.raises(UserError, match="another network than other"):
        check_design(folder, image=replace(image, time_steps=9), network=Path("other"))


WHOLE = ["0f", "1f", "00"]  # three words of five bits


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        pytest.param(["0f", "1F", "12"], None, id="other values"),
        pytest.param(["0f", "1g", "00"], "line 2: '1g' is not a word of 2", id="not hexadecimal"),
        pytest.param(["0f", "1f", "0"], "line 3: '0' is not a word of 2", id="a digit less"),
        pytest.param(["00f", "1f", "00"], "line 1: '00f' is not a word of 2", id="a digit more"),
        pytest.param(["0f", "xx", "00"], "line 2: 'xx' is not", id="unknown value"),
        pytest.param(["0f", "", "00"], "line 2: '' is not", id="an empty line"),
        pytest.param(["0f", "20", "00"], "line 2: '20' has more than the memory's 5", id="a bit"),
        pytest.param(["0f", "1f"], "line 3: the file has 2 lines, and", id="a word less"),
        pytest.param([*WHOLE, "00"], "line 4: the file has 4 lines, and", id="a word more"),
        pytest.param([], "line 1: '' is not", id="empty"),
        pytest.param(None, "lacks", id="absent"),
    ],
)
def test_damaged_contents_are_named_by_line(folder, tmp_path, lines, complaint):
    design = load_design(folder)
    memory = MemoryDesign(file="some.mem", depth=3, width=5)
    if lines is not None:
        (tmp_path / "some.mem").write_text("".join(f"{line}\n" for line in lines))
    design = msgspec.structs.replace(design, memories=(memory,))
    if complaint is None:
        check_memories(tmp_path, design)
    else:
        with pytest.raises(UserError, match=rf"some\.mem.*{complaint}|{complaint} some\.mem"):
            check_memories(tmp_path, design)
