"""Every option of `generate`, through to its effect."""

from __future__ import annotations

import json

import click
import numpy as np
import pytest

from spikeloom.datasets.fitting import DataChoice
from spikeloom_hw.cli import generate as generate_cli
from spikeloom_hw.targets import TARGETS

from .faked import SPLIT, loadable_network


def generate_as_it_is(verb, calls, network, image, tmp_path):
    data = json.loads(verb("generate", network.parent, "--json").stdout)
    folder = network.parent / "design" / "icebreaker"
    assert calls.generated == [
        {
            "target": TARGETS["icebreaker"],
            "lanes": (8, 4),
            "directory": folder,
            "loadable": False,
            "embedding": None,
            "encoder": False,
        }
    ]
    described = json.loads((folder / "design.json").read_text())
    assert data == {"directory": str(folder), **described}
    written = json.loads((network.parent / "generate.json").read_text())
    assert written["verb"] == "generate"
    assert {name: written[name] for name in data if name != "schema"} == {
        name: value for name, value in data.items() if name != "schema"
    }


def generate_target(verb, calls, network, image, tmp_path):
    verb("generate", network, "--target", "upduino")
    assert calls.generated[0]["target"] is calls.estimated[0]["target"] is TARGETS["upduino"]
    assert (network.parent / "design" / "upduino" / "top.v").is_file()


def generate_lanes(verb, calls, network, image, tmp_path):
    verb("generate", network, "--lanes", "2,1")
    assert calls.generated[0]["lanes"] == calls.estimated[0]["lanes"] == (2, 1)


def generate_loadable(verb, calls, network, image, tmp_path):
    loadable_network(network, image)
    verb("generate", network, "--loadable", "--lanes", "1")
    assert calls.generated[0]["loadable"] is calls.estimated[0]["loadable"] is True


def generate_encoder(verb, calls, network, image, tmp_path):
    verb("generate", network, "--encoder", "--lanes", "1")
    assert calls.generated[0]["encoder"] is calls.estimated[0]["encoder"] is True


def generate_top(verb, calls, network, image, tmp_path):
    verb("generate", network, "--top", "core", "--lanes", "1")
    own = calls.generated[0]
    assert own["directory"] == network.parent / "design" / "core"
    assert own["embedding"].interface == "stream"
    assert own["embedding"].events.shape == (4, image.time_steps, image.inputs)
    verb("generate", network, "--top", "board", "--lanes", "1")
    assert calls.generated[1]["embedding"] is None


def generate_interface(verb, calls, network, image, tmp_path):
    verb("generate", network, "--top", "core", "--interface", "axi-stream", "--lanes", "1")
    assert calls.generated[0]["embedding"].interface == "axi-stream"
    assert (
        "--interface is for the core alone"
        in verb("generate", network, "--interface", "axi-stream", code=2).stderr
    )


def generate_name(verb, calls, network, image, tmp_path):
    verb("generate", network, "--top", "core", "--dataset", "any", "--lanes", "1")
    assert calls.datasets == [DataChoice(name="any")]
    events = calls.generated[0]["embedding"].events
    naive = costs_of_latency(SPLIT.images[:4], image)
    assert (events == naive).all()
    assert (
        "--dataset is for the core alone"
        in verb("generate", network, "--dataset", "any", code=2).stderr
    )


def costs_of_latency(images, image) -> np.ndarray:
    """Events of the latency code, by plain loops."""
    events = np.zeros((len(images), image.time_steps, image.inputs), dtype=bool)
    for sample, values in enumerate(images):
        for pixel, value in enumerate(values.tolist()):
            if value >= image.encoding.threshold:
                events[sample, (255 - value) * image.time_steps // 256, pixel] = True
    return events


def generate_source(verb, calls, network, image, tmp_path):
    verb("generate", network, "--top", "core", "--lanes", "1", "--data", tmp_path)
    assert calls.datasets == [DataChoice(source=tmp_path)]


def generate_download(verb, calls, network, image, tmp_path):
    verb("generate", network, "--top", "core", "--lanes", "1", "--dataset", "any", "--download")
    assert calls.datasets == [DataChoice(name="any", download=True)]


def generate_data_dir(verb, calls, network, image, tmp_path):
    how = ("--top", "core", "--dataset", "any", "--data-dir", tmp_path, "--lanes", "1")
    verb("generate", network, *how)
    assert calls.datasets == [DataChoice(name="any", data_dir=tmp_path)]


def generate_samples(verb, calls, network, image, tmp_path):
    how = ("--top", "core", "--lanes", "1")
    verb("generate", network, *how, "--samples", 2)
    verb("generate", network, *how, "--samples", 10, "--dataset", "any")
    assert [len(own["embedding"].events) for own in calls.generated] == [2, 10]
    for wrong in (("--samples", 11, "--dataset", "any"), ("--samples", 0), ("--samples", 100_001)):
        verb("generate", network, *how, *wrong, code=2)
    assert (
        "--samples is for the core alone"
        in verb("generate", network, "--samples", 2, code=2).stderr
    )


def generate_output(verb, calls, network, image, tmp_path):
    verb("generate", network, "-o", tmp_path / "out", "--lanes", "1")
    assert calls.generated[0]["directory"] == tmp_path / "out"
    assert (tmp_path / "out" / "design.json").is_file()


def generate_as_json(verb, calls, network, image, tmp_path):
    calls.fits = False
    result = verb("generate", network, "--lanes", "1")
    assert not result.stdout.startswith("{")
    rows = [line.split() for line in result.stdout.splitlines()]
    described = calls.described.layers[0]
    (first,) = (row for row in rows if row[:1] == ["layer0"])
    assert first == [
        *("layer0", "64", "→", "12", "1"),
        *(str(described.words), "×", str(described.word_bits), "bits"),
        *(described.index_form, "8"),
    ]
    assert "it will not fit: too large" in result.stderr
    calls.fits = True
    assert "will not fit" not in verb("generate", network, "--lanes", "1").stderr


EFFECTS = (
    *(generate_as_it_is, generate_target, generate_lanes, generate_loadable),
    *(generate_encoder, generate_top, generate_interface, generate_name),
    generate_source,
    *(generate_data_dir, generate_download, generate_samples, generate_output, generate_as_json),
)


@pytest.mark.parametrize("effect", EFFECTS, ids=lambda effect: effect.__name__)
def test_every_option_has_its_effect(verb, calls, network, small_image, tmp_path, effect):
    effect(verb, calls, network, small_image, tmp_path)


def test_no_option_is_left_out():
    options = {own.name for own in generate_cli.generate.params if isinstance(own, click.Option)}
    assert {effect.__name__.removeprefix("generate_") for effect in EFFECTS} == {
        "as_it_is",
        *options,
    }
