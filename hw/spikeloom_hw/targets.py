"""The boards this project builds for, and what their devices hold.

A preset names the device for nextpnr, the clocks, and the capacities that an estimate checks before
any tool is called. `Target.block_rams` gives the exact number of block RAMs a memory takes.

How many blocks a memory needs is not `bits / capacity`: a block offers a few widths, the tool picks
one for the whole memory, and address ranges that overflow lie side by side in the words of the
same block. `memory_libmap` of yosys decides by cost; the same decision is taken here, from the same
description of the blocks (yosys' `ice40/brams.txt` and `lattice/brams_16kd.txt`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, inf
from typing import Literal

from spikeloom.errors import UserError, nearest

# Weights of yosys' choice, in its units: a block, a multiplexer bit on the way out, and in.
_MUX_COST = 0.5
_DEMUX_COST = 0.5


@dataclass(frozen=True, kw_only=True)
class BlockRam:
    """One kind of block RAM, as the synthesis tool may use it.

    Attributes:
        address_bits: address width at the narrowest word, in bits.
        widths: selectable word widths in bits; each doubling halves the depth.
        byte: bits that share one write enable.
        narrowest_write: narrowest word the write port can be set to, in bits.
        cost: cost of one block in the tool's units.
    """

    address_bits: int
    widths: tuple[int, ...]
    byte: int
    narrowest_write: int
    cost: int

    def layout(
        self, width: int, depth: int, *, writable: bool, chunk: int, used: int
    ) -> tuple[float, int, int]:
        """Cost, blocks and address ranges at the cheapest word width for `depth` x `width`.

        Bits that are written together lie in bytes of their own. Blocks that would hold nothing but
        bits that nobody reads are counted in the cost, as the tool chooses before it drops them.
        """
        best = (inf, 0, 0)
        for halvings, word in enumerate(self.widths):
            if writable and word < min(self.narrowest_write, self.byte):
                continue
            unit = min(self.byte, word) if writable else 1
            ranges = ceil(depth / (1 << (self.address_bits - halvings)))
            units = ceil(width / chunk) * ceil(chunk / unit)
            blocks = ceil(ranges * units * unit / word)
            cost = blocks * self.cost + (ranges - 1) * width * _MUX_COST
            if writable and ranges > 1:
                cost += ranges * _DEMUX_COST
            if cost < best[0]:
                read = ceil(used / chunk) * ceil(chunk / unit)
                if used % chunk:
                    read += ceil(used % chunk / unit) - ceil(chunk / unit)
                kept = {
                    (lap * units + number) * unit // word
                    for lap in range(ranges)
                    for number in range(read)
                }
                best = (cost, len(kept), ranges)
        return best


# SB_RAM40_4K: the tool writes through the 16-bit port with its bit mask, so a byte is one bit.
_ICE40 = (BlockRam(address_bits=11, widths=(2, 4, 8, 16), byte=1, narrowest_write=0, cost=64),)
# DP16KD as true dual port, and as pseudo dual port with twice the width.
_ECP5 = (
    BlockRam(address_bits=14, widths=(1, 2, 4, 9, 18), byte=9, narrowest_write=0, cost=128),
    BlockRam(address_bits=14, widths=(1, 2, 4, 9, 18, 36), byte=9, narrowest_write=36, cost=128),
)


@dataclass(frozen=True, kw_only=True)
class Target:
    """A board, its device, and its capacities.

    Attributes:
        name: the preset's name, as given to `--target`.
        board: the board's name in words.
        family: selects yosys' and nextpnr's flavour.
        device: nextpnr's device option, without dashes.
        package: nextpnr's package.
        speed: nextpnr's speed grade; 0 for a family with one.
        board_clock_mhz: the board's oscillator in MHz.
        core_clock_mhz: the clock the core is built for, in MHz: the timing constraint.
        logic_cells: iCE40 logic cells or ECP5 LUT4s.
        block_ram_count: number of block RAMs.
        block_ram_bits: bits of one block RAM.
        sprams: number of single-port RAMs of 256 kbit.
        dsps: number of multipliers.
        distributed_depth: words that a membrane bank may have to lie in distributed RAM, where it
            is faster than in block RAM.
        has_top: whether a board top exists, so that it can be synthesised.
    """

    name: str
    board: str
    family: Literal["ice40", "ecp5"]
    device: str
    package: str
    speed: int = 0
    board_clock_mhz: float
    core_clock_mhz: float
    logic_cells: int
    block_ram_count: int
    block_ram_bits: int
    sprams: int = 0
    dsps: int = 0
    distributed_depth: int = 0
    has_top: bool = False

    @property
    def memory_bits(self) -> int:
        """Bits of all block RAMs together."""
        return self.block_ram_count * self.block_ram_bits

    @property
    def block_name(self) -> str:
        """The field's name of this family's block RAM."""
        return "EBR" if self.family == "ice40" else "DP16KD"

    @property
    def cell_name(self) -> str:
        """The field's name of this family's logic cell."""
        return "LC" if self.family == "ice40" else "LUT4"

    def block_rams(
        self,
        width: int,
        depth: int,
        *,
        writable: bool = False,
        chunk: int | None = None,
        used: int | None = None,
    ) -> int:
        """Block RAMs that a memory of `depth` words of `width` bits takes on this device.

        Counts a memory with one synchronous read port and, if `writable`, one write port. Small
        memories stay in block RAM only when they carry the attribute `ram_style="block"`; without
        it the tool may choose logic cells for them. From a read-only memory the tool takes out bits
        that are the same in all words; those are counted here.

        Args:
            width: bits of a word.
            depth: words.
            writable: there is a write port.
            chunk: bits that share a write enable, counted from bit 0; all of them if not given.
            used: low bits that are read; all of them if not given.

        Raises:
            ValueError: `width` or `depth` is not positive.
        """
        return self._layout(width, depth, writable=writable, chunk=chunk, used=used)[1]

    def multiplexed_bits(self, width: int, depth: int, *, writable: bool = False) -> int:
        """Bits that logic has to choose from, as the memory's words lie in several blocks' ranges.

        Counts two-way multiplexers; 0 for a memory of which every bit lies in one block.

        Raises:
            ValueError: `width` or `depth` is not positive.
        """
        return (self._layout(width, depth, writable=writable)[2] - 1) * width

    def _layout(
        self,
        width: int,
        depth: int,
        *,
        writable: bool,
        chunk: int | None = None,
        used: int | None = None,
    ) -> tuple[float, int, int]:
        if width < 1 or depth < 1:
            raise ValueError(f"A memory needs words and bits, not {depth!r} words of {width!r}")
        kinds = _ICE40 if self.family == "ice40" else _ECP5
        return min(
            kind.layout(width, depth, writable=writable, chunk=chunk or width, used=used or width)
            for kind in kinds
        )


_UP5K = Target(
    name="",
    board="",
    family="ice40",
    device="up5k",
    package="sg48",
    board_clock_mhz=12,
    core_clock_mhz=30,
    logic_cells=5280,
    block_ram_count=30,
    block_ram_bits=4096,
    sprams=4,
    dsps=8,
    has_top=True,
)
_ECP5_25F = Target(
    name="",
    board="",
    family="ecp5",
    device="25k",
    package="CABGA381",
    speed=6,
    board_clock_mhz=25,
    core_clock_mhz=80,
    logic_cells=24288,
    block_ram_count=56,
    block_ram_bits=18432,
    dsps=28,
    distributed_depth=64,
    has_top=True,
)
_ECP5_85F = replace(_ECP5_25F, device="85k", logic_cells=83640, block_ram_count=208, dsps=156)

_PRESETS = (
    replace(_UP5K, name="icebreaker", board="iCEBreaker"),
    replace(_UP5K, name="upduino", board="UPduino 3"),
    replace(_UP5K, name="icesugar", board="iCESugar"),
    replace(_ECP5_25F, name="ulx3s-25f", board="ULX3S (25F)"),
    replace(_ECP5_85F, name="ulx3s-85f", board="ULX3S (85F)"),
    replace(
        _ECP5_25F,
        name="orangecrab",
        board="OrangeCrab r0.2 (25F)",
        package="CSFBGA285",
        speed=8,
        board_clock_mhz=48,
    ),
    replace(_ECP5_25F, name="colorlight-i5", board="Colorlight i5"),
    replace(
        _ECP5_85F,
        name="ecpix5-85f",
        board="ECPIX-5 (85F)",
        device="um5g-85k",
        package="CABGA554",
        speed=8,
        board_clock_mhz=100,
    ),
)
TARGETS: dict[str, Target] = {preset.name: preset for preset in _PRESETS}


def find_target(name: str) -> Target:
    """The preset called `name`.

    Raises:
        UserError: there is none; names the nearest and lists all.
    """
    if name in TARGETS:
        return TARGETS[name]
    raise UserError(
        f"unknown target {name!r}{nearest(name, TARGETS)}; the targets are {', '.join(TARGETS)}"
    )
