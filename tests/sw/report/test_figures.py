"""What the pictures show: every curve under its own name, with its own numbers."""

from contextlib import contextmanager

import numpy as np
import pytest

from networks import random_events, random_network
from spikeloom.reference import simulate
from spikeloom.report import figures

NAMES = ("loss", "loss_validation", "accuracy", "accuracy_validation", "density", "synapses")
HISTORY = [
    {
        "epoch": epoch,
        # No two numbers of the history are alike.
        **{name: (at + 1) / 10 + epoch / 1000 for at, name in enumerate(NAMES)},
        "layers": [
            {
                name: (at + 1) / 10 + layer / 100 + epoch / 1000
                for at, name in enumerate(("density", "pq_index", "operations"))
            }
            for layer in range(2)
        ],
    }
    for epoch in (1, 2, 3)
]


def series(name):
    return [record[name] for record in HISTORY]


def of_layer(layer, name):
    return [record["layers"][layer][name] for record in HISTORY]


@pytest.fixture
def drawn(monkeypatch):
    """The axes of each picture, by its name."""
    kept, real = {}, figures.drawing

    @contextmanager
    def drawing(name, *arguments, **options):
        with real(name, *arguments, **options) as (done, axes):
            yield done, axes
            kept[name] = axes

    monkeypatch.setattr(figures, "drawing", drawing)
    return kept


def curves(axis):
    return {
        line.get_label(): (list(line.get_xdata()), list(line.get_ydata())) for line in axis.lines
    }


def test_learning_curves(drawn):
    assert figures.learning(HISTORY)
    loss, accuracy = drawn["learning"]
    for axis, name in ((loss, "loss"), (accuracy, "accuracy")):
        assert axis.get_title(loc="left") == name.capitalize()
        assert curves(axis) == {
            "training": ([1, 2, 3], series(name)),
            "validation": ([1, 2, 3], series(f"{name}_validation")),
        }
    colors = [[line.get_color() for line in axis.lines] for axis in (loss, accuracy)]
    assert colors[0] == colors[1] == list(figures.SERIES[:2])
    assert [text.get_text() for text in loss.get_legend().get_texts()] == ["training", "validation"]
    assert loss.get_ylim()[0] == 0
    low, high = accuracy.get_ylim()
    both = series("accuracy") + series("accuracy_validation")
    assert (low, high) == (pytest.approx(np.quantile(both, 0.1) - 0.05), 1.0)


def test_what_was_not_recorded_is_not_drawn(drawn):
    some = [{"epoch": at, "loss": 1.0 + at} for at in range(3)]
    some[1]["accuracy"] = 0.5
    assert figures.learning(some)
    loss, accuracy = drawn["learning"]
    assert curves(loss) == {"training": ([0, 1, 2], [1.0, 2.0, 3.0])}
    assert curves(accuracy) == {}
    assert figures.learning([{"epoch": 1}]) is None
    assert figures.sparsity([{"epoch": 1, "layers": []}], []) is None


def test_sparsity_curves(drawn):
    assert figures.sparsity(HISTORY, ["hidden", "readout"])
    density, index = drawn["sparsity"]
    for axis, name, title in (
        (density, "density", "Density"),
        (index, "pq_index", "PQ index of the weights"),
    ):
        assert axis.get_title(loc="left") == title
        assert curves(axis) == {
            "hidden": ([1, 2, 3], of_layer(0, name)),
            "readout": ([1, 2, 3], of_layer(1, name)),
        }


def test_a_layer_without_a_name_has_its_number(drawn):
    figures.sparsity(HISTORY, ["hidden"])
    assert list(curves(drawn["sparsity"][0])) == ["hidden", "1"]


def test_compression(drawn):
    points = ((0.5, 0.7, 9.0), (0.5, 0.9, 8.0), (0.2, 0.6, 4.0), (0.2, 0.5, 3.0))
    history = [
        {
            "density": density,
            "accuracy_validation": accuracy,
            "layers": [{"operations": operations}, {"operations": 2 * operations}],
        }
        for density, accuracy, operations in points
    ]
    assert figures.compression(history)
    density, operations = drawn["compression"]
    # The line joins the best epoch of each density, lowest density first.
    assert list(density.lines[0].get_xdata()) == [0.2, 0.5]
    assert list(density.lines[0].get_ydata()) == [0.6, 0.9]
    assert list(operations.lines[0].get_xdata()) == [12.0, 24.0]
    assert list(operations.lines[0].get_ydata()) == [0.6, 0.9]
    dots = density.collections[0].get_offsets().tolist()
    assert dots == [[0.5, 0.7], [0.5, 0.9], [0.2, 0.6], [0.2, 0.5]]
    assert [axis.get_xlabel() for axis in (density, operations)] == [
        "density",
        "operations a sample",
    ]
    assert figures.compression([{"density": 0.5}]) is None
    assert figures.compression([{"accuracy_validation": 0.5}]) is None


@pytest.fixture
def network():
    return random_network(np.random.default_rng(3), (12, 9, 4), readout="count")


def test_weights(drawn, network):
    figures.weights(network)
    for axis, layer in zip(drawn["weights"], network.layers, strict=True):
        bars = {round(bar.get_x() + 0.4): bar.get_height() for bar in axis.patches}
        expected = {
            value: int((layer.weight == value).sum()) for value in set(layer.weight.tolist())
        }
        assert bars == expected
        assert axis.get_title(loc="left") == f"{layer.name}: {layer.synapses:,} synapses"


@pytest.mark.parametrize("sample", [0, 2])
def test_raster(drawn, network, sample):
    trace = simulate(network, random_events(np.random.default_rng(1), network, 3))
    figures.raster(network, trace, sample)
    *trains, scores = drawn["raster"]
    shown = (trace.events[sample], trace.spikes[0][sample], trace.spikes[1][sample])
    names = ("input", "layer0", "layer1")
    for axis, spikes, name in zip(trains, shown, names, strict=True):
        dots = {tuple(map(int, place)) for place in axis.collections[0].get_offsets()}
        assert dots == {tuple(map(int, place)) for place in np.argwhere(spikes)}
        assert axis.get_title(loc="left") == f"{name}: {spikes.sum()} events"
    assert [bar.get_width() for bar in scores.patches] == trace.scores[sample].tolist()
    assert scores.get_title(loc="left") == f"scores: class {trace.predictions[sample]}"
    colors = [bar.get_facecolor() for bar in scores.patches]
    best = trace.predictions[sample]
    assert [at for at, color in enumerate(colors) if color == colors[best]] == [best]
