"""One epoch: its batches, the rewiring after them, and the record of what came of it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from spikeloom.config import Config, TrainingConfig
from spikeloom.datasets import Dataset
from spikeloom.sparsity import Rewiring
from spikeloom.training.batches import training_batches
from spikeloom.training.measure import Measurement, measure
from spikeloom.training.state import Epoch, TrainingState

__all__ = ["run_epoch", "train_batch"]


def run_epoch(
    state: TrainingState,
    config: Config,
    dataset: Dataset,
    after_batch: Callable[[TrainingState], None] | None = None,
) -> Epoch:
    """Finish the epoch that `state` stands in; it then stands before the next.

    Args:
        state: is moved on.
        config: the run.
        dataset: its train and validation splits are used.
        after_batch: called after each batch, when `state` can be put away.

    Returns:
        The epoch's record, which is in the history, too.
    """
    progress, data = state.progress, config.data
    started = time.perf_counter() - progress.seconds
    period = state.rewirer.period(progress.epoch, config.training.epochs)
    rate = _learning_rate(config.training, progress.epoch, period)
    for group in state.optimizer.param_groups:
        group["lr"] = rate
    state.network.train()
    for events, labels in training_batches(
        dataset, data, config.training, epoch=progress.epoch, done=progress.batch
    ):
        train_batch(state, config.training, events, labels)
        progress.batch += 1
        progress.seconds = time.perf_counter() - started
        if after_batch:
            after_batch(state)
    rewiring = state.rewirer.after_epoch(progress.epoch, state.optimizer)
    result = measure(
        state.network, dataset.validation, encoding=data.encoding, time_steps=data.time_steps
    )
    record = _record(state, rate, len(dataset.train), result, rewiring)
    bits = state.rewirer.bits()
    if bits is not None:
        record["bits"] = bits
    record["seconds"] = round(time.perf_counter() - started, 4)
    progress.history.append(record)
    merit = (result.accuracy, -result.loss)
    if rewiring is not None and any(rewiring.regrown):
        # What has just been regrown is still 0, no synapse: any later epoch is preferred.
        merit = (-1.0, 0.0)
    if rewiring is not None or progress.best is None or merit > progress.best:
        progress.best, progress.best_epoch = merit, progress.epoch
        progress.best_state = {
            name: value.clone() for name, value in state.network.state_dict().items()
        }
    progress.next_epoch()
    return record


def train_batch(
    state: TrainingState, training: TrainingConfig, events: Tensor, labels: Tensor
) -> None:
    """One step of the optimiser.

    Args:
        state: is moved on, all but its position.
        training: the run's.
        events: bool [B, T, inputs].
        labels: int64 [B].
    """
    target = labels.to(state.device)
    activity = state.network(events)
    if state.rewirer.needs_rates:
        state.rewirer.after_forward(state.network.arriving(events, activity))
    loss = cross_entropy(activity.logits, target, label_smoothing=training.label_smoothing)
    if training.activity:
        loss = loss + training.activity * _mean_spikes(activity.spikes[:-1])
    state.optimizer.zero_grad(set_to_none=True)
    loss.backward()
    state.rewirer.after_backward()
    state.optimizer.step()
    state.rewirer.after_step()
    state.progress.loss += float(loss.detach()) * len(target)
    state.progress.correct += int((activity.predictions == target).sum())


def _mean_spikes(spikes: tuple[Tensor, ...]) -> Tensor:
    """Spikes of a hidden neuron in a sample, averaged over layers' neurons and samples."""
    per_layer = [layer.sum(dim=0).mean() for layer in spikes]
    return torch.stack(per_layer).mean() if per_layer else torch.zeros(())


def _learning_rate(training: TrainingConfig, epoch: int, period: tuple[int, int]) -> float:
    """The rate of an epoch; its schedule spans the period, which rewinding begins anew."""
    if training.schedule == "constant":
        return training.learning_rate
    start, end = period
    share = (epoch - 1 - start) / (end - start)
    return training.learning_rate * 0.5 * (1 + math.cos(math.pi * share))


def _record(
    state: TrainingState,
    rate: float,
    samples: int,
    result: Measurement,
    rewiring: Rewiring | None,
) -> Epoch:
    layers = state.rewirer.layers
    synapses = [int((layer.integers().weight != 0).sum()) for layer in layers]
    others = [layer for layer in state.network.layers if layer not in layers]
    dense = sum(int((layer.integers().weight != 0).sum()) for layer in others)
    places = [layer.mask.numel() for layer in layers]
    active = [int(layer.mask.sum()) for layer in layers]
    return {
        "epoch": state.progress.epoch,
        "learning_rate": rate,
        "loss": state.progress.loss / samples,
        "accuracy": state.progress.correct / samples,
        "loss_validation": result.loss,
        "accuracy_validation": result.accuracy,
        "density": sum(active) / sum(places),
        "synapses": sum(synapses) + dense,
        "layers": [
            {
                "density": active[i] / places[i],
                "synapses": synapses[i],
                "pq_index": index,
                "pruned": rewiring.pruned[i] if rewiring else 0,
                "regrown": rewiring.regrown[i] if rewiring else 0,
                "spikes": result.spikes[i],
                "operations": result.operations[i],
                "leaking": result.leaking[i],
            }
            for i, index in enumerate(state.rewirer.indices())
        ],
    }
