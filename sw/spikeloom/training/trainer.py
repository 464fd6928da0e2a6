"""The two-stage trainer: ordinary training, then training with rewiring, then the choice.

Stage 1 trains the random sparse network; stage 2 prunes and regrows every few epochs until the
density is reached, and may go on rewiring at constant density (Shen et al., ICLR 2025, arXiv
2502.13572). The weights that are kept are those of the best validation accuracy among the epochs
after the last rewiring, the lower validation loss deciding a tie. The test split is not touched.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from spikeloom.config import Config, TrainingConfig
from spikeloom.datasets import Dataset
from spikeloom.encoding import encoding_inputs
from spikeloom.image.validation import validate_image
from spikeloom.nn import Network, build_network, input_shape
from spikeloom.provenance import DataIdentity
from spikeloom.sparsity import Rewirer, initialise_masks
from spikeloom.training.convert import to_image
from spikeloom.training.device import choose_device, make_deterministic
from spikeloom.training.keeper import Keeper
from spikeloom.training.loop import run_epoch
from spikeloom.training.state import Epoch, TrainingState

__all__ = ["Trained", "begin", "train_network"]


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A finished training run.

    Attributes:
        network: with the chosen epoch's weights and masks, in eval mode.
        epoch: the chosen epoch, counted from 1.
        history: one record an epoch.
        data: what it was trained on.
    """

    network: Network
    epoch: int
    history: tuple[Epoch, ...]
    data: DataIdentity


def train_network(
    config: Config,
    dataset: Dataset,
    on_epoch: Callable[[Epoch], object] = lambda _epoch: None,
    *,
    keeper: Keeper | None = None,
) -> Trained:
    """Train one network.

    Two runs of one configuration end bit-identical on the same device with the same number of
    threads: the order in which a product's terms are summed depends on the threads, and so do the
    last bits of a gradient.

    Args:
        config: the run.
        dataset: its train and validation splits are used.
        on_epoch: told each epoch's record.
        keeper: puts the run on disk as it goes, and takes it up where it was left.

    Raises:
        UserError: the keeper's folder cannot be written, or what it found does not fit.
    """
    state = begin(config, dataset)
    progress = state.progress
    if keeper:
        keeper.begin(state)
    while progress.epoch <= config.training.epochs:
        record = run_epoch(state, config, dataset, keeper.after_batch if keeper else None)
        if keeper:
            keeper.after_epoch(state)
        on_epoch(record)
    state.network.load_state_dict(progress.best_state)
    return Trained(
        network=state.network.eval(),
        epoch=progress.best_epoch,
        history=tuple(progress.history),
        data=dataset.identity,
    )


def begin(config: Config, dataset: Dataset) -> TrainingState:
    """A network with its first masks and weights, and all that trains it.

    Raises:
        UserError: no image may have the network's shapes.
    """
    training = config.training
    make_deterministic(training)
    generator = torch.Generator().manual_seed(training.seed)
    inputs = encoding_inputs(config.data.encoding, dataset.pixels, config.data.time_steps)
    source = input_shape(config, dataset.shape, inputs)
    network = build_network(config, inputs=inputs, classes=dataset.classes, source=source)
    network = network.to(choose_device(training.device))
    initialise_masks(network.sparse_layers, config.sparsity, generator)
    for layer in network.layers:
        layer.initialise(training.gain, generator)
        # A learned scale is read off the weights by its first use, and is no state before.
        layer.integers()
    # What no image may be, no epoch need be spent on.
    validate_image(to_image(network, config))
    rewirer = Rewirer.from_config(
        network.sparse_layers,
        config.sparsity,
        epochs=training.epochs,
        generator=generator,
        weight_bits=config.quantization.weight_bits,
    )
    return TrainingState(
        network=network,
        rewirer=rewirer,
        optimizer=_optimizer(network, training),
        generator=generator,
    )


def _optimizer(network: Network, training: TrainingConfig) -> torch.optim.Optimizer:
    parameters = list(network.parameters())
    if training.optimizer == "adamw":
        return torch.optim.AdamW(
            parameters,
            lr=training.learning_rate,
            weight_decay=training.weight_decay,
            fused=True,
        )
    return torch.optim.SGD(
        parameters,
        lr=training.learning_rate,
        momentum=0.9,
        nesterov=True,
        weight_decay=training.weight_decay,
        fused=True,
    )
