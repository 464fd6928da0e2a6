"""Every option of `estimate`, through to its effect."""

from __future__ import annotations

import json

import click
import msgspec
import pytest

from spikeloom.datasets.fitting import DataChoice
from spikeloom.image.identity import network_sha256
from spikeloom_hw import estimate as costs
from spikeloom_hw.cli import estimate as estimate_cli
from spikeloom_hw.targets import TARGETS

from .faked import CYCLES, SPLIT, loadable_network


def estimate_as_it_is(verb, calls, network, image, tmp_path):
    data = json.loads(verb("estimate", network.parent, "--json").stdout)
    (own,) = calls.estimated
    assert own == {
        "target": TARGETS["icebreaker"],
        "lanes": (8, 4),
        "loadable": False,
        "encoder": False,
    }
    assert not calls.counted
    found = msgspec.to_builtins(costs.estimate(image, target=own["target"], lanes=(8, 4)))
    plain = json.loads(json.dumps(found))
    assert data == {
        "schema": 1,
        "network_sha256": network_sha256(image),
        **plain,
        "cycles": None,
    }
    written = json.loads((network.parent / "estimate.json").read_text())
    assert {name: written[name] for name in data} == data


def estimate_target(verb, calls, network, image, tmp_path):
    verb("estimate", network, "--target", "ulx3s-85f")
    assert calls.estimated[0]["target"] is TARGETS["ulx3s-85f"]


def estimate_lanes(verb, calls, network, image, tmp_path):
    verb("estimate", network, "--lanes", "2,1", "--dataset", "any")
    assert calls.estimated[0]["lanes"] == calls.counted[0]["lanes"] == (2, 1)


def estimate_loadable(verb, calls, network, image, tmp_path):
    loadable_network(network, image)
    verb("estimate", network, "--loadable", "--dataset", "any")
    assert calls.estimated[0]["loadable"] is calls.counted[0]["loadable"] is True


def estimate_encoder(verb, calls, network, image, tmp_path):
    verb("estimate", network, "--encoder")
    assert calls.estimated[0]["encoder"] is True


def estimate_name(verb, calls, network, image, tmp_path):
    result = verb("estimate", network, "--dataset", "any", "--target", "ulx3s-25f", "--json")
    assert calls.datasets == [DataChoice(name="any")]
    (own,) = calls.counted
    assert len(own["split"]) == 10
    assert own["target"] is TARGETS["ulx3s-25f"]
    assert own["loadable"] is False
    assert json.loads(result.stdout)["cycles"] == json.loads(msgspec.json.encode(CYCLES))


def estimate_samples(verb, calls, network, image, tmp_path):
    for count in (2, 9, 10):
        verb("estimate", network, "--dataset", "any", "--samples", count)
        split = calls.counted[-1]["split"]
        assert len(split) == count
        for name in ("images", "labels", "index"):
            assert (getattr(split, name) == getattr(SPLIT, name)[:count]).all()
    assert (
        "any has 10 test samples"
        in verb("estimate", network, "--dataset", "any", "--samples", 11, code=2).stderr
    )
    verb("estimate", network, "--dataset", "any", "--samples", 1, code=2)


def estimate_source(verb, calls, network, image, tmp_path):
    verb("estimate", network, "--data", tmp_path)
    assert calls.datasets == [DataChoice(source=tmp_path)]


def estimate_download(verb, calls, network, image, tmp_path):
    verb("estimate", network, "--dataset", "any", "--download")
    assert calls.datasets == [DataChoice(name="any", download=True)]


def estimate_data_dir(verb, calls, network, image, tmp_path):
    verb("estimate", network, "--dataset", "any", "--data-dir", tmp_path)
    assert calls.datasets == [DataChoice(name="any", data_dir=tmp_path)]


def estimate_output(verb, calls, network, image, tmp_path):
    verb("estimate", network, "-o", tmp_path / "out")
    assert (tmp_path / "out" / "estimate.json").is_file()
    assert not (network.parent / "estimate.json").exists()


def estimate_as_json(verb, calls, network, image, tmp_path):
    assert not verb("estimate", network).stdout.startswith("{")


EFFECTS = (
    *(estimate_as_it_is, estimate_target, estimate_lanes, estimate_loadable),
    *(estimate_encoder, estimate_name, estimate_samples, estimate_data_dir, estimate_download),
    estimate_source,
    *(estimate_output, estimate_as_json),
)


@pytest.mark.parametrize("effect", EFFECTS, ids=lambda effect: effect.__name__)
def test_every_option_has_its_effect(verb, calls, network, small_image, tmp_path, effect):
    effect(verb, calls, network, small_image, tmp_path)


def test_no_option_is_left_out():
    options = {own.name for own in estimate_cli.estimate.params if isinstance(own, click.Option)}
    assert {effect.__name__.removeprefix("estimate_") for effect in EFFECTS} == {
        "as_it_is",
        *options,
    }


def test_the_table_of_an_estimate(verb, calls, network, small_image):
    calls.fits = False
    found = costs.estimate(small_image, target=TARGETS["icebreaker"], lanes=(8, 4))
    rows = [" ".join(line.split()) for line in verb("estimate", network).stdout.splitlines()]
    for layer, activity in zip(found.layers, found.activity, strict=True):
        ratio = f"{layer.bits / layer.entropy_bits:.2f}"
        assert (
            f"{layer.name} {layer.lanes} {layer.words} × {layer.word_bits} {layer.index_form}, "
            f"{layer.index_bits} bits {layer.bits:,} {ratio} {layer.fill:.0%} "
            f"{activity.events:.4g} {round(activity.busy_cycles)}"
        ) in rows
    for memory in found.memories:
        row = f"{memory.name} {memory.depth} × {memory.width} {memory.kind} {memory.blocks}"
        assert row in rows
    cells, clock = found.cells, found.clock_mhz
    for row in (
        f"bits stored {found.bits_stored:,}",
        f"EBR blocks {found.blocks} of 30",
        "single-port RAMs 0 of 4",
        f"LC, about {cells.median:.0f} ({cells.low:.0f} to {cells.high:.0f}) of 5280",
        f"MHz, about {clock.median:.0f} ({clock.low:.0f} to {clock.high:.0f})",
        f"cycles between samples, about {round(found.interval_cycles)}",
        f"µs at 30 MHz {round(found.interval_cycles / 30, 1):.4g}",
    ):
        assert row in rows, rows
    assert any(row.startswith("fits no: too large; no other lanes") for row in rows)


def test_the_table_of_counted_cycles(verb, calls, network):
    result = verb("estimate", network, "--dataset", "any", "--target", "ulx3s-25f")
    rows = [" ".join(line.split()) for line in result.stdout.splitlines()]
    for row in (
        "cycles of a sample alone, 7 counted 101.2 (99 %: 111, most: 121)",
        "cycles between samples 60.0 (99 %: 71, most: 81)",
        "µs at 80 MHz 0.8",
        "fits yes",
    ):
        assert row in rows, rows
    assert not any("single-port" in row for row in rows)
