"""The encoders in gateware against Python, every event of whole test sets.

    python benchmarks/encoders.py --data-dir DATA

The generated Verilog of each encoder runs in Verilator, with random pauses on both sides, and every
event is compared with `spikeloom.encoding.encode`. The results are in
`results/proof/encoders.json`; a difference is an error.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import msgspec

from spikeloom.cli.console import Console, json_option, table
from spikeloom.cli.data import data_dir_option
from spikeloom.datasets import load_dataset
from spikeloom.encoding import DeltaEncoding, Encoding, LatencyEncoding, SampleCode
from spikeloom.errors import UserError
from spikeloom.stamp import stamp, write_result
from spikeloom_cosim.encoders import build_encoder, compare_encoder
from spikeloom_cosim.toolchain import Toolchain, find_toolchain

RESULTS = Path(__file__).resolve().parent / "results" / "proof" / "encoders.json"
PACKAGES = ("numpy", "amaranth", "verilator")


@dataclass(frozen=True, kw_only=True)
class Case:
    """An encoder.

    Attributes:
        encoding: the code.
        time_steps: T.
        pause: in 256ths, how often each side pauses.
    """

    encoding: Encoding
    time_steps: int
    pause: int = 64


DIGITS = (
    Case(encoding=LatencyEncoding(), time_steps=8),
    Case(encoding=LatencyEncoding(threshold=1), time_steps=5, pause=0),
    Case(encoding=LatencyEncoding(threshold=255), time_steps=1),
    Case(encoding=DeltaEncoding(), time_steps=8),
    Case(encoding=DeltaEncoding(delta=1), time_steps=64, pause=0),
    Case(encoding=DeltaEncoding(delta=255), time_steps=1),
)
LARGE = (
    Case(encoding=LatencyEncoding(), time_steps=4),
    Case(encoding=LatencyEncoding(), time_steps=8, pause=0),
    Case(encoding=LatencyEncoding(threshold=1), time_steps=5),
    Case(encoding=LatencyEncoding(threshold=200), time_steps=16),
    Case(encoding=LatencyEncoding(threshold=255), time_steps=1),
    Case(encoding=DeltaEncoding(), time_steps=28),
    Case(encoding=DeltaEncoding(delta=16), time_steps=28, pause=0),
    Case(encoding=DeltaEncoding(delta=1), time_steps=8),
    Case(encoding=DeltaEncoding(delta=100), time_steps=784),
    Case(encoding=DeltaEncoding(delta=255), time_steps=1),
)
CASES = {"digits": DIGITS, "mnist": LARGE, "fashion-mnist": LARGE}


@click.command()
@click.option("--results", type=click.Path(path_type=Path, dir_okay=False), default=RESULTS)
@data_dir_option
@json_option
def main(results: Path, data_dir: Path | None, as_json: bool) -> None:
    """Compare the encoders over whole test sets."""
    console = Console(as_json=as_json)
    origin = stamp(*PACKAGES)
    tools = find_toolchain()
    found: list[dict[str, Any]] = []
    cases = [(name, case) for name, own in CASES.items() for case in own]
    with console.track(cases, "encoders") as tracked:
        found += [_compare(name, case, tools, data_dir) for name, case in tracked]
    sums = {key: sum(own[key] for own in found) for key in ("samples", "events", "mismatches")}
    document = {
        "schema": 1,
        "encoders": len(found),
        **sums,
        "cycles": sum(own["cycles"] for own in found),
        "runs": found,
    }
    document = write_result(results, document, origin)
    keys = ("dataset", "code", "time_steps", "samples", "events", "mismatches", "cycles", "seconds")
    rows = [[str(own[key]) for key in keys] for own in found]
    console.result(document, table("Encoders", rows, columns=list(keys)))
    if any(own["mismatches"] or own["hung"] for own in found):
        raise UserError(f"an encoder differs from Python: see {results}")


def _compare(name: str, case: Case, tools: Toolchain, data_dir: Path | None) -> dict[str, Any]:
    images = load_dataset(name, data_dir).test.images[:]
    code = SampleCode(encoding=case.encoding, values=images.shape[1], time_steps=case.time_steps)
    started = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="spikeloom-") as scratch:
        build = build_encoder(code, folder=Path(scratch) / "verilog", tools=tools)
        outcome = compare_encoder(
            build, code, images, folder=Path(scratch) / "run", pause=case.pause
        )
    kind, *parameters = msgspec.to_builtins(case.encoding).values()
    return {
        "dataset": name,
        "code": " ".join(map(str, (kind, *parameters))),
        "time_steps": case.time_steps,
        "pause": case.pause,
        **msgspec.to_builtins(outcome),
        "seconds": round(time.perf_counter() - started, 3),
    }


if __name__ == "__main__":
    main()
