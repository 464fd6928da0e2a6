"""Sounds to levels of energy in mel bands, by the Fourier transform of SciPy.

In double precision, whose rounding errors are ten orders of magnitude below one level, so that
every machine makes the same integers. (kaldi-native-fbank computes in single precision; librosa
brings a compiler with it for what are twenty lines here.)
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.preparation.structs import LogMel

__all__ = ["filter_bank", "log_mel"]


def log_mel(preparation: LogMel, sound: NDArray[Any]) -> NDArray[np.uint8]:
    """The features of a sound (numbers [samples]) as `LogMel` says: uint8 [frames, bands]."""
    from scipy.fft import rfft
    from scipy.signal.windows import hann

    width = preparation.window
    centres = (2 * np.arange(preparation.frames) + 1) * len(sound) // (2 * preparation.frames)
    padded = np.pad(sound.astype(np.float64), width // 2 + 1)
    places = centres[:, None] + 1 + np.arange(width)
    spectrum = np.abs(np.asarray(rfft(padded[places] * hann(width, sym=False), axis=1))) ** 2
    energy = spectrum @ filter_bank(preparation).T
    loudest = energy.max()
    if loudest <= 0:
        return np.zeros(energy.shape, dtype=np.uint8)
    quietest = 10.0 ** (-preparation.range_db / 10)
    below = -10.0 * np.log10(np.maximum(energy / loudest, quietest))
    return np.rint(255.0 * (1.0 - below / preparation.range_db)).astype(np.uint8)


def filter_bank(preparation: LogMel) -> NDArray[np.float64]:
    """Triangles that overlap by half, at equal distances in mel: [bands, window // 2 + 1]."""
    ends = _mel(np.array([preparation.low_hz, preparation.high_hz]))
    mels = np.linspace(ends[0], ends[1], preparation.bands + 2)
    corners = 700.0 * (10.0 ** (mels / 2595.0) - 1.0)
    hertz = np.arange(preparation.window // 2 + 1) * preparation.rate / preparation.window
    left, centre, right = corners[:-2, None], corners[1:-1, None], corners[2:, None]
    rising, falling = (hertz - left) / (centre - left), (right - hertz) / (right - centre)
    return np.maximum(0.0, np.minimum(rising, falling))


def _mel(hertz: NDArray[np.float64]) -> NDArray[np.float64]:
    return 2595.0 * np.log10(1.0 + hertz / 700.0)
