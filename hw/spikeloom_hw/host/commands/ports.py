"""What every command has."""

from typing import Any

from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from spikeloom_hw.host.layouts import PayloadLayout


def command_members() -> dict[str, Any]:
    """The members ``payload`` and ``answer`` of a command."""
    return {
        "payload": In(stream.Signature(PayloadLayout())),
        "answer": Out(stream.Signature(PayloadLayout())),
    }
