"""Batches of encoded samples, in an order and with displacements fixed by a seed."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from spikeloom.config import DataConfig, TrainingConfig
from spikeloom.datasets import Dataset
from spikeloom.encoding import encode
from spikeloom.training.augment import augment, draw

__all__ = ["training_batches"]

FRESH = 1 << 40
"""Training counts its samples from here, so that a random code never repeats an evaluation's."""


def training_batches(
    dataset: Dataset, data: DataConfig, training: TrainingConfig, *, epoch: int, done: int = 0
) -> Iterator[tuple[Tensor, Tensor]]:
    """One epoch of shuffled batches: (events bool [B, T, inputs], labels int64 [B]).

    A batch is a function of seed, epoch and its own place alone, so that an epoch can be repeated,
    or gone on with after its first `done` batches.
    """
    random = np.random.Generator(np.random.Philox(key=[training.seed, epoch]))
    split = dataset.train
    order = random.permutation(len(split))
    for start in range(0, len(split), training.batch_size):
        if start < done * training.batch_size:
            draw(min(training.batch_size, len(split) - start), dataset.pixels, training, random)
            continue
        chosen = split.take(order[start : start + training.batch_size])
        images = augment(chosen.images[:], dataset.shape, training, random)
        first = FRESH + epoch * len(split) + start
        events = encode(data.encoding, images, data.time_steps, first)
        yield torch.from_numpy(events), torch.from_numpy(chosen.labels)
