"""Data sets of 28 x 28 images from openml.org, kept as IDX files where the next use finds them."""

from __future__ import annotations

import struct
import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikeloom.files import atomic_directory

__all__ = ["download", "write_idx"]

TITLES = {"mnist": "mnist_784", "fashion-mnist": "Fashion-MNIST"}
"""What openml.org calls them; both list the training images first, in their original order."""

SIDE, TEST_IMAGES = 28, 10_000


def download(name: str, folder: Path) -> None:
    """Fetch a data set and write its four IDX files into `folder`.

    Args:
        name: a key of `TITLES`.
        folder: is made, whole or not at all.

    Raises:
        OSError: openml.org cannot be reached.
        ValueError: it sends something else.
        UserError: `folder` cannot be written.
    """
    images, labels = fetch_arrays(TITLES[name])
    images = images.reshape(-1, SIDE, SIDE)
    if len(images) != len(labels) or len(images) <= TEST_IMAGES:
        raise ValueError(f"it sent {len(images)} images with {len(labels)} labels")
    with atomic_directory(folder) as temporary:
        for part, chosen in (
            ("train", slice(None, -TEST_IMAGES)),
            ("t10k", slice(-TEST_IMAGES, None)),
        ):
            write_idx(temporary / f"{part}-images-idx3-ubyte", images[chosen])
            write_idx(temporary / f"{part}-labels-idx1-ubyte", labels[chosen])


def fetch_arrays(title: str) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Pixels [n, 784] and labels [n] of a data set of openml.org, by scikit-learn.

    Raises:
        OSError: it cannot be reached.
        ValueError: it sends something else.
    """
    from sklearn.datasets import fetch_openml  # slow to import

    with warnings.catch_warnings():
        # One for each attempt.
        warnings.simplefilter("ignore")
        data, target = fetch_openml(
            title, version=1, return_X_y=True, as_frame=False, parser="liac-arff", cache=False
        )
    return np.asarray(data).astype(np.uint8), np.asarray(target).astype(np.uint8)


def write_idx(path: Path, array: NDArray[np.uint8]) -> None:
    """Write unsigned bytes as an IDX file; `spikeloom.datasets.idx` has the format."""
    header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    path.write_bytes(header + array.astype(np.uint8).tobytes())
