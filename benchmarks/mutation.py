"""Mutation testing of the gateware: is the check sharp enough to see any single change?

    python benchmarks/mutation.py             # 600 mutants of three cores; resumable
    python benchmarks/mutation.py --count 50  # fewer

A mutation inverts a bit of a cell's pin, holds it at 0 or 1, or makes it follow a neighbour; yosys
chooses them, spread over cells, wires and kinds. All of a core's are compiled into one program, so
that a mutant is a run of some milliseconds. What survives every run is put to a proof that it makes
no difference; what is neither killed nor proved harmless is listed, with an explanation where there
is one (``mutants/explained.toml``), and counts against the score. Results go to
``benchmarks/results/proof/mutation.json``.
"""

from __future__ import annotations

import os
import tempfile
import tomllib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click
import msgspec

from mutants.cores import SUBJECTS
from mutants.trial import RUNS, Mutants, mutants, short_name
from spikeloom.cli.console import Console
from spikeloom.stamp import DIRTY, UNKNOWN, Stamp, stamp, write_result
from spikeloom_cosim.faults.equivalence import equivalent
from spikeloom_cosim.toolchain import find_toolchain
from spikeloom_hw.synth.tools import find_tool

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "proof" / "mutation.json"
EXPLAINED = HERE / "mutants" / "explained.toml"
ARGUED = "Equivalent:"
"""Begins the explanation of a mutation that makes no difference in any network of its core."""
OPEN = "open"
"""The fate of a mutant that no run killed, before its proof."""
BATCH = 20
PACKAGES = ("numpy", "amaranth", "cocotb")


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A mutant.

    Attributes:
        core: the mutated core.
        mutation: its mode, cell, pin and bit, and the bit that controls it.
        source: the net, if it has a name.
        fate: "killed", "equivalent" (proved), "survived", or `OPEN`.
        run: number of the run that killed it, in `RUNS`.
        kind: what the check reported first.
    """

    core: str
    mutation: str
    source: str | None
    fate: str
    run: int | None = None
    kind: str | None = None


@click.command()
@click.option("--count", type=click.IntRange(min=1), default=200, help="Mutants of each core.")
@click.option("--seed", type=int, default=1, help="Of their choice.")
@click.option("--jobs", type=click.IntRange(min=1), default=os.cpu_count() or 1)
@click.option("--output", type=click.Path(path_type=Path), default=RESULTS)
def main(count: int, seed: int, jobs: int, output: Path) -> None:
    """Kill as many mutants as the check can."""
    console = Console()
    tools = find_toolchain()
    origin = stamp(*PACKAGES, yosys=find_tool("yosys").version, verilator=tools.verilator_version)
    settings = {"count": count, "seed": seed}
    known = _known(output, {**settings, "commit": origin.commit})
    rows: list[Row] = []
    with ExitStack() as scratch:
        subjects: list[Mutants] = []
        for subject in SUBJECTS:
            folder = scratch.enter_context(tempfile.TemporaryDirectory(prefix="spikeloom-"))
            with console.step(f"{subject.name}: {count} mutants in one core"):
                made = mutants(subject, count=count, seed=seed, tools=tools, folder=Path(folder))
            if made.death(0) is not None:
                raise click.ClickException(f"{subject.name}: the core without a mutation differs")
            subjects.append(made)
            with console.track(len(made.mutations), "mutants") as track:
                for start in range(0, len(made.mutations), BATCH):
                    batch = made.mutations[start : start + BATCH]
                    rows += _batch(made, start, known, jobs=jobs)
                    _write(output, rows, settings, origin)
                    track.advance(len(batch))
        open_rows = [at for at, row in enumerate(rows) if row.fate == OPEN]
        with console.track(len(open_rows), "proofs") as track:
            for start in range(0, len(open_rows), jobs):
                chosen = open_rows[start : start + jobs]
                for at, row in zip(
                    chosen, _proved(subjects, [rows[at] for at in chosen]), strict=True
                ):
                    rows[at] = row
                _write(output, rows, settings, origin)
                track.advance(len(chosen))
    console.note(f"written to {output}")
    document = _document(rows, settings)
    console.note(
        f"{document['killed']} of {document['mutants']} killed, {document['equivalent']} proved "
        f"equivalent, {len(document['survivors'])} survive, {document['argued_equivalent']} of "
        f"them equivalent by argument alone: score {document['score']:.3f}"
    )


def _batch(made: Mutants, start: int, known: dict[tuple[str, str], Row], *, jobs: int) -> list[Row]:
    """Which of some mutants are killed, those from number `start` + 1 on."""
    commands = made.mutations[start : start + BATCH]
    name = made.subject.name
    found = {at: known.get((name, short_name(command))) for at, command in enumerate(commands)}
    missing = [at for at, row in found.items() if row is None]
    with ThreadPoolExecutor(jobs) as pool:
        deaths = list(pool.map(lambda at: made.death(start + at + 1), missing))
    for at, death in zip(missing, deaths, strict=True):
        words = commands[at].split()
        wire = words[words.index("-wire") + 1] if "-wire" in words else None
        fate = "killed" if death else OPEN
        found[at] = Row(
            core=name,
            mutation=short_name(commands[at]),
            source=wire,
            fate=fate,
            run=death.run if death else None,
            kind=death.kind if death else None,
        )
    return [row for row in found.values() if row is not None]


def _proved(subjects: list[Mutants], rows: list[Row]) -> list[Row]:
    """Rows that no run killed, each with what became of its proof; proofs at once."""

    def proved(row: Row) -> Row:
        made = next(own for own in subjects if own.subject.name == row.core)
        command = next(own for own in made.mutations if short_name(own) == row.mutation)
        (equal,) = equivalent(made.fittings[0].core, [command], jobs=1)
        return msgspec.structs.replace(row, fate="equivalent" if equal else "survived")

    with ThreadPoolExecutor(len(rows)) as pool:
        return list(pool.map(proved, rows))


def _document(rows: list[Row], settings: dict[str, Any]) -> dict[str, Any]:
    fates = Counter(row.fate for row in rows)
    known = tomllib.loads(EXPLAINED.read_text()) if EXPLAINED.is_file() else {}
    survivors = [
        {
            "core": row.core,
            "mutation": row.mutation,
            "source": row.source,
            "explanation": known.get(row.core, {}).get(row.mutation),
        }
        for row in rows
        if row.fate in ("survived", OPEN)
    ]
    argued = sum((own["explanation"] or "").startswith(ARGUED) for own in survivors)
    candidates = len(rows) - fates["equivalent"]
    return {
        "schema": 1,
        **settings,
        "runs": [{"mode": run.mode.name, "samples": run.samples, "seed": run.seed} for run in RUNS],
        "mutants": len(rows),
        "killed": fates["killed"],
        "equivalent": fates["equivalent"],
        "argued_equivalent": argued,
        "score": round(fates["killed"] / candidates, 4) if candidates else 0.0,
        "raw_score": round(fates["killed"] / len(rows), 4) if rows else 0.0,
        "cores": {
            subject.name: dict(Counter(row.fate for row in rows if row.core == subject.name))
            for subject in SUBJECTS
        },
        "found_as": dict(Counter(row.kind for row in rows if row.kind is not None)),
        "survivors": survivors,
        "rows": msgspec.to_builtins(rows),
    }


def _write(path: Path, rows: list[Row], settings: dict[str, Any], origin: Stamp) -> None:
    write_result(path, _document(rows, settings), origin)


def _known(path: Path, settings: dict[str, Any]) -> dict[tuple[str, str], Row]:
    """Rows of an earlier run with the same settings, of the same commit with nothing upon it."""
    if not path.is_file() or settings["commit"].endswith((DIRTY, UNKNOWN)):
        return {}
    document = msgspec.json.decode(path.read_bytes())
    if any(document.get(name) != value for name, value in settings.items()):
        return {}
    rows = msgspec.convert(document["rows"], type=list[Row])
    return {(row.core, row.mutation): row for row in rows}


if __name__ == "__main__":
    main()
