"""Generated cores against the reference: equal when they should be, and found out when not."""

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spikeloom.arithmetic import DecayLeak, IntegrateLeak, ShiftLeak
from spikeloom.datasets import load_dataset
from spikeloom.datasets.fitting import DataChoice
from spikeloom.image import NetworkImage, save_image
from spikeloom.image.identity import network_sha256
from spikeloom.packing import pack_network
from spikeloom.reference import Trace, simulate
from spikeloom_cosim.divergence import KINDS
from spikeloom_cosim.drilldown import FAILURE
from spikeloom_cosim.expectation import expect
from spikeloom_cosim.fitting import fit_design
from spikeloom_cosim.samples import sample_events
from spikeloom_cosim.verify import verify_core
from spikeloom_hw.generate import generate
from spikeloom_hw.targets import TARGETS

from .by_hand import FORGETFUL, expectation, random_events, write_core
from .networks import random_network

LANES = (4, 2)
SAMPLES = 12
TARGET = TARGETS["ulx3s-85f"]
EQUAL = [
    pytest.param((1, 1), (20, 13, 5), {"leak": ShiftLeak(shift=3)}, id="one lane"),
    pytest.param(
        (2, 2),
        (20, 9, 7),
        {
            "leak": DecayLeak(multiplier=5, fraction_bits=5),
            "reset": "zero",
            "readout": "count",
            "bias": 2,
        },
        id="two lanes, decay, reset to zero, spike count",
    ),
    pytest.param(
        (4, 2, 1),
        (24, 12, 8, 3),
        {"leak": IntegrateLeak(), "density": 0.1, "membrane_bits": 6},
        id="three layers, four lanes and fewer, membranes at their rails",
    ),
    pytest.param(
        (8, 8),
        (16, 30, 10),
        {"leak": ShiftLeak(shift=2), "density": 0.9, "bias": 3},
        id="eight lanes, dense",
    ),
]


def random_samples(image: NetworkImage, samples: int) -> np.ndarray:
    """From nothing at all to everything in every step."""
    random = np.random.default_rng(3)
    rates = np.linspace(0, 1, samples)[:, None, None]
    return random.random((samples, image.time_steps, image.inputs)) < rates


FAMILIES = ("icebreaker", "ulx3s-85f")


@pytest.mark.parametrize(
    ("target", "lanes", "sizes", "network"),
    # Each with one family, in turn; and with the other one.
    [
        pytest.param(
            target,
            *case.values,
            id=f"{target}-{case.id}",
            marks=() if family == number % 2 else pytest.mark.slow,
        )
        for number, case in enumerate(EQUAL)
        for family, target in enumerate(FAMILIES)
    ],
)
def test_equal(tools, tmp_path, target, lanes, sizes, network):
    image = random_network(sizes, **network)
    generate(image, target=TARGETS[target], lanes=lanes, directory=tmp_path / "design", bare=True)
    fitting = fit_design(tmp_path / "design", image, network=tmp_path)
    events = random_samples(image, 25)
    assert any(spikes.any() for spikes in fitting.expect(events).trace.spikes)
    result = verify_core(
        fitting.core,
        events,
        fitting.expect,
        tools=tools,
        seed=5,
        failure_folder=tmp_path / "failure",
    )
    assert not result.mismatches.total(), result.first
    assert result.first is None
    assert not (tmp_path / "failure").exists()
    assert result.cycles is not None
    assert result.cycles.mean <= result.cycles.p99 <= result.cycles.max
    assert 0 < result.cycles.sop_per_cycle_per_lane <= 1


class Planted:
    """A network on disk, its design, and copies of the design with one thing changed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.image = random_network((64, 12, 10), leak=ShiftLeak(shift=3))
        self.network = folder / "run" / "network.safetensors"
        save_image(self.network, self.image)
        self.design = folder / "design"
        generate(self.image, target=TARGET, lanes=LANES, directory=self.design, bare=True)
        samples = sample_events(
            Path("network"), self.image, split="test", count=SAMPLES, data=DataChoice()
        )
        fitting = fit_design(self.design, self.image, network=self.network)
        self.expected = fitting.expect(samples.events)
        self.trace = self.expected.trace

    def memory(self, changed: NetworkImage, name: str, place: Path) -> None:
        """Put the memory `name` of `changed` into a copy of the design: one word differs."""
        other = self.folder / f"{place.name}-source"
        generate(changed, target=TARGET, lanes=LANES, directory=other, bare=True)
        shutil.copytree(self.design, place)
        (file,) = other.glob(f"*{name}.mem")
        before, after = (path.read_text().split() for path in (place / file.name, file))
        assert sum(old != new for old, new in zip(before, after, strict=True)) == 1
        shutil.copy(file, place)

    def changed_layer(self, **arrays: np.ndarray) -> NetworkImage:
        first = replace(self.image.layers[0], **arrays)
        return self.image.with_layers((first, *self.image.layers[1:]))


@pytest.fixture(scope="module")
def planted(tmp_path_factory) -> Planted:
    return Planted(tmp_path_factory.mktemp("planted"))


def first_difference(right: Trace, wrong: Trace) -> dict[str, Any]:
    """By plain search: the first place where `wrong` differs, spikes before membranes."""
    samples, steps = right.events.shape[:2]
    for sample in range(samples):
        for step in range(steps):
            for layer in range(len(right.spikes)):
                for neuron in range(right.spikes[layer].shape[2]):
                    for kind, of in (("spike", "spikes"), ("membrane", "membranes")):
                        at = (sample, step, neuron)
                        expected, got = getattr(right, of)[layer][at], getattr(wrong, of)[layer][at]
                        if expected != got:
                            return {
                                "kind": kind,
                                "mode": "isolated",
                                "sample": sample,
                                "step": step,
                                "layer": f"layer{layer}",
                                "counter": None,
                                "neuron": neuron,
                                "got": int(got),
                                "expected": int(expected),
                            }
    raise AssertionError("the traces are equal")


def assert_found(spikeloom, planted: Planted, design: Path) -> dict[str, Any]:
    """`verify` fails, says where, and leaves waves; returns the first difference."""
    result = spikeloom("verify", planted.network, "--design", design, "--samples", SAMPLES)
    assert result.exit_code == 1, result.stderr
    document = json.loads((planted.network.parent / "verify.json").read_text())
    first = document["first_divergence"]
    assert document[f"{first['kind']}_mismatches"] > 0
    said = (
        f"sample {first['sample']}, step {first['step']}, layer {first['layer']}, "
        f"neuron {first['neuron']}, {first['kind']} (isolated): "
        f"got {first['got']}, expected {first['expected']}"
    )
    assert said in result.stderr
    waves = Path(document["waves"])
    assert str(waves) in result.stderr
    assert re.search(r"\$var .* events__payload", waves.read_text())
    assert json.loads((waves.parent / FAILURE).read_text()) == first
    return first


def test_failure_of_yesterday_is_gone(tools, tmp_path):
    events = random_events(3)
    exists = []
    for threshold in ("03", "04"):
        core = write_core(tmp_path / threshold, thresholds=f"{threshold} 05 03 7f")
        failure = tmp_path / "failure"
        verify_core(core, events, expectation, tools=tools, seed=1, failure_folder=failure)
        exists.append(failure.exists())
    assert exists == [True, False]


def weight_off_by_one(planted: Planted, place: Path) -> Trace:
    # The synapse whose input spikes most.
    layer = planted.image.layers[0]
    busy = planted.trace.events.sum(axis=(0, 1)) * (layer.fan_out > 0)
    at = layer.row_ptr[int(busy.argmax())]
    weight = layer.weight.copy()
    weight[at] += 1 if weight[at] not in (-1, 7) else -1
    changed = planted.changed_layer(weight=weight)
    planted.memory(changed, "layer0.stream.weights.words", place)
    return simulate(changed, planted.trace.events)


def threshold_off_by_one(planted: Planted, place: Path) -> Trace:
    threshold = planted.image.layers[0].threshold.copy()
    threshold[int(planted.trace.spikes[0].sum(axis=(0, 1)).argmax())] -= 1
    changed = planted.changed_layer(threshold=threshold)
    planted.memory(changed, "layer0.update.thresholds", place)
    return simulate(changed, planted.trace.events)


@pytest.mark.parametrize("plant", [weight_off_by_one, threshold_off_by_one])
def test_one_wrong_word_is_found(
    spikeloom, planted, tmp_path, plant: Callable[[Planted, Path], Trace]
):
    wrong = plant(planted, tmp_path / "design")
    first = assert_found(spikeloom, planted, tmp_path / "design")
    assert first == first_difference(planted.trace, wrong)


@pytest.mark.slow
def test_wrong_compare_is_found(spikeloom, planted, tmp_path):
    shutil.copytree(planted.design, tmp_path / "design")
    core = tmp_path / "design" / "core.v"
    source = core.read_text()
    assert re.search(r"potential\S* \) >= ", source)
    core.write_text(re.sub(r"(potential\S* \)) >= ", r"\1 > ", source))
    first = assert_found(spikeloom, planted, tmp_path / "design")
    # What should have spiked and did not was exactly at its threshold: nothing remains of it.
    assert (first["kind"], first["got"], first["expected"]) == ("spike", 0, 1)
    number = int(first["layer"].removeprefix("layer"))
    place = (first["sample"], first["step"], first["neuron"])
    assert planted.trace.spikes[number][place]
    assert planted.trace.membranes[number][place] == 0


@pytest.mark.slow
def test_a_wrong_counter_is_found(spikeloom, planted, tmp_path):
    shutil.copytree(planted.design, tmp_path / "design")
    core = tmp_path / "design" / "core.v"
    before, after = (f"layer1_operations_count {sign} layer1_operations;" for sign in "+-")
    assert before in core.read_text()
    core.write_text(core.read_text().replace(before, after))
    arguments = ("--design", tmp_path / "design", "--samples", SAMPLES, "-o", tmp_path / "out")
    result = spikeloom("verify", planted.network, *arguments)
    assert result.exit_code == 1, result.stderr
    document = json.loads((tmp_path / "out" / "verify.json").read_text())
    counts = {kind: document[f"{kind}_mismatches"] for kind in KINDS}
    assert counts == {**dict.fromkeys(KINDS, 0), "counter": 3}  # one a mode
    operations = int(planted.trace.operations[:, 1].sum())
    assert (
        f"layer layer1, counter operations, counter (isolated): got {2**32 - operations}, "
        f"expected {operations}"
    ) in result.stderr


def test_a_simulator_that_breaks_down_is_no_verdict(spikeloom, planted, tmp_path):
    shutil.copytree(planted.design, tmp_path / "design")
    core = tmp_path / "design" / "core.v"
    end = 'initial $fatal(1, "out of sorts");\nendmodule'
    core.write_text(core.read_text().replace("endmodule", end, 1))
    arguments = ("--design", tmp_path / "design", "--samples", 1, "-o", tmp_path / "out")
    result = spikeloom("verify", planted.network, *arguments)
    assert result.exit_code == 3, result.stderr
    (said,) = (line for line in result.stderr.splitlines() if line.startswith("spikeloom: "))
    assert "the simulator broke down, lanes 4,2: " in said
    assert "core.v" in said
    assert result.stdout == ""
    assert not (tmp_path / "out").exists()


def test_verb_on_a_generated_core(spikeloom, planted, document):
    lanes = ",".join(map(str, LANES))
    arguments = ("--target", TARGET.name, "--samples", SAMPLES, "--json")
    result = document(spikeloom("verify", planted.network, "--lanes", lanes, *arguments))
    written = json.loads((planted.network.parent / "verify.json").read_text())
    assert written["verb"] == "verify"
    assert {name: written[name] for name in result} == result
    assert result["level"] == "rtl"
    assert result["lanes"] == list(LANES)
    assert result["network_sha256"] == network_sha256(planted.image)
    assert result["samples"] == SAMPLES
    assert result["samples_available"] == len(load_dataset("digits").test)
    assert [result[f"{kind}_mismatches"] for kind in KINDS] == [0] * len(KINDS)
    assert result["first_divergence"] is None
    (run,) = result["runs"]
    assert [mode["name"] for mode in run["modes"]] == ["isolated", "streaming", "stress"]
    expected = planted.expected
    assert result["cycles"]["mean"] == pytest.approx(expected.latency.mean())
    assert result["cycles"]["max"] == expected.latency.max()
    assert run["modes"][1]["cycles"] >= expected.results[-1]
    assert result["cycles"]["interval"] == pytest.approx(expected.results[-1] / SAMPLES)
    busiest = int(expected.busy.argmax())
    operations = planted.trace.operations[:, busiest].sum()
    assert result["cycles"]["busiest_layer"] == {
        "name": f"layer{busiest}",
        "sop_per_cycle_per_lane": pytest.approx(operations / expected.results[-1] / LANES[busiest]),
    }
    for number, work in enumerate(result["layers"]):
        events, words, operations = expected.counted[:, number].sum(axis=0).tolist()
        assert (work["name"], work["lanes"]) == (f"layer{number}", LANES[number])
        assert (work["events"], work["words"], work["operations"]) == (events, words, operations)
        assert work["cycles"] == expected.results[-1]
        assert work["blocked"] <= work["updating"] <= work["cycles"] - words
        shares = work["shares"]
        assert sum(shares.values()) == pytest.approx(1)
        assert min(shares.values()) >= 0
        assert shares["synapses"] + shares["padding"] == pytest.approx(words / work["cycles"])
        assert work["sop_per_cycle_per_lane"] == shares["synapses"]


def test_the_table_says_how_many_of_how_many(spikeloom, planted):
    arguments = ("--design", planted.design, "--samples", SAMPLES)
    result = spikeloom("verify", planted.network, *arguments)
    assert result.exit_code == 0, result.stderr
    assert f"{SAMPLES} of 359" in result.stdout
    for word in ("latency", "interval", "layer0", "padding"):
        assert word in result.stdout


@pytest.mark.parametrize(
    ("sizes", "steps", "busiest"),
    [
        pytest.param((20, 30, 4), 2, 0, id="the first, by its words"),
        pytest.param((2, 8, 64), 2, 1, id="the second, by its neurons"),
    ],
)
def test_the_busiest_layer_has_the_most_cycles(sizes, steps, busiest):
    image = random_network(sizes, leak=ShiftLeak(shift=3), density=0.9, time_steps=steps)
    events = np.ones((3, steps, image.inputs), dtype=bool)
    expected = expect(image, simulate(image, events), pack_network(image, (1, 1)))
    assert expected.busy.argmax() == busiest


def test_output_that_cannot_be_written_is_refused_at_once(spikeloom, planted, one_sentence):
    (planted.folder / "file").write_text("")
    for place in (Path("/proc/none"), planted.folder / "file", planted.folder / "file" / "below"):
        result = spikeloom("verify", planted.network, "-o", place)
        assert result.exit_code == 2
        assert one_sentence(result).startswith(f"spikeloom: cannot write {place}")
        assert "[1]" not in result.stderr


def test_only_in_a_crowd(tools, tmp_path):
    """A core that forgets to clear a count fails from the second sample on, and not alone."""
    core = write_core(tmp_path / "core", mistakes=FORGETFUL)
    events = random_events(6)
    result = verify_core(
        core, events, expectation, tools=tools, seed=1, failure_folder=tmp_path / "failure"
    )
    assert result.first is not None
    assert (result.first.kind, result.first.sample, result.first.neuron) == ("score", 1, 1)
    assert result.replay is not None
    assert not result.replay.alone
    assert result.replay.waves.stat().st_size > 0
    assert {path.name for path in result.replay.folder.iterdir()} >= {"core.v", FAILURE}


def test_chunks_in_processes_are_as_one_run(tools, tmp_path):
    core = write_core(tmp_path / "core")
    events = random_events(11)
    whole, parts = (
        verify_core(
            core,
            events,
            expectation,
            tools=tools,
            seed=1,
            failure_folder=tmp_path / "failure",
            jobs=2,
            chunk=chunk,
        )
        for chunk in (11, 4)
    )
    assert whole.first is parts.first is None
    assert whole.samples == parts.samples == 11
    assert whole.cycles is not None
    assert parts.cycles is not None
    # The first event of each run is accepted in the second of its cycles, which is not counted.
    assert parts.cycles.interval == pytest.approx(whole.cycles.interval - 2 / 11)
    assert (parts.cycles.mean, parts.cycles.p99) == (whole.cycles.mean, whole.cycles.p99)
    assert whole.layers is not None
    assert parts.layers is not None
    for name in ("events", "words", "operations", "updating", "blocked"):
        assert getattr(parts.layers[0], name) == getattr(whole.layers[0], name)


def test_a_failure_in_a_later_chunk_has_its_number_among_all(tools, tmp_path):
    core = write_core(tmp_path / "core", weights=" ".join(["04"] * 16))
    events = np.zeros_like(random_events(6))
    events[4, 0, 0] = True  # the only one that reads a weight
    advanced = []
    result = verify_core(
        core,
        events,
        expectation,
        tools=tools,
        seed=1,
        failure_folder=tmp_path / "failure",
        jobs=2,
        chunk=2,
        advance=advanced.append,
    )
    assert advanced == [2, 2, 2]
    assert result.first is not None
    assert (result.first.sample, result.first.step, result.first.neuron) == (4, 0, 0)
    assert result.replay is not None
    assert result.replay.alone
    assert json.loads((result.replay.folder / FAILURE).read_text())["sample"] == 4


def other_network(planted: Planted, folder: Path) -> tuple[object, ...]:
    generate(
        replace(planted.image, time_steps=5),
        target=TARGET,
        lanes=LANES,
        directory=folder / "design",
        bare=True,
    )
    return ("--design", folder / "design")


def lost_file(planted: Planted, folder: Path) -> tuple[object, ...]:
    shutil.copytree(planted.design, folder / "design")
    next((folder / "design").glob("*weights.words.mem")).unlink()
    return ("--design", folder / "design")


def damaged(line: int, word: str) -> Callable[[Planted, Path], tuple[object, ...]]:
    """The weights with `word` as their line `line`, from 0."""

    def plant(planted: Planted, folder: Path) -> tuple[object, ...]:
        shutil.copytree(planted.design, folder / "design")
        (memory,) = (folder / "design").glob("*layer0*weights.words.mem")
        lines = memory.read_text().splitlines(keepends=True)
        lines[line] = word
        memory.write_text("".join(lines))
        return ("--design", folder / "design")

    return plant


def broken_source(planted: Planted, folder: Path) -> tuple[object, ...]:
    shutil.copytree(planted.design, folder / "design")
    core = folder / "design" / "core.v"
    core.write_text(core.read_text().replace("endmodule", "", 1))
    return ("--design", folder / "design")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(other_network, "was generated from another network", id="other network"),
        pytest.param(lost_file, "weights.words.mem; generate the design again", id="lost file"),
        pytest.param(
            damaged(2, "zz\n"),
            "weights.words.mem, line 3: 'zz' is not a word of",
            id="no hexadecimal",
        ),
        pytest.param(damaged(0, ""), "lines, and the memory", id="a word less"),
        pytest.param(broken_source, "core.v does not compile", id="broken source"),
        pytest.param(
            lambda _planted, folder: ("--design", folder), "design.json", id="not a design"
        ),
        pytest.param(
            lambda planted, _folder: ("--design", planted.design, "--lanes", "8"),
            "leave out --lanes",
            id="design and lanes",
        ),
        pytest.param(
            lambda planted, _folder: ("--design", planted.design, "--target", "icebreaker"),
            "leave out --target",
            id="design and target",
        ),
        pytest.param(lambda *_: ("--lanes", "3"), "'3' is not a number of lanes", id="lanes"),
        pytest.param(lambda *_: ("--lanes", "8,4,2"), "3 numbers for 2 layers", id="layers"),
        pytest.param(lambda *_: ("--samples", "0"), "neither a positive number", id="no sample"),
        pytest.param(lambda *_: ("--samples", "9999"), "test samples, not 9999", id="samples"),
    ],
)
def test_wrong_use(spikeloom, planted, tmp_path, arguments, says):
    run = tmp_path / "run"
    run.mkdir()
    shutil.copy(planted.network, run)
    result = spikeloom("verify", run, *arguments(planted, tmp_path))
    assert result.exit_code == 2, result.output
    assert says in result.stderr
    assert "Traceback" not in result.stderr
    assert [path.name for path in run.iterdir()] == ["network.safetensors"]
