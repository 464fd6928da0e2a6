"""What data must be to train on, and what a user should know of them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from spikeloom.config import Config, TrainingConfig
from spikeloom.datasets.split import Dataset, Split
from spikeloom.encoding import Encoding, LatencyEncoding, encode
from spikeloom.errors import UserError

__all__ = ["check_augmentation", "check_fit", "check_inputs", "check_splits", "remarks"]

BATCH = 1024
FEW_VALUES = 1
"""Values that are no larger are those of images in 0 ... 1."""


def check_fit(config: Config, dataset: Dataset, source: str) -> None:
    """Refuse data that the run of `config` cannot train on; `source` names it.

    Raises:
        UserError: a split is empty, a batch is larger than the training split, what is no image is
            to be turned, or no sample makes an input event.
    """
    check_splits(dataset)
    if config.training.batch_size > len(dataset.train):
        raise UserError(
            f"{source}: table [training]: batch_size is {config.training.batch_size}, but it must "
            f"be at most {len(dataset.train)}, the training samples of {dataset.name!r}"
        )
    check_augmentation(config.training, dataset)
    check_inputs(dataset, config.data.encoding, config.data.time_steps)


def check_splits(dataset: Dataset) -> None:
    """Refuse data from which nothing can be learned, or on which nothing can be chosen.

    Raises:
        UserError: a split is empty, or there is one class only.
    """
    counts = {
        "training": len(dataset.train),
        "validation": len(dataset.validation),
        "test": len(dataset.test),
    }
    for name, count in counts.items():
        if not count:
            others = ", ".join(f"{n} {c}" for n, c in counts.items() if n != name)
            raise UserError(
                f"the data {dataset.name!r} have no {name} sample ({others}): a class needs at "
                "least 3 samples, one for each split"
            )
    if len(np.unique(dataset.train.labels)) < 2:
        raise UserError(
            f"the training samples of {dataset.name!r} are all of one class, "
            f"{dataset.class_names[int(dataset.train.labels[0])]!r}: give samples of two or more"
        )


def check_augmentation(training: TrainingConfig, dataset: Dataset) -> None:
    """Refuse to move, turn or bend what is no image.

    Raises:
        UserError: samples have no height and width.
    """
    if len(dataset.shape) in (2, 3):
        return
    for key in ("shift", "rotation", "zoom", "elastic"):
        if getattr(training, key):
            raise UserError(
                f"table [training]: {key} is {getattr(training, key)}, but samples of "
                f"{dataset.name!r} have the shape {list(dataset.shape)}, not [height, width] or "
                "[height, width, channels]: leave it out"
            )


def check_inputs(dataset: Dataset, encoding: Encoding, time_steps: int) -> None:
    """Refuse training data of which no sample makes an input event.

    Raises:
        UserError: there is no event; with the values there are, and what they are compared with.
    """
    if _has_events(dataset.train, encoding, time_steps):
        return
    images = dataset.train.images
    largest = max(int(images[i : i + BATCH].max()) for i in range(0, len(images), BATCH))
    needed = f"{encoding.threshold} or more" if isinstance(encoding, LatencyEncoding) else "more"
    raise UserError(
        f"no training sample of {dataset.name!r} makes an input event: its values are 0 to "
        f"{largest}, and the {encoding.__struct_config__.tag} encoding needs {needed}; give values "
        "from 0 to 255, or choose another encoding"
    )


def remarks(dataset: Dataset) -> Iterator[str]:
    """What is odd about data that can be trained on, a sentence each."""
    trained = set(np.unique(dataset.train.labels).tolist())
    absent = [name for label, name in enumerate(dataset.class_names) if label not in trained]
    if absent:
        yield (
            f"no training sample is of the class{'es' if len(absent) > 1 else ''} "
            f"{', '.join(map(repr, absent))}: the network cannot learn "
            f"{'them' if len(absent) > 1 else 'it'}"
        )
    images = dataset.train.images
    if max(int(images[i : i + BATCH].max()) for i in range(0, len(images), BATCH)) <= FEW_VALUES:
        yield (
            f"the values of {dataset.name!r} are 0 to {FEW_VALUES}, where 0 to 255 is meant: "
            "multiply them by 255"
        )


def _has_events(split: Split, encoding: Encoding, time_steps: int) -> bool:
    return any(
        encode(encoding, split.images[start : start + BATCH], time_steps).any()
        for start in range(0, len(split), BATCH)
    )
