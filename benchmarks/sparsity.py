"""The study of sparse structure learning: do adaptive ratios help at equal cost?

    python benchmarks/sparsity.py run --parts digits          # goes on where it was
    python benchmarks/sparsity.py summarize

Primary endpoint, named in advance: `pq-layer` (each layer's PQ index says how many synapses to
rewire) against `constant` (the same in all but that: one fraction), difference of test accuracies
at 10 % and at 5 % density, paired by seed, with Student's 95 % interval. `constant` takes the mean
fraction that `pq-layer` took on pilot seeds. All else is exploratory: every other arm, density and
part, without correction for their number.

Equal cost: every network of a part gets the same connection-epochs, the sum over epochs of active
connections, within 2 %: 24 dense epochs for the digits, 8 for the MNIST subset. An arm of constant
density d trains for budget / d epochs, so static 2 % trains fifty times as long as dense. An arm
that compresses trains as long as what compression left over allows; the number is guessed
beforehand, known once the density is reached, and if the guess was off by more than 2 % the run
begins anew with the right one (`study/budget.py`). That looks at counts of connections alone.
`dense` has the same budget, yet not the same synapses: it is there for scale.

Equal size: all arms end with the same active connections, and with `nonzero = true` each of them is
a synapse of the exported image, since otherwise weights that quantise to 0 would break equality.
One gap is left, and told by `worst_missing_synapses`: what `set` regrows at random on pixels that
are never lit stays exactly 0, is a connection to the budget, and no synapse of the image.

What was fixed beforehand stands in `study/settings.py`, chosen on the validation accuracy of pilot
seeds (1000 and above), one setting for all arms. The epoch of a run is chosen on validation data;
the test set is used once a finished network, on the exported integers, after torch and the integer
reference were found identical on every sample.

The parts: `digits`, all arms at 50, 20, 10, 5, 2 %, ten seeds; `mnist`, 10,000 training images,
seven arms at 10 and 5 %, five seeds (needs SPIKELOOM_DATA); `balance`, membrane banks of 8 against
none. Cells that are the same run are run once. Each finished run is a line of
`results/sparsity-runs.jsonl`, keyed by a hash of its configuration and the study's schema, with the
commit, versions and machine that it was made with. A killed run begins anew, finished ones stay.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from spikeloom.cli.console import Console, json_option, table
from spikeloom.errors import UserError
from spikeloom.files import to_json
from spikeloom.stamp import stamp, write_result
from study.cells import Cell, cells
from study.plots import accuracy_plot, curve_plot, difference_plot
from study.queue import missing, work
from study.records import read_records
from study.settings import PARTS
from study.summary import group, summarise
from study.tables import insert, tables

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
RUNS, SUMMARY, PAGE = "sparsity-runs.jsonl", "sparsity.json", "sparsity-study.md"

results_option = click.option(
    "--results",
    type=click.Path(path_type=Path, file_okay=False),
    default=RESULTS,
    help="Folder of the runs and the summary.",
)


class _Errors(click.Group):
    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except UserError as error:
            raise click.ClickException(str(error)) from None


@click.group(cls=_Errors)
def main() -> None:
    """The study of sparse structure learning."""


@main.command()
@click.option("--parts", default=",".join(PARTS), help="Comma-separated: digits, mnist, balance.")
@click.option("--arms", default="", help="Comma-separated; all of the part unless given.")
@click.option("--densities", default="", help="Comma-separated; all of the part unless given.")
@click.option("--limit", type=click.IntRange(min=1), help="At most so many runs.")
@click.option("--minutes", type=click.FloatRange(min=0), help="Begin no run after so long.")
@click.option("--data-dir", type=click.Path(path_type=Path), help="Folder above mnist/.")
@results_option
@json_option
def run(
    parts: str,
    arms: str,
    densities: str,
    limit: int | None,
    minutes: float | None,
    data_dir: Path | None,
    results: Path,
    as_json: bool,
) -> None:
    """Do the runs that are missing."""
    from study.run import load_part, perform

    console = Console(as_json=as_json)
    path = results / RUNS
    names = [name.strip() for name in parts.split(",") if name.strip()]
    if unknown := set(names) - set(PARTS):
        raise UserError(f"--parts has no part {sorted(unknown)[0]!r}: choose from {list(PARTS)}")
    chosen = {arm.strip() for arm in arms.split(",") if arm.strip()}
    if unknown := chosen - {arm for name in names for arm in PARTS[name].arms}:
        raise UserError(f"--arms has no arm {sorted(unknown)[0]!r} in {', '.join(names)}")
    wanted = [cell for name in names for cell in cells(name)]
    wanted = [cell for cell in wanted if not chosen or cell.arm in chosen]
    if densities:
        kept = {float(density) for density in densities.split(",")}
        wanted = [cell for cell in wanted if cell.density in kept]
    left = missing(wanted, path)
    todo = left[:limit]
    console.note(f"{len(left)} runs are missing, {len(todo)} to do")
    datasets = {name: load_part(name, data_dir) for name in {cell.part for cell in todo}}
    about = asdict(stamp("torch", "brevitas", "numpy", "scikit-learn"))
    total = sum(_weight(cell) for cell in todo)
    finished = spent = 0.0
    with console.track(round(total), "dense-sized epochs") as progress:

        def do(cell: Cell) -> dict[str, Any]:
            def say(epoch: int, epochs: int) -> None:
                rest = _rest(total - finished, spent, finished)
                progress.advance(0, f"{cell}: epoch {epoch}/{epochs}{rest}")

            return {**perform(cell, datasets[cell.part], say), **about}

        def after(cell: Cell, record: Mapping[str, Any]) -> None:
            nonlocal finished, spent
            finished += _weight(cell)
            spent += record["seconds"]
            progress.advance(round(_weight(cell)))
            done = f"{cell}: {record.get('epochs')} epochs, {record.get('synapses')} synapses"
            console.note(record.get("failed", f"{done}, {record['seconds']:.0f} s"))

        seconds = None if minutes is None else 60 * minutes
        count = work(todo, path, perform=do, after=after, seconds=seconds)
    console.result(
        {"done": count, "missing": len(left) - count, "runs": str(path), "seconds": spent},
        table("Runs", {"done": count, "missing": len(left) - count}),
    )


@main.command()
@results_option
@click.option(
    "--docs",
    type=click.Path(path_type=Path, file_okay=False),
    default=ROOT / "docs",
    help="Folder of the page that takes the tables, and above figures/.",
)
@json_option
def summarize(results: Path, docs: Path, as_json: bool) -> None:
    """Write the summary, the plots and the tables of the finished runs."""
    console = Console(as_json=as_json)
    records = read_records(results / RUNS)
    if not records:
        raise UserError(f"{results / RUNS} has no finished run: begin with `run`")
    summary = json.loads(to_json(summarise(records)))
    write_result(results / SUMMARY, summary, stamp())
    insert(docs / PAGE, tables(summary))
    plots = docs / "figures"
    for name, part in summary["parts"].items():
        if name != "balance":
            accuracy_plot(plots / f"sparsity-{name}.svg", part["arms"])
            difference_plot(
                plots / f"sparsity-{name}-differences.svg", part["differences_from_pq_layer"]
            )
            lowest = min(PARTS[name].densities)
            seeds = group(name, records).get(("pq-layer", lowest, 0), {})
            # Where every epoch rewires, the last has regrown all it pruned: zeros in the index.
            end = -1 if PARTS[name].every == 1 else None
            if traces := [run["trace"][:end] for run in seeds.values() if run["trace"]]:
                curve_plot(plots / f"sparsity-{name}-curve.svg", traces)
    console.result(
        summary,
        table(
            "Study",
            {
                name: f"{part['finished']} of {part['wanted']} runs"
                + ("" if part["complete"] else ", not complete: no conclusion yet")
                for name, part in summary["parts"].items()
            },
        ),
    )


def _weight(cell: Cell) -> float:
    """How long a run takes, in arbitrary units: its epochs, an MNIST epoch being far longer."""
    return cell.planned_epochs() * (12 if cell.part == "mnist" else 1)


def _rest(left: float, seconds: float, done: float) -> str:
    return f", about {seconds / done * left / 60:.0f} min left" if done else ""


if __name__ == "__main__":
    main()
