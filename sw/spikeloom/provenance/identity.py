"""What a network remembers of its data, so that no other data pass for them."""

from __future__ import annotations

import msgspec

from spikeloom.preparation import AsIs, Preparation
from spikeloom.provenance.source import DataSource

__all__ = ["DataIdentity"]


class DataIdentity(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The data that a network was trained on.

    Attributes:
        fingerprint: sha256 over classes, shape and the prepared samples of each split.
        shape: of a prepared sample.
        class_names: in the order of the outputs.
        samples: of train, validation and test.
        preparation: from a raw sample to the values that are encoded.
        source: where they came from, and how they were divided.
    """

    fingerprint: str
    shape: tuple[int, ...]
    class_names: tuple[str, ...]
    samples: tuple[int, int, int]
    preparation: Preparation = msgspec.field(default_factory=AsIs)
    source: DataSource = msgspec.field(default_factory=DataSource)
