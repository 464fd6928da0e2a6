"""Every option of every verb through to its effect: none is taken and forgotten.

A new option fails here until it has an entry. Those of `ELSEWHERE` are in tests/hw and tests/cosim.
"""

import json
from importlib.metadata import entry_points
from types import SimpleNamespace

import click
import pytest

from counting_board import IMAGE, Counting, place
from spikeloom.image import save_image

from . import effects_of_import, effects_of_verbs
from .effects import EFFECTS
from .made_up_data import dataset

__all__ = ["effects_of_import", "effects_of_verbs"]

ELSEWHERE = {"verify", "estimate", "generate", "synth"}


@pytest.fixture
def bench(spikeloom, network, tmp_path, monkeypatch):
    """Runs verbs on a small network; data sets are made up."""
    requests = []

    def load(request):
        requests.append(request)
        return dataset(request.source.name, request.data_dir)

    for module in ("datasets.fitting", "cli.train", "cli.export", "importers.samples"):
        monkeypatch.setattr(f"spikeloom.{module}.load", load)
    monkeypatch.setattr(
        "spikeloom.datasets.fitting.load_source", lambda request, _recorded: load(request)
    )

    def run(*words, code=0):
        done = spikeloom(*words)
        assert done.exit_code == code, done.stderr
        return done

    return SimpleNamespace(
        run=run,
        told=lambda *words, code=0: json.loads(run(*words, "--json", code=code).stdout),
        network=network,
        folder=network.parent,
        new=tmp_path / "new",
        requests=requests,
        monkeypatch=monkeypatch,
    )


def verbs():
    return {entry.name: entry.load() for entry in entry_points(group="spikeloom.commands")}


def options():
    """All options but `--json`, by their longest name."""
    return {
        (verb, max(option.opts, key=len))
        for verb, command in verbs().items()
        if verb not in ELSEWHERE
        for option in command.params
        if isinstance(option, click.Option) and "--json" not in option.opts
    }


@pytest.mark.parametrize("show", dict.fromkeys(EFFECTS.values()), ids=lambda show: show.__name__)
def test_every_option_has_its_effect(bench, show):
    show(bench)


def test_no_option_is_left_out():
    assert set(EFFECTS) == options()


@pytest.mark.parametrize(
    "verb", sorted(set(verbs()) - ELSEWHERE - {"flash", "train", "export", "import"})
)
def test_json_prints_a_document_and_nothing_else(bench, verb):
    """Of the others, the effects above read it."""
    place(bench.monkeypatch, Counting(IMAGE))
    words = {
        "monitor": ["--port", "board", "--once"],
        "run": [bench.network, "--port", "board"],
        "place": [bench.network, "-o", bench.new / "placed.safetensors", "--seconds", 0.01],
        "doctor": [],
        "report": [bench.folder],
    }.get(verb, [bench.network])
    if verb == "run":
        save_image(bench.network, IMAGE)
    assert isinstance(bench.told(verb, *words), dict)
    with pytest.raises(json.JSONDecodeError):
        json.loads(bench.run(verb, *words).stdout)
