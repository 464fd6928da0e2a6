"""The folder of a design: what it holds, and when it is refused."""

import json

import numpy as np
import pytest

from networks import random_network
from spikeloom.errors import UserError
from spikeloom_hw.generate import generate, load_design
from spikeloom_hw.targets import TARGETS

ICEBREAKER = TARGETS["icebreaker"]


@pytest.fixture(scope="module")
def image():
    return random_network(np.random.default_rng(1), [20, 12, 5], shared=False)


@pytest.fixture(scope="module")
def folder(image, tmp_path_factory):
    folder = tmp_path_factory.mktemp("generate") / "design"
    generate(image, target=ICEBREAKER, lanes=(4, 1), directory=folder)
    return folder


def test_the_description_names_every_file(folder):
    design = load_design(folder)
    present = {path.name for path in folder.iterdir() if not path.name.startswith(".")}
    assert present == {*design.files, "design.json"}
    assert {"core.v", "top.v", "top.pcf"} <= present
    assert [layer.lanes for layer in design.layers] == [4, 1]
    assert design.event_bits == design.address_bits + 2 == 5 + 2


def test_the_weight_memory_holds_the_packed_words(folder):
    design = load_design(folder)
    (memory,) = folder.glob("*layer0.*weights.words.mem")
    words = memory.read_text().split()
    assert len(words) == design.layers[0].words
    assert all(int(word, 16) < 1 << design.layers[0].word_bits for word in words)


def test_the_same_network_gives_the_same_bytes(image, folder, tmp_path):
    again = tmp_path / "again"
    generate(image, target=ICEBREAKER, lanes=(4, 1), directory=again)
    for path in folder.iterdir():
        assert (again / path.name).read_bytes() == path.read_bytes(), path.name


def test_a_bare_core_has_no_top(image, tmp_path):
    design = generate(
        image, target=ICEBREAKER, lanes=(1, 1), directory=tmp_path / "bare", bare=True
    )
    assert not [name for name in design.files if name.startswith("top")]


def test_more_classes_than_the_link_can_name(tmp_path):
    large = random_network(np.random.default_rng(1), [4, 257], density=0.1)
    with pytest.raises(UserError, match="257 outputs and the host link of icebreaker names 256"):
        generate(large, target=ICEBREAKER, lanes=(1,), directory=tmp_path / "large")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_other_files_is_left_alone(image, tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(UserError, match="files that spikeloom did not make"):
        generate(image, target=ICEBREAKER, lanes=(1, 1), directory=tmp_path)
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        pytest.param(None, "no such file", id="absent"),
        pytest.param("{", "damaged", id="not JSON"),
        pytest.param(json.dumps({"schema": 1}), "of another version", id="another schema"),
    ],
)
def test_a_damaged_description_is_named(tmp_path, contents, message):
    if contents is not None:
        (tmp_path / "design.json").write_text(contents)
    with pytest.raises(UserError, match=f"design.json.*{message}"):
        load_design(tmp_path)
