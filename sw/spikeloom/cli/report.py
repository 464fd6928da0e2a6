"""The verb `report`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from spikeloom.cli.console import Console, json_option, run_folder, table
from spikeloom.cli.data import data_options
from spikeloom.datasets.fitting import DataChoice, fitting_dataset
from spikeloom.errors import UserError
from spikeloom.files import atomic_write, check_writable, to_json
from spikeloom.runfolder import read_history


@click.command(epilog="Example: spikeloom report runs/demo")
@click.argument("run", type=click.Path(path_type=Path))
@data_options()
@json_option
def report(run: Path, data: DataChoice, as_json: bool) -> None:
    """Gather a run's numbers into report.json and one self-contained report.html.

    RUN is the run folder. What has not been run is named in the report. Of a folder of
    `bitstreams/` the report goes to `runs/`.
    """
    # Matplotlib takes a second to import, which the help text need not wait for.
    from spikeloom.lineage import load_network
    from spikeloom.report.collect import NETWORK_FILE, collect, collect_graph
    from spikeloom.report.page import render_graph, render_page

    console = Console(as_json=as_json)
    place, folder = (run.parent if run.is_file() else run), run_folder(run)
    if place.is_dir():
        check_writable(folder)
    if (place / NETWORK_FILE).is_file():
        graph = load_network(place / NETWORK_FILE)
        if not graph.is_chain:
            described = collect_graph(place, folder, graph)
            _write(console, folder, described, render_graph(described), _of_graph(described), {})
            return
    document, image = collect(place, folder)
    dataset = None
    try:
        dataset = fitting_dataset(place / NETWORK_FILE, image, data)
    except UserError as error:
        document["missing"].append(f"spike raster ({error})")
    trained = any(step["name"] == "train" for step in document["steps"])
    history = read_history(folder) if trained else []
    page = render_page(document, image, history=history, dataset=dataset)
    bitstream = document["synth"]["bitstream"]
    built = {"bitstream": folder / bitstream if bitstream else "none yet"}
    _write(console, folder, document, page, _summary(document), built)


def _write(
    console: Console,
    folder: Path,
    document: dict[str, Any],
    page: str,
    summary: dict[str, Any],
    built: dict[str, Any],
) -> None:
    """Leave the report in the run folder, and say where."""
    json_path = atomic_write(folder / "report.json", to_json(document))
    html_path = atomic_write(folder / "report.html", page)
    paths = {"report": html_path, "numbers": json_path, **built}
    console.result(document, table(f"Run {document['run']}", summary), table("Files", paths))


def _of_graph(document: dict[str, Any]) -> dict[str, Any]:
    rows: dict[str, Any] = {
        "data set": document["dataset"] or "none",
        "accuracy, test": _percent(document["accuracy"]["test"]),
        "synapses": f"{document['synapses']:,} ({document['density']:.1%} dense)",
        "weights": f"{document['weight_bits']} bits",
    }
    imported = document["import"]
    if imported and imported["fidelity"]["samples"]:
        rows["same class as in real numbers"] = f"{imported['fidelity']['class_agreement']:.1%}"
    if document["missing"]:
        rows["missing"] = ", ".join(document["missing"])
    return rows


def _summary(document: dict[str, Any]) -> dict[str, Any]:
    from spikeloom.report.collect import sample_count
    from spikeloom.report.network import goal_rows

    accuracy, cycles, synth = document["accuracy"], document["cycles"], document["synth"]
    rows: dict[str, Any] = {
        "data set": document["dataset"],
        "classes": ", ".join(document["class_names"]) or "not recorded",
        "accuracy, test": _percent(accuracy["test"]),
        "accuracy, validation": _percent(accuracy["validation"]),
        "synapses": f"{document['synapses']:,} ({document['density']:.1%} dense)",
        **goal_rows(document["training"]),
        "weights": f"{document['weight_bits']} bits",
        "stored": f"{document['bits_stored']:,} bits",
    }
    verify = document["verify"]
    for run in verify.get("runs") or ([verify] if verify["samples"] is not None else []):
        lanes = run["lanes"]
        name = ", ".join(map(str, lanes)) if isinstance(lanes, list) else lanes
        rows[f"verify, {run['level']}, lanes {name}"] = (
            f"{sample_count(run)} samples: {run['spike_mismatches']} spike, "
            f"{run['membrane_mismatches']} membrane, {run['cycle_mismatches']} cycle mismatches, "
            f"{run['mismatches']} in all"
        )
    if cycles["mean"] is not None:
        rows["cycles a sample"] = f"{cycles['mean']:,.1f} (at most {cycles['max']:,})"
    if synth["fmax_mhz"] is not None:
        rows[f"clock, {synth['target']}"] = (
            f"{synth['fmax_mhz']:.2f} MHz ({synth['constraint_mhz']:g} MHz asked)"
        )
    for cell, use in (synth["utilization"] or {}).items():
        if use["used"]:
            rows[cell] = f"{use['used']:,} of {use['available']:,}"
    if document["missing"]:
        rows["missing"] = ", ".join(document["missing"])
    return rows


def _percent(fraction: float | None) -> str:
    return "not recorded" if fraction is None else f"{fraction:.2%}"
