"""Networks that are graphs: trained, kept, exported, evaluated, by every method."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest
import torch

from spikeloom.config import METHODS, parse_config
from spikeloom.evaluation import evaluate_split
from spikeloom.image import load_image
from spikeloom.neurons import ShiftLeak
from spikeloom.nn import GraphNetwork
from spikeloom.training import (
    Keeper,
    checked_image,
    compare,
    save_run,
    to_image,
    train_network,
)

LISTS = """
    [[network.populations]]
    name = "rec"
    neurons = 12
    neuron = {kind = "cuba-lif", current_leak = {kind = "shift", shift = 1}, reset = "subtract"}
    [[network.populations]]
    name = "readout"
    [[network.connections]]
    source = "input"
    target = "rec"
    [[network.connections]]
    source = "rec"
    target = "rec"
    delay = 1
    [[network.connections]]
    source = "rec"
    target = "readout"
"""

MAPS = """
    [[network.populations]]
    name = "a"
    channels = 6
    [[network.populations]]
    name = "b"
    channels = 6
    [[network.populations]]
    name = "pool"
    neuron = {kind = "relay"}
    [[network.populations]]
    name = "readout"
    [[network.connections]]
    source = "input"
    target = "a"
    kind = "conv2d"
    padding = 1
    [[network.connections]]
    source = "a"
    target = "b"
    name = "b"
    kind = "conv2d"
    padding = 1
    [[network.connections]]
    source = "a"
    target = "b"
    name = "branch"
    kind = "identity"
    shift = 2
    [[network.connections]]
    source = "b"
    target = "pool"
    kind = "sum_pool2d"
    kernel = 2
    stride = 2
    [[network.connections]]
    source = "pool"
    target = "readout"
    [sparsity]
    exempt = ["a"]
"""


def settings(tables, *, code="direct", epochs=3, steps=4, extra=""):
    return f"""
    [data]
    time_steps = {steps}
    encoding = {{kind = "{code}"}}
    [network]
    membrane_bits = 16
    readout_membrane_bits = 16
    {tables}
    {"" if "[sparsity]" in tables else "[sparsity]"}
    density = 0.4
    start_epoch = 1
    every_epochs = 1
    stop_epoch = 2
    {extra}
    [quantization]
    scale = "max"
    per_channel = true
    [training]
    epochs = {epochs}
    batch_size = 64
    checkpoint_seconds = 0.0
    """


@pytest.fixture(scope="module")
def few(digits):
    """A hundred samples or so of each split."""
    return replace(
        digits,
        **{
            name: digits.split(name).take(np.arange(128))
            for name in ("train", "validation", "test")
        },
    )


CASES = [
    pytest.param(MAPS, "direct", id="convolutions, a branch, pooling, values"),
    pytest.param(MAPS, "latency", id="the same from events"),
    pytest.param(LISTS, "rate", id="recurrence and currents"),
    pytest.param(LISTS, "delta", id="recurrence on frames"),
]


@pytest.mark.parametrize(("tables", "code"), CASES)
def test_a_trained_graph_is_its_image(few, tables, code, tmp_path):
    config = parse_config(settings(tables, code=code), source="run.toml")
    trained = train_network(config, few)
    assert isinstance(trained.network, GraphNetwork)
    _, compared = checked_image(config, trained.network, few)
    assert all(result.identical for result in compared.values())
    assert compared["test"].samples == len(few.test)
    # Something has spiked, or equality would say nothing.
    assert min(compared["test"].evaluation.operations) > 0


def test_a_wrong_threshold_or_current_is_found(few):
    config = parse_config(settings(LISTS, code="rate", epochs=2), source="run.toml")
    network = train_network(config, few).network
    image = to_image(network, config)
    graph = image.graph
    for changed in (
        {"threshold": graph.populations[1].threshold + 1},
        {"neuron": replace_leak(graph.populations[1].neuron)},
    ):
        other = replace(graph.populations[1], **changed)
        populations = (graph.populations[0], other, graph.populations[2])
        wrong = replace(image, graph=replace(graph, populations=populations))
        result = compare(network, wrong, few.validation)
        assert not result.identical
        assert result.first is not None
        assert result.first.layer == 0


def replace_leak(neuron):
    return msgspec.structs.replace(neuron, current_leak=ShiftLeak(shift=2))


def test_populations_that_make_no_spike_are_named(few):
    config = parse_config(settings(MAPS, epochs=2), source="run.toml")
    trained = train_network(config, few)
    image = to_image(trained.network, config)
    source, a, b, *others = image.graph.populations
    b = replace(b, threshold=np.full_like(b.threshold, 1 << 14))
    mute = replace(image, graph=replace(image.graph, populations=(source, a, b, *others)))
    assert evaluate_split(image, few.validation).silent(image) == []
    # The pool behind it has nothing to pass on; the branch beside it still drives `b`.
    assert evaluate_split(mute, few.validation).silent(mute) == ["b", "pool"]


def test_connections_share_the_scale_of_their_target(few):
    config = parse_config(settings(MAPS, epochs=2), source="run.toml")
    network = train_network(config, few).network
    assert isinstance(network, GraphNetwork)
    convolution, branch = (layer for layer in network.layers if layer.target == "b")
    unit = convolution.unit()
    assert torch.equal(unit, branch.unit())
    assert unit.shape == (6,)
    largest = torch.maximum(
        convolution.integers().weight.abs().amax(dim=(1, 2, 3)),
        branch.integers().weight.abs().reshape(-1),
    )
    # One of them uses the whole range of each channel.
    assert largest.tolist() == [7] * 6


def test_exempt_connections_stay_dense_and_others_reach_their_density(few):
    config = parse_config(settings(MAPS, epochs=4), source="run.toml")
    network = train_network(config, few).network
    assert {layer.name for layer in network.sparse_layers} == {"b", "readout"}
    dense = {layer.name: bool(layer.mask.all()) for layer in network.layers}
    assert dense == {"a": True, "b": False, "branch": True, "readout": False}
    active = sum(int(layer.mask.sum()) for layer in network.sparse_layers)
    places = sum(layer.mask.numel() for layer in network.sparse_layers)
    assert active < 0.5 * places


@pytest.mark.parametrize("method", METHODS)
def test_every_method_rewires_convolutions(few, method):
    config = parse_config(settings(MAPS, epochs=3), source="run.toml", method=method)
    trained = train_network(config, few)
    for layer in trained.network.sparse_layers:
        assert not layer.weight[~layer.mask].any()
        assert layer.weight[layer.mask].any()
    image = to_image(trained.network, config)
    assert compare(trained.network, image, few.validation).identical


class Killed(BaseException):
    pass


class Mortal(Keeper):
    """Dies after the batches that it is given."""

    left = 4

    def after_batch(self, state):
        super().after_batch(state)
        self.left -= 1
        if not self.left:
            raise Killed


@pytest.mark.parametrize("tables", [MAPS, LISTS], ids=["maps", "lists"])
def test_a_killed_run_goes_on_bit_for_bit(few, tables, tmp_path):
    config = parse_config(settings(tables, code="latency"), source="run.toml")
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    save_run(whole, config, train_network(config, few))
    with pytest.raises(Killed):
        train_network(config, few, keeper=Mortal(killed, config, few))
    save_run(killed, config, train_network(config, few, keeper=Keeper(killed, config, few)))
    names = [folder / "checkpoint.safetensors" for folder in (whole, killed)]
    assert names[0].read_bytes() == names[1].read_bytes()


def test_the_verbs_work_on_a_graph_and_those_of_hardware_refuse_it(spikeloom, document, tmp_path):
    toml, run = tmp_path / "run.toml", tmp_path / "run"
    toml.write_text(settings(MAPS, epochs=2))
    assert spikeloom("train", toml, "-o", run).exit_code == 0
    exported = document(spikeloom("export", run, "--json"))
    assert exported["torch_vs_reference"]["spike_mismatches"] == 0
    assert exported["torch_vs_reference"]["samples"] > 600
    evaluated = document(spikeloom("evaluate", run, "--json"))
    assert evaluated["silent"] == exported["silent"] == []
    assert evaluated["accuracy"] == exported["accuracy"]["test"]
    inspected = document(spikeloom("inspect", run, "--json"))
    names = [own["name"] for own in inspected["populations"]]
    assert names == ["input", "a", "b", "pool", "readout"]
    assert "identity" in spikeloom("inspect", run).stdout
    image = load_image(run / "network.safetensors")
    assert image.synapses == exported["synapses"] == inspected["synapses"]
    for verb in (
        ("estimate", run, "--target", "icebreaker"),
        ("generate", run, "--target", "icebreaker", "-o", tmp_path / "out"),
        ("verify", run),
        ("synth", run, "--target", "icebreaker"),
    ):
        refused = spikeloom(*verb)
        assert refused.exit_code == 2, verb
        assert "no chain of fully connected layers" in refused.stderr
        assert "no chain of fully connected layers" in refused.stderr.splitlines()[-1]
