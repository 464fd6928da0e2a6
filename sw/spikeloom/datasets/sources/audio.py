"""A folder of sounds, one folder a class, decoded by libsndfile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.datasets.collection import Collection
from spikeloom.datasets.request import Request
from spikeloom.datasets.sources.files import Files, collection_of, scan
from spikeloom.errors import UserError
from spikeloom.preparation import LogMel

__all__ = ["SUFFIXES", "collect", "collect_files", "read_sound"]

SUFFIXES = (".wav", ".flac", ".ogg", ".aif", ".aiff")
MOST_SAMPLES = 1 << 25
"""Of a sound, so that a small file cannot fill the memory."""


def collect(root: Path, request: Request) -> Collection:
    """The sounds below a folder; they become log-mel features.

    Raises:
        UserError: there are none, one cannot be read, or their rates differ.
    """
    return collect_files(scan(root, SUFFIXES, groups=request.source.split.groups), request)


def collect_files(files: Files, request: Request) -> Collection:
    """Sounds in files; as `collect`."""
    settings = request.source.audio
    rate = read_sound(files.paths[0])[1]

    def fit(_rows: NDArray[np.int64]) -> LogMel:
        return LogMel(
            rate=rate,
            frames=settings.frames or request.time_steps,
            bands=settings.bands,
            window=max(16, round(rate * settings.window_ms / 1000)),
            low_hz=settings.low_hz,
            high_hz=rate / 2,
            range_db=settings.range_db,
        )

    def read(path: Path) -> NDArray[np.int16]:
        sound, own = read_sound(path)
        if own != rate:
            raise UserError(
                f"{path} has {own} samples a second, {files.paths[0].name} has {rate}: bring all "
                "sounds to one rate"
            )
        return sound

    return collection_of(files, read, fit)


def read_sound(path: Path) -> tuple[NDArray[np.int16], int]:
    """Samples int16 [n] and rate of a sound.

    Raises:
        UserError: it is none, is damaged, empty, too long, or has several channels.
    """
    import soundfile  # optional

    try:
        with soundfile.SoundFile(path) as file:
            told: Any = file
            channels, frames, rate = told.channels, told.frames, told.samplerate
            if channels != 1:
                raise UserError(f"{path} has {channels} channels: give sounds with one")
            if frames > MOST_SAMPLES:
                raise UserError(f"{path} claims {frames} samples, more than {MOST_SAMPLES}: cut it")
            sound: NDArray[np.int16] = told.read(dtype="int16")
    except (soundfile.SoundFileError, OSError, ValueError, TypeError) as error:
        reason = " ".join(str(error).split())
        raise UserError(
            f"{path} is no sound that can be read ({reason}): put a wav file there"
        ) from None
    if not len(sound):
        raise UserError(f"{path} has no samples: record it again, or leave it out")
    return sound, rate
