"""Batches of encoded samples, in an order and with displacements fixed by a seed."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from spikeloom.config import DataConfig, TrainingConfig
from spikeloom.datasets import Dataset
from spikeloom.encoding import encode

__all__ = ["shift_images", "training_batches"]

FRESH = 1 << 40
"""Training counts its samples from here, so that a random code never repeats an evaluation's."""


def shift_images(
    images: NDArray[np.uint8], shape: tuple[int, int], rows: NDArray[np.float64],
    columns: NDArray[np.float64],
) -> NDArray[np.uint8]:  # fmt: skip
    """Displace images by fractions of a pixel, with bilinear interpolation.

    Args:
        images: uint8 [S, pixels].
        shape: an image's (height, width).
        rows: displacement of each image downwards in pixels, float64 [S]; black moves in.
        columns: the same to the right.
    """
    samples, (height, width) = len(images), shape
    margin = 1 + int(np.ceil(max(np.abs(rows).max(initial=0), np.abs(columns).max(initial=0))))
    padded = np.pad(images.reshape(samples, height, width), ((0, 0), (margin,) * 2, (margin,) * 2))
    whole_row, whole_column = np.floor(rows), np.floor(columns)
    part_row, part_column = rows - whole_row, columns - whole_column
    moved = np.zeros((samples, height, width))
    for down in (0, 1):
        for right in (0, 1):
            share = np.abs(1 - down - part_row) * np.abs(1 - right - part_column)
            at_row = np.arange(height) + margin - (whole_row + down)[:, None].astype(np.int64)
            at_column = np.arange(width) + margin - (whole_column + right)[:, None].astype(np.int64)
            corner = padded[
                np.arange(samples)[:, None, None], at_row[:, :, None], at_column[:, None, :]
            ]
            moved += share[:, None, None] * corner
    return np.rint(moved).astype(np.uint8).reshape(samples, -1)


def _augment(
    images: NDArray[np.uint8],
    shape: tuple[int, int],
    training: TrainingConfig,
    random: np.random.Generator,
) -> NDArray[np.uint8]:
    if training.shift:
        moves = random.uniform(-training.shift, training.shift, size=(2, len(images)))
        images = shift_images(images, shape, moves[0], moves[1])
    if training.noise:
        # Only where there is ink: noise on black paper would add events that never come.
        noise = random.normal(0.0, training.noise, size=images.shape) * (images > 0)
        images = np.clip(np.rint(images + noise), 0, 255).astype(np.uint8)
    return images


def training_batches(
    dataset: Dataset, data: DataConfig, training: TrainingConfig, *, epoch: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """One epoch of shuffled batches: (events bool [B, T, inputs], labels int64 [B]).

    Every draw is keyed by (seed, epoch) alone, so that an epoch can be repeated by itself.
    """
    random = np.random.Generator(np.random.Philox(key=[training.seed, epoch]))
    split = dataset.train
    order = random.permutation(len(split))
    for start in range(0, len(split), training.batch_size):
        chosen = split.take(order[start : start + training.batch_size])
        images = _augment(chosen.images, dataset.shape, training, random)
        first = FRESH + epoch * len(split) + start
        events = encode(data.encoding, images, data.time_steps, first)
        yield torch.from_numpy(events), torch.from_numpy(chosen.labels)
