"""Which lines of a core ran, and which bits toggled, in the runs that mutants are put through."""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from pathlib import Path

import msgspec

from mutants.cores import Subject
from mutants.trial import RUNS, patient
from spikeloom_cosim.build import CORE, build_bench
from spikeloom_cosim.simulation import Round, run_rounds
from spikeloom_cosim.toolchain import Toolchain

RECORDED = "coverage.dat"
KINDS = {"v_line": "line", "v_branch": "line", "v_toggle": "toggle"}

TOP = "alone.bench.core"
_ESCAPED = re.compile(r"__0([0-9A-Fa-f]{2})")
_BIT = re.compile(r"(.*)\[(-?\d+)\]$")
_POINT = re.compile(r"^C '(.*)' (\d+)$", re.MULTILINE)


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """Something in the Verilog that can be covered.

    Attributes:
        kind: "line" (a block of statements, or a branch of one) or "toggle".
        line: in `core.v`.
        place: instance, and for a toggle the bit and its direction.
    """

    kind: str
    line: int
    place: str


def cover(subject: Subject, *, tools: Toolchain) -> Counter[Point]:
    """How often each point of a core was met, in all of `RUNS`; 0 where it never was."""
    met: Counter[Point] = Counter()
    with tempfile.TemporaryDirectory(prefix="spikeloom-") as scratch:
        work = Path(scratch)
        fittings = subject.fittings(work / "design")
        core = fittings[0].core
        build = build_bench(core.verilog, core.shape, tools=tools, alone=True, coverage=True)
        for place, run in enumerate(RUNS):
            fitting = fittings[run.network_of(subject)]
            expected = fitting.with_every_address().expect(run.events(subject))
            folder = work / str(place)
            run_rounds(
                build,
                fitting.core,
                [Round.of(fitting.core, expected.trace.events)],
                run.mode,
                folder=folder,
                seed=run.seed,
                watchdog=patient(expected),
                options=run.options(),
            )
            met.update(points((folder / RECORDED).read_text()))
    return met


def points(recorded: str) -> dict[Point, int]:
    """The points of `core.v` in a file that Verilator wrote, and how often each was met."""
    found: Counter[Point] = Counter()
    for fields, count in _POINT.findall(recorded):
        field = dict(part.split("\x02", 1) for part in fields.split("\x01") if "\x02" in part)
        kind = KINDS.get(field["page"].split("/")[0])
        if kind is None or not field["f"].endswith(CORE):
            continue
        place = f"{field['h']} {field['o']}"
        found[Point(kind=kind, line=int(field["l"]), place=place)] += int(count)
    return found


def in_verilog(point: Point) -> tuple[str, int]:
    """The net of a toggle by its path below the core, and its bit."""
    instance, _, what = point.place.partition(" ")
    name, _, _ = what.rpartition(":")
    name = _ESCAPED.sub(lambda escaped: chr(int(escaped[1], 16)), name)
    found = _BIT.match(name)
    name, bit = (found[1], int(found[2])) if found else (name, 0)
    path = instance.removeprefix(TOP).removeprefix(".")
    return (f"{path}.{name}" if path else name), bit
