"""A board's design as one Verilog text that runs behind a serial line.

What is simulated is `top.v`, as `spikeloom generate` writes it for the board, around `core.v`: all
that goes into the bitstream, before synthesis. Of the device's cells the pins pass what is on
them, and the PLL passes the bench's clock (`cells.v`).
"""

from __future__ import annotations

import re
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

from spikeloom.errors import UserError
from spikeloom_cosim.bench import render
from spikeloom_cosim.build import Build, build_harness
from spikeloom_cosim.toolchain import Toolchain
from spikeloom_hw.boards.top import reset_timer_bits
from spikeloom_hw.design_check import check_memories
from spikeloom_hw.generate import CORE, load_design
from spikeloom_hw.host.device import BAUD
from spikeloom_hw.host.uart import uart_divisor

CELLS = Path(__file__).parent / "cells.v"
HARNESS = Path(__file__).parent / "harness.cpp"
SOURCE = "board.v"
TOP = "top"
RX, TX = "uart_0__rx__io", "uart_0__tx__io"

_MODULE = re.compile(r"^module (\w+)\b.*?^endmodule$", re.DOTALL | re.MULTILINE)
_CELL = re.compile(r"^  ([A-Z][A-Z0-9_]+) (?:#\(|\w+ \()", re.MULTILINE)
_PORTS = re.compile(rf"^module {TOP}\(([^)]*)\);", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Pins:
    """The pins of a board: those that the harness drives and watches, and the others."""

    clock: str
    rx: str
    tx: str
    others: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Board:
    """What is simulated.

    Attributes:
        folder: holds the memory contents, and the text.
        source: the text.
        module: its top module.
        pins: its pins.
        divisor: cycles of a bit on its serial line.
        reset_cycles: after which it has ended its reset.
        clock_hz: cycles of a second.
        baud: bits of a second.
    """

    folder: Path
    source: Path
    module: str
    pins: Pins
    divisor: int
    reset_cycles: int
    clock_hz: float
    baud: float


def board_of(design: Path, folder: Path) -> Board:
    """The board of a design's folder, put together in `folder`.

    Args:
        design: made by `spikeloom generate`, with a board's top.
        folder: an existing one, for the text and the memory contents.

    Raises:
        UserError: a file is missing or damaged, or there is no model of one of the cells.
    """
    described = load_design(design)
    texts = []
    for name in (CORE, f"{TOP}.v"):
        path = design / name
        if not path.is_file():
            raise UserError(
                f"{design} has no {name}, so there is no board to simulate; generate the design "
                "for a target that has a top"
            )
        texts.append(path.read_text())
    check_memories(design, described)
    for path in design.glob("*.mem"):
        shutil.copyfile(path, folder / path.name)
    source = folder / SOURCE
    source.write_text("\n".join([_cells(texts[-1]), *texts]))
    clock_hz = described.clock_mhz * 1e6
    return Board(
        folder=folder,
        source=source,
        module=TOP,
        pins=_pins(texts[-1], design),
        divisor=uart_divisor(clock_hz, BAUD),
        reset_cycles=2 << reset_timer_bits(described.clock_mhz),
        clock_hz=clock_hz,
        baud=BAUD,
    )


def build_board(board: Board, *, tools: Toolchain, cache: Path | None = None) -> Build:
    """Compile a board with its harness, or find it compiled.

    Raises:
        UserError: it does not compile, or the cache cannot be written.
    """
    bench = render("board.sv.j2", module=board.module, pins=asdict(board.pins))
    return build_harness(board.source, bench, HARNESS, tools=tools, cache=cache)


def _cells(top: str) -> str:
    """Models of the cells in a board's top."""
    known = {found[1]: found[0] for found in _MODULE.finditer(CELLS.read_text())}
    used = sorted(set(_CELL.findall(top)))
    if unknown := [name for name in used if name not in known]:
        raise UserError(
            f"there is no model of the cell {unknown[0]}, so this board cannot be simulated; "
            "generate the design for another target"
        )
    return "\n".join(known[name] for name in used)


def _pins(top: str, design: Path) -> Pins:
    found = _PORTS.search(top)
    names = found[1].split(", ") if found else []
    clocks = [name for name in names if name.startswith("clk")]
    if len(clocks) != 1 or not {RX, TX} <= set(names):
        raise UserError(
            f"{design / TOP}.v lacks a pin of the clock or the serial line; "
            "generate the design again"
        )
    others = tuple(name for name in names if name not in (RX, TX, *clocks))
    return Pins(clock=clocks[0], rx=RX, tx=TX, others=others)
