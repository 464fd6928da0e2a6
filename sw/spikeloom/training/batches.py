"""Batches of encoded samples, in an order and with displacements fixed by a seed."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from spikeloom.datasets import Split
from spikeloom.encoding import Encoding, encode

__all__ = ["ordered_batches", "shift_images", "training_batches"]

FRESH = 1 << 40
"""Training counts its samples from here, so that a random code never repeats an evaluation's."""


def shift_images(
    images: NDArray[np.uint8], shape: tuple[int, int], rows: NDArray[np.int64],
    columns: NDArray[np.int64],
) -> NDArray[np.uint8]:  # fmt: skip
    """Displace each image (uint8 [S, pixels]) by its rows and columns (int64 [S]); 0 moves in."""
    samples, (height, width) = len(images), shape
    margin = int(max(np.abs(rows).max(initial=0), np.abs(columns).max(initial=0)))
    padded = np.pad(images.reshape(samples, height, width), ((0, 0), (margin,) * 2, (margin,) * 2))
    at_row = np.arange(height)[None, :] + margin - rows[:, None]
    at_column = np.arange(width)[None, :] + margin - columns[:, None]
    moved = padded[np.arange(samples)[:, None, None], at_row[:, :, None], at_column[:, None, :]]
    return moved.reshape(samples, -1)


def training_batches(
    split: Split,
    *,
    shape: tuple[int, int],
    encoding: Encoding,
    time_steps: int,
    batch_size: int,
    shift: int,
    epoch: int,
    seed: int,
) -> Iterator[tuple[Tensor, Tensor]]:
    """One epoch of shuffled batches: (events bool [B, T, inputs], labels int64 [B]).

    Every draw is keyed by (seed, epoch) alone, so that an epoch can be repeated by itself.
    """
    random = np.random.Generator(np.random.Philox(key=[seed, epoch]))
    order = random.permutation(len(split))
    for start in range(0, len(split), batch_size):
        chosen = split.take(order[start : start + batch_size])
        images = chosen.images
        if shift:
            moves = random.integers(-shift, shift + 1, size=(2, len(chosen)))
            images = shift_images(images, shape, moves[0], moves[1])
        first = FRESH + epoch * len(split) + start
        events = encode(encoding, images, time_steps, first)
        yield torch.from_numpy(events), torch.from_numpy(chosen.labels)


def ordered_batches(
    split: Split, *, encoding: Encoding, time_steps: int, batch_size: int = 512
) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.int64]]]:
    """A split in its own order, as numpy: (events bool [B, T, inputs], labels int64 [B])."""
    for start in range(0, len(split), batch_size):
        stop = start + batch_size
        events = encode(encoding, split.images[start:stop], time_steps, start)
        yield events, split.labels[start:stop]
