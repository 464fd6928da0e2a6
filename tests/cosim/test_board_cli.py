"""The verbs on simulated boards, and what users do to them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from spikeloom_cosim.divergence import KINDS

RUN = [sys.executable, "-c", "from spikeloom.cli.app import main; main()"]


@pytest.fixture
def design(spikeloom, tmp_path, network):
    """The design that `run` and `verify` make for themselves, so that its board is compiled."""
    made = spikeloom("generate", network, "-o", tmp_path / "design")
    assert made.exit_code == 0, made.stderr
    return tmp_path / "design"


def test_run(spikeloom, document, run_folder):
    told = document(spikeloom("run", "--port", f"sim:{run_folder}", "--samples", 30, "--json"))
    assert told["exact"] is True
    assert told["simulated"] is True
    assert told["board"] == "iCEBreaker"
    assert told["operations_counted"] == told["operations"] > 0
    link = told["link"]
    assert (link["repeated"], link["refused"], link["overruns"], link["broken"]) == (0, 0, 0, 0)
    latency = told["latency_ms"]
    assert latency["chip"] < 0.1 < latency["link"]


def test_monitor(spikeloom, document, run_folder):
    told = document(spikeloom("monitor", "--port", f"sim:{run_folder}", "--once", "--json"))
    assert told["clock_hz"] == 30_000_000
    assert told["core"]["layer1.operations"] == 0
    assert told["core"]["cycles"] > 0


def test_verify(spikeloom, document, network):
    told = document(
        spikeloom("verify", network, "--level", "host", "--samples", 60, "--jobs", 2, "--json")
    )
    assert told["compared"]["score"] == 600
    assert told["compared"]["prediction"] == 60
    # Two boards with 30 samples each: three counts a layer, and four of the link.
    assert told["compared"]["counter"] == 2 * (2 * 3 + 4)
    assert told["first_divergence"] is None
    assert [told[f"{kind}_mismatches"] for kind in KINDS] == [0] * len(KINDS)
    assert (network.parent / "verify-host.json").is_file()


def test_verify_finds_wrong_weights(spikeloom, network, design):
    (path,) = design.glob("*hidden*weights*.mem")
    words = [f"{int(word, 16) ^ 1:0{len(word)}x}" for word in path.read_text().splitlines()]
    path.write_text("\n".join(words) + "\n")
    done = spikeloom(
        "verify", network, "--level", "host", "--design", design, "--samples", 60, "--json"
    )
    assert done.exit_code == 1, done.stderr
    assert "first divergence: sample " in done.stderr


def test_a_port_where_nothing_answers(spikeloom, one_sentence, network):
    master, slave = os.openpty()
    port = os.ttyname(slave)
    try:
        done = spikeloom("run", network, "--port", port)
    finally:
        os.close(master)
        os.close(slave)
    assert done.exit_code == 2
    assert f"nothing answers at {port}; check that it is the board's" in one_sentence(done)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "--port", "sim:nowhere"], "there is no design nowhere"),
        (["run", "--port", "/dev/ttyNONE", "{network}"], "there is no port /dev/ttyNONE"),
        (["run", "--port", "sim:{folder}"], "design.json is damaged"),
        (["monitor", "--port", "sim:{folder}"], "design.json is damaged"),
        (["verify", "{network}", "--level", "host", "--design", "{folder}"], "is damaged"),
        (
            ["verify", "{network}", "--level", "host", "--lanes", "8", "--lanes", "1"],
            "--level host takes one --lanes, not 2",
        ),
    ],
)
def test_wrong_uses(spikeloom, one_sentence, network, tmp_path, arguments, message):
    (tmp_path / "design.json").write_text("{}")
    done = spikeloom(*(each.format(network=network, folder=tmp_path) for each in arguments))
    assert done.exit_code == 2
    assert message in one_sentence(done)


def children(process):
    return [
        int(child)
        for tasks in Path(f"/proc/{process}/task").glob("*/children")
        for child in tasks.read_text().split()
    ]


@pytest.mark.parametrize(
    "how",
    [
        pytest.param(signal.SIGINT, id="Ctrl-C"),
        pytest.param(signal.SIGTERM, id="terminated", marks=pytest.mark.slow),
    ],
)
def test_a_run_that_is_ended(run_folder, how, tmp_path):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    running = subprocess.Popen(
        [*RUN, "run", "--port", f"sim:{run_folder}"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(scratch)},
        start_new_session=True,
    )
    assert running.stderr is not None
    for line in running.stderr:
        if "samples of digits test" in line:
            break
    (simulation,) = children(running.pid)
    os.killpg(running.pid, how)
    said = running.stderr.read()
    running.stderr.close()
    assert running.wait() == (130 if how == signal.SIGINT else 143)
    assert ("interrupted" in said) == (how == signal.SIGINT)
    deadline = time.monotonic() + 10
    while Path(f"/proc/{simulation}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{simulation}").exists()
    assert list(scratch.iterdir()) == []
