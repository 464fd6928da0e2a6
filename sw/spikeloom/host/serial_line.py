"""A serial port as a transport."""

from __future__ import annotations

import errno
import importlib
import time
from contextlib import suppress

import serial
from serial.tools import list_ports

from spikeloom.errors import nearest
from spikeloom.host.failures import PortError

BAUD = 1_000_000
BITS_PER_BYTE = 10
READ_SECONDS = 0.02
WRITE_SECONDS = 10.0
"""A line that takes no bytes for so long is stuck."""

# Of a port that was closed under it, pyserial raises a TypeError, or termios' own error.
_FAILURES: tuple[type[Exception], ...] = (serial.SerialException, OSError, TypeError)
with suppress(ModuleNotFoundError):
    _FAILURES += (importlib.import_module("termios").error,)


class SerialLine:
    """A serial port of 1 Mbaud, 8N1, which nobody else uses.

    Args:
        path: the port, as the system names it.
        name: what a user calls it; the same unless given.

    Raises:
        PortError: there is none, it is in use, or it may not be used; says which.
    """

    simulated = False
    seconds_per_byte = BITS_PER_BYTE / BAUD

    def __init__(self, path: str, *, name: str | None = None) -> None:
        self.name = name or path
        self._path = path
        self._port = _open(path)
        self._heard = time.perf_counter()

    def write(self, data: bytes) -> None:
        """See `Transport`."""
        try:
            self._port.write(data)
        except _FAILURES as error:
            raise self._gone(error) from None

    def read(self) -> bytes:
        """See `Transport`."""
        try:
            if not (first := self._port.read(1)):
                return b""
            data = first + self._port.read(self._port.in_waiting)
            self._heard = time.perf_counter()
            return data
        except _FAILURES as error:
            raise self._gone(error) from None

    def now(self) -> float:
        """See `Transport`."""
        return time.monotonic()

    def line_time(self) -> float:
        """See `Transport`."""
        return time.perf_counter()

    def heard_time(self) -> float:
        """See `Transport`."""
        return self._heard

    def reopen(self) -> None:
        """See `Transport`."""
        self.release()
        self._port = _open(self._path)

    def close(self) -> None:
        """See `Transport`."""
        self.release()

    def release(self) -> None:
        """Let others use the port, until it is opened again."""
        # What has not left yet would keep the system waiting, for ever on a dead line.
        with suppress(*_FAILURES):
            self._port.reset_output_buffer()
        with suppress(*_FAILURES):
            self._port.close()

    def _gone(self, error: Exception) -> PortError:
        if isinstance(error, serial.SerialTimeoutException):
            return PortError(
                f"{self.name} takes no more bytes; unplug the board, plug it in and try again"
            )
        return PortError(
            f"{self.name} is gone ({error}); plug the board in again, and close what else uses it"
        )


def _open(path: str) -> serial.Serial:
    port = serial.Serial(
        None, BAUD, timeout=READ_SECONDS, write_timeout=WRITE_SECONDS, exclusive=True
    )
    # On some boards these wires hold the flash, or another chip, in reset.
    port.port, port.dtr, port.rts = path, False, False
    try:
        port.open()
    except (*_FAILURES, ValueError) as error:
        raise PortError(_why(path, error)) from None
    # Else some USB adapters keep what has come for 16 ms. Not every system and port can.
    with suppress(NotImplementedError, AttributeError, OSError, ValueError):
        port.set_low_latency_mode(True)
    with suppress(*_FAILURES):
        port.reset_input_buffer()
    return port


def _why(path: str, error: Exception) -> str:
    number = getattr(error, "errno", None)
    if number == errno.ENOENT or isinstance(error, FileNotFoundError):
        known = [port.device for port in list_ports.comports()]
        here = f"ports here are {', '.join(known)}" if known else "no serial port is here"
        hint = nearest(path, known) or "; plug the board in"
        return f"there is no port {path or repr(path)}: {here}{hint}"
    if number == errno.EACCES:
        return (
            f"you may not use {path}; join the group that owns it, for example: "
            "sudo usermod -aG dialout $USER, then log in again"
        )
    if number in (errno.EBUSY, errno.EAGAIN, errno.EWOULDBLOCK):
        return f"{path} is in use; close the other program that uses it"
    return f"{path} is no serial port ({_first_line(error)}); name one, such as /dev/ttyUSB1"


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
