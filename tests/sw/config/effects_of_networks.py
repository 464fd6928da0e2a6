"""What the keys of the tables [data], [network] and [quantization] change in a chain."""

import numpy as np
import pytest
import torch

from spikeloom.arithmetic import ShiftLeak

from .effects import DATASET, Key, Run


def asks_for(name, value):
    """The loader is asked for other samples; what it makes of that is its own tests'."""

    def effect(before: Run, after: Run) -> bool:
        asked = after.config.data.samples
        for part in name.split("."):
            asked = getattr(asked, part)
        return asked == value and before.config.data.samples != after.config.data.samples

    return effect


SOURCE = {
    "source": "some/folder",
    "kind": "images",
    "split.validation": 0.3,
    "split.test": 0.1,
    "split.seed": 5,
    "split.groups": "speaker",
    "split.test_groups": ["a"],
    "images.size": [8, 9],
    "images.colour": True,
    "audio.frames": 12,
    "audio.bands": 16,
    "audio.window_ms": 20.0,
    "audio.low_hz": 100.0,
    "audio.range_db": 40.0,
    "events.sensor": [34, 34],
    "events.shrink": 2,
    "events.polarity": False,
    "events.window_us": 1000,
    "table.label": "kind",
}
LATENCY = {"data.encoding": {"kind": "latency"}}
RATE = {"data.encoding": {"kind": "rate"}}
DECAY = {"network.leak": {"kind": "decay", "multiplier": 3, "fraction_bits": 4}}


def rounding(run, population):
    """Of a population's leak; such a network need be no chain, which has layers."""
    return list(run.image.graph.populations)[population].neuron.leak.rounding


KEYS = {
    "data.name": Key(
        value="other", effect=lambda a, b: a.image.provenance.dataset != b.image.provenance.dataset
    ),
    **{
        f"data.{name}": Key(value=value, effect=asks_for(name, value))
        for name, value in SOURCE.items()
    },
    "data.time_steps": Key(
        value=5,
        effect=lambda _, b: b.image.time_steps == 5 == b.batches[0].shape[1],
    ),
    "data.encoding": Key(
        value={"kind": "multithreshold", "levels": 2},
        effect=lambda a, b: b.image.inputs == 2 * a.image.inputs == b.batches[0].shape[2],
    ),
    "data.encoding.latency.threshold": Key(
        value=128,
        effect=lambda a, b: 0 < b.batches[0].sum() < a.batches[0].sum(),
        beside=LATENCY,
    ),
    "data.encoding.rate.seed": Key(
        value=9,
        effect=lambda a, b: not torch.equal(a.batches[0], b.batches[0]),
        beside=RATE,
    ),
    "data.encoding.rate.gain": Key(
        value=64,
        effect=lambda a, b: 0 < b.batches[0].sum() < 0.5 * a.batches[0].sum(),
        beside=RATE,
    ),
    "data.encoding.multithreshold.levels": Key(
        value=3,
        effect=lambda a, b: b.image.inputs == 3 * DATASET.pixels,
        beside={"data.encoding": {"kind": "multithreshold"}},
    ),
    "data.encoding.frames.threshold": Key(
        value=200,
        effect=lambda a, b: 0 < b.batches[0].sum() < a.batches[0].sum(),
        beside={"data.encoding": {"kind": "frames"}, "data.time_steps": 4},
    ),
    "data.encoding.delta.delta": Key(
        value=5,
        effect=lambda a, b: b.batches[0].sum() > a.batches[0].sum() > 0,
        beside={"data.encoding": {"kind": "delta"}, "data.time_steps": 4},
    ),
    "network.hidden": Key(
        value=[7, 5],
        effect=lambda _, b: [layer.neurons for layer in b.image.layers] == [7, 5, 3],
    ),
    "network.leak": Key(
        value={"kind": "none"},
        effect=lambda a, b: (
            [type(own.layers[0].leak).__name__ for own in (a.image, b.image)]
            == ["ShiftLeak", "IntegrateLeak"]
        ),
    ),
    "network.leak.shift.shift": Key(
        value=1,
        effect=lambda _, b: b.image.layers[0].leak.shift == 1,
        beside={"network.leak": {"kind": "shift", "shift": 3}},
    ),
    "network.leak.shift.rounding": Key(
        value="nearest",
        effect=lambda _, b: rounding(b, 1) == "nearest",
        beside={"network.leak": {"kind": "shift", "shift": 3}},
    ),
    "network.leak.decay.rounding": Key(
        value="nearest",
        effect=lambda _, b: rounding(b, 1) == "nearest",
        beside=DECAY,
    ),
    "network.leak.decay.multiplier": Key(
        value=5, effect=lambda _, b: b.image.layers[0].leak.multiplier == 5, beside=DECAY
    ),
    "network.leak.decay.fraction_bits": Key(
        value=6, effect=lambda _, b: b.image.layers[0].leak.fraction_bits == 6, beside=DECAY
    ),
    "network.reset": Key(
        value="zero",
        effect=lambda _, b: b.image.layers[0].reset == "zero",
    ),
    "network.membrane_bits": Key(
        value=5,
        effect=lambda a, b: [layer.membrane_bits for layer in b.image.layers] == [5, 10],
    ),
    "network.readout": Key(
        value="count",
        effect=lambda a, b: b.image.readout == "count" and b.image.layers[-1].spiking,
    ),
    "network.readout_leak": Key(
        value={"kind": "shift", "shift": 2},
        effect=lambda a, b: (
            [layer.leak for layer in b.image.layers] == [ShiftLeak(shift=3), ShiftLeak(shift=2)]
        ),
    ),
    "network.readout_leak.shift.shift": Key(
        value=4,
        effect=lambda a, b: b.image.layers[-1].leak.shift == 4,
        beside={"network.readout_leak": {"kind": "shift", "shift": 2}},
    ),
    "network.readout_leak.shift.rounding": Key(
        value="nearest",
        effect=lambda _, b: rounding(b, -1) == "nearest",
        beside={"network.readout_leak": {"kind": "shift", "shift": 3}},
    ),
    "network.readout_leak.decay.rounding": Key(
        value="nearest",
        effect=lambda _, b: rounding(b, -1) == "nearest",
        beside={"network.readout_leak": {"kind": "decay", "multiplier": 3, "fraction_bits": 4}},
    ),
    "network.readout_leak.decay.multiplier": Key(
        value=5,
        effect=lambda a, b: b.image.layers[-1].leak.multiplier == 5,
        beside={"network.readout_leak": {"kind": "decay", "multiplier": 3, "fraction_bits": 4}},
    ),
    "network.readout_leak.decay.fraction_bits": Key(
        value=6,
        effect=lambda a, b: b.image.layers[-1].leak.fraction_bits == 6,
        beside={"network.readout_leak": {"kind": "decay", "multiplier": 3, "fraction_bits": 4}},
    ),
    "network.readout_membrane_bits": Key(
        value=7,
        effect=lambda a, b: [layer.membrane_bits for layer in b.image.layers] == [10, 7],
    ),
    "network.bias": Key(
        value=True,
        effect=lambda a, b: (
            not any(np.any(layer.bias) for layer in a.image.layers)
            and any(np.any(layer.bias) for layer in b.image.layers)
        ),
        beside={"training.learning_rate": 0.1},
    ),
    "network.threshold": Key(
        value=2.0,
        # The largest integer weight is worth `limit` thresholds, whatever these are.
        effect=lambda a, b: b.image.layers[0].scale == pytest.approx(2 * a.image.layers[0].scale),
    ),
    "network.learn_threshold": Key(
        value="neuron",
        effect=lambda a, b: (
            len(set(a.image.layers[0].threshold.tolist())) == 1
            and len(set(b.image.layers[0].threshold.tolist())) > 1
        ),
        beside={"training.learning_rate": 0.1},
    ),
    "network.learn_leak": Key(
        value=True,
        effect=lambda a, b: (
            a.image.layers[0].leak.multiplier == 60 and b.image.layers[0].leak.multiplier != 60
        ),
        beside={
            "network.leak": {"kind": "decay", "multiplier": 60, "fraction_bits": 8},
            "training.learning_rate": 0.1,
        },
    ),
    "quantization.weight_bits": Key(
        value=2,
        effect=lambda a, b: (
            max(np.abs(layer.weight).max() for layer in b.image.layers) == 1
            and max(np.abs(layer.weight).max() for layer in a.image.layers) > 3
        ),
    ),
    "quantization.scale": Key(
        value="max",
        effect=lambda a, b: (
            a.image.layers[0].scale == pytest.approx(0.5 / 7)
            and b.image.layers[0].scale != pytest.approx(0.5 / 7)
            and np.abs(b.image.layers[0].weight).max() == 7
        ),
    ),
    "quantization.limit": Key(
        value=1.5, effect=lambda _, b: b.image.layers[0].scale == pytest.approx(1.5 / 7)
    ),
    "quantization.per_channel": Key(
        value=True,
        effect=lambda a, b: (
            len(set(a.image.layers[0].threshold.tolist())) == 1
            and len(set(b.image.layers[0].threshold.tolist())) > 1
        ),
        beside={"quantization.scale": "max"},
    ),
}
