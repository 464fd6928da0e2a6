"""Everything that changes while a network is trained, so that it can be put away and taken up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import brevitas.config
import torch
from torch import Tensor

from spikeloom.nn import Network
from spikeloom.sparsity import Rewirer

__all__ = ["Epoch", "Progress", "TrainingState"]

Epoch = dict[str, Any]
"""One line of the history; see `spikeloom.training.loop`."""


@dataclass(kw_only=True)
class Progress:
    """Where a training stands.

    The order of samples and their distortions are functions of (seed, epoch, batch), so the
    position stands for their generators.

    Attributes:
        epoch: the one at work, counted from 1.
        batch: batches of it that are done.
        loss: sum over the samples of these batches.
        correct: samples of them classified correctly.
        seconds: spent on this epoch so far.
        history: one record for each epoch that has ended.
        best: (validation accuracy, -validation loss) of the best epoch; the accuracy is -1 where
            nothing but a rewiring that regrew stands to choose.
        best_epoch: counted from 1; 0 before the first has ended.
        best_state: the network's state after it.
    """

    epoch: int = 1
    batch: int = 0
    loss: float = 0.0
    correct: int = 0
    seconds: float = 0.0
    history: list[Epoch] = field(default_factory=list)
    best: tuple[float, float] | None = None
    best_epoch: int = 0
    best_state: dict[str, Tensor] = field(default_factory=dict)

    def next_epoch(self) -> None:
        """Stand before the first batch of the next epoch."""
        self.epoch, self.batch = self.epoch + 1, 0
        self.loss, self.correct, self.seconds = 0.0, 0, 0.0


@dataclass(frozen=True, kw_only=True)
class TrainingState:
    """The parts that hold state.

    Attributes:
        network: weights, masks, quantisers.
        rewirer: traces of gradients.
        optimizer: its memory; the learning rate follows from the epoch.
        generator: draws masks and weights, and regrows at random.
        progress: position, history and the best epoch so far.
    """

    network: Network
    rewirer: Rewirer
    optimizer: torch.optim.Optimizer
    generator: torch.Generator
    progress: Progress = field(default_factory=Progress)

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return self.network.layers[0].weight.device

    def state_dict(self) -> dict[str, Any]:
        """Nested mappings and lists of tensors and plain values; tensors are not copied."""
        cuda = self.device.type == "cuda"
        return {
            "network": self.network.state_dict(),
            "rewirer": self.rewirer.state_dict(),
            "optimizer": {
                str(position): dict(memory)
                for position, memory in self.optimizer.state_dict()["state"].items()
            },
            # Dropout draws from torch's own generator, that of the device.
            "random": {
                "generator": self.generator.get_state(),
                "cpu": torch.get_rng_state(),
                "cuda": torch.cuda.get_rng_state(self.device) if cuda else None,
            },
            "progress": vars(self.progress),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up what `state_dict` gave, of a run of the same configuration.

        Raises:
            KeyError, RuntimeError, TypeError, ValueError: `state` is of another network.
        """
        with _parameters_kept():
            self.network.load_state_dict(state["network"])
        self.rewirer.load_state_dict(state["rewirer"])
        self.optimizer.load_state_dict(
            {
                "state": {int(key): memory for key, memory in state["optimizer"].items()},
                "param_groups": self.optimizer.state_dict()["param_groups"],
            }
        )
        random = state["random"]
        self.generator.set_state(random["generator"])
        torch.set_rng_state(random["cpu"])
        if random["cuda"] is not None and self.device.type == "cuda":
            torch.cuda.set_rng_state(random["cuda"], self.device)
        progress = Progress(**state["progress"])
        progress.best = (progress.best[0], progress.best[1]) if progress.best else None
        vars(self.progress).update(vars(progress))


@contextmanager
def _parameters_kept() -> Iterator[None]:
    """Let Brevitas load learned scales in place.

    Else it replaces their parameters, and the optimiser would go on with the old ones.
    """
    before = brevitas.config.REINIT_ON_STATE_DICT_LOAD
    brevitas.config.REINIT_ON_STATE_DICT_LOAD = False
    try:
        yield
    finally:
        brevitas.config.REINIT_ON_STATE_DICT_LOAD = before
