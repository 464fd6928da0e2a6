"""The driver and a simulated board: the bytes, the bits, and whatever becomes of the host."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from networks import random_network
from spikeloom.encoding import encode
from spikeloom.errors import UserError
from spikeloom.host import Device, PortError, WrongDesignError
from spikeloom.image import save_image
from spikeloom.reference import simulate
from spikeloom_cosim.board.line import open_simulated
from spikeloom_cosim.board.model import board_of
from spikeloom_hw.generate import generate
from spikeloom_hw.source import find
from spikeloom_hw.targets import TARGETS

SHAPE = (20, 24, 4)
FIRST, SECOND = (random_network(np.random.default_rng(seed), SHAPE) for seed in (1, 2))
IMAGES = np.random.default_rng(3).integers(0, 256, (40, 20)).astype(np.uint8)


def assert_exact(answers, image, images=IMAGES):
    trace = simulate(image, encode(image.encoding, images, image.time_steps))
    assert answers.scores.tolist() == trace.scores.tolist()
    assert answers.labels.tolist() == trace.predictions.tolist()
    return trace


@pytest.fixture(scope="module")
def design(tmp_path_factory):
    """A loadable design, and the two networks beside it."""
    folder = tmp_path_factory.mktemp("loadable")
    generate(
        FIRST,
        target=TARGETS["icebreaker"],
        lanes=(8, 1),
        directory=folder / "design",
        loadable=True,
    )
    for name, image in (("first", FIRST), ("second", SECOND)):
        save_image(folder / f"{name}.safetensors", image)
    return folder / "design"


@pytest.fixture
def line(design):
    opened = open_simulated(str(design))
    yield opened
    opened.close()


@pytest.fixture
def device(line, design):
    with Device(line, design=find(design)) as opened:
        yield opened


@pytest.mark.parametrize("ended", ["closed", "killed"])
def test_a_simulation_that_has_ended_is_not_opened_again(device, line, ended):
    if ended == "closed":
        device.close()
    else:
        os.kill(line.process_id, signal.SIGKILL)
        deadline = time.monotonic() + 10
        while line.running:
            assert time.monotonic() < deadline
            time.sleep(0.01)
    with pytest.raises(PortError, match="the simulation has ended; begin another"):
        device.reconnect()


def test_load_run_load_run(device):
    for image in (FIRST, SECOND, FIRST):
        device.load(image)
        assert_exact(device.classify(IMAGES), image)
    assert device.identity.clock_hz == 30_000_000
    tally = device.tally
    assert (tally.repeated, tally.silences, tally.broken, tally.refused) == (0, 0, 0, 0)


def test_spike_trains_and_counters(device):
    device.load(FIRST)
    trains = np.random.default_rng(4).random((30, 3, 20)) < 0.6
    before = device.counters()
    answers = device.spikes(trains)
    after = device.counters()
    trace = simulate(FIRST, trains)
    assert answers.scores.tolist() == trace.scores.tolist()
    assert after.link == dict.fromkeys(("refused", "framing_errors", "overruns", "ignored"), 0)
    for layer in range(2):
        counted = after.core[f"layer{layer}.operations"] - before.core[f"layer{layer}.operations"]
        assert counted == trace.operations[:, layer].sum()
    assert after.core["cycles"] - before.core["cycles"] >= answers.timings.total * 30e6


def test_latency_is_that_of_the_board(device):
    device.load(FIRST)
    timings = device.classify(IMAGES, alone=True).timings
    assert timings.simulated
    # The board adds to what the line takes, and by microseconds.
    rest = timings.latency - timings.line
    assert rest.min() > 0
    assert np.median(rest) < 20e-6
    # Samples that follow each other share the line's two directions.
    assert device.classify(IMAGES).timings.total < timings.latency.sum()


HOST = """
import sys
from pathlib import Path
import numpy as np
from spikeloom.host import Device
from spikeloom.image import load_image
from spikeloom_hw.source import find
port, design, network, what = sys.argv[1:]
image = load_image(Path(network))
with Device.open(port, design=find(Path(design))) as device:
    device.load(image)
    print("loaded", flush=True)
    while True:
        if what == "load":
            device.load(image)
        device.classify(np.full((100, image.inputs), 200, np.uint8))
"""


@pytest.mark.parametrize("what", ["load", "run"])
def test_a_host_that_is_killed(line, design, what):
    line.release()
    network = design.parent / "second.safetensors"
    host = subprocess.Popen(
        [sys.executable, "-c", HOST, line.path, str(design), str(network), what],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert host.stdout is not None
    assert host.stdout.readline() == "loaded\n"
    # In the middle of what follows: 300 bytes of it are 90,000 cycles.
    at = line.cycles + 90_000
    while line.cycles < at:
        time.sleep(0.001)
    host.kill()
    host.wait()
    host.stdout.close()
    line.reopen()
    with Device(line, design=find(design)) as device:
        for image in (FIRST, SECOND):
            device.load(image)
            assert_exact(device.classify(IMAGES), image)


def test_reconnect(device):
    device.load(FIRST)
    device.reconnect()
    device.load(SECOND)
    assert_exact(device.classify(IMAGES), SECOND)


def processor_seconds(process):
    """User and system time of a process so far."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_it_sleeps_when_nothing_happens(device, line):
    device.load(FIRST)
    deadline = time.monotonic() + 30
    before = -1
    while line.cycles != before and time.monotonic() < deadline:
        before = line.cycles
        time.sleep(0.5)
    spent, cycles = processor_seconds(line.process_id), line.cycles
    now = line.now()
    time.sleep(1)
    assert line.cycles == cycles
    assert processor_seconds(line.process_id) - spent < 0.1
    # Patience ends on a board that stands still, too.
    assert line.now() - now > 0.9
    assert_exact(device.classify(IMAGES), FIRST)


def alive(process):
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def gone_soon(process, seconds=10.0):
    deadline = time.monotonic() + seconds
    while alive(process) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not alive(process)


def test_it_ends_when_it_is_closed(design):
    line = open_simulated(str(design))
    scratch = line._scratch
    assert alive(line.process_id)
    line.close()
    line.close()
    assert gone_soon(line.process_id, 0)
    assert not scratch.exists()


OWNER = """
import sys, time
from spikeloom_cosim.board.line import open_simulated
line = open_simulated(sys.argv[1])
print(line.process_id, flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT], ids=["killed", "Ctrl-C"])
def test_it_ends_with_its_owner(design, how):
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(design)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    assert owner.stdout is not None
    process = int(owner.stdout.readline())
    assert alive(process)
    # To the whole group, as a terminal does.
    os.killpg(owner.pid, how)
    owner.wait()
    owner.stdout.close()
    assert gone_soon(process)


def test_a_simulation_that_breaks_down(device, line):
    device.load(FIRST)
    os.kill(line.process_id, signal.SIGKILL)
    with pytest.raises(PortError, match=r"simulation has ended \(it left no message\); open it"):
        device.classify(IMAGES)


def test_another_design(line, design, tmp_path):
    shutil.copytree(design, tmp_path / "other")
    described = json.loads((design / "design.json").read_text())
    described["design_sha256"] = "0" * 64
    (tmp_path / "other" / "design.json").write_text(json.dumps(described))
    with pytest.raises(WrongDesignError, match="; simulate and open the same one"):
        Device(line, design=find(tmp_path / "other"))


def test_a_network_that_is_too_large(device):
    large = random_network(np.random.default_rng(1), (20, 40, 4))
    with pytest.raises(UserError, match="it has 40 neurons and the core 24, 16 too many"):
        device.load(large)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: (folder / "top.v").unlink(), "has no top.v, so there is no board"),
        (lambda folder: (folder / "design.json").write_text("{"), "design.json is damaged"),
        (lambda folder: next(folder.glob("*.mem")).write_text("x\n"), "line 1: 'x' is not a word"),
        (
            lambda folder: (folder / "top.v").write_text(
                (folder / "top.v").read_text().replace("SB_PLL40_PAD", "SB_HFOSC")
            ),
            "there is no model of the cell SB_HFOSC",
        ),
        (
            lambda folder: (folder / "top.v").write_text(
                (folder / "top.v").read_text().replace("uart_0__rx__io", "receiver")
            ),
            "top.v lacks a pin of the clock or the serial line",
        ),
    ],
)
def test_damaged_designs(design, tmp_path, damage, message):
    shutil.copytree(design, tmp_path / "design")
    damage(tmp_path / "design")
    with pytest.raises(UserError, match=message):
        open_simulated(str(tmp_path / "design"))


@pytest.mark.parametrize("place", ["nowhere", ""])
def test_no_design(place):
    with pytest.raises(UserError, match=f"{place or 'nothing'} is no design to simulate"):
        open_simulated(place)


BOARDS = [name for name, target in TARGETS.items() if target.has_top]


@pytest.mark.parametrize("name", ["upduino", "ulx3s-25f"])
def test_boards_have_their_cells(name, tmp_path):
    generate(FIRST, target=TARGETS[name], lanes=(8, 1), directory=tmp_path / "design")
    folder = tmp_path / "run"
    folder.mkdir()
    board = board_of(tmp_path / "design", folder)
    assert board.pins.clock.startswith("clk")
    assert board.divisor * board.baud == pytest.approx(board.clock_hz, rel=0.03)


@pytest.mark.slow
@pytest.mark.parametrize("name", BOARDS)
def test_every_board_runs(name, tmp_path):
    generate(FIRST, target=TARGETS[name], lanes=(8, 1), directory=tmp_path / "design")
    with Device(open_simulated(str(tmp_path / "design")), design=find(tmp_path / "design")) as it:
        it.load(FIRST)
        assert_exact(it.classify(IMAGES), FIRST)
