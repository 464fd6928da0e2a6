"""The boards this project builds for, and what their devices hold.

A preset names the device for nextpnr, the clocks, and the capacities that an estimate checks before
any tool is called. `Target.block_rams` gives the exact number of block RAMs a memory takes.

How many blocks a memory needs is not `bits / capacity`: a block offers a few widths, the tool picks
one for the whole memory, and address ranges that overflow lie side by side in the words of the
same block. `memory_libmap` of yosys decides by cost; the same decision is taken here, from the same
description of the blocks (yosys' `ice40/brams.txt` and `lattice/brams_16kd.txt`).
"""

from __future__ import annotations

from dataclasses import dataclass
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

    def blocks(self, width: int, depth: int, *, writable: bool) -> tuple[float, int]:
        """Cost and number of blocks of the cheapest word width for a `depth` x `width` memory."""
        best = (inf, 0)
        for halvings, word in enumerate(self.widths):
            if writable and word < min(self.narrowest_write, self.byte):
                continue
            enable = min(self.byte, word) if writable else 1
            ranges = ceil(depth / (1 << (self.address_bits - halvings)))
            blocks = ceil(ranges * ceil(width / enable) * enable / word)
            cost = blocks * self.cost + (ranges - 1) * width * _MUX_COST
            if writable and ranges > 1:
                cost += ranges * _DEMUX_COST
            if cost < best[0]:
                best = (cost, blocks)
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

    def block_rams(self, width: int, depth: int, *, writable: bool = False) -> int:
        """Block RAMs that a memory of `depth` words of `width` bits takes on this device.

        Counts a memory with one synchronous read port and, if `writable`, one write port with a
        single enable. Small memories stay in block RAM only when they carry the attribute
        `ram_style="block"`; without it the tool may choose logic cells for them. From a read-only
        memory the tool takes out bits that are the same in all words; those are counted here.

        Raises:
            ValueError: `width` or `depth` is not positive.
        """
        if width < 1 or depth < 1:
            raise ValueError(f"A memory needs words and bits, not {depth!r} words of {width!r}")
        kinds = _ICE40 if self.family == "ice40" else _ECP5
        return min(kind.blocks(width, depth, writable=writable) for kind in kinds)[1]


_PRESETS = (
    Target(
        name="icebreaker",
        board="iCEBreaker",
        family="ice40",
        device="up5k",
        package="sg48",
        board_clock_mhz=12,
        core_clock_mhz=24,
        logic_cells=5280,
        block_ram_count=30,
        block_ram_bits=4096,
        sprams=4,
        dsps=8,
        has_top=True,
    ),
    Target(
        name="ulx3s-25f",
        board="ULX3S (25F)",
        family="ecp5",
        device="25k",
        package="CABGA381",
        board_clock_mhz=25,
        core_clock_mhz=50,
        logic_cells=24288,
        block_ram_count=56,
        block_ram_bits=18432,
        dsps=28,
        distributed_depth=64,
        has_top=True,
    ),
    Target(
        name="ulx3s-85f",
        board="ULX3S (85F)",
        family="ecp5",
        device="85k",
        package="CABGA381",
        board_clock_mhz=25,
        core_clock_mhz=50,
        logic_cells=83640,
        block_ram_count=208,
        block_ram_bits=18432,
        dsps=156,
        distributed_depth=64,
        has_top=True,
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
