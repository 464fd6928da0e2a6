"""Live modules of four frameworks against their import, each in an environment of its own.

    python benchmarks/import_peers.py

For every cell, with its default constructor and with others, on lists and on maps: random inputs go
through the framework and through our float reference. A cell passes if no spike differs, or if it
is refused by name. The environments are made below `.cache/import-peers` when they are missing.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import click

from imports.environments import PEERS, prepare
from spikeloom.stamp import stamp, write_result

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent


@click.command()
@click.option("--samples", default=200, show_default=True, help="Random inputs a case.")
@click.option(
    "--environments",
    type=click.Path(path_type=Path),
    default=ROOT / ".cache" / "import-peers",
    help="Folder of the peers' environments.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=HERE / "results" / "import_peers.json",
)
def main(samples: int, environments: Path, output: Path) -> None:
    """Run all cases, write the result, and fail if a spike differs."""
    origin = stamp("numpy")
    peers = {peer: run(environments, peer, samples) for peer in PEERS}
    cases = [case for found in peers.values() for case in found["cases"]]
    differ = [case for case in cases if case.get("differ")]
    document: dict[str, Any] = {
        "schema": 1,
        "benchmark": "import_peers",
        "samples": samples,
        "cases": len(cases),
        "refused": sum("refused" in case for case in cases),
        "cases_that_differ": len(differ),
        "spikes": sum(case.get("spikes", 0) for case in cases),
        "peers": peers,
    }
    write_result(output, document, origin)
    click.echo(
        f"{len(cases)} cases, {document['refused']} refused by name, {len(differ)} differ; "
        f"{document['spikes']:,.0f} spikes compared"
    )
    sys.exit(1 if differ else 0)


def run(environments: Path, peer: str, samples: int) -> dict[str, Any]:
    """The cases of one framework, in its own environment."""
    python = prepare(environments, peer)
    command = [str(python), str(HERE / "imports" / "cases.py"), peer, str(samples)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    about, *cases = [json.loads(line) for line in done.stdout.splitlines()]
    for case in cases:
        click.echo(f"{peer}: {case}", err=True)
    return {"versions": about["versions"], "cases": cases}


if __name__ == "__main__":
    main()
