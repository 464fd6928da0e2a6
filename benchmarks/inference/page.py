"""The page of docs/ with the table, from the records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from inference.beside import beside
from inference.markdown import cells_of, or_dash, rams_of, table
from inference.rows import Record

__all__ = ["page"]

_HEAD = """\
# Performance

What inference costs in the core, **simulated**: no figure here was measured on a physical board.
`benchmarks/core.py` computes them and writes this page from
`benchmarks/results/core.json`.

- **Cycles** are exact, over the whole test set of each network, by the cycle model that
  co-simulation holds to the RTL: *alone* is a sample that has the core for itself, *interval* what
  lies between results when samples follow each other.
- **op/cycle/lane** are the synaptic operations of the busiest layer, by cycle and lane, samples
  back to back. 1 is the floor: one weight read and one membrane written in every cycle.
- **× entropy**: all bits stored, padding and pointers with them, over the entropy bound of the
  synapses.
- **Clock**: nextpnr's, median and best over the seeds of its placer. *Met* is the constraint that
  the bitstream was built for, and µs are at that clock.
"""


def page(records: Sequence[Record], peers: Sequence[Mapping[str, Any]]) -> str:
    """The whole page, in Markdown."""
    parts = [
        _HEAD,
        "## Reference networks\n",
        table(
            [
                "network",
                "accuracy",
                "synapses",
                "target",
                "lanes",
                "cycles alone (99 %, most)",
                "interval",
                "op/cycle/lane",
                "× entropy",
            ],
            map(_work, records),
        ),
        "\n## Cells, clock, time\n",
        table(
            [
                "network",
                "target",
                "lanes",
                "cells",
                "RAM",
                "clock: median, best",
                "met",
                "µs: alone, interval",
            ],
            (_built(record) for record in records if record.synthesis),
        ),
        "\nBefore synthesis, `spikeloom estimate` foresees:\n",
        table(
            ["network", "target", "lanes", "cells", "built", "clock", "reached"],
            (_foreseen(record) for record in records if record.synthesis),
        ),
        "\n## Where the cycles go\n",
        "By the core's own counters, in co-simulation, samples back to back; a layer's cycles are\n"
        "100 %.\n",
        table(
            [
                "network",
                "target",
                "lanes",
                "samples",
                "layer",
                "synapses",
                "padding",
                "update",
                "blocked",
                "idle",
            ],
            (line for record in records if record.counters for line in _shares(record)),
        ),
        *beside(records, peers),
    ]
    return "\n".join(parts)


def _place(record: Record) -> list[object]:
    memories = " (loadable)" if record.loadable else ""
    lanes = ",".join(map(str, record.lanes))
    return [record.network["name"], record.target, lanes + memories]


def _work(record: Record) -> list[object]:
    name, target, lanes = _place(record)
    alone, interval = record.cycles.latency, record.cycles.interval
    return [
        name,
        or_dash(record.network["accuracy_test"], "{:.2%}".format),
        f"{record.network['synapses']:,}",
        target,
        lanes,
        f"{alone.mean:,.1f} ({alone.p99:,}, {alone.max:,})",
        f"{interval.mean:,.1f}",
        f"{record.busiest['sop_per_cycle_per_lane']:.3f}",
        f"{record.bits['ratio']:.3f}",
    ]


def _built(record: Record) -> list[object]:
    made = record.synthesis or {}
    spread, used = made["fmax_spread_mhz"], made["utilization"]
    met = made["constraint_mhz"]
    cells = cells_of(used)
    return [
        *_place(record),
        f"{cells['used']:,} of {cells['available']:,}",
        ", ".join(rams_of(used)),
        f"{spread['median']:.1f}, {spread['best']:.1f} MHz ({len(made['seeds'])} seeds)",
        f"{met:g} MHz",
        f"{record.cycles.latency.mean / met:.1f}, {record.cycles.interval.mean / met:.1f}",
    ]


def _foreseen(record: Record) -> list[object]:
    made, band = record.synthesis or {}, record.estimate["cells"]
    used = made["utilization"]
    cells = cells_of(used)["used"]
    clock = record.estimate["clock_mhz"]
    return [
        *_place(record),
        f"{band['median']:,.0f} ({band['low']:,.0f} to {band['high']:,.0f})",
        f"{cells:,} ({band['median'] / cells - 1:+.1%})",
        f"{clock['median']:.0f} ({clock['low']:.0f} to {clock['high']:.0f}) MHz",
        f"{made['fmax_spread_mhz']['median']:.1f} MHz",
    ]


def _shares(record: Record) -> Iterator[list[object]]:
    counters = record.counters or {}
    for layer in counters["layers"]:
        shares = (f"{100 * share:.1f} %" for share in layer["shares"].values())
        yield [*_place(record), counters["samples"], layer["name"], *shares]
