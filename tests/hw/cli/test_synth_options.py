"""Every option of `synth`, through to its effect."""

from __future__ import annotations

import json
from dataclasses import replace

import click
import pytest

from spikeloom.image.identity import network_sha256
from spikeloom_hw.cli import synth as synth_cli
from spikeloom_hw.targets import TARGETS

from .faked import SYNTHESIS, loadable_network


def synth_as_it_is(verb, calls, network, image, tmp_path):
    result = verb("synth", network.parent, "--json")
    data = json.loads(result.stdout)
    assert data == {"schema": 1, **json.loads(json.dumps(SYNTHESIS.document(), default=str))}
    (fits,), (generated,), (own,) = calls.estimated, calls.generated, calls.synthesized
    board = TARGETS["icebreaker"]
    assert fits == {"target": board, "lanes": (8, 4), "loadable": False, "encoder": False}
    folder = generated.pop("directory")
    assert generated == fits
    assert own.pop("progress") is not None
    jobs = own.pop("jobs")
    assert jobs >= 1
    assert own == {
        "folder": folder,
        "target": board,
        "directory": network.parent / "synth" / "icebreaker",
        "seeds": range(1, 2),
    }
    written = json.loads((network.parent / "synth.json").read_text())
    assert {name: written[name] for name in data if name != "seconds"} == {
        name: value for name, value in data.items() if name != "seconds"
    }
    assert "bitstream: top.bin" in result.stderr


def synth_target(verb, calls, network, image, tmp_path):
    verb("synth", network, "--target", "ulx3s-25f")
    assert calls.synthesized[0]["target"] is TARGETS["ulx3s-25f"]
    assert calls.synthesized[0]["directory"] == network.parent / "synth" / "ulx3s-25f"
    assert calls.generated[0]["target"] is calls.estimated[0]["target"] is TARGETS["ulx3s-25f"]


def synth_lanes(verb, calls, network, image, tmp_path):
    verb("synth", network, "--lanes", "2,1")
    assert calls.generated[0]["lanes"] == calls.estimated[0]["lanes"] == (2, 1)


def synth_loadable(verb, calls, network, image, tmp_path):
    loadable_network(network, image)
    verb("synth", network, "--loadable", "--lanes", "1")
    assert calls.generated[0]["loadable"] is calls.estimated[0]["loadable"] is True


def synth_encoder(verb, calls, network, image, tmp_path):
    verb("synth", network, "--encoder", "--lanes", "1")
    assert calls.generated[0]["encoder"] is calls.estimated[0]["encoder"] is True


def synth_clock(verb, calls, network, image, tmp_path):
    verb("synth", network, "--clock", "24", "--lanes", "1")
    slower = replace(TARGETS["icebreaker"], core_clock_mhz=24)
    assert calls.synthesized[0]["target"] == calls.generated[0]["target"] == slower
    assert calls.estimated[0]["target"] == slower
    verb("synth", network, "--clock", "0", code=2)


def synth_seed(verb, calls, network, image, tmp_path):
    verb("synth", network, "--seed", 0, "--lanes", "1")
    assert list(calls.synthesized[0]["seeds"]) == [0]
    verb("synth", network, "--seed", -1, code=2)


def synth_seeds(verb, calls, network, image, tmp_path):
    verb("synth", network, "--seed", 5, "--seeds", 3, "--lanes", "1")
    assert list(calls.synthesized[0]["seeds"]) == [5, 6, 7]
    verb("synth", network, "--seeds", 0, code=2)


def synth_jobs(verb, calls, network, image, tmp_path):
    verb("synth", network, "--jobs", 3, "--lanes", "1")
    assert calls.synthesized[0]["jobs"] == 3
    verb("synth", network, "--jobs", 0, code=2)


def synth_design(verb, calls, network, image, tmp_path):
    verb("generate", network, "-o", tmp_path / "d")
    calls.generated.clear()
    described = json.loads((tmp_path / "d" / "design.json").read_text())
    described |= {"network_sha256": network_sha256(image), "target": "upduino"}
    (tmp_path / "d" / "design.json").write_text(json.dumps(described))
    verb("synth", network, "--design", tmp_path / "d")
    (own,) = calls.synthesized
    assert (own["folder"], own["target"]) == (tmp_path / "d", TARGETS["upduino"])
    assert own["directory"] == network.parent / "synth" / "upduino"
    assert not calls.generated
    verb("synth", network, "--design", tmp_path / "d", "--target", "icebreaker")
    assert calls.synthesized[1]["target"] is TARGETS["icebreaker"]
    for option in (("--lanes", "1"), ("--loadable",), ("--encoder",), ("--clock", "30")):
        sentence = verb("synth", network, "--design", tmp_path / "d", *option, code=2).stderr
        assert f"{option[0]} is fixed in a design that is generated" in sentence


def synth_output(verb, calls, network, image, tmp_path):
    verb("synth", network, "-o", tmp_path / "out", "--lanes", "1")
    assert calls.synthesized[0]["directory"] == tmp_path / "out"
    assert not (network.parent / "synth.json").exists()


def synth_as_json(verb, calls, network, image, tmp_path):
    rows = [" ".join(line.split()) for line in verb("synth", network).stdout.splitlines()]
    for row in (
        "target icebreaker",
        "clock 30 MHz required, 41.26 MHz reached",
        "seed 3",
        "seeds 2 tried, 1 failed: median 38.50, best 41.25, worst 35.75 MHz",
        "slowest path a → b",
        "through c, d",
        "its delay 24.2 ns: 10.0 in cells, 14.2 in wires",
        f"sha256 {'ab' * 32}",
        "LC 1,320 5,280 25%",
    ):
        assert row in rows, rows


EFFECTS = (
    *(synth_as_it_is, synth_target, synth_lanes, synth_loadable, synth_encoder),
    *(synth_clock, synth_seed, synth_seeds, synth_jobs, synth_design, synth_output),
    synth_as_json,
)


@pytest.mark.parametrize("effect", EFFECTS, ids=lambda effect: effect.__name__)
def test_every_option_has_its_effect(verb, calls, network, small_image, tmp_path, effect):
    effect(verb, calls, network, small_image, tmp_path)


def test_no_option_is_left_out():
    options = {own.name for own in synth_cli.synth.params if isinstance(own, click.Option)}
    assert {effect.__name__.removeprefix("synth_") for effect in EFFECTS} == {
        "as_it_is",
        *options,
    }
