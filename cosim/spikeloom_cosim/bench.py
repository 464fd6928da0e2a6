"""Renders the SystemVerilog test bench of a core."""

from __future__ import annotations

from dataclasses import asdict

from jinja2 import Environment, PackageLoader, StrictUndefined

from spikeloom.packing.words import unsigned_bits
from spikeloom_cosim.shape import CoreShape
from spikeloom_hw.core.layouts import LOOK_CYCLES

TOP = "bench"


def render_bench(shape: CoreShape, *, waves: bool = False) -> str:
    """The test bench for cores of `shape`; with `waves` it can write a VCD file."""
    return render(
        "bench.sv.j2",
        **asdict(shape),
        event_bits=shape.event_bits,
        counters=shape.counters,
        look_cycles=LOOK_CYCLES,
        select_bits=unsigned_bits(shape.counters - 1),
        waves=waves,
    )


def render(template: str, **values: object) -> str:
    """A test bench by its template's name and the values in it; none of them may be missing."""
    environment = Environment(
        loader=PackageLoader("spikeloom_cosim"),
        undefined=StrictUndefined,
        autoescape=False,  # SystemVerilog, not HTML
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(template).render(**values)
