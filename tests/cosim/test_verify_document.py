"""Every field, every table and every exit code of what `verify` says."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from spikeloom.image import load_image
from spikeloom.image.identity import network_sha256
from spikeloom_cosim.cli import selftest as selftest_cli
from spikeloom_cosim.divergence import KINDS, Divergence
from spikeloom_cosim.drilldown import Replay

from .verb_fakes import FIRST, core_result


def test_the_document_of_one_core(verb, network):
    result = verb("--json")
    document = json.loads(result.stdout)
    written = json.loads((network.parent / "verify.json").read_text())
    assert {name: written[name] for name in document} == document
    own = json.loads(json.dumps(core_result((8, 4)).document()))
    assert document == {
        "schema": document["schema"],
        "network_sha256": network_sha256(load_image(network)),
        "dataset": "digits",
        "split": "test",
        "samples_available": 359,
        "level": "rtl",
        "samples": 6,
        "lanes": [8, 4],
        **{f"{kind}_mismatches": 0 for kind in KINDS},
        "first_divergence": None,
        "waves": None,
        "cycles": own["cycles"],
        "layers": own["layers"],
        "runs": [{"level": "rtl", **own}],
    }


def failing(tmp_path: Path, *numbers: int, alone: bool = True):
    """Results of which some differ."""

    def result(lanes, number):
        right = core_result(lanes, number)
        if number not in numbers:
            return right
        mismatches = Counter({"membrane": 2 + number, "cycle": 1})
        waves = tmp_path / f"waves{number}"
        return replace(
            right,
            modes=(replace(right.modes[0], mismatches=mismatches),),
            first=replace_sample(40 + number),
            replay=Replay(folder=tmp_path, waves=waves, alone=alone),
        )

    return result


def replace_sample(sample: int) -> Divergence:
    return Divergence(kind="membrane", mode="stress", sample=sample, got=7, expected=8)


def test_differences_of_several_cores_are_added_up(verb, calls, tmp_path, network):
    calls.results = failing(tmp_path, 1, 2)
    result = verb("--lanes", "1", "--lanes", "2", "--lanes", "4", "--lanes", "8", code=1)
    document = json.loads((network.parent / "verify.json").read_text())
    assert document["membrane_mismatches"] == 3 + 4
    assert document["cycle_mismatches"] == 2
    others = [kind for kind in KINDS if kind not in ("membrane", "cycle")]
    assert [document[f"{kind}_mismatches"] for kind in others] == [0] * (len(KINDS) - 2)
    # The first that failed; but lanes and cycles are the last core's.
    assert document["first_divergence"]["sample"] == 41
    assert document["waves"] == str(tmp_path / "waves1")
    assert (document["lanes"], document["samples"]) == ([8, 4], 9)
    assert document["cycles"]["max"] == 313
    assert document["layers"][0]["events"] == 342
    assert [run["lanes"] for run in document["runs"]] == [[1, 1], [2, 2], [4, 2], [8, 4]]
    assert [run["membrane_mismatches"] for run in document["runs"]] == [0, 3, 4, 0]
    said = result.stderr.splitlines()
    for number, spoken in ((1, "2,2"), (2, "4,2")):
        assert f"first divergence, lanes {spoken}: {replace_sample(40 + number)}" in said
        assert f"waves of that sample alone: {tmp_path / f'waves{number}'}" in said
    assert sum("first divergence" in line for line in said) == 2
    assert f"written to {network.parent / 'verify.json'}" in said


@pytest.mark.parametrize("failed", range(3))
def test_one_core_that_differs_is_enough(verb, calls, tmp_path, failed):
    calls.results = failing(tmp_path, failed, alone=False)
    result = verb("--lanes", "1", "--lanes", "2", "--lanes", "4", code=1)
    assert f"waves of the samples up to that one: {tmp_path / f'waves{failed}'}" in result.stderr


def rows_of(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()]


def test_the_tables(verb, calls, tmp_path):
    calls.results = failing(tmp_path, 1)
    rows = rows_of(verb("--lanes", "1", "--lanes", "8", code=1).stdout)
    assert ["1,1", "6", "of", "359", "0", "0", "0", "0", "0", "3.5"] in rows
    assert ["8,4", "7", "of", "359", "0", "3", "0", "1", "0", "103.5"] in rows
    assert ["1,1", "11.5", "12", "13", "14.5", "0.3125", "layer0", "0.4375"] in rows
    assert ["8,4", "111.5", "112", "113", "114.5", "0.3125", "layer0", "0.4375"] in rows
    shares = ["50.0", "%", "12.5", "%", "25.0", "%", "6.2", "%", "6.2", "%"]
    assert ["1,1", "layer0", "0.375", *shares] in rows
    assert ["8,4", "layer0", "0.375", *shares] in rows
    heads = ["lanes", "samples", "spikes", "membranes", "scores", "cycles", "other", "seconds"]
    assert heads in rows
    latency = "lanes latency p99 max interval op/cycle/lane busiest layer its"
    assert latency.split() in rows
    work = "lanes layer op/cycle/lane synapses padding update blocked idle"
    assert work.split() in rows


def test_other_kinds_of_mismatch_are_counted_together(verb, calls):
    def result(lanes, number):
        mismatches = Counter({kind: 1 << at for at, kind in enumerate(KINDS)})
        right = core_result(lanes, number)
        return replace(right, modes=(replace(right.modes[0], mismatches=mismatches),), first=FIRST)

    calls.results = result
    rows = rows_of(verb(code=1).stdout)
    shown = [1 << KINDS.index(kind) for kind in ("spike", "membrane", "score", "cycle")]
    others = (1 << len(KINDS)) - 1 - sum(shown)
    assert ["8,4", "6", "of", "359", *map(str, [*shown, others]), "3.5"] in rows


def test_a_core_without_a_measurement(verb, calls):
    calls.results = lambda lanes, number: replace(
        core_result(lanes, number), cycles=None, layers=None
    )
    document = json.loads(verb("--json").stdout)
    assert document["cycles"] is document["layers"] is None
    assert "layer0" not in verb().stdout


def test_a_simulator_that_breaks_down_is_no_verdict(verb, calls, network):
    calls.broken = 1
    result = verb("--lanes", "1", "--lanes", "4", "--lanes", "8", code=3)
    assert (
        "the simulator broke down, lanes 4,2: it fell over; nothing was compared" in result.stderr
    )
    assert len(calls.cores) == 2
    assert not (network.parent / "verify.json").exists()
    assert result.stdout == ""


# The selftest.


@pytest.mark.parametrize(
    ("found", "sound", "code"),
    [
        pytest.param((True, True), None, 0, id="all found"),
        pytest.param((True, False), None, 1, id="one escaped"),
        pytest.param((True, True), FIRST, 1, id="a core that is wrong without a fault"),
        pytest.param((), None, 1, id="no fault at all"),
    ],
)
def test_what_the_selftest_comes_to(verb, calls, network, found, sound, code):
    calls.found, calls.sound = found, sound
    result = verb("--selftest", "--lanes", "1", "--lanes", "8", code=code)
    document = json.loads((network.parent / "selftest.json").read_text())
    assert document["passed"] is (code == 0)
    assert (document["faults"], document["found"]) == (2 * len(found), 2 * sum(found))
    assert (document["split"], document["samples_available"]) == ("test", 359)
    assert document["network_sha256"] == network_sha256(load_image(network))
    assert (document["level"], document["dataset"]) == ("rtl", "digits")
    assert [run["lanes"] for run in document["runs"]] == [[1, 1], [8, 4]]
    for run in document["runs"]:
        assert run["sound"] is (sound is None)
        assert run["build_seconds"] == 4.75
        assert [fault["found"] for fault in run["faults"]] == list(found)
        for number, fault in enumerate(run["faults"]):
            assert (fault["kind"], fault["planted"]) == (f"kind{number}", "logic")
            assert (fault["where"], fault["samples"]) == (f"net{number}", 8 + number)
            assert (fault["first_divergence"] is not None) is fault["found"]
    assert f"{sum(found)} of {len(found)} planted faults found" in result.stdout
    escaped = [line for line in result.stderr.splitlines() if line.startswith("escaped")]
    assert escaped == ["escaped: kind1, net1"] * 2 * (False in found)
    assert (f"so this proves nothing: {FIRST}" in result.stderr) is (sound is not None)
    assert ("ESCAPED" in result.stdout) is (False in found)


def test_the_selftest_takes_as_many_jobs_as_there_are_processors(verb, calls, monkeypatch):
    monkeypatch.setattr(selftest_cli.os, "cpu_count", lambda: 6)
    verb("--selftest")
    assert calls.selftests[0]["jobs"] == 6
