"""The verb ``flash``."""

import shlex
from pathlib import Path

import click

from spikeloom.cli.console import Console, json_option
from spikeloom.errors import UserError
from spikeloom_hw.boards.catalogue import BOARDS
from spikeloom_hw.boards.programmer import OPENFPGALOADER, Programmer
from spikeloom_hw.flash.bitstream import find_bitstream
from spikeloom_hw.flash.loader import write_bitstream
from spikeloom_hw.targets import TARGETS


@click.command(epilog="Example: spikeloom flash bitstreams/digits-icebreaker --dry-run")
@click.argument("bitstream", type=click.Path(path_type=Path))
@click.option(
    "--target",
    type=click.Choice(list(TARGETS)),
    help="Board to write to.  [default: the one that the bitstream was built for]",
)
@click.option(
    "--persistent/--volatile",
    default=None,
    help=(
        "Write the flash, from which the board starts whenever it gets power; or the FPGA's own "
        "memory, which is fast and forgets.  [default: volatile where the board can]"
    ),
)
@click.option("--board", help="openFPGALoader's name of the board, for a revision with another.")
@click.option("--dry-run", is_flag=True, help="Print the command, and run nothing.")
@json_option
def flash(
    bitstream: Path,
    target: str | None,
    persistent: bool | None,
    board: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Write a bitstream to the board that it was built for.

    BITSTREAM is a file, a folder made by synth, a folder of bitstreams/, or a run folder. The
    record beside it tells its board; one that was built for another board, or changed since, is
    refused. The tool that writes it is openFPGALoader (Debian: apt-get install openfpgaloader), for
    the iCESugar icesprog.
    """
    console = Console(as_json=as_json)
    found = find_bitstream(bitstream, target)
    home = BOARDS[found.target.name]
    programmer = home.programmer if board is None else _named(home.programmer, board)
    kept = _kept(programmer, found.target.name, persistent)
    command = programmer.command(str(found.path), persistent=kept)
    line = shlex.join(command)
    data = {
        "bitstream": str(found.path),
        "target": found.target.name,
        "command": list(command),
        "persistent": kept,
        "dry_run": dry_run,
        "link": home.link,
    }
    if programmer.hint:
        console.note(f"{found.target.board}: {programmer.hint}")
    if dry_run:
        console.result(data)
        if not as_json:
            click.echo(line)
        return
    console.note(line)
    write_bitstream(command, tell=lambda text: click.echo(text, nl=False, err=True))
    console.result(data)
    console.note(f"written; its serial line: {home.link}")


def _named(programmer: Programmer, board: str) -> Programmer:
    if programmer.program != OPENFPGALOADER:
        raise UserError(f"--board is openFPGALoader's, and {programmer.program} writes here")
    if not board or board.startswith("-"):
        raise UserError(f"--board is openFPGALoader's name of a board, as in ulx3s, not {board!r}")
    return programmer.of_board(board)


def _kept(programmer: Programmer, name: str, persistent: bool | None) -> bool:
    """Whether the flash is written, when the user asked for `persistent`."""
    if persistent is None:
        return programmer.volatile is None
    if not persistent and programmer.volatile is None:
        raise UserError(f"{name} takes its bitstream from flash only: leave --volatile out")
    return persistent
