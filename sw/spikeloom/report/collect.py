"""Gathers what the verbs left in a run folder into one document.

Each verb leaves `<verb>.json`. What has not been run, or did not say a number, is listed under
`missing`, and stands as null where the document has a place for it: nothing is made up. What a
verb said of another network than the one in the folder is left out, and listed there, too.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from spikeloom import __version__
from spikeloom.errors import UserError
from spikeloom.files import STEP_SCHEMA
from spikeloom.image import NetworkImage
from spikeloom.image.identity import network_sha256
from spikeloom.lineage import load_network
from spikeloom.packing import LANES, propose_lanes
from spikeloom.report.graph import describe_graph
from spikeloom.report.network import describe_image
from spikeloom.runfolder import NETWORK_FILE

SCHEMA = 1
STEPS = ("train", "export", "estimate", "generate", "verify", "synth")
_VERIFY = (
    "level",
    "lanes",
    "samples",
    "samples_available",
    "spike_mismatches",
    "membrane_mismatches",
    "cycle_mismatches",
    "seconds",
)
_TRAIN = (
    "density_active",
    "density_asked",
    "density_reached",
    "bits",
    "bits_asked",
    "goal_reached",
)
_CYCLES = ("mean", "max", "sop_per_cycle_per_lane")
_SYNTH = ("target", "fmax_mhz", "constraint_mhz", "utilization", "bitstream", "sha256")
# Told where they are recorded: a design may have no path, and one seed has no spread.
_SYNTH_MORE = ("seed", "seeds", "fmax_spread_mhz", "critical_path")

Document = dict[str, Any]


def read_step(folder: Path, verb: str) -> Document | None:
    """What `verb` left in `folder`, or None when it has not been run.

    Raises:
        UserError: the file is damaged or of another schema.
    """
    path = folder / f"{verb}.json"
    if not path.is_file():
        return None
    # Not a whole command: most verbs need options that only the user knows.
    again = f"delete it, and run 'spikeloom {verb}' again"
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UserError(f"{path} is not JSON ({error}); {again}") from None
    if not isinstance(document, dict) or document.get("schema") != STEP_SCHEMA:
        raise UserError(f"{path} is not of schema {STEP_SCHEMA}; {again}")
    return document


def collect(run: Path, folder: Path | None = None) -> tuple[Document, NetworkImage]:
    """The report of a run, and the network it is about.

    Args:
        run: the folder with its network.
        folder: where the verbs have left what they found out; None if that is the same.

    Raises:
        UserError: there is no run, no network, or a damaged file in it.
    """
    if not run.is_dir():
        raise UserError(f"there is no run folder {run}; make one: spikeloom train CONFIG -o {run}")
    network = run / NETWORK_FILE
    if not network.is_file():
        raise UserError(f"{run} has no {NETWORK_FILE}; run: spikeloom export {run}")
    folder = run if folder is None else folder
    image = load_network(network)
    sha256 = network_sha256(image)
    done, missing = _steps_of(folder, sha256)
    verify, synth = done.get("verify", {}), done.get("synth", {})
    described = describe_image(image, _lanes(image, done))
    claimed = image.provenance
    document: Document = {
        "schema": SCHEMA,
        "spikeloom": __version__,
        "run": run.resolve().name,
        "network_sha256": sha256,
        "dataset": claimed.dataset,
        "class_names": list(claimed.data.class_names) if claimed.data else [],
        "accuracy": {
            "validation": claimed.accuracy_validation,
            "test": claimed.accuracy_test,
        },
        **{name: described[name] for name in ("synapses", "density", "weight_bits")},
        "training": _part(done.get("train", {}), _TRAIN),
        "time_steps": image.time_steps,
        "bits_stored": described["bits_stored"],
        "verify": _verified(verify),
        "cycles": _part(verify.get("cycles") or {}, _CYCLES),
        "synth": {
            **_part(synth, _SYNTH),
            **{name: synth[name] for name in _SYNTH_MORE if synth.get(name) is not None},
        },
        "steps": _steps(done),
        "network": described,
        "import": _import_of(folder, sha256),
    }
    document["synth"]["bitstream"] = _inside(folder, document["synth"]["bitstream"])
    if runs := verify.get("runs"):
        document["verify"]["runs"] = [
            {
                **_verified({"samples_available": verify.get("samples_available"), **run}),
                "cycles": _part(run.get("cycles") or {}, _CYCLES),
            }
            for run in runs
        ]
    document["missing"] = missing + [f"{place} (not recorded)" for place in _holes(document, done)]
    return document, image


def collect_graph(run: Path, folder: Path, image: NetworkImage) -> Document:
    """The report of a run whose network is a graph: what `import` found, and the integers."""
    sha256 = network_sha256(image)
    imported = _import_of(folder, sha256)
    missing = [] if imported else ["import (not run on this network)"]
    described = describe_graph(image)
    claimed = image.provenance
    return {
        "schema": SCHEMA,
        "spikeloom": __version__,
        "run": run.resolve().name,
        "network_sha256": sha256,
        "dataset": claimed.dataset,
        "class_names": list(claimed.data.class_names) if claimed.data else [],
        "accuracy": {
            "validation": claimed.accuracy_validation,
            "test": claimed.accuracy_test,
        },
        **{name: described[name] for name in ("synapses", "density", "weight_bits")},
        "time_steps": image.time_steps,
        "network": described,
        "import": imported,
        "missing": missing,
    }


def _import_of(folder: Path, sha256: str) -> Document | None:
    """What `import` left about this network."""
    step = read_step(folder, "import")
    return step if step is not None and step.get("network_sha256") == sha256 else None


def _steps_of(folder: Path, sha256: str) -> tuple[dict[str, Document], list[str]]:
    """What the verbs left about this network, and what is missing of it."""
    done: dict[str, Document] = {}
    missing = []
    for verb in STEPS:
        step = read_step(folder, verb)
        if step is None:
            missing.append(f"{verb} (not run)")
        elif verb != "train" and step.get("network_sha256") != sha256:
            missing.append(f"{verb} (of another network: run it again)")
        else:
            done[verb] = step
    return done, missing


def is_whole(run: Document) -> bool:
    """Whether a verification took every sample that there is; not when it did not say."""
    return run["samples"] is not None and run["samples"] == run["samples_available"]


def sample_count(run: Document) -> str:
    """The samples of a verification: "359", or "20 of 359" when there are more."""
    if is_whole(run) or run["samples_available"] is None:
        return f"{run['samples']:,}"
    return f"{run['samples']:,} of {run['samples_available']:,}"


def _inside(folder: Path, path: str | None) -> str | None:
    """`path` as seen from the run folder, so that a run can be moved as a whole."""
    places = [] if path is None else [folder / path, Path(path)]
    place = next((place.resolve() for place in places if place.is_file()), None)
    if place is None:
        return path
    root = folder.resolve()
    return str(place.relative_to(root)) if place.is_relative_to(root) else str(place)


def _part(step: Document, names: tuple[str, ...]) -> Document:
    return {name: step.get(name) for name in names}


def _verified(step: Document) -> Document:
    """The parts of a verification, every kind of mismatch, and their sum."""
    kinds = {name: count for name, count in step.items() if name.endswith("_mismatches")}
    total = sum(kinds.values()) if kinds else None
    return {**_part(step, _VERIFY), **kinds, "mismatches": total}


def _lanes(image: NetworkImage, done: dict[str, Document]) -> tuple[int, ...]:
    """Lanes of each layer as generated, else as estimated, else as proposed."""
    generated = [layer.get("lanes") for layer in done.get("generate", {}).get("layers", ())]
    for lanes in (generated, done.get("estimate", {}).get("lanes")):
        if isinstance(lanes, list) and len(lanes) == len(image.layers) and all(lanes):
            return tuple(lanes)
    return propose_lanes(image, max(LANES))


def _steps(done: dict[str, Document]) -> list[Document]:
    steps = []
    for verb, step in done.items():
        runs = step.get("runs") if verb == "verify" else None
        if runs:
            steps += [
                {"name": f"verify, lanes {_join(run.get('lanes'))}", "seconds": run.get("seconds")}
                for run in runs
            ]
        else:
            steps.append({"name": verb, "seconds": step.get("seconds")})
    return steps


def _join(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _holes(document: Document, done: dict[str, Document]) -> list[str]:
    parts = {"accuracy": None, "verify": "verify", "cycles": "verify", "synth": "synth"}
    return [
        f"{part}.{name}"
        for part, verb in parts.items()
        if verb is None or verb in done
        for name, value in document[part].items()
        if value is None
    ]
