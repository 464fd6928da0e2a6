"""Where samples come from, and what a network remembers of them."""

from spikeloom.provenance.identity import DataIdentity
from spikeloom.provenance.profile import ImportedFrom, Origin, ProfileEntry
from spikeloom.provenance.source import (
    SPLIT_SEED,
    AudioSettings,
    DataSource,
    EventSettings,
    ImageSettings,
    Kind,
    SplitSettings,
    TableSettings,
)

__all__ = [
    "SPLIT_SEED",
    "AudioSettings",
    "DataIdentity",
    "DataSource",
    "EventSettings",
    "ImageSettings",
    "ImportedFrom",
    "Kind",
    "Origin",
    "ProfileEntry",
    "SplitSettings",
    "TableSettings",
]
