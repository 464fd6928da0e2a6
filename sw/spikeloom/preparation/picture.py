"""Images to grey levels or colours, by Pillow."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.preparation.structs import Picture

__all__ = ["picture"]


def picture(preparation: Picture, image: Any) -> NDArray[np.uint8]:
    """An image of Pillow's, or uint8 `[height, width]` or `[height, width, 3]`, as `Picture` says.

    Returns:
        uint8 [height, width], or [height, width, 3] in colour.
    """
    from PIL import Image  # optional

    if isinstance(image, np.ndarray):
        image = Image.fromarray(image)
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "black"), image)
    if image.mode.startswith("I;16"):
        # 16 bits of grey, of which Pillow would cut off the upper ones.
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    image = image.convert("RGB" if preparation.colour else "L")
    size = (preparation.width, preparation.height)
    if image.size != size:
        image = image.resize(size, Image.Resampling.BILINEAR)
    return np.asarray(image, dtype=np.uint8)
