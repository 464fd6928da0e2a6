"""One HTML page of a run, with everything inside it: no script, no font, no request."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

import jinja2
import numpy as np
from markupsafe import Markup

from spikeloom.datasets import Dataset
from spikeloom.encoding import encode
from spikeloom.image import NetworkImage
from spikeloom.reference import simulate
from spikeloom.report import figures
from spikeloom.report.collect import is_whole, sample_count
from spikeloom.report.network import goal_rows


def render_page(
    document: Mapping[str, Any],
    image: NetworkImage,
    *,
    history: Sequence[Mapping[str, Any]] = (),
    dataset: Dataset | None = None,
) -> str:
    """The page for a report `document` (see `collect`) about `image`.

    `dataset` gives the sample whose spikes are shown; without it that picture is left out.
    """
    names = [layer.name for layer in image.layers]
    pictures: dict[str, str | None] = {
        "learning": figures.learning(history),
        "sparsity": figures.sparsity(history, names),
        "compression": figures.compression(history),
        "weights": figures.weights(image),
        "raster": None,
    }
    sample = None
    if dataset is not None and len(dataset.test):
        frame = dataset.test.images[:1]
        trace = simulate(image, encode(image.encoding, frame, image.time_steps))
        names_of_outputs = output_names(dataset, image.outputs)
        frame_shown = shown(frame[0], dataset.shape)
        pictures["raster"] = figures.raster(image, trace, class_names=names_of_outputs)
        sample = {
            "pixels": _pixels(frame_shown),
            "shape": frame_shown.shape,
            "label": dataset.class_names[int(dataset.test.labels[0])],
            "predicted": names_of_outputs[int(trace.predictions[0])],
            "operations": int(trace.operations[0].sum()),
        }
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            report=document,
            network=document["network"],
            goal=goal_rows(document["training"]),
            pictures={name: svg and Markup(svg) for name, svg in pictures.items()},
            sample=sample,
            only_in_training=_only_in_training(image.provenance.config),
            raw=json.dumps(document, indent=2),
            imported=document["import"],
        )
    )


def render_graph(document: Mapping[str, Any]) -> str:
    """The page for a report about a network that is a graph; see `collect_graph`."""
    return (
        _environment()
        .get_template("graph.html.j2")
        .render(
            report=document,
            network=document["network"],
            imported=document["import"],
            raw=json.dumps(document, indent=2),
        )
    )


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("spikeloom.report", "."),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters.update(
        number=_number, percent=_percent, duration=_duration, sample_count=sample_count
    )
    environment.tests.update(whole=is_whole)
    return environment


def _only_in_training(config: str) -> str:
    """What a run's resolved TOML adds to the training loss alone, as a list in words."""
    training = tomllib.loads(config).get("training", {})
    kinds = {
        "augmentation": ("shift", "rotation", "zoom", "noise"),
        "dropout": ("dropout",),
        "label smoothing": ("label_smoothing",),
        "the penalty on activity": ("activity",),
    }
    *most, last = [n for n, keys in kinds.items() if any(map(training.get, keys))] or [""]
    return f"{', '.join(most)} and {last}" if most else last


def output_names(dataset: Dataset, outputs: int) -> list[str]:
    """A name for each output of a network, its number where no class is known."""
    return [*dataset.class_names, *map(str, range(dataset.classes, outputs))]


def shown(values: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """A sample (uint8 [values]) of any shape as a grey picture, uint8 [height, width]."""
    match tuple(shape):
        case (_,):
            return values.reshape(1, -1)
        case (height, width):
            return values.reshape(height, width)
        case (_, _, 3):
            return values.reshape(shape).mean(axis=2).astype(np.uint8)
        case (_, _, _, _):
            # Frames of counts: all steps and polarities together.
            total = values.reshape(shape).astype(np.int64).sum(axis=(0, 3))
            return (total * 255 // max(1, int(total.max()))).astype(np.uint8)
        case (first, *_):
            return values.reshape(first, -1)
        case _:
            return values.reshape(1, -1)


def _pixels(frame: np.ndarray) -> list[tuple[int, int, float]]:
    """(x, y, opacity) of each pixel that is not black."""
    return [(int(x), int(y), round(float(frame[y, x]) / 255, 3)) for y, x in np.argwhere(frame)]


def _number(value: float | None, digits: int | None = None) -> str:
    if value is None:
        return "–"
    if digits is not None:
        return f"{value:,.{digits}f}"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4g}"


def _duration(seconds: float | None) -> str:
    return "< 0.1" if seconds is not None and seconds < 0.05 else _number(seconds, 1)


def _percent(value: float | None, digits: int = 1) -> str:
    return "–" if value is None else f"{value:.{digits}%}"
