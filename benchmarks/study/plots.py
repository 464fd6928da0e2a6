"""The study's figures, as SVG files that read well on a light and on a dark page."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spikeloom.files import atomic_file
from study.statistics import mean_interval

__all__ = ["accuracy_plot", "curve_plot"]

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


def accuracy_plot(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Mean test accuracy against density, a line an arm, with 95 % t-intervals.

    Args:
        rows: `arms` of a part in the summary.
        path: of the SVG.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.2, 4.2), layout="constrained")
        axis = figure.add_subplot()
        colors = mpl.colormaps["tab20"]
        arms = list(dict.fromkeys(row["arm"] for row in rows if not row["banks"]))
        for number, arm in enumerate(arms):
            own = sorted(
                (row for row in rows if row["arm"] == arm and not row["banks"]),
                key=lambda row: row["density"],
            )
            _line(axis, arm, own, colors(number % 20))
        axis.set_xscale("log")
        densities = sorted({row["density"] for row in rows})
        axis.set_xticks(densities, [f"{density:.0%}" for density in densities], minor=False)
        axis.set_xticks([], minor=True)
        axis.set_xlabel("density of synapses")
        axis.set_ylabel("test accuracy, %")
        figure.legend(*axis.get_legend_handles_labels(), loc="outside right upper")
        _save(figure, path)


def curve_plot(traces: Sequence[Sequence[Sequence[float]]], path: Path) -> None:
    """The paper's curve: accuracy and PQ index while one run compresses.

    Args:
        traces: of each seed, [density, validation accuracy, PQ index of each layer] an epoch.
        path: of the SVG.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.2, 5.2), layout="constrained")
        above, below = figure.subplots(2, 1, sharex=True)
        length = min(len(trace) for trace in traces)
        epochs = range(1, length + 1)
        layers = len(traces[0][0]) - 2
        accuracies = [
            mean_interval([100 * trace[epoch][1] for trace in traces]) for epoch in range(length)
        ]
        _band(above, epochs, accuracies, "validation accuracy")
        above.set_ylabel("validation accuracy, %")
        for layer in range(layers):
            values = [
                mean_interval([trace[epoch][2 + layer] for trace in traces])
                for epoch in range(length)
            ]
            _band(below, epochs, values, f"layer {layer + 1}")
        below.set_ylabel("PQ index")
        below.set_xlabel("epoch")
        below.legend()
        twin = above.secondary_xaxis("top")
        ticks = list(epochs)[:: max(1, length // 8)]
        mean = [statistics.fmean(trace[tick - 1][0] for trace in traces) for tick in ticks]
        twin.set_xticks(ticks, [f"{density:.0%}" for density in mean])
        twin.set_xlabel("density")
        _save(figure, path)


def _line(axis: Axes, arm: str, rows: Sequence[Mapping[str, Any]], color: Any) -> None:
    tests = [row["test"] for row in rows]
    half = [0.0 if test["low"] is None else 100 * (test["mean"] - test["low"]) for test in tests]
    axis.errorbar(
        [row["density"] for row in rows],
        [100 * test["mean"] for test in tests],
        half,
        label=arm,
        color=color,
        marker="o",
        markersize=3,
        capsize=2,
        linestyle="--" if arm == "dense" else "-",
        linewidth=2.4 if arm in ("pq-layer", "constant") else 1.2,
    )


def _band(axis: Axes, x: Sequence[int], values: Sequence[Mapping[str, Any]], label: str) -> None:
    (line,) = axis.plot(x, [value["mean"] for value in values], label=label)
    if values[0]["low"] is not None:
        lows, highs = ([value[end] for value in values] for end in ("low", "high"))
        axis.fill_between(x, lows, highs, color=line.get_color(), alpha=0.2, linewidth=0)


def _save(figure: Figure, path: Path) -> None:
    with atomic_file(path) as temporary:
        figure.savefig(temporary, format="svg", transparent=True, metadata={"Date": None})
