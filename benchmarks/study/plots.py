"""The study's figures, as SVG files that read well on a light and on a dark page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np

mpl.use("Agg")

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, MultipleLocator, NullLocator
from numpy.typing import NDArray

from spikeloom.files import atomic_file
from study.statistics import mean_interval

__all__ = ["ARMS", "FEWEST_SEEDS", "accuracy_plot", "curve_plot", "difference_plot"]

Floats = NDArray[np.float64]

GREY = "#7a7a7a"
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "spikeloom",
    "font.family": "sans-serif",
    "font.size": 9,
    "text.color": GREY,
    "axes.edgecolor": GREY,
    "axes.labelcolor": GREY,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "legend.frameon": False,
}


ARMS: Mapping[str, tuple[str, str]] = {
    "pq-layer": ("#1f77b4", "o"),
    "pq-neuron": ("#6baed6", "p"),
    "pq-spike": ("#17becf", "h"),
    "constant": ("#ff7f0e", "s"),
    "static": ("#8c564b", "v"),
    "set": ("#2ca02c", "^"),
    "rigl": ("#98c24b", "D"),
    "esl": ("#bcbd22", "P"),
    "sap": ("#d62728", "X"),
    "one-shot": ("#e377c2", "<"),
    "iterative": ("#9467bd", ">"),
}
"""Color and marker; arms that work alike have colors alike."""

FEWEST_SEEDS = 3
"""With fewer a mean is shown without its interval, a difference not at all."""

ERRORS = (1, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 40, 60, 80)
"""Where an axis of accuracies has its ticks, in %."""

POINTS = 60
"""Densities of a curve."""


def accuracy_plot(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Mean test accuracy against density, a line an arm, with 95 % t-intervals.

    Dense is one network, a line across; a hollow mark has too few seeds. Errors are on a log
    scale, since a half of few is as much as a half of many.

    Args:
        path: of the SVG.
        rows: `arms` of a part in the summary.
    """
    rows = [row for row in rows if not row["banks"]]
    densities = sorted({row["density"] for row in rows})
    arms = [arm for arm in ARMS if any(row["arm"] == arm for row in rows)]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.2, 4.4), layout="constrained")
        axis = figure.add_subplot()
        if dense := [row["test"] for row in rows if row["arm"] == "dense"]:
            _across(axis, dense[0])
        for number, arm in enumerate(arms):
            own = sorted((row for row in rows if row["arm"] == arm), key=lambda row: row["density"])
            # Side by side, so that intervals do not hide one another.
            _line(axis, arm, own, 1.014 ** (number - len(arms) / 2))
        axis.set_xscale("log")
        axis.set_xticks(densities, [f"{density:.0%}" for density in densities], minor=False)
        axis.set_xticks([], minor=True)
        axis.set_xlabel("density of synapses")
        axis.set_yscale("log")
        axis.invert_yaxis()
        errors = [1 - row["test"]["mean"] for row in rows]
        wide = max(errors) > 2 * min(errors)
        axis.yaxis.set_major_locator(FixedLocator(ERRORS) if wide else MultipleLocator(0.2))
        axis.yaxis.set_major_formatter(lambda error, _: f"{100 - error:g}")
        axis.yaxis.set_minor_locator(NullLocator())
        axis.set_ylabel("test accuracy, %")
        figure.legend(*axis.get_legend_handles_labels(), loc="outside right upper")
        _save(figure, path)


def difference_plot(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Paired differences from `pq-layer` with 95 % t-intervals, a panel a density.

    What has too few pairs of seeds is left out.

    Args:
        path: of the SVG.
        rows: `differences_from_pq_layer` of a part in the summary.
    """
    rows = [row for row in rows if row["pq_layer_minus_arm"]["n"] >= FEWEST_SEEDS]
    densities = sorted({row["density"] for row in rows}, reverse=True)
    arms = [arm for arm in ARMS if any(row["arm"] == arm for row in rows)]
    if not arms:
        return
    with mpl.rc_context(STYLE):
        height = 0.9 + 0.24 * len(arms)
        figure = Figure(figsize=(7.2, height), layout="constrained")
        panels = figure.subplots(1, len(densities), sharey=True, squeeze=False)[0]
        for axis, density in zip(panels, densities, strict=True):
            axis.axvline(0, color=GREY, linewidth=0.8)
            for row in rows:
                if row["density"] == density and row["arm"] in arms:
                    _point(axis, arms.index(row["arm"]), row)
            axis.set_title(f"{density:.0%}", fontsize=9, color=GREY)
            axis.set_ylim(len(arms) - 0.5, -0.5)
        panels[0].set_yticks(range(len(arms)), arms)
        figure.supxlabel("test accuracy less that of pq-layer, points", fontsize=9, color=GREY)
        _save(figure, path)


def curve_plot(path: Path, traces: Sequence[Sequence[Sequence[float]]]) -> None:
    """The paper's curve: accuracy and PQ index against density, while runs compress.

    Of each density the last epoch counts, which is trained at it the longest.

    Args:
        path: of the SVG.
        traces: of each seed, [density, validation accuracy, PQ index of each layer] an epoch.
    """
    settled = [np.array([last for _, last in _last_of_each_density(trace)]) for trace in traces]
    lowest = max(float(trace[-1, 0]) for trace in settled)
    highest = min(float(trace[0, 0]) for trace in settled)
    densities = np.geomspace(highest, lowest, POINTS)
    # Of each seed [points, accuracy and indices]; a trace's density falls.
    curves = np.stack(
        [
            np.stack([np.interp(-densities, -trace[:, 0], column) for column in trace[:, 1:].T], 1)
            for trace in settled
        ]
    )
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.2, 5.0), layout="constrained")
        above, below = figure.subplots(2, 1, sharex=True)
        _band(above, densities, 100 * curves[:, :, 0], "validation accuracy")
        above.set_ylabel("validation accuracy, %")
        layers = curves.shape[2] - 1
        for layer in range(layers):
            name = "readout" if layer == layers - 1 else f"hidden layer {layer + 1}"
            _band(below, densities, curves[:, :, 1 + layer], name)
        below.set_ylabel("PQ index")
        below.set_ylim(bottom=0)
        below.set_xlabel("density of synapses, falling as the run goes on")
        below.legend()
        below.set_xscale("log")
        ticks = [tick for tick in (0.5, 0.2, 0.1, 0.05, 0.02) if lowest * 0.99 <= tick]
        below.set_xticks(ticks, [f"{tick:.0%}" for tick in ticks], minor=False)
        below.set_xticks([], minor=True)
        below.set_xlim(highest * 1.02, lowest * 0.98)
        _save(figure, path)


def _last_of_each_density(
    trace: Sequence[Sequence[float]],
) -> Iterator[tuple[float, Sequence[float]]]:
    for density, epochs in groupby(trace, key=lambda epoch: epoch[0]):
        yield density, list(epochs)[-1]


def _across(axis: Axes, test: Mapping[str, Any]) -> None:
    error = 100 * (1 - test["mean"])
    axis.axhline(error, color=GREY, linestyle="--", linewidth=1.2, label="dense")
    if test["low"] is not None:
        low, high = (100 * (1 - test[end]) for end in ("high", "low"))
        axis.axhspan(low, high, color=GREY, alpha=0.15, linewidth=0)


def _line(axis: Axes, arm: str, rows: Sequence[Mapping[str, Any]], aside: float) -> None:
    tests = [row["test"] for row in rows]
    few = [test["n"] < FEWEST_SEEDS for test in tests]
    half = [
        0.0 if hollow else 100 * (test["mean"] - test["low"])
        for test, hollow in zip(tests, few, strict=True)
    ]
    color, marker = ARMS[arm]
    primary = arm in ("pq-layer", "constant")
    places = [aside * row["density"] for row in rows]
    means = [100 * (1 - test["mean"]) for test in tests]
    for place, mean, hollow in zip(places, means, few, strict=True):
        if not hollow:
            axis.plot(place, mean, color=color, marker=marker, markersize=5, zorder=4)
    axis.errorbar(
        places,
        means,
        half,
        label=arm,
        color=color,
        marker=marker,
        markersize=5,
        markerfacecolor="none",
        elinewidth=0.8,
        linewidth=2.2 if primary else 1.0,
        zorder=3 if primary else 2,
    )


def _point(axis: Axes, place: int, row: Mapping[str, Any]) -> None:
    difference = row["pq_layer_minus_arm"]
    half = 100 * (difference["mean"] - difference["low"])
    color, marker = ARMS[row["arm"]]
    axis.errorbar(
        [-100 * difference["mean"]],
        [place],
        xerr=half,
        color=color,
        marker=marker,
        markersize=4,
        elinewidth=1.2,
        linestyle="none",
    )


def _band(axis: Axes, x: Floats, seeds: Floats, label: str) -> None:
    """Mean and 95 % t-interval over seeds, [seeds, points]."""
    values = [mean_interval([float(own) for own in column]) for column in np.transpose(seeds)]
    (line,) = axis.plot(x, [value["mean"] for value in values], label=label)
    if values[0]["low"] is not None:
        lows, highs = ([value[end] for value in values] for end in ("low", "high"))
        axis.fill_between(x, lows, highs, color=line.get_color(), alpha=0.2, linewidth=0)


def _save(figure: Figure, path: Path) -> None:
    with atomic_file(path) as temporary:
        figure.savefig(temporary, format="svg", transparent=True, metadata={"Date": None})
