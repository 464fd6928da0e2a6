"""The device against its model: answers are those of the integer reference, whatever happens."""

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device_model import Contents, ModelDevice, ModelLine, Noise, contents, model_design
from networks import random_network
from spikeloom.arithmetic import IntegrateLeak
from spikeloom.encoding import (
    DeltaEncoding,
    LatencyEncoding,
    MultiThresholdEncoding,
    RateEncoding,
    encode,
)
from spikeloom.errors import UserError
from spikeloom.host import Device
from spikeloom.host.failures import DeviceError, NoAnswerError, PortError, WrongDesignError
from spikeloom.reference import simulate


def network(seed, shape=(9, 7, 4), **changes):
    return random_network(np.random.default_rng(seed), shape, time_steps=5, **changes)


def images(count, pixels=9, seed=1):
    return np.random.default_rng(seed).integers(0, 256, (count, pixels)).astype(np.uint8)


FIRST, SECOND = network(1), network(2)
IMAGES = images(12)


def expected(image, samples=IMAGES):
    return simulate(image, encode(image.encoding, samples, image.time_steps))


def assert_exact(answers, image, samples=IMAGES):
    trace = expected(image, samples)
    assert answers.scores.tolist() == trace.scores.tolist()
    assert answers.labels.tolist() == trace.predictions.tolist()


def opened(device, image=FIRST, *, noise=None, **changes):
    line = ModelLine(device, noise=noise) if noise else ModelLine(device)
    return Device(line, design=model_design(image, **{"loadable": device.loadable, **changes}))


def test_a_fixed_device_runs_the_network_of_its_design():
    with opened(ModelDevice(FIRST)) as device:
        assert device.image is FIRST
        assert_exact(device.classify(IMAGES), FIRST)
        assert device.identity.outputs == 4
        assert not device.identity.loadable


@pytest.mark.parametrize("alone", [True, False])
def test_load_run_load_run(alone):
    with opened(ModelDevice(FIRST, loadable=True)) as device:
        for image in (FIRST, SECOND, FIRST):
            device.load(image)
            assert device.image is image
            assert_exact(device.classify(IMAGES, alone=alone), image)


@pytest.mark.parametrize(
    ("image", "samples"),
    [
        pytest.param(network(3, readout="count"), images(5), id="count readout"),
        pytest.param(network(4, (9, 5, 130)), images(5), id="scores in three results"),
        pytest.param(network(5, (9, 5, 1)), images(5), id="one output"),
        pytest.param(network(6, (900, 4)), images(3, 900), id="events in many requests"),
        pytest.param(
            replace(network(7), encoding=RateEncoding()),
            images(300),
            id="more samples than numbers",
        ),
        pytest.param(
            replace(network(8), encoding=MultiThresholdEncoding(levels=3)),
            images(5, 3),
            id="addresses that are not pixels",
        ),
        pytest.param(FIRST, images(0), id="no sample"),
        pytest.param(FIRST, np.zeros((3, 9), np.uint8), id="no event"),
    ],
)
def test_networks_and_samples(image, samples):
    with opened(ModelDevice(image), image) as device:
        assert_exact(device.classify(samples), image, samples)


def test_the_random_code_goes_by_the_place_in_the_split():
    image = replace(FIRST, encoding=RateEncoding(seed=5))
    with opened(ModelDevice(image), image) as device:
        parts = [
            device.classify(IMAGES[:5]).scores,
            device.classify(IMAGES[5:], first_index=5).scores,
        ]
    assert np.concatenate(parts).tolist() == expected(image).scores.tolist()


def test_spike_trains():
    trains = np.random.default_rng(1).random((6, 5, 9)) < 0.5
    with opened(ModelDevice(FIRST)) as device:
        answers = device.spikes(trains)
    trace = simulate(FIRST, trains)
    assert answers.scores.tolist() == trace.scores.tolist()


DELTA = replace(network(9, (6, 7, 4)), encoding=DeltaEncoding(delta=30))


def sent(model):
    """Commands that carried samples."""
    return {command for command, _ in model.carried_out if command in (2, 4)}


@pytest.mark.parametrize(
    ("image", "samples"),
    [
        pytest.param(FIRST, IMAGES, id="latency"),
        pytest.param(DELTA, images(12, 15), id="delta"),
        pytest.param(network(6, (900, 4)), images(3, 900), id="values in many requests"),
        pytest.param(FIRST, images(0), id="no sample"),
    ],
)
def test_a_device_that_encodes_is_sent_values(image, samples):
    model = ModelDevice(image, encoder=image.sample_code)
    with opened(model, image, encoder=image.sample_code) as device:
        assert device.identity.takes_frames
        assert_exact(device.classify(samples), image, samples)
        assert sent(model) == ({4} if len(samples) else set())
        values = b"".join(payload for command, payload in model.carried_out if command == 4)
        assert values == samples.tobytes()


@pytest.mark.parametrize(
    ("encoder", "reason"),
    [
        (replace(FIRST, encoding=LatencyEncoding(threshold=9)).sample_code, "another threshold"),
        (replace(FIRST, time_steps=6).sample_code, "more steps"),
        (network(3, (8, 7, 4)).sample_code, "smaller samples"),
    ],
    ids=str,
)
def test_a_network_of_another_code_is_sent_events(encoder, reason):
    del reason
    model = ModelDevice(FIRST, encoder=encoder)
    with opened(model, encoder=encoder) as device:
        assert_exact(device.classify(IMAGES), FIRST)
        assert sent(model) == {2}


def test_spike_trains_are_events_to_every_device():
    model = ModelDevice(FIRST, encoder=FIRST.sample_code)
    trains = encode(FIRST.encoding, IMAGES, 5)
    with opened(model, encoder=FIRST.sample_code) as device:
        assert device.spikes(trains).scores.tolist() == expected(FIRST).scores.tolist()
        assert sent(model) == {2}


def test_noise_on_the_way_of_values():
    model = ModelDevice(FIRST, encoder=FIRST.sample_code)
    noise = Noise(seed=4, one_in=150, garbage=0.05)
    samples = images(60)
    with opened(model, noise=noise, encoder=FIRST.sample_code) as device:
        assert_exact(device.classify(samples), FIRST, samples)
    assert noise.flipped > 20


@pytest.mark.parametrize("encoder", [None, FIRST.sample_code], ids=["host", "device"])
@pytest.mark.parametrize(
    ("samples", "told"),
    [
        pytest.param(images(2, 10), "uint8 [2, 10]", id="too wide"),
        pytest.param(images(2).astype(np.int64), "int64 [2, 9]", id="another type"),
        pytest.param(images(2) / 255, "float64 [2, 9]", id="floats"),
        pytest.param(images(2)[0], "uint8 [9]", id="one sample"),
        pytest.param(np.array(3, np.uint8), "uint8 []", id="a number"),
        pytest.param(images(2).reshape(2, 3, 3), "uint8 [2, 3, 3]", id="pictures"),
        pytest.param(np.zeros((0, 8), np.uint8), "uint8 [0, 8]", id="none of another size"),
        pytest.param(images(2).tolist(), "a list", id="a list"),
        pytest.param(None, "a NoneType", id="nothing"),
    ],
)
def test_values_that_do_not_fit_are_refused(samples, told, encoder):
    message = f"the samples are {told}, and the network takes uint8 [samples, 9]"
    with (
        opened(ModelDevice(FIRST, encoder=encoder), encoder=encoder) as device,
        pytest.raises(UserError, match=re.escape(message)),
    ):
        device.classify(samples)


@pytest.mark.parametrize("trains", [[[[True]]], None, np.zeros((2, 5, 8), bool)])
def test_trains_that_do_not_fit_are_refused(trains):
    with (
        opened(ModelDevice(FIRST)) as device,
        pytest.raises(UserError, match=r"the network takes bool \[samples, 5, 9\]"),
    ):
        device.spikes(trains)


@pytest.mark.parametrize("first_index", [-1, 1.5, "3"])
def test_a_place_that_is_none_is_refused(first_index):
    with (
        opened(ModelDevice(FIRST)) as device,
        pytest.raises(UserError, match="first_index is a place in the split, 0 or more, not"),
    ):
        device.classify(IMAGES, first_index=first_index)


def test_timings():
    with opened(ModelDevice(FIRST)) as device:
        timings = device.classify(IMAGES, alone=True).timings
    assert timings.simulated
    assert timings.latency.shape == timings.line.shape == (12,)
    assert (timings.line > 0).all()
    assert (timings.latency >= timings.line).all()
    assert timings.total >= timings.latency.max()
    assert timings.samples_per_second == 12 / timings.total


def test_bytes_of_a_sample_on_the_line():
    # Two spikes and five ends of steps are 14 bytes; a frame has 4 more, a request 2.
    trains = np.zeros((1, 5, 9), bool)
    trains[0, 1, 3] = trains[0, 4, 8] = True
    with opened(ModelDevice(FIRST)) as device:
        timings = device.spikes(trains, alone=True).timings
    answer = 3 + 1 + 4 * 4
    assert timings.line[0] == pytest.approx(1e-5 * ((4 + 2 + 14) + (4 + 2 + 3) + (4 + answer)))


def test_progress():
    loaded, done = [], []
    with opened(ModelDevice(FIRST, loadable=True)) as device:
        device.load(FIRST, advance=loaded.append)
        assert sum(loaded) == device.chunks_to_load(FIRST)
        device.classify(IMAGES, advance=done.append)
    assert done == [1] * 12


def test_counters_and_reset():
    model = ModelDevice(FIRST)
    with opened(model) as device:
        device.classify(IMAGES)
        counters = device.counters()
        assert counters.link == dict.fromkeys(
            ("refused", "framing_errors", "overruns", "ignored"), 0
        )
        assert counters.core == {"requests": len(model.carried_out)}
        device.reset()
        assert_exact(device.classify(IMAGES), FIRST)


@pytest.mark.parametrize("name", ["noise", "noise and garbage"])
def test_noise(name):
    noise = Noise(seed=7, one_in=200, garbage=0.2 if "garbage" in name else 0.0)
    device = ModelDevice(FIRST, loadable=True)
    with opened(device, noise=noise) as opening:
        for image in (FIRST, SECOND):
            opening.load(image)
            assert_exact(opening.classify(images(400)), image, images(400))
        assert noise.flipped > 100
        assert opening.tally.repeated > 50
        assert opening.tally.refused > 0
        assert opening.tally.broken > 0


class Cut(ModelLine):
    """A line whose host is killed after it has written so many bytes: nothing more is sent."""

    def __init__(self, device, after):
        super().__init__(device)
        self.left = after

    def write(self, data):
        super().write(data[: self.left])
        self.left -= len(data)
        if self.left <= 0:
            self.pump()
            raise KeyboardInterrupt


@given(st.integers(10, 240), st.integers(10, 900))
@settings(max_examples=40, deadline=None)
def test_a_host_that_is_killed_at_any_byte(in_load, in_run):
    device = ModelDevice(FIRST, loadable=True)
    design = model_design(FIRST)
    with pytest.raises(KeyboardInterrupt):
        Device(Cut(device, in_load), design=design).load(SECOND)
    with Device(ModelLine(device), design=design) as again:
        again.load(FIRST)
        assert_exact(again.classify(IMAGES), FIRST)
    line = Cut(device, 1 << 20)
    killed = Device(line, design=design)
    killed.load(SECOND)
    line.left = in_run
    with pytest.raises(KeyboardInterrupt):
        killed.classify(images(40))
    with Device(ModelLine(device), design=design) as again:
        again.load(SECOND)
        assert_exact(again.classify(IMAGES), SECOND)


class Interrupt:
    """Ctrl-C when something has been done so many times."""

    def __init__(self, count):
        self.left = count

    def __call__(self, _done):
        self.left -= 1
        if not self.left:
            raise KeyboardInterrupt


def test_an_interrupted_call_leaves_the_device_usable():
    model = ModelDevice(FIRST, loadable=True)
    with opened(model) as device:
        device.load(FIRST)
        for count in (1, 3, 5):
            with pytest.raises(KeyboardInterrupt):
                device.classify(IMAGES, advance=Interrupt(count))
            assert_exact(device.classify(IMAGES), FIRST)
        with pytest.raises(KeyboardInterrupt):
            device.load(SECOND, advance=Interrupt(1))
        with pytest.raises(DeviceError, match=r"no network is in model yet"):
            device.classify(IMAGES)
        device.load(SECOND)
        assert_exact(device.classify(IMAGES), SECOND)


def test_reconnect():
    model = ModelDevice(FIRST, loadable=True)
    line = ModelLine(model)
    with Device(line, design=model_design(FIRST)) as device:
        device.load(FIRST)
        line.cut = True
        with pytest.raises(PortError):
            device.classify(IMAGES)
        model.switch_on()
        device.reconnect()
        with pytest.raises(DeviceError, match=r"load one"):
            device.classify(IMAGES)
        device.load(FIRST)
        assert_exact(device.classify(IMAGES), FIRST)


def test_a_board_that_was_switched_off_and_on():
    model = ModelDevice(FIRST)
    with opened(model) as device:
        device.classify(IMAGES)
        model.switch_on()
        with pytest.raises(DeviceError):
            device.classify(IMAGES)
        device.reconnect()
        assert_exact(device.classify(IMAGES), FIRST)


def test_memories_that_forget():
    class Forgetful(ModelDevice):
        forgotten = 1

        def load(self, payload):
            status = super().load(payload)
            if self.forgotten:
                self.memory[1, 1, 3] = 77
                self.forgotten -= 1
            return status

    with opened(Forgetful(FIRST, loadable=True)) as device:
        device.load(FIRST)
        assert_exact(device.classify(IMAGES), FIRST)
    model = Forgetful(FIRST, loadable=True)
    model.forgotten = 1000
    with (
        opened(model) as device,
        pytest.raises(DeviceError, match=r"memory 1 of layer 1, from chunk 3 on, 1 chunks"),
    ):
        device.load(FIRST)


def refuse(_image):
    raise UserError("layer layer0: it has 9 inputs and the core 3, 6 too many")


@pytest.mark.parametrize(
    ("action", "message"),
    [
        pytest.param(
            lambda: opened(ModelDevice(FIRST, design_hash=bytes(8))),
            "model runs the design 0000000000000000, and the model is 0123456789abcdef; simulate "
            "and open the same one",
            id="another design",
        ),
        pytest.param(
            lambda: Device(ModelLine(ModelDevice(FIRST))).load(FIRST),
            "what model runs is not known; open it with its design",
            id="load without a design",
        ),
        pytest.param(
            lambda: Device(ModelLine(ModelDevice(FIRST))).classify(IMAGES),
            "what model runs is not known; open it with its design",
            id="classify without a design",
        ),
        pytest.param(
            lambda: opened(ModelDevice(FIRST, loadable=True)).classify(IMAGES),
            "no network is in model yet; load one: device.load",
            id="classify before load",
        ),
        pytest.param(
            lambda: opened(ModelDevice(FIRST, loadable=True), contents=refuse).load(FIRST),
            "it has 9 inputs and the core 3, 6 too many",
            id="a network that is too large",
        ),
        pytest.param(
            lambda: opened(ModelDevice(FIRST)).classify(images(3, 10)),
            "the samples are uint8 .3, 10., and the network takes uint8 .samples, 9.; give it",
            id="samples of another size",
        ),
        pytest.param(
            lambda: opened(ModelDevice(FIRST)).spikes(np.zeros((3, 6, 9), bool)),
            "the samples are bool .3, 6, 9.",
            id="spike trains with another number of steps",
        ),
        pytest.param(
            lambda: opened(ModelDevice(FIRST)).spikes(np.zeros((3, 5, 9), np.float64)),  # pyright: ignore[reportArgumentType]
            "the samples are float64",
            id="spike trains of another type",
        ),
        pytest.param(
            lambda: opened(ModelDevice(network(1, (4, 7, 4)))).classify(images(3)),
            "refuses sample 0: part of it means nothing to this design .status 5.",
            id="events that the device does not have",
        ),
        pytest.param(
            lambda: opened(
                ModelDevice(FIRST),
                loadable=True,
                contents=lambda _image: Contents(loads=[(0, 1, 0, 5)], readable=[]),
            ).load(FIRST),
            "refuses a load: it does not know the request .status 4.",
            id="load of a fixed device",
        ),
    ],
)
def test_refusals(action, message):
    with pytest.raises(UserError, match=message):
        action()


def test_wrong_design_is_an_error_of_its_own():
    with pytest.raises(WrongDesignError):
        opened(ModelDevice(FIRST, design_hash=bytes(8)))


@pytest.mark.parametrize(
    ("command", "cut", "action", "message"),
    [
        pytest.param(
            "result",
            4,
            lambda device: device.classify(IMAGES),
            "sample 0 wrongly (3 scores, and 4 were asked for)",
            id="a score too few",
        ),
        pytest.param(
            "result",
            1,
            lambda device: device.classify(IMAGES),
            "sample 0 wrongly (A result has a class and whole scores, not 16 bytes)",
            id="part of a score",
        ),
        pytest.param(
            "read",
            1,
            lambda device: device.load(FIRST),
            "a read wrongly (Chunks have 2 bytes each, and there are",
            id="part of a chunk",
        ),
        pytest.param(
            "read",
            2,
            lambda device: device.load(FIRST),
            "chunks, and",
            id="a chunk too few",
        ),
        pytest.param(
            "counters",
            1,
            lambda device: device.counters(),
            "its counters wrongly (Counters are whole counts, not 7 bytes)",
            id="part of a count",
        ),
    ],
)
def test_answers_of_the_wrong_length(command, cut, action, message):
    class Short(ModelDevice):
        pass

    def shortened(self, payload):
        status, answer = getattr(super(Short, self), command)(payload)
        return status, answer[:-cut]

    setattr(Short, command, shortened)
    with opened(Short(FIRST, loadable=True)) as device:
        device.image = FIRST
        with pytest.raises(DeviceError, match=re.escape(message)):
            action(device)


def test_a_device_that_falls_silent_in_a_run():
    class Dying(ModelDevice):
        alive = 40

        def receive(self, data):
            self.alive -= 1
            if self.alive > 0:
                super().receive(data)

    model = Dying(FIRST)
    model.alive = 400
    with pytest.raises(NoAnswerError, match=r"has fallen silent"):
        opened(model).classify(IMAGES)


def test_leaks_of_the_model():
    # The model's own loading is right for every leak that the tests use.
    image = network(9, leak=IntegrateLeak())
    with opened(ModelDevice(image, loadable=True), image, contents=contents) as device:
        device.load(image)
        assert_exact(device.classify(IMAGES), image)
