"""Every key of a configuration changes what it should: none is read in vain.

Each key has a value, and what must follow from it in a short training. A new key fails here until
it has an entry.
"""

import json
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from msgspec import inspect

from spikeloom.arithmetic import ShiftLeak
from spikeloom.config import Config, dump_config, parse_config
from spikeloom.errors import UserError
from spikeloom.training import keeper, loop, train_network
from spikeloom.training.batches import training_batches
from spikeloom.training.convert import to_image
from spikeloom.training.device import choose_device
from spikeloom.training.trainer import begin
from tiny import TEXT, tiny_dataset

DATASET = tiny_dataset()


class Run:
    """What came of a configuration: before the first batch, and after the last."""

    def __init__(self, config: Config) -> None:
        self.config = config

    @cached_property
    def start(self):
        return begin(self.config, DATASET)

    @cached_property
    def masks(self):
        return [layer.mask for layer in self.start.network.layers]

    @cached_property
    def weights(self):
        return [layer.weight.detach() for layer in self.start.network.layers]

    @cached_property
    def batches(self):
        """Events of all batches of the first epoch."""
        return [
            events
            for events, _ in training_batches(
                DATASET, self.config.data, self.config.training, epoch=1
            )
        ]

    @cached_property
    def trained(self):
        return train_network(self.config, DATASET)

    @cached_property
    def image(self):
        return to_image(self.trained.network, self.config)

    @cached_property
    def final(self):
        return torch.cat([layer.weight.detach().flatten() for layer in self.trained.network.layers])

    def history(self, *names):
        """Of each epoch, the value at a path such as "layers", 0, "pruned"."""
        found = []
        for record in self.trained.history:
            value = record
            for name in names:
                value = value[name]
            found.append(value)
        return found

    def pruned(self):
        return [[layer["pruned"] for layer in record["layers"]] for record in self.trained.history]

    def regrown(self):
        return [[layer["regrown"] for layer in record["layers"]] for record in self.trained.history]


@cache
def run_of(text: str) -> Run:
    return Run(parse_config(text, source="x"))


def with_keys(text: str, keys: dict[str, Any]) -> str:
    """A configuration with some keys set: `{"network.bias": True}`."""
    document = tomllib.loads(text)
    for path, value in keys.items():
        *tables, key = path.split(".")
        table = document
        for name in tables:
            table = table.setdefault(name, {})
        table[key] = value
    return "\n".join(lines(document))


def lines(table: dict[str, Any], above: str = "") -> Iterator[str]:
    """TOML, a key a line."""
    for key, value in table.items():
        if isinstance(value, dict):
            yield from lines(value, f"{above}{key}.")
        else:
            yield f"{above}{key} = {json.dumps(value)}"


@dataclass(frozen=True, kw_only=True)
class Key:
    """A key, and what follows from it.

    `effect` holds of (the run without it, the run with it), and not of (that without it, itself).
    """

    value: Any
    effect: Callable[[Run, Run], Any]
    beside: dict[str, Any] = field(default_factory=dict)


def differ(first, second):
    return not all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def other_places(before: Run, after: Run) -> bool:
    """As many synapses are pruned and regrown, but others."""
    same = before.pruned() == after.pruned() and before.regrown() == after.regrown()
    return same and differ([before.final == 0], [after.final == 0])


def other_counts(before: Run, after: Run) -> bool:
    return before.pruned() != after.pruned()


def active(run):
    return [int(mask.sum()) for mask in run.masks]


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
BITS = {"sparsity.stop_rule": "bits", "sparsity.target_bits": 250, "sparsity.rho": 0.0}
WORDS = {"network.hidden": [16], "sparsity.banks": 4, "sparsity.full_words": True}
CONSTANT = {"sparsity.ratio": "constant"}


def leak_of(run: Any, layer: int, field: str) -> int:
    """A parameter of a layer's leak; a leak of another kind has none, and fails."""
    return getattr(run.image.layers[layer].leak, field)


DECAY = {"network.leak": {"kind": "decay", "multiplier": 3, "fraction_bits": 4}}
HIDDEN = {"network.hidden": [20]}

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
        effect=lambda a, b: [type(own.layers[0].leak).__name__ for own in (a.image, b.image)]
        == ["ShiftLeak", "IntegrateLeak"],
    ),
    "network.leak.shift.shift": Key(
        value=1,
        effect=lambda _, b: leak_of(b, 0, "shift") == 1,
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
        value=5, effect=lambda _, b: leak_of(b, 0, "multiplier") == 5, beside=DECAY
    ),
    "network.leak.decay.fraction_bits": Key(
        value=6, effect=lambda _, b: leak_of(b, 0, "fraction_bits") == 6, beside=DECAY
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
        effect=lambda a, b: [layer.leak for layer in b.image.layers]
        == [ShiftLeak(shift=3), ShiftLeak(shift=2)],
    ),
    "network.readout_leak.shift.shift": Key(
        value=4,
        effect=lambda a, b: leak_of(b, -1, "shift") == 4,
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
        effect=lambda a, b: leak_of(b, -1, "multiplier") == 5,
        beside={"network.readout_leak": {"kind": "decay", "multiplier": 3, "fraction_bits": 4}},
    ),
    "network.readout_leak.decay.fraction_bits": Key(
        value=6,
        effect=lambda a, b: leak_of(b, -1, "fraction_bits") == 6,
        beside={"network.readout_leak": {"kind": "decay", "multiplier": 3, "fraction_bits": 4}},
    ),
    "network.readout_membrane_bits": Key(
        value=7,
        effect=lambda a, b: [layer.membrane_bits for layer in b.image.layers] == [10, 7],
    ),
    "network.bias": Key(
        value=True,
        effect=lambda a, b: not any(np.any(layer.bias) for layer in a.image.layers)
        and any(np.any(layer.bias) for layer in b.image.layers),
        beside={"training.learning_rate": 0.1},
    ),
    "network.threshold": Key(
        value=2.0,
        # The largest integer weight is worth `limit` thresholds, whatever these are.
        effect=lambda a, b: b.image.layers[0].scale == pytest.approx(2 * a.image.layers[0].scale),
    ),
    "network.learn_threshold": Key(
        value="neuron",
        effect=lambda a, b: len(set(a.image.layers[0].threshold.tolist())) == 1
        and len(set(b.image.layers[0].threshold.tolist())) > 1,
        beside={"training.learning_rate": 0.1},
    ),
    "network.learn_leak": Key(
        value=True,
        effect=lambda a, b: leak_of(a, 0, "multiplier") == 60
        and leak_of(b, 0, "multiplier") != 60,
        beside={
            "network.leak": {"kind": "decay", "multiplier": 60, "fraction_bits": 8},
            "training.learning_rate": 0.1,
        },
    ),
    "quantization.weight_bits": Key(
        value=2,
        effect=lambda a, b: max(np.abs(layer.weight).max() for layer in b.image.layers) == 1
        and max(np.abs(layer.weight).max() for layer in a.image.layers) > 3,
    ),
    "quantization.scale": Key(
        value="max",
        effect=lambda a, b: a.image.layers[0].scale == pytest.approx(0.5 / 7)
        and b.image.layers[0].scale != pytest.approx(0.5 / 7)
        and np.abs(b.image.layers[0].weight).max() == 7,
    ),
    "quantization.limit": Key(
        value=1.5, effect=lambda _, b: b.image.layers[0].scale == pytest.approx(1.5 / 7)
    ),
    "quantization.per_channel": Key(
        value=True,
        effect=lambda a, b: len(set(a.image.layers[0].threshold.tolist())) == 1
        and len(set(b.image.layers[0].threshold.tolist())) > 1,
        beside={"quantization.scale": "max"},
    ),
    "sparsity.method": Key(
        value="static", effect=lambda a, b: np.any(a.pruned()) and not np.any(b.pruned())
    ),
    "sparsity.initial_density": Key(
        value=0.9,
        effect=lambda a, b: sum(active(b)) == round(0.9 * 114) != sum(active(a)),
    ),
    "sparsity.distribution": Key(
        value="uniform",
        effect=lambda a, b: active(b) == [48, 9] != active(a),
    ),
    "sparsity.topology": Key(
        value="local",
        # The centres of a neuron's inputs lie closer together than by chance.
        effect=lambda a, b: spread(b) < 0.9 * spread(a),
        beside={"network.hidden": [20], "sparsity.initial_density": 0.3},
    ),
    "sparsity.density": Key(
        value=0.4,
        effect=lambda a, b: 0.2
        >= a.history("density")[-1]
        > 0.19
        < 0.39
        < b.history("density")[-1]
        <= 0.4,
        beside=CONSTANT | {"sparsity.fraction": 0.5},
    ),
    "sparsity.readout_density": Key(
        value=0.6,
        effect=lambda a, b: b.history("layers", 1, "density")[-1]
        >= 0.6
        > a.history("layers", 1, "density")[-1],
        beside={"sparsity.density": 0.1, "sparsity.rho": 0.0, "sparsity.initial_density": 0.9}
        | CONSTANT
        | {"sparsity.fraction": 0.5},
    ),
    "sparsity.ratio": Key(value="constant-global", effect=other_counts),
    "sparsity.index_on": Key(value="drive", effect=other_counts, beside=HIDDEN),
    "sparsity.shrinkage": Key(
        value=8.0, effect=other_counts, beside={"sparsity.ratio": "pq-neuron"} | HIDDEN
    ),
    "sparsity.p": Key(value=0.9, effect=other_counts),
    "sparsity.q": Key(value=2.0, effect=other_counts),
    "sparsity.eta": Key(value=0.3, effect=other_counts),
    "sparsity.gamma": Key(value=0.3, effect=other_counts),
    "sparsity.beta": Key(
        value=0.05, effect=other_counts, beside={"sparsity.gamma": 5.0}
    ),
    "sparsity.fraction": Key(
        value=0.3, effect=lambda a, b: np.all(np.array(b.pruned()[0]) > a.pruned()[0]),
        beside=CONSTANT,
    ),
    "sparsity.score": Key(value="drive", effect=other_places, beside=HIDDEN | CONSTANT),
    "sparsity.rho": Key(
        value=0.8, effect=lambda a, b: np.sum(b.regrown()[0]) > np.sum(a.regrown()[0]) > 0
    ),
    "sparsity.start_epoch": Key(
        value=2,
        effect=lambda a, b: [np.any(own) for own in b.pruned()] == [False, True, True, False],
    ),
    "sparsity.every_epochs": Key(
        value=2,
        effect=lambda a, b: [np.any(own) for own in b.pruned()] == [True, False, True, False],
    ),
    "sparsity.stop_epoch": Key(
        value=2,
        effect=lambda a, b: [np.any(own) for own in b.pruned()] == [True, True, False, False],
    ),
    "sparsity.stop_rule": Key(
        value="bits",
        effect=lambda _, b: "bits" in b.trained.history[-1]
        and b.history("bits")[-1] < b.history("bits")[0],
        beside={"sparsity.target_bits": 600, "sparsity.rho": 0.0},
    ),
    "sparsity.target_bits": Key(
        value=450,
        effect=lambda a, b: a.history("bits")[-1] < b.history("bits")[-1] <= 450,
        beside=BITS | CONSTANT | {"sparsity.fraction": 0.4},
    ),
    "sparsity.target_lanes": Key(
        value=[1], effect=lambda a, b: a.history("bits")[0] != b.history("bits")[0], beside=BITS
    ),
    "sparsity.patience": Key(
        value=1,
        effect=lambda a, b: sum(b.history("density")) > sum(a.history("density")),
        beside={
            "sparsity.stop_rule": "turn",
            "sparsity.patience": 6,
            "sparsity.rho": 0.9,
            "sparsity.density": 0.05,
            "sparsity.stop_epoch": 7,
            "training.epochs": 8,
        }
        | CONSTANT,
    ),
    "sparsity.decay": Key(
        value="cosine",
        effect=lambda a, b: a.pruned()[0] == b.pruned()[0]
        and not np.any(b.pruned()[2])
        and np.any(a.pruned()[2]),
        beside=CONSTANT | {"sparsity.rho": 1.0},
    ),
    "sparsity.regrow": Key(
        value="none", effect=lambda a, b: np.any(a.regrown()) and not np.any(b.regrown())
    ),
    "sparsity.rewind": Key(
        value=True,
        # The learning rate begins anew after each rewiring.
        effect=lambda a, b: b.history("learning_rate")[:2] == [0.02, 0.02]
        and a.history("learning_rate")[1] < 0.02,
    ),
    "sparsity.banks": Key(
        value=4,
        # No row takes more words than its synapses fill; which bank has how many is not said.
        effect=lambda a, b: open_words(b, 4) == 0 < open_words(a, 4),
        beside={"network.hidden": [24]},
    ),
    "sparsity.full_words": Key(
        value=True,
        effect=lambda a, b: unevenness(b, 4) == 0 < unevenness(a, 4),
        beside={"network.hidden": [16], "sparsity.banks": 4},
    ),
    "sparsity.blocks": Key(
        value=2,
        effect=lambda a, b: unevenness(b, 8) <= 1 < unevenness(a, 8),
        beside=WORDS,
    ),
    "sparsity.nonzero": Key(
        value=True,
        effect=lambda a, b: zeros(b) == 0 < zeros(a),
        beside={"network.hidden": [20], "training.learning_rate": 0.001},
    ),
    "training.epochs": Key(value=6, effect=lambda a, b: len(b.trained.history) == 6),
    "training.batch_size": Key(
        value=13, effect=lambda a, b: [len(own) for own in b.batches] == [13, 13, 13, 1]
    ),
    "training.learning_rate": Key(
        value=0.03, effect=lambda a, b: b.history("learning_rate")[0] == 0.03
    ),
    "training.seed": Key(
        value=5,
        effect=lambda a, b: differ(a.weights, b.weights)
        and differ(a.masks, b.masks)
        and not torch.equal(a.batches[0], b.batches[0]),
    ),
    "training.optimizer": Key(
        value="sgd", effect=lambda a, b: isinstance(b.start.optimizer, torch.optim.SGD)
    ),
    "training.schedule": Key(
        value="constant", effect=lambda a, b: set(b.history("learning_rate")) == {0.02}
    ),
    "training.weight_decay": Key(
        value=3.0, effect=lambda a, b: b.final.norm() < 0.9 * a.final.norm()
    ),
    "training.label_smoothing": Key(
        value=0.6,
        # Of the first batch alone: the smoother the target, the less a mistake costs.
        effect=lambda a, b: b.history("loss")[0] < 0.95 * a.history("loss")[0],
        beside={"training.batch_size": 40},
    ),
    "training.shift": Key(value=1.0, effect=lambda a, b: differ(a.batches, b.batches)),
    "training.rotation": Key(value=40.0, effect=lambda a, b: differ(a.batches, b.batches)),
    "training.zoom": Key(value=0.4, effect=lambda a, b: differ(a.batches, b.batches)),
    "training.elastic": Key(value=1.0, effect=lambda a, b: differ(a.batches, b.batches)),
    "training.noise": Key(value=40.0, effect=lambda a, b: differ(a.batches, b.batches)),
    "training.dropout": Key(
        value=0.5,
        # Nothing reaches the readout from a silenced neuron: the first loss is another already.
        effect=lambda a, b: a.history("loss")[0] != b.history("loss")[0],
    ),
    "training.activity": Key(
        value=5.0,
        effect=lambda a, b: b.history("layers", 0, "spikes")[-1]
        < 0.8 * a.history("layers", 0, "spikes")[-1]
        and b.history("loss")[0] > a.history("loss")[0],
    ),
    "training.surrogate": Key(value="rectangle", effect=lambda a, b: gradients_differ(a, b)),
    "training.surrogate_width": Key(value=0.3, effect=lambda a, b: gradients_differ(a, b)),
    "training.gain": Key(
        value=5.0,
        effect=lambda a, b: torch.allclose(b.weights[0], 2 * a.weights[0]),
    ),
    "training.threads": Key(value=2, effect=lambda _, b: threads(b) == 2),
    "training.device": Key(value="cuda", effect=lambda _, b: device(b) == "cuda"),
    "training.checkpoint_seconds": Key(
        value=1000.0, effect=lambda a, b: saves(a) > saves(b) == 5, beside={
            "training.checkpoint_seconds": 0.0}
    ),
}  # fmt: skip
"""By key; of a table that is one of several kinds, the kind stands before its own keys."""


def rounding(run, population):
    """Of a population's leak; such a network need be no chain, which has layers."""
    return list(run.image.graph.populations)[population].neuron.leak.rounding


def spread(run):
    """Mean distance of a hidden neuron's inputs from their centre."""
    rows, columns = np.divmod(np.arange(DATASET.pixels), DATASET.shape[1])
    distances = []
    for own in run.masks[0].numpy():
        y, x = rows[own], columns[own]
        distances += list(np.hypot(y - y.mean(), x - x.mean())) if len(y) else []
    return np.mean(distances)


def unevenness(run, banks):
    """Of the hidden layer's rows, at the end: the most by which a fullest bank tops an emptiest."""
    counts = by_bank(run.trained.network.layers[0].mask.numpy(), banks)
    return int((counts.max(axis=0) - counts.min(axis=0)).max())


def by_bank(mask, banks):
    """Synapses of each bank and row."""
    return np.stack([mask[bank::banks].sum(axis=0) for bank in range(banks)])


def open_words(run, banks):
    """Words that a better spread over the banks would save, at the start and at the end."""
    found = 0
    for layer, start in zip(run.trained.network.layers, run.masks, strict=True):
        for mask in (start.numpy(), layer.mask.numpy()):
            counts = by_bank(mask, banks)
            found += int((counts.max(axis=0) - np.ceil(counts.sum(axis=0) / banks)).sum())
    return found


def zeros(run):
    """Active places that quantise to 0."""
    return sum(
        int((layer.mask & (layer.integers().weight == 0)).sum())
        for layer in run.trained.network.layers
    )


def gradients_differ(before, after):
    gradients = []
    for run in (before, after):
        torch.manual_seed(0)
        state = begin(run.config, DATASET)
        events, labels = next(
            training_batches(DATASET, run.config.data, run.config.training, epoch=1)
        )
        loop.train_batch(state, run.config.training, events, labels)
        gradients.append([layer.weight.grad for layer in state.network.layers])
    # That of the readout, which does not spike, is the same.
    return not torch.equal(gradients[0][0], gradients[1][0]) and torch.equal(
        gradients[0][1], gradients[1][1]
    )


def threads(run):
    before = torch.get_num_threads()
    try:
        begin(run.config, DATASET)
        return torch.get_num_threads()
    finally:
        torch.set_num_threads(before)


def device(run):
    """Where a machine with a GPU would compute."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.cuda, "is_available", lambda: False)
        try:
            return choose_device(run.config.training.device).type
        except UserError:
            return "cuda"


def saves(run):
    """How often a run is put on disk: at its start, after each epoch, and as it is asked."""
    count = 0
    with pytest.MonkeyPatch.context() as patch:

        def save(*_: object) -> None:
            nonlocal count
            count += 1

        patch.setattr(keeper, "save_tree", save)
        patch.setattr(keeper, "atomic_write", lambda *_: None)
        patch.setattr(keeper, "sweep", lambda *_: None)
        train_network(
            run.config, DATASET, keeper=keeper.Keeper(Path("nowhere"), run.config, DATASET)
        )
    return count


def declared(info: inspect.Type, path: str) -> list[str]:
    """All keys below a type: of a union's tables, with the kind in between."""
    match info:
        case inspect.StructType(tag=None):
            keys = []
            for key in info.fields:
                below = f"{path}.{key.encode_name}".lstrip(".")
                is_table = isinstance(key.type, inspect.StructType)
                keys += [] if is_table else [below]
                keys += declared(key.type, below)
            return keys
        case inspect.StructType():
            return [f"{path}.{info.tag}.{key.encode_name}" for key in info.fields]
        case inspect.UnionType():
            return [key for member in info.types for key in declared(member, path)]
        case _:
            return []


def test_every_key_is_here():
    assert sorted(KEYS) == sorted(declared(inspect.type_info(Config), ""))


@pytest.mark.parametrize("name", KEYS)
def test_a_key_has_its_effect(name):
    key = KEYS[name]
    tables = name.split(".")
    path = ".".join([*tables[:2], tables[3]]) if len(tables) == 4 else name
    base = with_keys(TEXT, key.beside)
    before, after = run_of(base), run_of(with_keys(base, {path: key.value}))
    assert dump_config(before.config) != dump_config(after.config)
    assert key.effect(before, after)
    assert not key.effect(before, before)
