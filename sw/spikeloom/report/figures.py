"""The report's pictures; each function returns one inline SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, PercentFormatter
from numpy.typing import NDArray

from spikeloom.image import NetworkImage
from spikeloom.reference import Trace
from spikeloom.report.svg import INK, MUTED, SERIES, drawing

History = Sequence[Mapping[str, Any]]


def learning(history: History) -> str | None:
    """Loss and accuracy over the epochs; None when neither was recorded."""
    parts = ("training", ""), ("validation", "_validation")
    curves = {
        key: [(name, values) for name, end in parts if (values := _series(history, key + end))]
        for key in ("loss", "accuracy")
    }
    if not any(curves.values()):
        return None
    with drawing("learning", 2) as (done, axes):
        for axis, (key, lines) in zip(axes, curves.items(), strict=True):
            axis.set_title(key.capitalize())
            _epochs(axis)
            for color, (name, values) in zip(SERIES, lines, strict=False):
                axis.plot(_epoch(history), values, color=color, label=name)
        axes[0].set_ylim(bottom=0)
        axes[0].legend()
        axes[1].yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        if values := [value for _, line in curves["accuracy"] for value in line]:
            axes[1].set_ylim(max(0.0, float(np.quantile(values, 0.1)) - 0.05), 1.0)
    return done[0]


def sparsity(history: History, names: Sequence[str]) -> str | None:
    """Density and PQ index of each layer over the epochs; None when neither was recorded."""
    curves = [_layers(history, key) for key in ("density", "pq_index")]
    if not any(curves):
        return None
    with drawing("sparsity", 2) as (done, axes):
        titles = ("Density", "PQ index of the weights")
        for axis, lines, title in zip(axes, curves, titles, strict=True):
            axis.set_title(title)
            _epochs(axis)
            for layer, line in enumerate(lines):
                label = names[layer] if layer < len(names) else str(layer)
                axis.plot(_epoch(history), line, color=SERIES[layer % 4], label=label)
        axes[0].yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        axes[0].set_ylim(bottom=0)
        axes[0].legend()
    return done[0]


def compression(history: History) -> str | None:
    """Validation accuracy against density and against operations; None when not recorded.

    A dot is an epoch; the line joins the best epoch of each density.
    """
    accuracy = _series(history, "accuracy_validation")
    density = _series(history, "density")
    operations = [sum(line) for line in zip(*_layers(history, "operations"), strict=True)]
    if not accuracy or not density:
        return None
    panels = [("density", density)] + ([("operations a sample", operations)] if operations else [])
    best: dict[float, int] = {}
    for epoch, (share, value) in enumerate(zip(density, accuracy, strict=True)):
        if share not in best or value > accuracy[best[share]]:
            best[share] = epoch
    line = [best[share] for share in sorted(best)]
    with drawing("compression", len(panels)) as (done, axes):
        for axis, (name, values) in zip(axes, panels, strict=True):
            axis.set_title(f"Validation accuracy against {name}")
            axis.scatter(values, accuracy, s=9, linewidths=0, color=MUTED, alpha=0.6)
            axis.plot([values[i] for i in line], [accuracy[i] for i in line], color=SERIES[0])
            axis.set_xlabel(name)
            axis.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
            axis.set_ylim(max(0.0, float(np.quantile(accuracy, 0.1)) - 0.05), 1.0)
        axes[0].xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    return done[0]


def weights(image: NetworkImage) -> str:
    """How often each integer weight occurs, by layer."""
    layers = [layer for layer in image.layers if layer.synapses]
    with drawing("weights", max(1, len(layers))) as (done, axes):
        for number, (axis, layer) in enumerate(zip(axes, layers, strict=False)):
            values, counts = np.unique(layer.weight, return_counts=True)
            axis.bar(values, counts, width=0.8, color=SERIES[number % 4])
            axis.set_title(f"{layer.name}: {layer.synapses:,} synapses")
            axis.set_xlabel("weight")
            axis.grid(visible=False, axis="x")
            axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    return done[0]


def raster(
    image: NetworkImage, trace: Trace, sample: int = 0, class_names: Sequence[str] = ()
) -> str:
    """Every spike of one sample: input and spiking layers over the steps, then the scores."""
    spiking = [number for number, layer in enumerate(image.layers) if layer.spiking]
    trains = [("input", trace.events[sample])]
    trains += [(image.layers[n].name, trace.spikes[n][sample]) for n in spiking]
    with drawing("raster", len(trains) + 1, height=3.4) as (done, axes):
        for number, (axis, (name, train)) in enumerate(zip(axes, trains, strict=False)):
            _raster(axis, train, SERIES[number % 4])
            axis.set_title(f"{name}: {int(train.sum())} events")
        _scores(axes[-1], trace, class_names or range(image.outputs), sample)
    return done[0]


def _raster(axis: Axes, train: NDArray[np.bool_], color: str) -> None:
    step, neuron = np.nonzero(train)
    axis.scatter(step, neuron, marker="s", s=14, linewidths=0, color=color)
    axis.set_xlim(-0.5, train.shape[0] - 0.5)
    axis.set_ylim(-1, train.shape[1])
    axis.set_xlabel("step")
    axis.set_ylabel("neuron")
    axis.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))


def _scores(axis: Axes, trace: Trace, names: Sequence[object], sample: int) -> None:
    scores, best = trace.scores[sample], int(trace.predictions[sample])
    colors = [SERIES[0] if label == best else MUTED for label in range(len(scores))]
    axis.barh(np.arange(len(scores)), scores, height=0.7, color=colors)
    axis.axvline(0, color=INK, linewidth=0.6)
    axis.set_title(f"scores: class {names[best]}")
    axis.set_xlabel("score")
    axis.set_ylabel("class")
    axis.grid(visible=False, axis="y")
    if len(scores) <= 12:
        axis.set_yticks(np.arange(len(scores)), labels=[str(name) for name in names])


def _epoch(history: History) -> list[int]:
    return [int(line.get("epoch", number)) for number, line in enumerate(history)]


def _epochs(axis: Axes) -> None:
    axis.set_xlabel("epoch")
    axis.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
    axis.margins(x=0)


def _series(history: History, key: str) -> list[float]:
    """One value an epoch; empty when an epoch did not record it."""
    values = [line.get(key) for line in history]
    return (
        []
        if any(value is None for value in values)
        else [float(v) for v in values if v is not None]
    )


def _layers(history: History, key: str) -> list[list[float]]:
    """For each layer one value an epoch."""
    lines = [_series(line.get("layers", ()), key) for line in history]
    return [list(line) for line in zip(*lines, strict=False)]
