import json
from dataclasses import replace

import msgspec
import pytest
import torch

from spikeloom.config import parse_config
from spikeloom.errors import UserError
from spikeloom.training import train_network
from spikeloom.training.device import choose_device
from spikeloom.training.measure import measure


def state_of(trained):
    return trained.network.state_dict()


def test_it_learns_sparsely(trained):
    first, chosen = trained.history[0], trained.history[trained.epoch - 1]
    assert chosen["accuracy_validation"] > 0.75
    assert chosen["loss"] < first["loss"]
    assert trained.history[0]["density"] == pytest.approx(0.5, abs=0.001)
    assert trained.history[-1]["density"] == pytest.approx(0.35, abs=0.001)
    for layer in trained.network.layers:
        assert (layer.weight[~layer.mask] == 0).all()


def test_the_choice_is_the_best_epoch_after_the_last_rewiring(trained):
    last = max(e["epoch"] for e in trained.history if any(la["pruned"] for la in e["layers"]))
    assert last == 5
    # The rewiring regrew: its own epoch ends with synapses that are still 0.
    assert any(la["regrown"] for la in trained.history[last - 1]["layers"])
    eligible = [e for e in trained.history if e["epoch"] > last]
    best = max(eligible, key=lambda e: (e["accuracy_validation"], -e["loss_validation"]))
    assert trained.epoch == best["epoch"]


def test_the_network_is_that_of_the_chosen_epoch(trained, config, digits):
    result = measure(
        trained.network,
        digits.validation,
        encoding=config.data.encoding,
        time_steps=config.data.time_steps,
    )
    chosen = trained.history[trained.epoch - 1]
    assert result.accuracy == chosen["accuracy_validation"]
    assert list(result.operations) == [layer["operations"] for layer in chosen["layers"]]


def test_two_runs_end_bit_identical_and_another_seed_does_not(trained, config, digits):
    again = train_network(config, digits)
    for name, value in state_of(trained).items():
        assert torch.equal(value, state_of(again)[name]), name
    without_time = [
        [{k: v for k, v in e.items() if k != "seconds"} for e in run.history]
        for run in (trained, again)
    ]
    assert without_time[0] == without_time[1]
    other = msgspec.structs.replace(
        config, training=msgspec.structs.replace(config.training, seed=12, epochs=1),
        sparsity=msgspec.structs.replace(config.sparsity, stop_epoch=0),
    )  # fmt: skip
    weights = state_of(train_network(other, digits))["chain.0.linear.weight"]
    assert not torch.equal(weights, state_of(trained)["chain.0.linear.weight"])


def test_the_test_split_is_never_touched(config, digits):
    class Untouchable:
        def __getattr__(self, name):
            raise AssertionError(f"training looked at test.{name}")

    short = msgspec.structs.replace(
        config, training=msgspec.structs.replace(config.training, epochs=5)
    )
    hidden = replace(digits, test=Untouchable())
    # What names the samples was taken when they were loaded.
    vars(hidden)["identity"] = digits.identity
    assert train_network(short, hidden).epoch >= 1


def test_each_epoch_is_recorded_and_told(config, digits):
    told = []
    short = msgspec.structs.replace(
        config,
        training=msgspec.structs.replace(config.training, epochs=3),
        sparsity=msgspec.structs.replace(config.sparsity, stop_epoch=3),
    )
    run = train_network(short, digits, told.append)
    assert list(run.history) == told == json.loads(json.dumps(told))
    assert [e["epoch"] for e in told] == [1, 2, 3]
    for record in told:
        assert len(record["layers"]) == 2
        assert record["synapses"] == sum(layer["synapses"] for layer in record["layers"])
        for layer in record["layers"]:
            assert 0 < layer["pq_index"] < 1
            assert layer["operations"] > 0


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("[network]\nreadout = 'count'", id="count"),
        pytest.param("[network]\nbias = true", id="bias"),
        pytest.param("[network]\nreset = 'zero'", id="reset to zero"),
        pytest.param("[network]\nhidden = [20, 16]", id="two hidden layers"),
        pytest.param("[network]\nhidden = []", id="no hidden layer"),
        pytest.param("[sparsity]\nratio = 'pq-neuron'", id="neuron-wise"),
        pytest.param("[sparsity]\nratio = 'pq-global'", id="global"),
        pytest.param("[sparsity]\nratio = 'constant'", id="constant"),
        pytest.param("[sparsity]\nregrow = 'gradient'", id="regrown by gradient"),
        pytest.param("[quantization]\nscale = 'learned'", id="learned scale"),
        pytest.param("[training]\noptimizer = 'sgd'\nlearning_rate = 0.05", id="sgd"),
        pytest.param("[training]\nactivity = 0.1", id="activity"),
        pytest.param("[training]\ndropout = 0.1", id="dropout"),
        pytest.param("[training]\nnoise = 9.0", id="noise"),
        pytest.param("[data.encoding]\nkind = 'rate'", id="rate code"),
        pytest.param("[data.encoding]\nkind = 'multithreshold'\nlevels = 2", id="thresholds"),
        pytest.param("[network.leak]\nkind='decay'\nmultiplier=3\nfraction_bits=4", id="decay"),
    ],
)
def test_every_part_trains(digits, plain, text):
    """One part a case: beside another, it could be missing and not be missed."""
    run = train_network(short(text), digits)
    assert run.history[-1]["loss"] < run.history[0]["loss"]
    assert run.history[-1]["density"] < 0.5
    # The part takes part: without it, the same seed comes to other weights.
    ours, theirs = state_of(run), state_of(plain)
    assert ours.keys() != theirs.keys() or not all(
        torch.equal(value, theirs[name]) for name, value in ours.items()
    )


def short(text):
    settings = parse_config(text, source="x")
    return msgspec.structs.replace(
        settings,
        training=msgspec.structs.replace(settings.training, epochs=3, schedule="constant"),
        sparsity=msgspec.structs.replace(settings.sparsity, start_epoch=1, stop_epoch=2),
        data=msgspec.structs.replace(settings.data, time_steps=4),
    )


@pytest.fixture(scope="module")
def plain(digits):
    """The same short training without any part."""
    return train_network(short(""), digits)


def test_a_gpu_that_is_not_there(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device("auto").type == "cpu"
    with pytest.raises(UserError, match="torch sees no GPU"):
        choose_device("cuda")
