"""Ports of the kind `sim:PLACE`: a board that is simulated, behind a pseudo-terminal.

The driver opens the terminal as it opens any serial port, so its bytes cross the same code as those
to a real board, and then the bits of the board's serial pins.
"""

from __future__ import annotations

import mmap
import os
import shutil
import struct
import subprocess
import tempfile
import time
import tty
from contextlib import suppress
from pathlib import Path

from spikeloom.errors import UserError
from spikeloom.host.failures import PortError
from spikeloom.host.serial_line import BITS_PER_BYTE, SerialLine
from spikeloom_cosim import verilator
from spikeloom_cosim.bench import TOP
from spikeloom_cosim.board.model import Board, board_of, build_board
from spikeloom_cosim.environment import own_environment
from spikeloom_cosim.toolchain import Toolchain, find_toolchain
from spikeloom_hw.source import find_source

KIND = "sim"
_TIMES = struct.Struct("=QQQQ")
_ENDING_SECONDS = 5.0
_DYING_SECONDS = 1.0


def open_simulated(place: str) -> SimulatedLine:
    """The port `sim:PLACE`.

    Args:
        place: a folder of `bitstreams/`, one made by `spikeloom generate`, or a network.

    Raises:
        UserError: there is no design, it is damaged, or it does not compile.
        PortError: the system has no pseudo-terminals.
    """
    source = find_source(Path(place))
    if source is None:
        raise UserError(
            f"{place or 'nothing'} is no design to simulate; name a folder of bitstreams/, one "
            "made by 'spikeloom generate', or a network, as in sim:bitstreams/digits-icebreaker"
        )
    with tempfile.TemporaryDirectory(prefix="spikeloom-") as scratch:
        design = source.folder or Path(scratch) / "design"
        if source.folder is None:
            source.write(design)
        return open_board(design, name=f"{KIND}:{place}", tools=find_toolchain())


def open_board(design: Path, *, name: str, tools: Toolchain) -> SimulatedLine:
    """The line of a generated design's board.

    Args:
        design: made by `spikeloom generate`, with a board's top.
        name: of the port.
        tools: what compiles it.

    Raises:
        UserError: the design is damaged, or does not compile.
        PortError: the system has no pseudo-terminals.
    """
    scratch = Path(tempfile.mkdtemp(prefix="spikeloom-"))
    try:
        board = board_of(design, scratch)
        return SimulatedLine(board, name=name, tools=tools, scratch=scratch)
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)
        raise


class SimulatedLine(SerialLine):
    """The serial line of a board that runs in a process of its own, until it is closed.

    Args:
        board: what to simulate.
        name: of the port.
        tools: what compiles it.
        scratch: a folder to remove in the end.

    Attributes:
        path: the pseudo-terminal; another program may open it when this line is released.

    Raises:
        UserError: the board does not compile.
        PortError: the system has no pseudo-terminals.
    """

    simulated = True

    def __init__(self, board: Board, *, name: str, tools: Toolchain, scratch: Path) -> None:
        self._scratch = scratch
        self._log = scratch / "simulation.log"
        self._clock_hz = board.clock_hz
        build = build_board(board, tools=tools)
        clock = scratch / "clock"
        clock.write_bytes(bytes(_TIMES.size))
        with clock.open("r+b") as file:
            self._clock = mmap.mmap(file.fileno(), _TIMES.size)
        try:
            # This end stays open, so that the line has one whoever comes and goes.
            line, self._end = os.openpty()
        except OSError as error:
            raise PortError(
                f"{name}: the system gives no pseudo-terminal ({error.strerror}), "
                "as Linux and macOS do"
            ) from None
        tty.setraw(self._end)
        self.path = os.ttyname(self._end)
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [build.folder / TOP, *map(str, (line, clock, board.divisor, board.reset_cycles))],
                cwd=board.folder,
                env=own_environment(),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=[line],
                # Ctrl-C is for us, who end it.
                start_new_session=True,
            )
        os.close(line)
        try:
            super().__init__(self.path, name=name)
        except BaseException:
            self.end()
            raise
        self.seconds_per_byte = BITS_PER_BYTE / board.baud

    @property
    def process_id(self) -> int:
        """Of the simulation."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """The simulation goes on."""
        return self._process.poll() is None

    @property
    def cycles(self) -> int:
        """Cycles that the board has run."""
        return self._times()[0]

    def now(self) -> float:
        """The board's time, and that of the wall while the board's stands still."""
        cycles, _, asleep, since = self._times()
        still = asleep + (max(0, time.monotonic_ns() - since) if since else 0)
        return cycles / self._clock_hz + still * 1e-9

    def line_time(self) -> float:
        """The board's time."""
        return self.cycles / self._clock_hz

    def heard_time(self) -> float:
        """The board's time when the last byte came from it."""
        return self._times()[1] / self._clock_hz

    def reopen(self) -> None:
        """Open the line again, if the simulation goes on.

        Raises:
            PortError: it has ended, and its terminal may be another program's by now.
        """
        if not self.running:
            raise PortError(
                f"{self.name}: the simulation has ended; begin another with Device.open"
            )
        super().reopen()

    def close(self) -> None:
        """Give the port back, and end the simulation."""
        super().close()
        self.end()

    def end(self) -> None:
        """End the simulation."""
        process = self._process
        if process.stdin is not None and not process.stdin.closed:
            process.stdin.close()
            os.close(self._end)
        try:
            process.wait(_ENDING_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        with suppress(OSError):
            shutil.rmtree(self._scratch)

    def _times(self) -> tuple[int, int, int, int]:
        return _TIMES.unpack(self._clock[: _TIMES.size])

    def _gone(self, error: Exception) -> PortError:
        try:
            self._process.wait(_DYING_SECONDS)
        except subprocess.TimeoutExpired:
            return super()._gone(error)
        said = verilator.first_error(self._log)
        return PortError(f"{self.name}: the simulation has ended ({said}); open it again")
