"""Samples of 8-bit values to input events, in integers only.

A network's weights mean something only together with the code its inputs came in, so the encoding
travels in the network image and every consumer (training, reference, test bench, host) calls
`encode` here. All codes are deterministic: no floating point, and the one random code draws
from a counter-based generator keyed by the sample's position, so that the events of a sample do
not depend on the batch that it is encoded in.

| encoding       | inputs         | events a pixel | what carries the value          |
| -------------- | -------------- | -------------- | ------------------------------- |
| latency        | pixels         | 0 or 1         | the time of the first spike     |
| rate           | pixels         | 0 ... T        | the number of spikes            |
| multithreshold | pixels * K     | 0 ... K        | which of K addresses spike      |
| delta          | 2 * pixels / T | 0 or 1         | changes from frame to frame     |
| frames         | pixels / T     | 0 or 1         | what a frame holds is sent      |
| direct         | pixels         | none           | the value itself, in each step  |
"""

from __future__ import annotations

from typing import Annotated, Any, get_args

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from spikeloom.errors import UserError, check_type

__all__ = [
    "DeltaEncoding",
    "DirectEncoding",
    "Encoding",
    "FramesEncoding",
    "LatencyEncoding",
    "MultiThresholdEncoding",
    "RateEncoding",
    "SampleCode",
    "check_encoding",
    "encode",
    "encoding_inputs",
    "encoding_pixels",
    "events_per_sample",
]

RATE_UNIT = 256
"""A rate encoding's `gain` is counted in 256ths."""


class LatencyEncoding(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    tag="latency",
    tag_field="kind",
    forbid_unknown_fields=True,
):
    """Time to first spike: bright pixels spike early, pixels below `threshold` never.

    Pixel x spikes once, at step floor((255 - x) * T / 256), if x >= threshold.
    """

    threshold: Annotated[int, Meta(ge=1, le=255)] = 64


class RateEncoding(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    tag="rate",
    tag_field="kind",
    forbid_unknown_fields=True,
):
    """Bernoulli spikes: in each step pixel x spikes with probability (gain / 256) * (x / 255).

    `seed` and the sample's position key a Philox generator (Salmon et al., "Parallel random
    numbers: as easy as 1, 2, 3", SC 2011); 16 random bits decide each pixel and step.
    """

    seed: Annotated[int, Meta(ge=0, le=2**32 - 1)] = 0
    gain: Annotated[int, Meta(ge=1, le=RATE_UNIT)] = RATE_UNIT


class MultiThresholdEncoding(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    tag="multithreshold",
    tag_field="kind",
    forbid_unknown_fields=True,
):
    """K levels a pixel, highest first: a thermometer code spread over addresses and time.

    Address pixel * K + k spikes once, at step floor(k * T / K), if x >= theta_k, with
    theta_k = floor(256 * (K - k) / (K + 1)).
    """

    levels: Annotated[int, Meta(ge=1, le=64)] = 4


class DeltaEncoding(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    tag="delta",
    tag_field="kind",
    forbid_unknown_fields=True,
):
    """Send on delta: a channel spikes when its value has moved by `delta` since it last spiked.

    A sample of T * C values is T frames of C channels, frame by frame: rows of an image, or
    features of a sound. Step t takes frame t. Channel c holds a reference r, the value at its last
    event, 0 before the first. With value x, address 2 * c (ON) spikes if x - r >= delta, and
    address 2 * c + 1 (OFF) if r - x >= delta; then r becomes x.

    Miskowicz, "Send-on-delta concept: an event-based data reporting strategy", Sensors 6 (2006);
    the pixels of an event camera do the same in continuous time (Lichtsteiner, Posch, Delbruck,
    JSSC 43 (2008)). The first reference is a constant, so that a sample depends on no other and
    its first frame is sent too.
    """

    delta: Annotated[int, Meta(ge=1, le=255)] = 64


class FramesEncoding(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    tag="frames",
    tag_field="kind",
    forbid_unknown_fields=True,
):
    """One frame a step: a value that reaches `threshold` is an event of its step.

    A sample of T * C values is T frames of C values: the counts of a camera's events, binned into
    steps, or features of a sound. Address c spikes in step t if value c of frame t is `threshold`
    or more.
    """

    threshold: Annotated[int, Meta(ge=1, le=255)] = 1


class DirectEncoding(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    tag="direct",
    tag_field="kind",
    forbid_unknown_fields=True,
):
    """The 8-bit values themselves, held over all steps: the code of deep networks.

    A value enters a network's sums as it is. What a connection makes of it is the same in each
    step, so it is computed once a sample; the chip sees a value as its set bits, each an event.
    """


Encoding = (
    LatencyEncoding
    | RateEncoding
    | MultiThresholdEncoding
    | DeltaEncoding
    | FramesEncoding
    | DirectEncoding
)
"""Any encoding; a msgspec union tagged by `kind`."""


def check_encoding(encoding: object) -> None:
    """Refuse what is no encoding, such as its name alone.

    Raises:
        TypeError: it is none.
    """
    check_type("encoding", encoding, *get_args(Encoding))


class SampleCode(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How samples become events, whole: what an encoder on the chip is made for.

    Attributes:
        encoding: the code.
        values: of a sample.
        time_steps: T.
    """

    encoding: Encoding
    values: Annotated[int, Meta(ge=1)]
    time_steps: Annotated[int, Meta(ge=1)]


def encoding_inputs(encoding: Encoding, pixels: int, time_steps: int) -> int:
    """Number of event addresses that samples of `pixels` values are encoded into, in T steps.

    Raises:
        UserError: the values are not T frames, which the encoding takes.
    """
    match encoding:
        case MultiThresholdEncoding(levels=levels):
            return pixels * levels
        case DeltaEncoding():
            return 2 * _channels(pixels, time_steps, "delta")
        case FramesEncoding():
            return _channels(pixels, time_steps, "frames")
        case _:
            return pixels


def encoding_pixels(encoding: Encoding, inputs: int, time_steps: int) -> int:
    """Number of values of the samples that become events for `inputs` addresses, in T steps.

    Raises:
        UserError: the encoding makes no such number of addresses.
    """
    match encoding:
        case MultiThresholdEncoding(levels=levels):
            addresses, values = levels, 1
        case DeltaEncoding():
            addresses, values = 2, time_steps
        case FramesEncoding():
            addresses, values = 1, time_steps
        case _:
            addresses, values = 1, 1
    if inputs % addresses:
        raise UserError(
            f"{inputs} inputs are no multiple of {addresses}, but the encoding makes {addresses} "
            "addresses of a value; take a network that was trained with it"
        )
    return inputs // addresses * values


def encode(
    encoding: Encoding, images: NDArray[np.uint8], time_steps: int, first_index: int = 0
) -> NDArray[Any]:
    """Encode images into spike trains, or leave their values as they are.

    Args:
        encoding: the code.
        images: uint8 [S, pixels], 0 ... 255.
        time_steps: T >= 1.
        first_index: position of `images[0]` in its split; it keys the random code.

    Returns:
        bool [S, T, inputs], inputs = `encoding_inputs(encoding, pixels, time_steps)`; uint8
        [S, inputs] of the direct code.

    Raises:
        TypeError: `encoding` is none, or `images` is not uint8.
        ValueError: `images` is not two-dimensional, or `time_steps` or `first_index` is too small.
        UserError: the values are not T frames, which the encoding takes.
    """
    check_encoding(encoding)
    if images.dtype != np.uint8:
        raise TypeError(f"images must be uint8, not {images.dtype!r}")
    if images.ndim != 2:
        raise ValueError(f"images must have shape [samples, pixels], not {images.shape!r}")
    if time_steps < 1:
        raise ValueError(f"time_steps must be at least 1, not {time_steps!r}")
    if first_index < 0:
        raise ValueError(f"first_index must be at least 0, not {first_index!r}")
    match encoding:
        case LatencyEncoding():
            return _latency(encoding, images, time_steps)
        case RateEncoding():
            return _rate(encoding, images, time_steps, first_index)
        case MultiThresholdEncoding():
            return _multi_threshold(encoding, images, time_steps)
        case DeltaEncoding():
            return _delta(encoding, images, time_steps)
        case FramesEncoding(threshold=threshold):
            channels = _channels(images.shape[1], time_steps, "frames")
            return images.reshape(len(images), time_steps, channels) >= threshold
        case DirectEncoding():
            return images


def events_per_sample(events: NDArray[np.bool_]) -> float:
    """Mean number of events of a sample; `events` is bool [S, T, inputs]."""
    return float(np.count_nonzero(events)) / max(len(events), 1)


def _latency(
    encoding: LatencyEncoding, images: NDArray[np.uint8], time_steps: int
) -> NDArray[np.bool_]:
    # A pixel's step is one of 256; that of a silent pixel is none.
    value = np.arange(256)
    step = (255 - value) * time_steps // 256
    step[value < encoding.threshold] = time_steps
    narrow = np.min_scalar_type(time_steps)
    steps = np.arange(time_steps).astype(narrow)
    return step.astype(narrow)[images][:, None, :] == steps[None, :, None]


def _rate(
    encoding: RateEncoding, images: NDArray[np.uint8], time_steps: int, first_index: int
) -> NDArray[np.bool_]:
    samples, pixels = images.shape
    draws = time_steps * pixels
    random = np.empty((samples, draws), dtype=np.uint64)
    for sample in range(samples):
        key = np.array([encoding.seed, first_index + sample], dtype=np.uint64)
        words = np.random.Philox(key=key).random_raw(-(-draws // 4))
        random[sample] = words.astype("<u8").view("<u2")[:draws]
    # random / 65536 < gain / 256 * x / 255, cross-multiplied to stay in integers
    left = random.reshape(samples, time_steps, pixels) * np.uint64(255 * RATE_UNIT)
    right = images.astype(np.uint64) * np.uint64(encoding.gain * 65536)
    return left < right[:, None, :]


def _multi_threshold(
    encoding: MultiThresholdEncoding, images: NDArray[np.uint8], time_steps: int
) -> NDArray[np.bool_]:
    samples, pixels = images.shape
    levels = encoding.levels
    events = np.zeros((samples, time_steps, pixels, levels), dtype=np.bool_)
    for k in range(levels):
        theta = 256 * (levels - k) // (levels + 1)
        events[:, k * time_steps // levels, :, k] = images >= theta
    return events.reshape(samples, time_steps, pixels * levels)


def _delta(
    encoding: DeltaEncoding, images: NDArray[np.uint8], time_steps: int
) -> NDArray[np.bool_]:
    samples, pixels = images.shape
    channels = _channels(pixels, time_steps, "delta")
    frames = images.reshape(samples, time_steps, channels).astype(np.int16)
    events = np.zeros((samples, time_steps, channels, 2), dtype=np.bool_)
    reference = np.zeros((samples, channels), dtype=np.int16)
    for t in range(time_steps):
        moved = frames[:, t] - reference
        events[:, t, :, 0] = moved >= encoding.delta
        events[:, t, :, 1] = -moved >= encoding.delta
        reference = np.where(events[:, t].any(axis=2), frames[:, t], reference)
    return events.reshape(samples, time_steps, 2 * channels)


def _channels(pixels: int, time_steps: int, kind: str) -> int:
    if pixels % time_steps:
        raise UserError(
            f"samples of {pixels} values are no {time_steps} frames of equal size, as the {kind} "
            f"encoding takes them; set time_steps to a divisor of {pixels}"
        )
    return pixels // time_steps
