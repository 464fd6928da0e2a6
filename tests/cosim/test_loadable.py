"""One loadable core, compiled once, with one network after another in it."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from spikeloom.arithmetic import ShiftLeak
from spikeloom.image import NetworkImage, save_image
from spikeloom_cosim.build import build_bench
from spikeloom_cosim.divergence import KINDS
from spikeloom_cosim.driver import LOADS
from spikeloom_cosim.fitting import Fitting, fit_design
from spikeloom_cosim.verify import verify_core
from spikeloom_hw.core.layouts import MemoryKind, core_load_layout
from spikeloom_hw.generate import generate, load_design
from spikeloom_hw.targets import TARGETS

from .networks import random_network

LANES = (4, 2)
SAMPLES = 12


def network(sizes: tuple[int, ...] = (64, 24, 10), **options) -> NetworkImage:
    """A network of one threshold a layer."""
    image = random_network(sizes, leak=ShiftLeak(shift=3), **options)
    layers = [replace(own, threshold=np.full_like(own.threshold, 7)) for own in image.layers]
    return image.with_layers(tuple(layers))


FIRST = network(seed=1)
OTHERS = [
    pytest.param(FIRST, id="the one that it was made for"),
    pytest.param(network(seed=2, density=0.15), id="other weights, fewer"),
    pytest.param(network((64, 17, 10), seed=3, time_steps=4), id="fewer neurons, fewer steps"),
    pytest.param(network((60, 24, 10), seed=4), id="fewer inputs"),
]


def one_design(folder: Path, target: str, lanes: tuple[int, ...] = LANES) -> Path:
    generate(FIRST, target=TARGETS[target], lanes=lanes, directory=folder, bare=True, loadable=True)
    return folder


@pytest.fixture(scope="module")
def single_port(tmp_path_factory) -> Path:
    """Weights of the first layer in single-port RAM, which holds nothing at first."""
    folder = one_design(tmp_path_factory.mktemp("single") / "design", "icebreaker")
    assert any(layer.single_port for layer in load_design(folder).parameters)
    return folder


@pytest.fixture(scope="module")
def spilled(tmp_path_factory) -> Path:
    """Words wider than the single-port RAMs, whose highest bits lie in block RAM."""
    folder = one_design(tmp_path_factory.mktemp("spilled") / "design", "icebreaker", (16, 2))
    assert load_design(folder).parameters[0].spill_bits == 16
    return folder


@pytest.fixture(scope="module")
def block(tmp_path_factory) -> Path:
    """All weights in block RAM, with the network that the core was made for in it."""
    folder = one_design(tmp_path_factory.mktemp("block") / "design", "ulx3s-25f")
    assert not any(layer.single_port for layer in load_design(folder).parameters)
    return folder


def events_of(image: NetworkImage) -> np.ndarray:
    """From nothing at all to everything in every step."""
    rates = np.linspace(0, 1, SAMPLES)[:, None, None]
    shape = SAMPLES, image.time_steps, image.inputs
    return np.random.default_rng(3).random(shape) < rates


def run(fitting: Fitting, events: np.ndarray, tools, failure: Path):
    expected = fitting.expect(events)
    assert any(spikes.any() for spikes in expected.trace.spikes)
    return verify_core(
        fitting.core, events, fitting.expect, tools=tools, seed=5, failure_folder=failure
    )


@pytest.mark.parametrize("image", OTHERS)
@pytest.mark.parametrize("design", ["single_port", "spilled", "block"])
def test_equal(request, tools, tmp_path, design, image):
    folder = request.getfixturevalue(design)
    fitting = fit_design(folder, image, network=tmp_path)
    result = run(fitting, events_of(image), tools, tmp_path / "failure")
    assert not result.mismatches.total(), result.first
    assert result.cycles is not None
    assert [own.name for own in result.modes] == ["isolated", "streaming", "stress"]
    assert result.document()["loaded"]
    assert build_bench(fitting.core.verilog, fitting.core.shape, tools=tools).cached


def test_one_wrong_loaded_word_is_found(tools, tmp_path, single_port):
    fitting = fit_design(single_port, FIRST, network=tmp_path)
    assert fitting.core.loads is not None
    design = load_design(single_port).core
    # The first chunk of weights of the row that is read most: its lowest slot, a bit of the weight.
    events = events_of(FIRST)
    row = int(np.argmax(events.sum(axis=(0, 1)) * fitting.packed[0].count))
    word = int(fitting.packed[0].count[:row].sum())
    address = word << design.layers[0].weight_memory.select_bits
    place = {"layer": 0, "kind": MemoryKind.WEIGHTS.value, "address": address}
    layout = core_load_layout(design)
    header = sum(value << layout[name].offset for name, value in place.items())
    data = layout["data"].offset
    loads = fitting.core.loads.copy()
    (at,) = np.flatnonzero(loads & np.uint64((1 << data) - 1) == np.uint64(header))
    loads[at] ^= np.uint64(1 << data + design.layers[0].index_bits)
    wrong = replace(fitting, core=replace(fitting.core, loads=loads))
    result = run(wrong, events, tools, tmp_path / "failure")
    assert result.first is not None
    assert (result.first.kind, result.first.layer) in {("membrane", "layer0"), ("spike", "layer0")}
    assert result.first.neuron is not None
    assert result.first.neuron % LANES[0] == 0  # the lowest slot is lane 0's
    assert (tmp_path / "failure" / LOADS).is_file()


def save(folder: Path, image: NetworkImage) -> Path:
    path = folder / "run" / "network.safetensors"
    save_image(path, image)
    return path


def test_verb_loads_another_network(spikeloom, document, tmp_path, block):
    path = save(tmp_path, network(seed=2, density=0.15))
    arguments = ("--design", block, "--samples", SAMPLES, "--json")
    result = document(spikeloom("verify", path, *arguments))
    assert [result[f"{kind}_mismatches"] for kind in KINDS] == [0] * len(KINDS)
    (own,) = result["runs"]
    assert own["loaded"]
    assert own["lanes"] == list(LANES)


def test_verb_generates_a_loadable_core(spikeloom, document, tmp_path):
    path = save(tmp_path, FIRST)
    arguments = ("--loadable", "--lanes", "4,2", "--samples", SAMPLES, "--json")
    result = document(spikeloom("verify", path, *arguments))
    assert [result[f"{kind}_mismatches"] for kind in KINDS] == [0] * len(KINDS)
    assert result["runs"][0]["loaded"]
    assert json.loads((path.parent / "verify.json").read_text())["layers"][0]["lanes"] == 4


@pytest.mark.parametrize(
    ("image", "says"),
    [
        pytest.param(
            network((64, 25, 10)), "it has 25 neurons and the core 24, 1 too many", id="neurons"
        ),
        pytest.param(network((64, 24, 24, 10)), "has 3 layers and the core 2", id="layers"),
    ],
)
def test_network_beyond_the_core(spikeloom, one_sentence, tmp_path, block, image, says):
    path = save(tmp_path, image)
    result = spikeloom("verify", path, "--design", block, "--samples", SAMPLES)
    assert result.exit_code == 2
    assert says in one_sentence(result)
    assert not (path.parent / "verify.json").exists()


def test_a_design_is_loadable_or_not(spikeloom, one_sentence, tmp_path, block):
    path = save(tmp_path, FIRST)
    result = spikeloom("verify", path, "--design", block, "--loadable")
    assert result.exit_code == 2
    assert "leave out --loadable" in one_sentence(result)


def test_inputs_that_the_core_has_beyond_the_network_are_silent(tmp_path, block):
    image = network((60, 24, 10), seed=4)
    fitting = fit_design(block, image, network=tmp_path)
    expected = fitting.expect(events_of(image))
    assert expected.trace.events.shape[2] == FIRST.inputs
    assert not expected.trace.events[..., 60:].any()
