"""What is done to a raw sample before it is encoded, as data that travel with the network.

A network's weights mean something only together with the steps that made its inputs. So these are
stored in the network image, and `spikeloom.preparation.prepare` replays them for every verb and for
every new sample.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

__all__ = ["AsIs", "Binning", "LogMel", "Picture", "Preparation", "Scale"]

Size = Annotated[int, Meta(ge=1, le=4096)]


class _Preparation(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", forbid_unknown_fields=True
):
    """A kind of preparation; `kind` names it in the network's header."""


class AsIs(_Preparation, frozen=True, tag="as-is"):
    """Samples are values of 0 ... 255 already."""


class Scale(_Preparation, frozen=True, tag="scale"):
    """Numbers become `rint(255 (x - low) / (high - low))`, cut off at 0 and 255.

    Attributes:
        low, high: one for all values, or one for each value of a sample. Where they are equal the
            value carries nothing and becomes 0.
    """

    low: tuple[float, ...]
    high: tuple[float, ...]


class Picture(_Preparation, frozen=True, tag="picture"):
    """An image becomes `height x width` grey levels, or as many pixels of red, green and blue.

    Grey is ITU-R 601's luma. An image of another size is scaled with an antialiasing bilinear
    filter; transparent parts are black.
    """

    height: Size
    width: Size
    colour: bool = False


class LogMel(_Preparation, frozen=True, tag="log-mel"):
    """A sound becomes `frames x bands` levels of energy on a logarithmic scale.

    The power spectra of Hann windows, centred at equal distances from the sound's beginning to its
    end, are summed with the triangles of a mel filter bank (Davis and Mermelstein, IEEE TASSP 28,
    1980, with O'Shaughnessy's formula for mel). The loudest band of the sound becomes 255, and
    whatever lies `range_db` below it, or further, becomes 0.

    Attributes:
        rate: samples a second.
        frames: windows of a sound, whatever its length.
        bands: of the filter bank.
        window: samples of a window.
        low_hz, high_hz: ends of the filter bank.
        range_db: from 0 to 255.
    """

    rate: Annotated[int, Meta(ge=1000, le=384_000)]
    frames: Size
    bands: Size
    window: Annotated[int, Meta(ge=16, le=1 << 16)]
    low_hz: Annotated[float, Meta(ge=0)]
    high_hz: Annotated[float, Meta(gt=0)]
    range_db: Annotated[float, Meta(gt=0, le=200)]


class Binning(_Preparation, frozen=True, tag="binning"):
    """Camera events become `steps` frames of counts, `[steps, height, width, polarities]`.

    Event (t, x, y, p) counts in the frame of its time. Without a window the frames divide the
    recording from its first event to its last; with one, frame `k` is the time from
    `k * window_us` on after the first event, and later events are left out. Counts end at 255.

    Attributes:
        height, width: of the sensor, in pixels.
        steps: frames.
        shrink: so many pixels of the sensor, each way, share one of a frame.
        polarities: 2, or 1 where rising and falling light count alike.
        window_us: of a frame in microseconds; 0 divides the recording.
    """

    height: Size
    width: Size
    steps: Size
    shrink: Annotated[int, Meta(ge=1, le=64)] = 1
    polarities: Literal[1, 2] = 2
    window_us: Annotated[int, Meta(ge=0)] = 0


Preparation = AsIs | Scale | Picture | LogMel | Binning
"""Any of them; a msgspec union tagged by `kind`."""
