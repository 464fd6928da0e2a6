"""The host's side of a board: its protocol, and :class:`Device`, which speaks it.

`Device` and what it needs are loaded when they are asked for: the gateware shares the protocol's
numbers, and needs no serial port.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spikeloom.host.device import Device
    from spikeloom.host.failures import DeviceError, NoAnswerError, PortError, WrongDesignError

__all__ = ["Device", "DeviceError", "NoAnswerError", "PortError", "WrongDesignError"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name == "Device":
        from spikeloom.host.device import Device

        return Device
    from spikeloom.host import failures

    return getattr(failures, name)
