"""The verb `inspect`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from rich.console import RenderableType

from spikeloom.cli.console import Console, json_option, network_path, table
from spikeloom.cli.lanes import lanes_option
from spikeloom.lineage import load_network
from spikeloom.packing import resolve_lanes
from spikeloom.report.graph import describe_graph
from spikeloom.report.network import describe_image, weak_leak


@click.command(epilog="Example: spikeloom inspect runs/demo/network.safetensors")
@click.argument("network", type=click.Path(path_type=Path))
@lanes_option
@json_option
def inspect(network: Path, lanes: tuple[int, ...], as_json: bool) -> None:
    """Show the integers of a network: shapes, ranges, widths, density, bits, origin.

    NETWORK is an exported file, or a run folder that holds one.
    """
    console = Console(as_json=as_json)
    path = network_path(network)
    image = load_network(path)
    if not image.is_chain:
        data = describe_graph(image)
        console.result({"network": str(path), **data}, *_graph_tables(data))
        return
    data = describe_image(image, resolve_lanes(image, lanes))
    console.result({"network": str(path), **data}, *_tables(data))
    for layer in data["layers"]:
        share = layer["leak_share"]
        if share is not None and share < 0.5:
            console.note(
                f"{layer['name']}: {share:.0%} of the positive membranes below the threshold leak; "
                + weak_leak(layer["leak_from"], layer["threshold"])
            )


def _graph_tables(data: dict[str, Any]) -> list[RenderableType]:
    populations = [
        (
            own["name"],
            " × ".join(map(str, own["shape"])),
            own["model"],
            own.get("leak") or "-",
            _reset(own),
            _span(own.get("threshold")),
            _span(own.get("bias")),
            ", ".join(f"{state} {bits}" for state, bits in own["state_bits"].items()) or "-",
        )
        for own in data["populations"]
    ]
    connections = [
        (
            own["name"],
            f"{own['source']} → {own['target']}",
            own["kind"],
            f"{own['delay']} / {own['shift']}",
            f"{own['synapses']:,}",
            "-" if own["density"] is None else f"{own['density']:.1%}",
            _span(own["weight"]),
            f"{own['fan_out']['mean']:.1f} / {own['fan_out']['max']}",
        )
        for own in data["connections"]
    ]
    return [
        table(
            "Network",
            {
                "time steps": data["time_steps"],
                "encoding": _pairs(data["encoding"]),
                "readout": data["readout"],
                "synapses": data["synapses"],
                "density": f"{data['density']:.1%}",
                "weight bits": data["weight_bits"],
            },
        ),
        table(
            "Populations",
            populations,
            columns=["", "shape", "model", "leak", "reset", "threshold", "bias", "bits, unclamped"],
        ),
        table(
            "Connections",
            connections,
            columns=[
                "",
                "from → to",
                "kind",
                "delay / shift",
                "synapses",
                "density",
                "weights",
                "fan-out, mean / max",
            ],
        ),
        *_origin(data["provenance"]),
    ]


def _reset(population: dict[str, Any]) -> str:
    if "neuron" not in population:
        return "-"
    return population["neuron"]["reset"] if population["spiking"] else "integrates, never spikes"


def _tables(data: dict[str, Any]) -> list[RenderableType]:
    layers = data["layers"]
    names = ["", *(layer["name"] for layer in layers)]
    rows = [(label, *(show(layer) for layer in layers)) for label, show in _LAYER_ROWS.items()]
    return [
        table(
            "Network",
            {
                "shape": " → ".join(
                    str(n) for n in [data["inputs"], *(layer["neurons"] for layer in layers)]
                ),
                "time steps": data["time_steps"],
                "encoding": _pairs(data["encoding"]),
                "readout": data["readout"],
                "synapses": data["synapses"],
                "density": f"{data['density']:.1%}",
                "bits stored": f"{data['bits_stored']:,} (dense "
                f"{data['bits_dense']:,}; entropy bound {data['bits_entropy']:,})",
            },
        ),
        table("Layers", rows, columns=names),
        *_origin(data["provenance"]),
    ]


def _origin(origin: dict[str, Any]) -> list[RenderableType]:
    if imported := origin.get("imported"):
        return _imported(imported)
    trained = table(
        "Origin",
        {
            "data set": origin["dataset"],
            "seed": str(origin["seed"]),
            "accuracy, validation": _percent(origin["accuracy_validation"]),
            "accuracy, test": _percent(origin["accuracy_test"]),
            "events a sample": ", ".join(f"{n:.1f}" for n in origin["input_events"]),
            "spikeloom": origin["version"],
        },
    )
    return [trained]


def _imported(origin: dict[str, Any]) -> list[RenderableType]:
    """The profile of a network that another framework trained, and what was mended in it."""
    rows = [
        (own["name"], own["value"], own["origin"], own["why"] or "-") for own in origin["entries"]
    ]
    source = {
        "from": f"{origin['file'] or origin['format']} ({origin['framework']})",
        "sha256": origin["sha256"] or "-",
        **{f"note {number}": note for number, note in enumerate(origin["notes"], 1)},
    }
    return [
        table("Origin", source),
        table("Profile", rows, columns=["", "value", "origin", "why"]),
    ]


_LAYER_ROWS = {
    "inputs × neurons": lambda layer: f"{layer['inputs']} × {layer['neurons']}",
    "synapses": lambda layer: f"{layer['synapses']:,}",
    "density": lambda layer: f"{layer['density']:.1%}",
    "fan-out, mean / max": lambda layer: (
        f"{layer['fan_out']['mean']:.1f} / {layer['fan_out']['max']}"
    ),
    "weights": lambda layer: _span(layer["weight"], layer["weight_bits"]),
    "bias": lambda layer: _span(layer["bias"]),
    "threshold": lambda layer: _span(layer["threshold"]),
    "leak": lambda layer: layer["leak"],
    "leaks from": lambda layer: "never" if layer["leak_from"] is None else str(layer["leak_from"]),
    "reset": lambda layer: layer["reset"] if layer["spiking"] else "integrates, never spikes",
    "membrane bits": lambda layer: str(layer["membrane_bits"]),
    "accumulator bits": lambda layer: str(layer["accumulator_bits"]),
    "lanes": lambda layer: str(layer["lanes"]),
    "scale": lambda layer: f"{layer['scale']:.6g}",
    "index": lambda layer: f"{layer['index_form']}, {layer['index_bits']} bits",
    "words (fill)": lambda layer: f"{layer['words']:,} ({layer['fill']:.0%})",
    "bits stored": lambda layer: f"{layer['bits_stored']:,}",
}


def _span(ends: tuple[int, int] | None, bits: int | None = None) -> str:
    if ends is None:
        return "-"
    span = str(ends[0]) if ends[0] == ends[1] else f"{ends[0]} … {ends[1]}"
    return span if bits is None else f"{span} ({bits} bits)"


def _percent(fraction: float | None) -> str:
    return "not recorded" if fraction is None else f"{fraction:.2%}"


def _pairs(values: dict[str, Any]) -> str:
    kind, *rest = values.items()
    return ", ".join([str(kind[1]), *(f"{name} {value}" for name, value in rest)])
