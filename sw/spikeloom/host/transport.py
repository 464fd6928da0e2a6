"""What carries bytes to a device and back, and how a port's name leads to it.

A name is that of a serial port, or `KIND:PLACE`, where a package has registered the kind in the
entry points `spikeloom.ports`: a callable that takes the place and returns a :class:`Transport`.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from typing import Protocol, cast

from spikeloom.host.failures import PortError

GROUP = "spikeloom.ports"
EXTRAS = {"sim": "cosim"}
"""The extra that brings a kind of port."""


class Transport(Protocol):
    """A line to a device.

    Attributes:
        name: what a user calls it.
        simulated: the device behind it is simulated, and its line takes simulated time.
        seconds_per_byte: that the line takes, in the time of `line_time`.
    """

    name: str
    simulated: bool
    seconds_per_byte: float

    def write(self, data: bytes) -> None:
        """Send bytes; they may still be on their way when this returns.

        Raises:
            PortError: the line is gone.
        """
        ...

    def read(self) -> bytes:
        """What has come; waits a few hundredths of a second for it, and returns b"" if in vain.

        Raises:
            PortError: the line is gone.
        """
        ...

    def now(self) -> float:
        """Seconds, in which patience is measured."""
        ...

    def line_time(self) -> float:
        """Seconds, in which latencies are measured; it may stand still while nothing happens."""
        ...

    def heard_time(self) -> float:
        """When what `read` gave last had come, as `line_time` tells it."""
        ...

    def reopen(self) -> None:
        """Close the line and open it again; what was on its way is dropped.

        Raises:
            PortError: it does not open.
        """
        ...

    def close(self) -> None:
        """Give the line back. Closing twice is once."""
        ...


def open_transport(port: str) -> Transport:
    """The line that a port's name means.

    Args:
        port: a serial port, as `/dev/ttyUSB1`, or `KIND:PLACE`, as `sim:bitstreams/digits`.

    Raises:
        PortError: there is no such port, or it can not be opened.
    """
    kind, colon, place = port.partition(":")
    point = _kinds().get(kind) if colon else None
    if point is not None:
        return cast(Callable[[str], Transport], point.load())(place)
    if colon and kind in EXTRAS:
        raise PortError(
            f"{port}: nothing here knows ports of the kind {kind!r}; "
            f"run: pip install 'spikeloom[{EXTRAS[kind]}]'"
        )
    from spikeloom.host.serial_line import SerialLine

    return SerialLine(port)


def _kinds() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}
