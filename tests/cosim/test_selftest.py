"""The check, checked: planted faults are found, and a check that says nothing is found out."""

import json
from typing import Any

import numpy as np
import pytest

from spikeloom.arithmetic import ShiftLeak
from spikeloom.image import Layer, save_image
from spikeloom.packing import pack
from spikeloom_cosim import chunk, selftest
from spikeloom_cosim.build import build_bench
from spikeloom_cosim.checker import Verdict
from spikeloom_cosim.divergence import KINDS
from spikeloom_cosim.faults.logic import LogicFault, needs_forwarding
from spikeloom_cosim.simulation import MODES, Round, Watchdog, run_rounds

from .by_hand import expectation, random_events, write_core
from .networks import random_network

IMAGE = random_network((64, 12, 10), leak=ShiftLeak(shift=3), bias=2)
ARGUMENTS = ("--lanes", "4,2", "--samples", 12, "--selftest")
CONTENTS = {"weight", "index", "pointer", "row length", "threshold", "bias", "first potential"}
LOGIC = {
    *("weight", "index", "pointer", "row length", "forwarding off", "bank address"),
    *("threshold", "reset", "leak", "integration", "sample's end", "spike lost", "counter"),
    *("event lost", "event doubled", "score", "label", "score's last", "score lost"),
    *("score doubled", "score late", "score not held"),
}


@pytest.fixture
def run(tmp_path):
    save_image(tmp_path / "run" / "network.safetensors", IMAGE)
    return tmp_path / "run"


def findings(folder) -> list[dict[str, Any]]:
    (core,) = json.loads((folder / "selftest.json").read_text())["runs"]
    return core["faults"]


def test_every_fault_is_found(spikeloom, run):
    result = spikeloom("verify", run, *ARGUMENTS)
    assert result.exit_code == 0, result.stderr
    found = findings(run)
    assert {fault["kind"] for fault in found if fault["planted"] == "contents"} == CONTENTS
    assert {fault["kind"] for fault in found if fault["planted"] == "logic"} == LOGIC
    assert all(fault["found"] for fault in found)
    assert f"{len(found)} of {len(found)} planted faults found" in result.stdout
    firsts = {fault["kind"]: fault["first_divergence"] for fault in found}
    expected = {
        "score": "score",
        "label": "prediction",
        "score's last": "beat",
        "score late": "cycle",
        "score not held": "protocol",
        "counter": "counter",
        "threshold": "spike",
    }
    assert {kind: firsts[kind]["kind"] for kind in expected} == expected
    assert firsts["score not held"]["mode"] == "stress"
    assert not (run / "verify.json").exists()


@pytest.mark.slow
def test_every_fault_is_found_after_synthesis(spikeloom, run):
    result = spikeloom("verify", run, *ARGUMENTS, "--level", "netlist")
    assert result.exit_code == 0, result.stderr
    found = findings(run)
    assert {fault["kind"] for fault in found} == LOGIC
    assert {fault["planted"] for fault in found} == {"logic"}


def test_levels_of_the_selftest(spikeloom, run, one_sentence):
    result = spikeloom("verify", run, *ARGUMENTS, "--level", "routed")
    assert result.exit_code == 2
    assert "choose one of them" in one_sentence(result)


def test_a_check_that_says_nothing_is_found_out(spikeloom, monkeypatch, run):
    silent = Verdict(mismatches=dict.fromkeys(KINDS, 0), found=None)
    monkeypatch.setattr(chunk, "check", lambda *_, **__: silent)
    result = spikeloom("verify", run, *ARGUMENTS)
    assert result.exit_code == 1
    assert "0 of 48 planted faults found" in result.stdout
    assert "escaped: event lost, layer_layer0.events, spike 5" in result.stderr
    assert not any(fault["found"] for fault in findings(run))


def test_a_fault_that_escapes_is_told(spikeloom, monkeypatch, run):
    harmless = LogicFault(kind="none", where="nowhere", plant=lambda _netlist, _number: None)
    planted = selftest.logic_faults
    monkeypatch.setattr(
        selftest, "logic_faults", lambda *core: [*list(planted(*core))[:2], harmless]
    )
    result = spikeloom("verify", run, *ARGUMENTS)
    assert result.exit_code == 1
    assert [fault["kind"] for fault in findings(run) if not fault["found"]] == ["none"]
    assert "escaped: none, nowhere" in result.stderr


def test_a_core_that_is_wrong_without_a_fault_proves_nothing(spikeloom, monkeypatch, run):
    monkeypatch.setattr(selftest, "with_fault", faulty_from_the_start(selftest.with_fault))
    result = spikeloom("verify", run, *ARGUMENTS)
    assert result.exit_code == 1
    assert "a core without a fault differs" in result.stderr


def faulty_from_the_start(with_fault):
    return lambda core, number, **place: with_fault(core, number or 1, **place)


@pytest.mark.parametrize(
    ("weights", "steps", "needed"),
    [
        pytest.param([[1, 0], [1, 0]], [[1, 1]], True, id="the same neuron, row after row"),
        pytest.param([[1, 0], [1, 0]], [[1, 0], [0, 1]], False, id="in different steps"),
        pytest.param([[1, 0], [0, 1]], [[1, 1]], False, id="a neuron for each row"),
        pytest.param([[0, 1, 1], [1, 1, 0]], [[1, 1]], False, id="the later row's last"),
        pytest.param([[1, 0], [0, 0], [1, 1]], [[1, 1, 1]], True, id="an empty row between"),
        pytest.param([[1, 0], [0, 1], [1, 1]], [[1, 1, 1]], False, id="a full row between"),
    ],
)
def test_where_forwarding_is_needed(weights, steps, needed):
    layer = Layer.from_dense(
        np.array(weights),
        name="layer",
        leak=ShiftLeak(shift=1),
        threshold=np.full(len(weights[0]), 3),
        membrane_bits=8,
    )
    words = pack(layer, 1, index_form="absolute", blocks=1)
    assert words.words == np.count_nonzero(weights)
    assert needs_forwarding(words, np.array([steps], dtype=bool)) is needed


def test_bench_without_cocotb_records_the_same(tools, tmp_path):
    core = write_core(tmp_path / "core")
    events = random_events(5)
    watchdog = Watchdog.of(expectation(events).latency)
    for mode in MODES:
        recordings = [
            run_rounds(
                build_bench(core.verilog, core.shape, tools=tools, alone=alone),
                core,
                [Round.of(core, events)],
                mode,
                folder=tmp_path / f"{mode.name}{alone}",
                seed=3,
                watchdog=watchdog,
            )
            for alone in (False, True)
        ]
        first, second = recordings
        assert first.outcome == second.outcome
        files = sorted(path.name for path in (tmp_path / f"{mode.name}True").glob("*.bin"))
        assert files
        for name in files:
            folders = (tmp_path / f"{mode.name}{alone}" for alone in (False, True))
            assert len({(folder / name).read_bytes() for folder in folders}) == 1
