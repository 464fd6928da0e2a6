"""The verbs `run` and `monitor`, with a model of the device behind the port."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from counting_board import IMAGE, NAMES, Counting, place
from networks import random_network
from spikeloom.cli import monitor as monitor_module
from spikeloom.datasets import load_dataset
from spikeloom.evaluation import evaluate_split
from spikeloom.image import save_image


@pytest.fixture
def board(monkeypatch):
    """A board at the port `board`, with `IMAGE` in it or to be loaded."""
    model = Counting(IMAGE)
    place(monkeypatch, model)
    return model


@pytest.fixture
def network(tmp_path):
    save_image(tmp_path / "network.safetensors", IMAGE)
    return tmp_path / "network.safetensors"


def test_run(spikeloom, document, board, network):
    told = document(spikeloom("run", network, "--port", "board", "--samples", 40, "--json"))
    split = load_dataset("digits", None).split("test").take(np.arange(40))
    expected = evaluate_split(IMAGE, split)
    assert told["correct"] == expected.correct
    assert told["operations"] == told["operations_counted"] == sum(expected.operations)
    assert told["exact"] is True
    assert told["differing_samples"] == 0
    assert told["scores_compared"] == (40 + 20) * 10
    assert told["accuracy"] == expected.correct / 40
    assert told["interval_95"][0] < told["accuracy"] < told["interval_95"][1]
    latency = told["latency_ms"]
    assert latency["mean"] == pytest.approx(latency["link"] + latency["chip"])
    assert latency["median"] <= latency["p99"] <= latency["max"]
    assert latency["samples"] == 20
    assert told["chunks_loaded"] == 0
    assert told["link"]["repeated"] == told["link"]["refused"] == 0


def test_run_for_people(spikeloom, board, network):
    done = spikeloom("run", network.parent, "--port", "board", "--samples", 5)
    assert done.exit_code == 0, done.stderr
    for part in ("every score, class and count equals it", "of that the link", "samples a second"):
        assert part in done.stdout


def test_run_loads_what_can_be_loaded(spikeloom, document, network, monkeypatch):
    model = Counting(IMAGE, loadable=True)
    place(monkeypatch, model)
    told = document(spikeloom("run", network, "--port", "board", "--samples", 5, "--json"))
    assert told["exact"]
    assert told["chunks_loaded"] == 2 * (64 * 9 + 9 * 10) + 1


def test_run_takes_the_whole_split(spikeloom, document, board, network):
    told = document(spikeloom("run", network, "--port", "board", "--json"))
    assert told["samples"] == 359


class Lying(Counting):
    """One score in a sample is one too high."""

    def result(self, payload):
        status, answer = super().result(payload)
        if payload[0] == 7:
            answer = answer[:1] + bytes([(answer[1] + 1) % 256]) + answer[2:]
        return status, answer


def test_a_wrong_score_is_a_failure(spikeloom, network, monkeypatch):
    place(monkeypatch, Lying(IMAGE))
    done = spikeloom("run", network, "--port", "board", "--samples", 30, "--json")
    assert done.exit_code == 1
    told = json.loads(done.stdout)
    # Sample 7 of those alone, and of all, in which the 27th is numbered on from the reset.
    assert (told["exact"], told["operations"] == told["operations_counted"]) == (False, True)
    assert told["differing_samples"] in (1, 2)
    shown = spikeloom("run", network, "--port", "board", "--samples", 30)
    assert shown.exit_code == 1
    assert "samples differ" in shown.stdout


class LyingAboutTheClass(Counting):
    """Scores are right, and the class of a sample is not."""

    def result(self, payload):
        status, answer = super().result(payload)
        if payload[0] == 7:
            answer = bytes([(answer[0] + 1) % 10]) + answer[1:]
        return status, answer


def test_a_wrong_class_is_a_failure(spikeloom, network, monkeypatch):
    place(monkeypatch, LyingAboutTheClass(IMAGE))
    done = spikeloom("run", network, "--port", "board", "--samples", 30, "--json")
    assert done.exit_code == 1
    told = json.loads(done.stdout)
    assert (told["exact"], told["operations"] == told["operations_counted"]) == (False, True)
    assert told["differing_samples"] in (1, 2)


def test_a_wrong_count_is_a_failure(spikeloom, network, board):
    board.wrong = 1
    done = spikeloom("run", network, "--port", "board", "--samples", 30, "--json")
    assert done.exit_code == 1
    told = json.loads(done.stdout)
    assert told["operations_counted"] == told["operations"] + 2 * 30
    assert told["differing_samples"] == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--port", "board"], "nothing says what board runs; name the network, or --design"),
        (["{network}", "--port", "bord"], "there is no port bord: ports here are board"),
        (["{network}"], "Missing option '--port'"),
        (["{network}", "--port", "board", "--samples", "400"], "has 359 samples there, not 400"),
        (["{network}", "--port", "board", "--samples", "0"], "'0' is neither a positive number"),
        (["{network}", "--port", "board", "--dataset", "digit"], "digit"),
        (["nowhere", "--port", "board"], "there is no network file nowhere"),
    ],
)
def test_wrong_uses_of_run(spikeloom, one_sentence, board, network, arguments, message):
    done = spikeloom("run", *(each.format(network=network) for each in arguments))
    assert done.exit_code == 2
    assert message in one_sentence(done)


def test_run_of_a_design_without_a_network(spikeloom, one_sentence, monkeypatch, tmp_path):
    place(monkeypatch, Counting(IMAGE), network=None)
    done = spikeloom("run", "--port", "board", "--design", tmp_path)
    assert done.exit_code == 2
    assert "has no network in it; name the one to run" in one_sentence(done)


def test_a_network_of_another_shape(spikeloom, one_sentence, board, tmp_path):
    other = random_network(np.random.default_rng(1), (63, 9, 10))
    save_image(tmp_path / "other.safetensors", other)
    done = spikeloom("run", tmp_path / "other.safetensors", "--port", "board")
    assert done.exit_code == 2
    assert "has 63 inputs, but 'digits' is encoded into 64" in one_sentence(done)


def test_monitor_once(spikeloom, document, board):
    told = document(spikeloom("monitor", "--port", "board", "--once", "--json"))
    assert told["core"] == {"count0": 0, "count1": 0, "count2": 0}
    assert told["link"] == dict.fromkeys(("refused", "framing_errors", "overruns", "ignored"), 0)
    assert told["design_hash"] == board.design_hash.hex()
    shown = spikeloom("monitor", "--port", "board", "--once", "--design", ".")
    assert shown.exit_code == 0, shown.stderr
    for name in (*NAMES, "refused", "30 MHz"):
        assert name in shown.stdout


def ticking(monkeypatch, board, ticks):
    """Seconds that pass in no time, and then Ctrl-C."""
    left = iter(range(ticks))
    clock = [0.0]

    def sleep(seconds):
        if next(left, None) is None:
            raise KeyboardInterrupt
        clock[0] += 2.0
        board.cycles += 3_000_000_000

    told = SimpleNamespace(sleep=sleep, monotonic=lambda: clock[0])
    monkeypatch.setattr(monitor_module, "time", told)


def test_monitor_writes_a_line_a_second(spikeloom, board, monkeypatch):
    ticking(monkeypatch, board, 3)
    done = spikeloom("monitor", "--port", "board", "--design", ".", "--json")
    assert done.exit_code == 0
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    # The count is modulo 2³², and the rate is not.
    assert [line["core"]["cycles"] for line in lines] == [
        count * 3_000_000_000 % 2**32 for count in range(4)
    ]
    assert [line["per_second"]["cycles"] for line in lines] == [None, 1.5e9, 1.5e9, 1.5e9]


def test_monitor_live(spikeloom, board, monkeypatch):
    ticking(monkeypatch, board, 2)
    done = spikeloom("monitor", "--port", "board", "--design", ".")
    assert done.exit_code == 0
    assert "layer1.operations" in done.stdout
