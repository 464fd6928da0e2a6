"""Measures a row: cycles by the model, counters in co-simulation, cells and clocks by synthesis."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from inference.rows import BITSTREAMS, Record, Row
from spikeloom.cycle_statistics import CycleStatistics
from spikeloom.datasets import load_dataset
from spikeloom.datasets.fitting import DataChoice
from spikeloom.image import NetworkImage, load_image
from spikeloom.image.identity import network_sha256
from spikeloom.packing import resolve_lanes
from spikeloom_cosim.divergence import KINDS
from spikeloom_cosim.fitting import fit_design
from spikeloom_cosim.samples import sample_events
from spikeloom_cosim.simulation import ISOLATED, STREAMING
from spikeloom_cosim.toolchain import find_toolchain
from spikeloom_cosim.verify import verify_core
from spikeloom_hw.cycles import core_cycles
from spikeloom_hw.estimate import Estimate, estimate
from spikeloom_hw.generate import generate
from spikeloom_hw.synth.flow import Progress, synthesize
from spikeloom_hw.targets import find_target

__all__ = ["count", "foresee", "measure", "network_file", "synthesise"]


def network_file(row: Row) -> Path:
    """The network of a row."""
    return BITSTREAMS / row.network / "network.safetensors"


def measure(
    row: Row, *, data_dir: Path | None, commit: str, done: Callable[[int], object]
) -> Record:
    """The row without counters and synthesis."""
    image = load_image(network_file(row))
    target, lanes = find_target(row.target), resolve_lanes(image, (row.lanes,))
    test = load_dataset(image.provenance.dataset, data_dir).test
    cycles = core_cycles(image, test, target=target, lanes=lanes, loadable=row.loadable, done=done)
    foreseen = estimate(image, target=target, lanes=lanes, loadable=row.loadable)
    claimed = image.provenance
    return Record(
        key=row.key,
        network={
            "name": row.network,
            "sha256": network_sha256(image),
            "dataset": claimed.dataset,
            "accuracy_test": claimed.accuracy_test,
            "synapses": sum(layer.synapses for layer in image.layers),
            "neurons": [image.inputs, *(layer.neurons for layer in image.layers)],
            "weight_bits": max(layer.weight_bits for layer in image.layers),
        },
        target=row.target,
        lanes=lanes,
        loadable=row.loadable,
        bits=_bits(foreseen),
        cycles=cycles,
        busiest=_busiest(image, foreseen, cycles),
        estimate=_foreseen(foreseen),
        commit=commit,
    )


def foresee(row: Row, record: Record) -> Record:
    """``record`` with the estimate of today's model."""
    image, target = load_image(network_file(row)), find_target(row.target)
    found = estimate(image, target=target, lanes=record.lanes, loadable=row.loadable)
    return msgspec.structs.replace(record, estimate=_foreseen(found))


def _foreseen(found: Estimate) -> dict[str, Any]:
    return {
        name: msgspec.to_builtins(getattr(found, name))
        for name in ("fits", "blocks", "single_ports", "cells", "clock_mhz")
    }


def _bits(found: Estimate) -> dict[str, float]:
    entropy = sum(cost.entropy_bits for cost in found.layers)
    return {
        "stored": found.bits_stored,
        "entropy": round(entropy, 1),
        "ratio": round(found.bits_stored / entropy, 4),
    }


def _busiest(image: NetworkImage, found: Estimate, cycles: CycleStatistics) -> dict[str, Any]:
    work = [layer.busy_cycles for layer in found.activity]
    number = work.index(max(work))
    operations = cycles.operations[number]
    lanes = found.lanes[number]
    return {
        "name": image.layers[number].name,
        "lanes": lanes,
        "operations": operations,
        "sop_per_cycle_per_lane": round(operations / cycles.interval.mean / lanes, 4),
    }


def count(row: Row, record: Record, *, samples: int, data_dir: Path | None) -> Record:
    """``record`` with what the chip's counters say of the first ``samples`` test samples."""
    image = load_image(network_file(row))
    choice = DataChoice(data_dir=data_dir)
    chosen = sample_events(network_file(row), image, split="test", count=samples, data=choice)
    with tempfile.TemporaryDirectory(prefix="spikeloom-") as scratch:
        design = Path(scratch) / "design"
        generate(
            image,
            target=find_target(row.target),
            lanes=record.lanes,
            directory=design,
            bare=True,
            loadable=row.loadable,
        )
        fitting = fit_design(design, image, network=network_file(row))
        found = verify_core(
            fitting.core,
            chosen.events,
            fitting.expect,
            tools=find_toolchain(),
            seed=1,
            failure_folder=Path(scratch) / "failure",
            modes=(ISOLATED, STREAMING),
        ).document()
    counters = {
        "samples": found["samples"],
        "mismatches": sum(found[f"{kind}_mismatches"] for kind in KINDS),
        "cycles": found["cycles"],
        "layers": found["layers"],
    }
    return msgspec.structs.replace(record, counters=counters)


def synthesise(row: Row, record: Record, *, seeds: int, jobs: int, progress: Progress) -> Record:
    """``record`` with cells and clocks: of its reference build, else of a synthesis of its own."""
    if row.build is not None:
        return msgspec.structs.replace(record, synthesis=_of_the_build(row, record))
    image, target = load_image(network_file(row)), find_target(row.target)
    with tempfile.TemporaryDirectory(prefix="spikeloom-") as scratch:
        design, result = Path(scratch) / "design", Path(scratch) / "synth"
        generate(image, target=target, lanes=record.lanes, directory=design, loadable=row.loadable)
        found = synthesize(
            design,
            target=target,
            directory=result,
            seeds=range(1, seeds + 1),
            jobs=jobs,
            progress=progress,
        )
    return msgspec.structs.replace(record, synthesis=_shown(found.document(), "synthesis"))


def _of_the_build(row: Row, record: Record) -> dict[str, Any] | None:
    assert row.build is not None
    folder = BITSTREAMS / row.build
    if not (folder / "report.json").is_file():
        return None
    report = json.loads((folder / "report.json").read_text())
    manifest = json.loads((folder / "manifest.json").read_text())
    built = (
        manifest["sha256"]["network"],
        tuple(manifest["lanes"]),
        manifest.get("loadable", False),
    )
    if built != (record.network["sha256"], record.lanes, record.loadable):
        return None
    return _shown({**report, **manifest}, f"bitstreams/{row.build}")


def _shown(document: dict[str, Any], source: str) -> dict[str, Any]:
    names = ("seed", "seeds", "fmax_spread_mhz", "constraint_mhz", "utilization", "critical_path")
    return {
        "source": source,
        **{name: document[name] for name in names},
        "tools": document["tools"],
    }
