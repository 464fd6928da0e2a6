"""What the options of the verb `import` change."""

from typing import Any

import numpy as np

from nir_files import affine, chain, end, entry, linear, neurons, write
from spikeloom.image import load_image
from spikeloom.importers.profile import CHOICES
from spikeloom.neurons import DecayLeak

from .effects import effect

INPUTS, CLASSES = 64, 10
PLAIN = ("--profile", "norse", "--dt", "1e-3", "--time-steps", 5)


def file(bench):
    random = np.random.default_rng(1)
    return write(
        bench.folder / "network.nir",
        *chain(
            entry(INPUTS),
            linear(random.normal(0.3, 1, (8, INPUTS))),
            neurons("LIF", 8, v_leak=0.2),
            affine(random.normal(0.2, 1, (CLASSES, 8)), random.normal(0, 0.3, CLASSES)),
            neurons("IF", CLASSES),
            end(CLASSES),
        ),
    )


class Imported:
    """What came of an import: its document, and the network."""

    def __init__(self, bench, *words):
        self.told = bench.told("import", file(bench), "-o", bench.new, *PLAIN, *words)
        self.image = load_image(bench.new / "network.safetensors")
        self.entries = {entry["name"]: entry for entry in self.told["profile"]}
        self.hidden: Any = self.image.graph.populations[1]
        self.leak: Any = self.hidden.neuron.leak
        assert isinstance(self.leak, DecayLeak)


@effect(("import", "--output"), ("import", "--time-steps"), ("import", "--encoding"))
def network(bench):
    plain = Imported(bench)
    assert plain.told["network"] == str(bench.new / "network.safetensors")
    assert plain.image.time_steps == 5
    longer = Imported(bench, "--time-steps", 7)
    assert (longer.image.time_steps, longer.entries["time_steps"]["origin"]) == (7, "given")
    coded = Imported(bench, "--encoding", "latency")
    kinds = [type(own.image.encoding).__name__ for own in (plain, coded)]
    assert kinds == ["FramesEncoding", "LatencyEncoding"]


@effect(*(("import", f"--{name}-bits") for name in ("weight", "decay", "fraction", "state")))
def bits(bench):
    def largest(own):
        return max(int(np.abs(c.weights.weight).max()) for c in own.image.graph.connections)

    plain = Imported(bench)
    assert largest(Imported(bench, "--weight-bits", 4)) == 7 < largest(plain)
    coarse = Imported(bench, "--decay-bits", 6)
    assert coarse.leak.fraction_bits <= 6 < plain.leak.fraction_bits
    narrow = Imported(bench, "--state-bits", 20)
    assert narrow.hidden.membrane_bits == 20 != plain.hidden.membrane_bits
    few = Imported(bench, "--fraction-bits", 2)
    shifts = [[c.shift for c in own.image.graph.connections] for own in (plain, few)]
    assert max(shifts[1]) <= 2 < max(shifts[0])


@effect(("import", "--rounding"), ("import", "--dt"), ("import", "--profile"))
def leak(bench):
    plain = Imported(bench)
    assert plain.leak.rounding == "nearest"
    assert Imported(bench, "--rounding", "floor").leak.rounding == "floor"
    slower = Imported(bench, "--dt", "2e-3")

    def taken(own):
        """How much of a membrane a step takes."""
        return own.leak.multiplier / (1 << own.leak.fraction_bits)

    assert abs(taken(slower) / taken(plain) - 2) < 0.01
    other = Imported(bench, "--profile", "spyx")
    assert (plain.told["framework"], other.told["framework"]) == ("norse", "spyx")
    assert (plain.entries["gain"]["value"], other.entries["gain"]["value"]) == ("euler", "unit")


OTHERS = {
    "decay": "exponential",
    "gain": "unit",
    "if_gain": "r*dt",
    "reset": "subtract",
    "compare": ">=",
    "clamp": "-threshold",
    "latency": "synapse",
    "start": "zero",
}
"""Of each entry of a profile, a choice that is not Norse's and makes another network."""


@effect(*(("import", f"--{name.replace('_', '-')}") for name in OTHERS))
def profile(bench):
    plain = Imported(bench)
    for name, choice in OTHERS.items():
        assert choice in CHOICES[name]
        changed = Imported(bench, f"--{name.replace('_', '-')}", choice)
        assert plain.entries[name]["value"] != choice
        assert (changed.entries[name]["value"], changed.entries[name]["origin"]) == (
            choice,
            "given",
        ), name
        assert changed.told["network_sha256"] != plain.told["network_sha256"], name


@effect(
    ("import", "--calibrate"),
    ("import", "--data-dir"),
    ("import", "--samples"),
    ("import", "--window-us"),
    ("import", "--spikes"),
)
def calibration(bench):
    def measured(*words, data="digits"):
        own = Imported(bench, "--encoding", "latency", "--calibrate", data, *words)
        return own.told["fidelity"]

    def spikes(fidelity):
        return [own["spikes_float"] for own in fidelity["populations"]]

    assert Imported(bench).told["fidelity"]["samples"] == 0
    plain = measured()
    assert plain["samples"] == 27
    assert spikes(measured(data="mnist")) != spikes(plain)
    assert spikes(measured("--data-dir", bench.folder)) != spikes(plain)
    assert measured("--samples", 5)["samples"] == 5
    measured("--window-us", 300)
    assert bench.requests[-1].source.events.window_us == 300
    many = measured("--spikes", "many")
    assert plain["one_spike_agreement"] is None
    assert many["one_spike_agreement"] is not None
