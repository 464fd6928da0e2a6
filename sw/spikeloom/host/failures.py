"""What goes wrong between host and device, each as a sentence that tells what to do."""

from __future__ import annotations

from spikeloom.errors import UserError


class DeviceError(UserError):
    """The device can not do what it was asked to, or does what it should not."""


class PortError(DeviceError):
    """The port is missing, busy, not allowed, or gone."""


class NoAnswerError(DeviceError):
    """Nothing, or nothing that can be understood, comes back from the port."""


class WrongDesignError(DeviceError):
    """The device runs another design than the one it was opened with."""
