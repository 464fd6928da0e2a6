"""The digits that scikit-learn carries: 1797 images of 8 x 8 pixels, 10 classes, no download.

Source: "Optical Recognition of Handwritten Digits", E. Alpaydin and C. Kaynak, UCI Machine
Learning Repository, 1998 (the test part of it).
"""

from __future__ import annotations

import numpy as np

from spikeloom.datasets.request import Request, fixed_split
from spikeloom.datasets.split import Dataset, Split, digit_names, hold_out

__all__ = ["load_digits"]

TEST_FRACTION = 0.2
VALIDATION_FRACTION = 0.2


def load_digits(request: Request) -> Dataset:
    """Load and split the digits: 20 % test, and 20 % of the rest validation, stratified.

    The original levels 0 ... 16 are scaled to 0 ... 255, rounded to nearest.

    Raises:
        UserError: the request divides them otherwise.
    """
    fixed_split(request)
    from sklearn.datasets import load_digits as load  # slow to import

    data, target = load(return_X_y=True)
    images = (np.asarray(data).astype(np.int64) * 255 + 8) // 16
    everything = Split(
        images=images.astype(np.uint8),
        labels=np.asarray(target).astype(np.int64),
        index=np.arange(len(target), dtype=np.int64),
    )
    rest, test = hold_out(everything, TEST_FRACTION)
    train, validation = hold_out(rest, VALIDATION_FRACTION)
    return Dataset(
        name="digits",
        train=train,
        validation=validation,
        test=test,
        shape=(8, 8),
        class_names=digit_names(10),
        source=request.source,
        place="scikit-learn",
    )
