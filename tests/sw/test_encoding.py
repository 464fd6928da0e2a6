import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from spikeloom.encoding import (
    DeltaEncoding,
    Encoding,
    FramesEncoding,
    LatencyEncoding,
    MultiThresholdEncoding,
    RateEncoding,
    encode,
    encoding_inputs,
    encoding_pixels,
    events_per_sample,
)
from spikeloom.errors import UserError

CODES = [
    pytest.param(LatencyEncoding(threshold=64), id="latency"),
    pytest.param(RateEncoding(seed=3, gain=200), id="rate"),
    pytest.param(MultiThresholdEncoding(levels=3), id="multithreshold"),
    pytest.param(DeltaEncoding(delta=40), id="delta"),
]


def naive(code, image, steps, index):
    """One sample, a pixel at a time, from the docstrings alone."""
    pixels = len(image)
    events = set()
    if isinstance(code, LatencyEncoding):
        for p, x in enumerate(image.tolist()):
            if x >= code.threshold:
                events.add(((255 - x) * steps // 256, p))
    elif isinstance(code, MultiThresholdEncoding):
        K = code.levels
        for p, x in enumerate(image.tolist()):
            for k in range(K):
                if x >= 256 * (K - k) // (K + 1):
                    events.add((k * steps // K, p * K + k))
    elif isinstance(code, DeltaEncoding):
        channels = pixels // steps
        sent = dict.fromkeys(range(channels), 0)
        for p, x in enumerate(image.tolist()):
            t, c = divmod(p, channels)
            if abs(x - sent[c]) >= code.delta:
                events.add((t, 2 * c + (x < sent[c])))
                sent[c] = x
    else:
        stream = np.random.Philox(key=np.array([code.seed, index], dtype=np.uint64))
        words = [int(stream.random_raw()) for _ in range(-(-steps * pixels // 4))]
        draws = [(word >> (16 * part)) & 0xFFFF for word in words for part in range(4)]
        for t in range(steps):
            for p, x in enumerate(image.tolist()):
                if draws[t * pixels + p] * 255 * 256 < code.gain * x * 65536:
                    events.add((t, p))
    return events


@pytest.mark.parametrize("code", CODES)
@given(data=st.data(), steps=st.integers(1, 12), first=st.integers(0, 2**41))
def test_encode_equals_the_naive_model(code, data, steps, first):
    frame = steps if isinstance(code, DeltaEncoding) else 1
    shape = st.tuples(st.integers(1, 4), st.integers(1, 9).map(lambda size: size * frame))
    images = data.draw(arrays(np.uint8, shape))
    events = encode(code, images, steps, first)
    pixels = images.shape[1]
    inputs = encoding_inputs(code, pixels, steps)
    assert events.dtype == np.bool_
    assert events.shape == (len(images), steps, inputs)
    assert encoding_pixels(code, inputs, steps) == pixels
    for sample, image in enumerate(images):
        found = {(int(t), int(p)) for t, p in np.argwhere(events[sample])}
        assert found == naive(code, image, steps, first + sample)


@pytest.mark.parametrize("code", CODES)
@given(images=arrays(np.uint8, st.tuples(st.integers(2, 7), st.just(8))), cut=st.integers(1, 6))
def test_events_do_not_depend_on_the_batch(code, images, cut):
    cut = min(cut, len(images))
    whole = encode(code, images, 4, first_index=10)
    parts = [encode(code, images[:cut], 4, 10), encode(code, images[cut:], 4, 10 + cut)]
    assert np.array_equal(whole, np.concatenate(parts))


def test_latency_brightest_first_and_threshold_inclusive():
    image = np.array([[255, 128, 127, 64, 63, 0]], dtype=np.uint8)
    events = encode(LatencyEncoding(threshold=64), image, 4)
    assert [tuple(place) for place in np.argwhere(events[0])] == [(0, 0), (1, 1), (2, 2), (2, 3)]
    assert events_per_sample(events) == 4.0


def test_rate_follows_the_level():
    images = np.array([[0, 51, 255]] * 200, dtype=np.uint8)
    share = encode(RateEncoding(seed=1, gain=256), images, 50).mean(axis=(0, 1))
    assert share[0] == 0.0
    assert share[1] == pytest.approx(0.2, abs=0.02)
    assert share[2] == 1.0


def test_multithreshold_is_a_thermometer():
    image = np.array([[255, 128, 64, 63]], dtype=np.uint8)
    events = encode(MultiThresholdEncoding(levels=3), image, 3)[0].any(axis=0).reshape(4, 3)
    assert events.astype(int).tolist() == [[1, 1, 1], [0, 1, 1], [0, 0, 1], [0, 0, 0]]


def test_delta_by_hand():
    frames = [[40, 0, 39], [80, 255, 0], [41, 255, 41], [0, 0, 80]]
    events = encode(DeltaEncoding(delta=40), np.array(frames, np.uint8).reshape(1, 12), 4)[0]
    assert [np.flatnonzero(step).tolist() for step in events] == [[0], [0, 2], [4], [1, 3]]


@given(
    walk=arrays(np.int64, st.tuples(st.integers(1, 40), st.just(3)), elements=st.integers(-90, 90)),
    delta=st.integers(1, 255),
)
def test_delta_keeps_within_delta_of_the_signal(walk, delta):
    signal = np.clip(np.cumsum(walk, axis=0), 0, 255).astype(np.uint8)
    events = encode(DeltaEncoding(delta=delta), signal.reshape(1, -1), len(signal))[0]
    spiked = events.reshape(len(signal), 3, 2)
    assert not spiked.all(axis=2).any()
    sent = np.zeros(3, dtype=np.int64)
    for values, (on, off) in zip(signal.astype(np.int64), spiked.transpose(0, 2, 1), strict=True):
        assert ((values > sent) | ~on).all()
        assert ((values < sent) | ~off).all()
        sent = np.where(on | off, values, sent)
        assert (abs(values - sent) < delta).all()


def test_delta_takes_whole_frames_only():
    says = "samples of 10 values are no 4 frames.*set time_steps to a divisor of 10"
    with pytest.raises(UserError, match=says):
        encode(DeltaEncoding(), np.zeros((1, 10), np.uint8), 4)
    with pytest.raises(UserError, match=says):
        encoding_inputs(DeltaEncoding(), 10, 4)


@pytest.mark.parametrize(
    ("code", "inputs", "says"),
    [
        pytest.param(DeltaEncoding(), 7, "no multiple of 2", id="delta"),
        pytest.param(MultiThresholdEncoding(levels=3), 7, "no multiple of 3", id="multithreshold"),
    ],
)
def test_inputs_that_no_sample_has(code, inputs, says):
    with pytest.raises(UserError, match=says):
        encoding_pixels(code, inputs, 4)


@pytest.mark.parametrize(
    ("images", "steps", "first", "error", "says"),
    [
        pytest.param(np.zeros((1, 2)), 4, 0, TypeError, "uint8", id="float images"),
        pytest.param(np.zeros(3, np.uint8), 4, 0, ValueError, r"\(3,\)", id="one dimension"),
        pytest.param(np.zeros((1, 2), np.uint8), 0, 0, ValueError, "not 0", id="no steps"),
        pytest.param(np.zeros((1, 2), np.uint8), 4, -1, ValueError, "not -1", id="index"),
    ],
)
def test_wrong_arguments_are_refused(images, steps, first, error, says):
    with pytest.raises(error, match=says):
        encode(LatencyEncoding(), images, steps, first)


@pytest.mark.parametrize("code", CODES)
def test_encodings_travel_as_json(code):
    assert msgspec.json.decode(msgspec.json.encode(code), type=Encoding) == code


def test_frames_send_what_they_hold():
    """Two steps of three values; the threshold itself is sent."""
    values = np.array([[0, 5, 6, 7, 0, 4]], dtype=np.uint8)
    events = encode(FramesEncoding(threshold=5), values, 2)
    assert events.tolist() == [[[False, True, True], [True, False, False]]]
    assert encoding_inputs(FramesEncoding(), 6, 2) == 3
    assert encoding_pixels(FramesEncoding(), 3, 2) == 6
    with pytest.raises(UserError, match="no 4 frames of equal size, as the frames encoding"):
        encode(FramesEncoding(), values, 4)
