"""A board's top as files: `top.v`, pins and clocks, and the memory contents."""

from pathlib import Path
from typing import Any

from spikeloom.errors import UserError
from spikeloom.host.protocol import Identity
from spikeloom_hw.boards.catalogue import BOARDS
from spikeloom_hw.boards.top import BoardTop
from spikeloom_hw.encoders import Encoder
from spikeloom_hw.synth.families import family
from spikeloom_hw.targets import TARGETS, Target
from spikeloom_hw.verilog import rtlil_to_verilog

TOP = "top"


def check_top(target: Target) -> None:
    """Refuse a target without a board top.

    Raises:
        UserError: the target is known only as a device.
    """
    if not target.has_top:
        tops = ", ".join(name for name, known in TARGETS.items() if known.has_top)
        raise UserError(f"there is no board top for {target.name} yet; build for {tops}")


def write_top(
    core: Any,
    *,
    target: Target,
    identity: Identity,
    directory: Path,
    encoder: Encoder | None = None,
) -> list[Path]:
    """Write the board's top around `core` into `directory`.

    Args:
        core: a component with the members `events` (In) and `scores` (Out).
        target: the board.
        identity: who the device is.
        directory: an existing folder.
        encoder: makes events of values that the host sends.

    Returns:
        The files written: Verilog, memories, pins and clocks.

    Raises:
        UserError: the target has no top.
    """
    check_top(target)
    board = BOARDS[target.name]
    top = BoardTop(
        core,
        board=board,
        identity=identity,
        clock_mhz=target.core_clock_mhz,
        encoder=encoder,
    )
    plan: Any = board.platform().prepare(top, TOP, emit_src=False)
    files = rtlil_to_verilog(str(plan.files[f"{TOP}.il"]), name=TOP, directory=directory)
    own = family(target)
    constraints = directory / own.constraints
    lines = str(plan.files[own.constraints]).splitlines()
    kept = [line for line in lines if line.startswith(own.constraints_words)]
    constraints.write_text("\n".join([f"# {target.board}: pins and clocks", *kept]) + "\n")
    return [*files, constraints]
