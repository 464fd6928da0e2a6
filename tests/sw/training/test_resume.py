"""A run that is killed, however and whenever, ends as one that was not: bit for bit."""

import json
import multiprocessing
import random
import signal
import sys
import time
from dataclasses import replace

import msgspec
import pytest
import safetensors

from spikeloom.cli.app import main
from spikeloom.config import parse_config
from spikeloom.errors import UserError
from spikeloom.image import save_image
from spikeloom.training import Keeper, load_checkpoint, save_run, to_image, train_network

RUN = """
[network]
hidden = [20]
learn_threshold = "neuron"
learn_leak = true
[quantization]
scale = "learned"
per_channel = true
[sparsity]
start_epoch = 2
every_epochs = 2
stop_epoch = 9
[training]
epochs = 12
batch_size = 32
shift = 0.3
noise = 8.0
dropout = 0.1
checkpoint_seconds = 0.0
"""


class Killed(BaseException):
    pass


class Mortal(Keeper):
    """Dies after some batches, before or after that batch's save."""

    left = 0
    saves_first = True

    def after_batch(self, state):
        self.left -= 1
        if self.saves_first:
            super().after_batch(state)
        if not self.left:
            raise Killed
        if not self.saves_first:
            super().after_batch(state)


def left_behind(folder):
    """All that a run leaves, as far as it must repeat, and the integers it is exported to."""
    checkpoint = load_checkpoint(folder / "checkpoint.safetensors")
    exported = folder.with_suffix(".exported")
    save_image(exported, to_image(checkpoint.network, checkpoint.config))
    history = [json.loads(line) for line in (folder / "history.jsonl").read_text().splitlines()]
    return {
        "weights and masks": (folder / "checkpoint.safetensors").read_bytes(),
        "history": [{k: v for k, v in line.items() if k != "seconds"} for line in history],
        "integers": exported.read_bytes(),
    }


def position(folder):
    with safetensors.safe_open(folder / "progress.safetensors", framework="numpy") as file:
        progress = json.loads(file.metadata()["spikeloom"])["tree"]["progress"]
    return progress["epoch"], progress["batch"]


@pytest.fixture
def start(monkeypatch):
    """Start a verb in a process of its own, forked from one that has torch imported already."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["spikeloom.training", "sklearn.datasets"])

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["spikeloom", *map(str, arguments)])
        process = context.Process(target=main)
        process.start()
        return process

    return run


def test_three_kills_change_nothing(tmp_path, digits, start, spikeloom):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    settings = parse_config(RUN, source="run.toml")
    save_run(whole, settings, train_network(settings, digits))
    toml = tmp_path / "run.toml"
    toml.write_text(RUN)
    progress = killed / "progress.safetensors"
    places = [(1, 0)]
    for _ in range(3):
        before = progress.stat().st_ino if progress.exists() else None
        process = start("train", toml, "-o", killed)
        try:
            # The first save tells that the imports are over; then any moment will do.
            while process.is_alive():
                if progress.exists() and progress.stat().st_ino != before:
                    break
                time.sleep(0.005)
            time.sleep(random.uniform(0.02, 0.25))
        finally:
            process.kill()
        process.join()
        assert process.exitcode == -signal.SIGKILL
        places.append(position(killed))
    assert places == sorted(places)
    assert any(batch for _, batch in places), "no kill was in the middle of an epoch"
    last = spikeloom("train", toml, "-o", killed)
    assert last.exit_code == 0
    epoch, batch = places[-1]
    assert f"resuming {killed} at epoch {epoch}, batch {batch + 1}, after" in last.stderr
    assert left_behind(killed) == left_behind(whole)
    assert sorted(file.name for file in killed.iterdir()) == [
        "checkpoint.safetensors",
        "config.toml",
        "history.jsonl",
        "train.json",
    ]


@pytest.mark.parametrize("saves_first", [True, False], ids=["after its save", "before its save"])
@pytest.mark.parametrize(
    ("text", "after"),
    [
        pytest.param("", [1, 30, 23], id="adamw, momentum"),
        pytest.param(
            "[sparsity]\nregrow = 'random'\n[training]\noptimizer = 'sgd'\nlearning_rate = 0.05",
            [11, 23, 24],
            id="sgd, random regrowth",
        ),
        pytest.param(
            "[sparsity]\nratio = 'pq-global'\nregrow = 'gradient'\n"
            "[data.encoding]\nkind = 'rate'\n[quantization]\nscale = 'max'",
            [5, 40],
            id="gradient, rate code",
        ),
        pytest.param(
            "[sparsity]\nmethod = 'sap'\n[quantization]\nscale = 'learned'",
            [7, 19, 26],
            id="rewinding, learned scale",
        ),
        pytest.param(
            "[sparsity]\nmethod = 'pq-spike'\nstop_rule = 'turn'\nbanks = 4",
            [9, 29],
            id="drive, turn, banks",
        ),
    ],
)
def test_every_part_is_taken_up(tmp_path, digits, text, after, saves_first):
    settings = parse_config(text, source="x")
    short = replace(
        digits, train=digits.train.take(range(180)), validation=digits.validation.take(range(60))
    )
    settings = msgspec.structs.replace(
        settings,
        network=msgspec.structs.replace(settings.network, hidden=[12]),
        sparsity=msgspec.structs.replace(
            settings.sparsity, start_epoch=1, every_epochs=1, stop_epoch=4
        ),
        training=msgspec.structs.replace(
            settings.training, epochs=6, batch_size=15, dropout=0.2, rotation=5.0, noise=4.0,
            checkpoint_seconds=0.0,
        ),
    )  # fmt: skip
    save_run(tmp_path / "whole", settings, train_network(settings, short))
    folder = tmp_path / "killed"
    for batches in after:
        keeper = Mortal(folder, settings, short)
        keeper.left, keeper.saves_first = batches, saves_first
        with pytest.raises(Killed):
            train_network(settings, short, keeper=keeper)
    keeper = Keeper(folder, settings, short)
    done = sum(after) - (0 if saves_first else len(after))
    assert keeper.position == (1 + done // 12, done % 12) or keeper.position == (done // 12, 12)
    assert keeper.seconds > 0
    assert keeper.changes == []
    save_run(folder, settings, train_network(settings, short, keeper=keeper))
    assert left_behind(folder) == left_behind(tmp_path / "whole")


@pytest.fixture
def unfinished(tmp_path, config, digits):
    keeper = Mortal(tmp_path / "run", config, digits)
    keeper.left = 40
    with pytest.raises(Killed):
        train_network(config, digits, keeper=keeper)
    return tmp_path / "run"


def test_saving_within_an_epoch_waits_for_its_time(unfinished):
    assert position(unfinished) == (3, 0)


def test_history_follows_the_state(unfinished, config, digits):
    lines = (unfinished / "history.jsonl").read_text().splitlines()
    (unfinished / "history.jsonl").write_text("\n".join([*lines, *lines, lines[0][:30]]))
    keeper = Mortal(unfinished, config, digits)
    keeper.left = 1
    with pytest.raises(Killed):
        train_network(config, digits, keeper=keeper)
    assert (unfinished / "history.jsonl").read_text().splitlines() == lines
    assert [json.loads(line)["epoch"] for line in lines] == [1, 2]


def test_leftovers_of_a_killed_write_are_swept(unfinished, config, digits):
    stale = unfinished / ".progress.safetensors.0a1b2c3d.tmp"
    stale.write_bytes(b"half")
    keeper = Mortal(unfinished, config, digits)
    keeper.left = 1
    with pytest.raises(Killed):
        train_network(config, digits, keeper=keeper)
    assert not stale.exists()


def test_other_samples_are_refused(unfinished, config, digits):
    other = replace(digits, train=digits.train.take(range(100)))
    with pytest.raises(UserError, match="other samples of 'digits'"):
        Keeper(unfinished, config, other)


def test_what_has_changed_around_a_run_is_said(unfinished, config, digits, monkeypatch):
    monkeypatch.setattr("torch.__version__", "9.9.9")
    changes = Keeper(unfinished, config, digits).changes
    assert len(changes) == 1
    assert changes[0].startswith("torch was ")
    assert changes[0].endswith("now 9.9.9")


def test_a_state_that_does_not_fit_is_one_sentence(unfinished, config, digits):
    wider = msgspec.structs.replace(
        config, network=msgspec.structs.replace(config.network, hidden=[25])
    )
    with pytest.raises(UserError, match=r"does not fit its own header .*; begin anew") as refusal:
        train_network(wider, digits, keeper=Keeper(unfinished, wider, digits))
    assert "\n" not in str(refusal.value)
