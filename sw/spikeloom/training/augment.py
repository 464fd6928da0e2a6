"""Small random distortions of training images: what a writer's hand varies."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spikeloom.config import TrainingConfig

__all__ = ["Distortion", "augment", "distort", "draw"]

Distortion = tuple[
    NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]
]
"""Of each image: down and right in pixels, turn in radians, size as a factor; float64 [S] each."""


def augment(
    images: NDArray[np.uint8],
    shape: tuple[int, int],
    training: TrainingConfig,
    random: np.random.Generator,
) -> NDArray[np.uint8]:
    """Distort images (uint8 [S, pixels]) as a configuration says, drawing from `random`."""
    moves, levels = draw(len(images), images.shape[1], training, random)
    if moves is not None:
        down, right, turn, zoom = moves
        images = distort(
            images,
            shape,
            (
                training.shift * down,
                training.shift * right,
                np.deg2rad(training.rotation) * turn,
                np.exp(training.zoom * zoom),
            ),
        )
    if levels is not None:
        # Only where there is ink: noise on black paper would add events that never come.
        noise = levels * (images > 0)
        images = np.clip(np.rint(images + noise), 0, 255).astype(np.uint8)
    return images


def draw(
    samples: int, pixels: int, training: TrainingConfig, random: np.random.Generator
) -> tuple[NDArray[np.float64] | None, NDArray[np.float64] | None]:
    """What `augment` draws for a batch, in its order.

    Returns:
        (down, right, turn, size, each -1 ... 1 [4, samples], noise in levels [samples, pixels]);
        None for what the configuration leaves out.
    """
    moved = training.shift or training.rotation or training.zoom
    moves = random.uniform(-1.0, 1.0, size=(4, samples)) if moved else None
    noise = random.normal(0.0, training.noise, (samples, pixels)) if training.noise else None
    return moves, noise


def distort(
    images: NDArray[np.uint8], shape: tuple[int, int], distortion: Distortion
) -> NDArray[np.uint8]:
    """Move, turn clockwise and enlarge images about their centre, with bilinear interpolation.

    Args:
        images: uint8 [S, pixels].
        shape: an image's (height, width).
        distortion: see `Distortion`; black moves in.
    """
    down, right, turn, size = (values[:, None, None] for values in distortion)
    height, width = shape
    centre_y, centre_x = (height - 1) / 2, (width - 1) / 2
    y, x = np.mgrid[0:height, 0:width]
    # Where each pixel of the result comes from: the inverse of the distortion.
    dy, dx = y - centre_y - down, x - centre_x - right
    from_y = (np.cos(turn) * dy - np.sin(turn) * dx) / size + centre_y
    from_x = (np.sin(turn) * dy + np.cos(turn) * dx) / size + centre_x
    # A frame of black, onto which everything outside is clipped.
    frame = np.pad(images.reshape(-1, height, width), ((0, 0), (1, 2), (1, 2))).astype(np.float64)
    from_y = np.clip(from_y, -1, height) + 1
    from_x = np.clip(from_x, -1, width) + 1
    top, left = np.floor(from_y).astype(np.int64), np.floor(from_x).astype(np.int64)
    part_y, part_x = from_y - top, from_x - left
    sample = np.arange(len(images))[:, None, None]
    upper = (1 - part_x) * frame[sample, top, left] + part_x * frame[sample, top, left + 1]
    lower = (1 - part_x) * frame[sample, top + 1, left] + part_x * frame[sample, top + 1, left + 1]
    moved = (1 - part_y) * upper + part_y * lower
    return np.rint(moved).astype(np.uint8).reshape(images.shape)
