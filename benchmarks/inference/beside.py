"""The part of the page that sets our figures beside those of others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from inference.markdown import cells_of, or_dash, rams_of, table
from inference.peers import SOURCES
from inference.rows import BITSTREAMS, Record
from spikeloom.image import load_image

__all__ = ["LINKS", "beside"]

LINKS = {
    "digits-icebreaker icebreaker 8 fixed": ("1,380", None),
    "mnist-20k icebreaker 8 loadable": ("2,735", "2,220"),
}
"""By a row's key, µs of an image over the 1 Mbaud line of a simulated board: alone, and in a row.

`spikeloom run --port sim:bitstreams/BUILD` prints them (docs/host.md)."""

_COLUMNS = {
    "network": "network, synapses",
    "steps": "T",
    "weight_bits": "weight bits",
    "accuracy": "accuracy",
    "device": "device",
    "cells": "cells",
    "memory": "block RAM",
    "latency": "latency, core, µs",
    "latency_link": "latency with link, µs",
    "interval": "interval, core, µs",
    "interval_link": "interval with link, µs",
    "operations": "op/cycle",
    "bits": "bits a weight",
    "power": "power",
}

_HEAD = """
A **latency** is the time that one image takes alone, an **interval** the time between results when
images follow one another (1 / interval is the throughput). They are not the same thing: compare
latencies with latencies. *Core* is without a host link; *with link* is over the 1 Mbaud line of a
simulated board, whose bytes take nearly all of it. A published figure of which its authors do not
say whether data transfer is in it stands under *core*.

**All of ours are simulated**, at the clock that place and route met, on no physical board, so there
is no power. Theirs are as published, or as their code does in our simulation; a dash is what is not
published or not known. The numbers in brackets are the sources.
"""


def beside(records: Sequence[Record], peers: Sequence[Mapping[str, Any]]) -> list[str]:
    """The section's parts, in Markdown."""
    rows = [_own(record) for record in records if record.synthesis]
    rows += [_theirs(peer) for peer in peers]
    numbered = [f"{number}. {source}." for number, source in enumerate(SOURCES.values(), 1)]
    return ["\n## Beside others", _HEAD, table(["", *_COLUMNS.values()], rows), "", *numbered, ""]


def _own(record: Record) -> list[object]:
    made = record.synthesis or {}
    met, name = made["constraint_mhz"], record.network["name"]
    image = load_image(BITSTREAMS / name / "network.safetensors")
    alone, in_a_row = LINKS.get(record.key, (None, None))
    shown = {
        "network": f"{'-'.join(map(str, image.shape))}, {image.synapses:,} sparse",
        "steps": image.time_steps,
        "weight_bits": image.weight_bits,
        "accuracy": or_dash(record.network["accuracy_test"], "{:.2%}".format),
        "device": record.target,
        "cells": f"{cells_of(made['utilization'])['used']:,}",
        "memory": ", ".join(rams_of(made["utilization"])),
        "latency": f"{record.cycles.latency.mean / met:.1f}",
        "latency_link": or_dash(alone),
        "interval": f"{record.cycles.interval.mean / met:.1f}",
        "interval_link": or_dash(in_a_row),
        "operations": f"{record.busiest['sop_per_cycle_per_lane'] * record.busiest['lanes']:.2f}",
        "bits": f"{record.bits['stored'] / image.synapses:.1f}",
    }
    return [f"**{name}**", *(or_dash(shown.get(column)) for column in _COLUMNS)]


def _theirs(peer: Mapping[str, Any]) -> list[object]:
    return [peer["name"], *(_cited(peer["cells"].get(column)) for column in _COLUMNS)]


def _cited(cell: Sequence[str] | None) -> str:
    if cell is None:
        return or_dash(None)
    text, source = cell
    return f"{text} [{list(SOURCES).index(source) + 1}]"
