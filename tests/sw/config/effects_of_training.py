"""What the keys of the tables [sparsity] and [training] change."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from spikeloom.errors import UserError
from spikeloom.training import keeper, loop, train_network
from spikeloom.training.batches import training_batches
from spikeloom.training.device import choose_device
from spikeloom.training.portable import KERNELS
from spikeloom.training.trainer import begin

from .effects import DATASET, Key, Run, differ


def other_places(before: Run, after: Run) -> bool:
    """As many synapses are pruned and regrown, but others."""
    same = before.pruned() == after.pruned() and before.regrown() == after.regrown()
    return same and differ([before.final == 0], [after.final == 0])


def other_counts(before: Run, after: Run) -> bool:
    return before.pruned() != after.pruned()


def active(run):
    return [int(mask.sum()) for mask in run.masks]


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


def kernels(run):
    """What torch and MKL are told of the kernels to take."""
    with pytest.MonkeyPatch.context() as patch:
        for name in KERNELS:
            patch.setenv(name, "")
        begin(run.config, DATASET)
        return {os.environ[name] for name in KERNELS} - {""}


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


BITS = {"sparsity.stop_rule": "bits", "sparsity.target_bits": 250, "sparsity.rho": 0.0}
WORDS = {"network.hidden": [16], "sparsity.banks": 4, "sparsity.full_words": True}
CONSTANT = {"sparsity.ratio": "constant"}
HIDDEN = {"network.hidden": [20]}

KEYS = {
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
        effect=lambda a, b: (
            0.2 >= a.history("density")[-1] > 0.19 < 0.39 < b.history("density")[-1] <= 0.4
        ),
        beside=CONSTANT | {"sparsity.fraction": 0.5},
    ),
    "sparsity.readout_density": Key(
        value=0.6,
        effect=lambda a, b: (
            b.history("layers", 1, "density")[-1] >= 0.6 > a.history("layers", 1, "density")[-1]
        ),
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
    "sparsity.beta": Key(value=0.05, effect=other_counts, beside={"sparsity.gamma": 5.0}),
    "sparsity.fraction": Key(
        value=0.3,
        effect=lambda a, b: np.all(np.array(b.pruned()[0]) > a.pruned()[0]),
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
        effect=lambda _, b: (
            "bits" in b.trained.history[-1] and b.history("bits")[-1] < b.history("bits")[0]
        ),
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
        effect=lambda a, b: (
            a.pruned()[0] == b.pruned()[0] and not np.any(b.pruned()[2]) and np.any(a.pruned()[2])
        ),
        beside=CONSTANT | {"sparsity.rho": 1.0},
    ),
    "sparsity.regrow": Key(
        value="none", effect=lambda a, b: np.any(a.regrown()) and not np.any(b.regrown())
    ),
    "sparsity.rewind": Key(
        value=True,
        # The learning rate begins anew after each rewiring.
        effect=lambda a, b: (
            b.history("learning_rate")[:2] == [0.02, 0.02] and a.history("learning_rate")[1] < 0.02
        ),
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
        effect=lambda a, b: (
            differ(a.weights, b.weights)
            and differ(a.masks, b.masks)
            and not torch.equal(a.batches[0], b.batches[0])
        ),
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
        effect=lambda a, b: (
            b.history("layers", 0, "spikes")[-1] < 0.8 * a.history("layers", 0, "spikes")[-1]
            and b.history("loss")[0] > a.history("loss")[0]
        ),
    ),
    "training.surrogate": Key(value="rectangle", effect=lambda a, b: gradients_differ(a, b)),
    "training.surrogate_width": Key(value=0.3, effect=lambda a, b: gradients_differ(a, b)),
    "training.gain": Key(
        value=5.0,
        effect=lambda a, b: torch.allclose(b.weights[0], 2 * a.weights[0]),
    ),
    "training.threads": Key(value=2, effect=lambda _, b: threads(b) == 2),
    "training.portable": Key(
        value=True,
        effect=lambda a, b: kernels(a) == set() and kernels(b) == {"avx2", "COMPATIBLE", "AVX2"},
    ),
    "training.device": Key(value="cuda", effect=lambda _, b: device(b) == "cuda"),
    "training.checkpoint_seconds": Key(
        value=1000.0,
        effect=lambda a, b: saves(a) > saves(b) == 5,
        beside={"training.checkpoint_seconds": 0.0},
    ),
}
