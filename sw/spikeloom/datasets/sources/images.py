"""A folder of images, one folder a class, decoded by Pillow."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.datasets.collection import Collection
from spikeloom.datasets.request import Request
from spikeloom.datasets.sources.files import collection_of, scan
from spikeloom.errors import UserError
from spikeloom.files import what_lies_there
from spikeloom.preparation import Picture

__all__ = ["SUFFIXES", "collect"]

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm")
MOST_PIXELS = 1 << 26
"""Of an image, so that a small file cannot fill the memory."""


def collect(root: Path, request: Request) -> Collection:
    """The images below a folder.

    Raises:
        UserError: there are none, one cannot be read, or they differ in size and none is asked for.
    """
    settings = request.source.images
    files = scan(root, SUFFIXES, groups=request.source.split.groups)
    if settings.size and len(settings.size) != 2:
        raise UserError(f"[data.images] size is {settings.size}, but it must be [height, width]")

    def fit(_rows: NDArray[np.int64]) -> Picture:
        size = list(settings.size)
        if not size:
            width, height = open_image(files.paths[0]).size
            size = [height, width]
        return Picture(height=size[0], width=size[1], colour=settings.colour)

    first: list[tuple[int, int]] = []

    def read(path: Path) -> Any:
        image = open_image(path)
        if not settings.size:
            first.append(image.size) if not first else None
            if image.size != first[0]:
                raise UserError(
                    f"{path} has {image.size[1]} x {image.size[0]} pixels, others have "
                    f"{first[0][1]} x {first[0][0]}: set [data.images] size = [height, width]"
                )
        return image

    return collection_of(files, read, fit)


def open_image(path: Path) -> Any:
    """The image in a file, decoded.

    Raises:
        UserError: it is none, is damaged, or is too large.
    """
    from PIL import Image, UnidentifiedImageError  # optional

    try:
        with warnings.catch_warnings():
            # What is odd about a file is no matter as long as it can be read.
            warnings.simplefilter("ignore")
            with Image.open(path) as image:
                width, height = image.size
                if width * height > MOST_PIXELS:
                    raise UserError(
                        f"{path} claims {height} x {width} pixels, more than {MOST_PIXELS}: give a "
                        "smaller image"
                    )
                image.load()
                return image.copy()
    except (
        OSError,
        SyntaxError,
        ValueError,
        UnidentifiedImageError,
        Image.DecompressionBombError,
    ) as error:
        told = what_lies_there(path) if isinstance(error, UnidentifiedImageError) else ""
        reason = " ".join(str(error).split())
        raise UserError(
            f"{path} is no image that can be read ({told or reason}): put an image there"
        ) from None
