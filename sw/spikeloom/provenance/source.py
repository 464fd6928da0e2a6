"""Where samples come from: the part of a run's `[data]` that says which samples it means."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

__all__ = [
    "SPLIT_SEED",
    "AudioSettings",
    "DataSource",
    "EventSettings",
    "ImageSettings",
    "Kind",
    "SplitSettings",
    "TableSettings",
]

SPLIT_SEED = 20250213
"""Seed of every split: a run's own seed never moves a sample from one split to another."""

Kind = Literal["auto", "arrays", "images", "table", "audio", "events"]
Share = Annotated[float, Meta(ge=0, lt=1)]


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A TOML table: every key has a default, and no other key is taken."""


class SplitSettings(_Table, frozen=True):
    """How samples that are not divided yet become train, validation and test.

    Attributes:
        validation: share of the training samples; 0 where the data bring a validation split.
        test: share of all samples, where the data bring no test split.
        seed: of the cut, which is stratified by class.
        groups: what must not be divided, as the speakers of recordings: a column of a table, an
            array of an npz, or a regular expression whose one group is searched for in a file's
            path below the source.
        test_groups: the groups that make the test split, instead of a share.
    """

    validation: Share = 0.2
    test: Share = 0.2
    seed: Annotated[int, Meta(ge=0, le=2**32 - 1)] = SPLIT_SEED
    groups: str = ""
    test_groups: list[str] = msgspec.field(default_factory=list)


class ImageSettings(_Table, frozen=True):
    """Of image files.

    Attributes:
        size: [height, width] that all are brought to; empty takes the size that all have.
        colour: three values a pixel instead of one.
    """

    size: list[Annotated[int, Meta(ge=1, le=4096)]] = msgspec.field(default_factory=list)
    colour: bool = False


class AudioSettings(_Table, frozen=True):
    """Of sound files, which become log-mel features.

    Attributes:
        frames: windows of a sound; 0 takes the time steps.
        bands: of the mel filter bank.
        window_ms: length of a window.
        low_hz: lower end of the filter bank; the upper end is half the sampling rate.
        range_db: below the loudest, where a level becomes 0.
    """

    frames: Annotated[int, Meta(ge=0, le=4096)] = 0
    bands: Annotated[int, Meta(ge=1, le=512)] = 32
    window_ms: Annotated[float, Meta(gt=0, le=1000)] = 32.0
    low_hz: Annotated[float, Meta(ge=0)] = 60.0
    range_db: Annotated[float, Meta(gt=0, le=200)] = 60.0


class EventSettings(_Table, frozen=True):
    """Of event recordings.

    Attributes:
        sensor: [height, width] in pixels.
        shrink: so many pixels, each way, become one.
        polarity: rising and falling light have addresses of their own.
        window_us: a time step in microseconds; 0 divides each recording into the time steps.
    """

    sensor: list[Annotated[int, Meta(ge=1, le=4096)]] = msgspec.field(default_factory=list)
    shrink: Annotated[int, Meta(ge=1, le=64)] = 1
    polarity: bool = True
    window_us: Annotated[int, Meta(ge=0)] = 0


class TableSettings(_Table, frozen=True):
    """Of tables.

    Attributes:
        label: column of the class.
    """

    label: str = "label"


class DataSource(_Table, frozen=True):
    """Which samples.

    Attributes:
        name: a data set's name; of a source, what it is called.
        source: a file or folder of the user's own; empty takes the data set called `name`.
        kind: of the source; "auto" tells it by what lies there.
        split, images, audio, events, table: settings of the source.
    """

    name: str = "digits"
    source: str = ""
    kind: Kind = "auto"
    split: SplitSettings = msgspec.field(default_factory=SplitSettings)
    images: ImageSettings = msgspec.field(default_factory=ImageSettings)
    audio: AudioSettings = msgspec.field(default_factory=AudioSettings)
    events: EventSettings = msgspec.field(default_factory=EventSettings)
    table: TableSettings = msgspec.field(default_factory=TableSettings)
