"""The two-stage trainer: ordinary training, then training with rewiring, then the choice.

Stage 1 trains the random sparse network; stage 2 prunes and regrows every few epochs until the
density is reached, and may go on rewiring at constant density (Shen et al., ICLR 2025, arXiv
2502.13572). The weights that are kept are those of the best validation accuracy among the epochs
after the last rewiring, the lower validation loss deciding a tie. The test split is not touched.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from spikeloom.config import Config, TrainingConfig
from spikeloom.datasets import Dataset
from spikeloom.encoding import encoding_inputs
from spikeloom.errors import UserError
from spikeloom.nn import SpikingNetwork, build_network
from spikeloom.sparsity import Rewirer, Rewiring, initialise_masks
from spikeloom.training.batches import training_batches
from spikeloom.training.measure import Measurement, measure

__all__ = ["Epoch", "Trained", "choose_device", "train_network"]

Epoch = dict[str, Any]
"""One line of the history; see `_record`."""


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A finished training run.

    Attributes:
        network: with the chosen epoch's weights and masks, in eval mode.
        epoch: the chosen epoch, counted from 1.
        history: one record an epoch.
    """

    network: SpikingNetwork
    epoch: int
    history: tuple[Epoch, ...]


def choose_device(name: str) -> torch.device:
    """The device that a configuration names; "auto" takes a GPU when there is one.

    Raises:
        UserError: "cuda" was asked for, and there is none.
    """
    if name == "cuda" and not torch.cuda.is_available():
        raise UserError(
            "table [training]: device is 'cuda', but torch sees no GPU here; use 'auto' or 'cpu'"
        )
    return torch.device("cuda" if name != "cpu" and torch.cuda.is_available() else "cpu")


def train_network(
    config: Config, dataset: Dataset, on_epoch: Callable[[Epoch], None] = lambda epoch: None
) -> Trained:
    """Train one network.

    Two runs of one configuration end bit-identical on the same device with the same number of
    threads: the order in which a product's terms are summed depends on the threads, and so do the
    last bits of a gradient.

    Args:
        config: the run.
        dataset: its train and validation splits are used.
        on_epoch: told each epoch's record.
    """
    training, data = config.training, config.data
    _make_deterministic(training)
    device = choose_device(training.device)
    inputs = encoding_inputs(data.encoding, dataset.pixels)
    generator = torch.Generator().manual_seed(training.seed)
    network = build_network(config, inputs=inputs, classes=dataset.classes).to(device)
    initialise_masks(network.layers, config.sparsity, generator)
    for layer in network.layers:
        layer.initialise(training.gain, generator)
    rewirer = Rewirer.from_config(
        network.layers, config.sparsity, epochs=training.epochs, generator=generator
    )
    optimizer = _optimizer(network, training)
    history: list[Epoch] = []
    best: tuple[float, float] | None = None
    best_epoch, best_state = 0, {}
    for epoch in range(1, training.epochs + 1):
        started = time.perf_counter()
        rate = _learning_rate(training, epoch)
        for group in optimizer.param_groups:
            group["lr"] = rate
        loss, accuracy = _train_epoch(network, rewirer, optimizer, config, dataset, epoch)
        rewiring = rewirer.after_epoch(epoch, optimizer)
        result = measure(
            network, dataset.validation, encoding=data.encoding, time_steps=data.time_steps
        )
        record = _record(epoch, rate, loss, accuracy, result, network, rewirer, rewiring)
        record["seconds"] = round(time.perf_counter() - started, 4)
        history.append(record)
        on_epoch(record)
        merit = (result.accuracy, -result.loss)
        if rewiring is not None or best is None or merit > best:
            best, best_epoch = merit, epoch
            best_state = {name: value.clone() for name, value in network.state_dict().items()}
    network.load_state_dict(best_state)
    return Trained(network=network.eval(), epoch=best_epoch, history=tuple(history))


def _train_epoch(
    network: SpikingNetwork,
    rewirer: Rewirer,
    optimizer: torch.optim.Optimizer,
    config: Config,
    dataset: Dataset,
    epoch: int,
) -> tuple[float, float]:
    """Train for one epoch; mean loss and accuracy of its batches."""
    training, data = config.training, config.data
    network.train()
    device = network.layers[0].weight.device
    total, correct = 0.0, 0
    for events, labels in training_batches(dataset, data, training, epoch=epoch):
        target = labels.to(device)
        activity = network(events)
        loss = cross_entropy(activity.logits, target, label_smoothing=training.label_smoothing)
        if training.activity:
            loss = loss + training.activity * _mean_spikes(activity.spikes[:-1])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        rewirer.after_backward()
        optimizer.step()
        rewirer.after_step()
        total += float(loss.detach()) * len(target)
        correct += int((activity.predictions == target).sum())
    return total / len(dataset.train), correct / len(dataset.train)


def _mean_spikes(spikes: tuple[Tensor, ...]) -> Tensor:
    """Spikes of a hidden neuron in a sample, averaged over layers' neurons and samples."""
    per_layer = [layer.sum(dim=0).mean() for layer in spikes]
    return torch.stack(per_layer).mean() if per_layer else torch.zeros(())


def _optimizer(network: SpikingNetwork, training: TrainingConfig) -> torch.optim.Optimizer:
    parameters = list(network.parameters())
    if training.optimizer == "adamw":
        return torch.optim.AdamW(
            parameters, lr=training.learning_rate, weight_decay=training.weight_decay
        )
    return torch.optim.SGD(
        parameters,
        lr=training.learning_rate,
        momentum=0.9,
        nesterov=True,
        weight_decay=training.weight_decay,
    )


def _learning_rate(training: TrainingConfig, epoch: int) -> float:
    if training.schedule == "constant":
        return training.learning_rate
    return training.learning_rate * 0.5 * (1 + math.cos(math.pi * (epoch - 1) / training.epochs))


def _make_deterministic(training: TrainingConfig) -> None:
    # Without it cuBLAS may choose other kernels from call to call, and torch refuses to run.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True)
    torch.manual_seed(training.seed)
    if training.threads:
        torch.set_num_threads(training.threads)


def _record(
    epoch: int,
    rate: float,
    loss: float,
    accuracy: float,
    result: Measurement,
    network: SpikingNetwork,
    rewirer: Rewirer,
    rewiring: Rewiring | None,
) -> Epoch:
    synapses = [int((layer.integers().weight != 0).sum()) for layer in network.layers]
    places = [layer.mask.numel() for layer in network.layers]
    active = [int(layer.mask.sum()) for layer in network.layers]
    return {
        "epoch": epoch,
        "learning_rate": rate,
        "loss": loss,
        "accuracy": accuracy,
        "loss_validation": result.loss,
        "accuracy_validation": result.accuracy,
        "density": sum(active) / sum(places),
        "synapses": sum(synapses),
        "layers": [
            {
                "density": active[i] / places[i],
                "synapses": synapses[i],
                "pq_index": index,
                "pruned": rewiring.pruned[i] if rewiring else 0,
                "regrown": rewiring.regrown[i] if rewiring else 0,
                "spikes": result.spikes[i],
                "operations": result.operations[i],
            }
            for i, index in enumerate(rewirer.indices())
        ],
    }
