"""Small random distortions of training images: what a writer's hand varies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikeloom.config import TrainingConfig

__all__ = ["Distortion", "Draws", "augment", "distort", "draw"]

KNOTS = 5
"""Knots of an elastic deformation along each side: of 28 pixels, seven apart."""

Distortion = tuple[
    NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]
]
"""Of each image: down and right in pixels, turn in radians, size as a factor; float64 [S] each."""


@dataclass(frozen=True, kw_only=True)
class Draws:
    """What `augment` draws for a batch of S images; None for what the configuration leaves out.

    Attributes:
        moves: down, right, turn, size, each -1 ... 1, float64 [4, S].
        noise: levels to add, float64 [S, pixels].
        knots: displacements of an elastic deformation's knots, down and right, in pixels,
            float64 [2, S, KNOTS, KNOTS].
    """

    moves: NDArray[np.float64] | None
    noise: NDArray[np.float64] | None
    knots: NDArray[np.float64] | None


def augment(
    images: NDArray[np.uint8],
    shape: tuple[int, ...],
    training: TrainingConfig,
    random: np.random.Generator,
) -> NDArray[np.uint8]:
    """Distort images (uint8 [S, values]) as a configuration says, drawing from `random`.

    `shape` is an image's (height, width), or (height, width, channels), which move together.
    """
    drawn = draw(len(images), images.shape[1], training, random)
    if drawn.moves is not None or drawn.knots is not None:
        moves = np.zeros((4, len(images))) if drawn.moves is None else drawn.moves
        down, right, turn, zoom = moves
        distortion = (
            training.shift * down,
            training.shift * right,
            np.deg2rad(training.rotation) * turn,
            np.exp(training.zoom * zoom),
        )
        height, width = shape[:2]
        planes = images.reshape(len(images), height * width, -1)
        moved = [
            distort(planes[:, :, channel], (height, width), distortion, drawn.knots)
            for channel in range(planes.shape[2])
        ]
        images = np.stack(moved, axis=2).reshape(images.shape)
    if drawn.noise is not None:
        # Only where there is ink: noise on black paper would add events that never come.
        noise = drawn.noise * (images > 0)
        images = np.clip(np.rint(images + noise), 0, 255).astype(np.uint8)
    return images


def draw(samples: int, pixels: int, training: TrainingConfig, random: np.random.Generator) -> Draws:
    """What `augment` draws for a batch, in its order."""
    moved = training.shift or training.rotation or training.zoom
    moves = random.uniform(-1.0, 1.0, size=(4, samples)) if moved else None
    noise = random.normal(0.0, training.noise, (samples, pixels)) if training.noise else None
    size = (2, samples, KNOTS, KNOTS)
    knots = random.normal(0.0, training.elastic, size) if training.elastic else None
    return Draws(moves=moves, noise=noise, knots=knots)


def distort(
    images: NDArray[np.uint8],
    shape: tuple[int, int],
    distortion: Distortion,
    knots: NDArray[np.float64] | None = None,
) -> NDArray[np.uint8]:
    """Move, turn clockwise, enlarge and bend images, with bilinear interpolation.

    Turning and enlarging are about the centre. Bending is a cheap elastic deformation (Simard,
    Steinkraus, Platt, "Best practices for convolutional neural networks", ICDAR 2003): knots on a
    coarse grid are displaced, and what lies between follows linearly.

    Args:
        images: uint8 [S, pixels].
        shape: an image's (height, width).
        distortion: see `Distortion`; black moves in.
        knots: see `Draws`; None bends nothing.
    """
    down, right, turn, size = (values[:, None, None] for values in distortion)
    height, width = shape
    centre_y, centre_x = (height - 1) / 2, (width - 1) / 2
    y, x = np.arange(height)[:, None], np.arange(width)
    # Where each pixel of the result comes from: the inverse of the distortion.
    dy, dx = y - centre_y - down, x - centre_x - right
    if knots is not None:
        bend = _hats(height) @ knots @ _hats(width).T
        dy, dx = dy - bend[0], dx - bend[1]
    cosine, sine = np.cos(turn), np.sin(turn)
    from_y = (cosine * dy - sine * dx) / size + centre_y
    from_x = (sine * dy + cosine * dx) / size + centre_x
    # A frame of black, onto which everything outside is clipped.
    from_y = np.clip(from_y, -1, height) + 1
    from_x = np.clip(from_x, -1, width) + 1
    stride = width + 3
    frames = np.zeros((len(images), height + 3, stride))
    frames[:, 1:-2, 1:-2] = images.reshape(-1, height, width)
    # Nothing is negative here, so that cutting off is rounding down.
    top, left = from_y.astype(np.int64), from_x.astype(np.int64)
    part_y, part_x = from_y - top, from_x - left
    image = np.arange(len(images))[:, None, None]
    corner = (image * (height + 3) + top) * stride + left
    pixels = frames.reshape(-1)
    upper = (1 - part_x) * pixels.take(corner) + part_x * pixels.take(corner + 1)
    corner += stride
    lower = (1 - part_x) * pixels.take(corner) + part_x * pixels.take(corner + 1)
    moved = (1 - part_y) * upper + part_y * lower
    return np.rint(moved).astype(np.uint8).reshape(images.shape)


def _hats(length: int) -> NDArray[np.float64]:
    """Linear interpolation from KNOTS evenly spaced knots to `length` pixels: [length, KNOTS]."""
    position = np.arange(length) * (KNOTS - 1) / max(1, length - 1)
    return np.maximum(0.0, 1.0 - np.abs(position[:, None] - np.arange(KNOTS)))
