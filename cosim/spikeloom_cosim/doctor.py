"""What `spikeloom doctor` says about co-simulation."""

from __future__ import annotations

import shutil
from collections.abc import Callable

from spikeloom.doctor import Check, package_checks, program_version
from spikeloom.errors import UserError
from spikeloom_cosim import toolchain


def checks() -> list[Check]:
    """cocotb, Verilator, and what they need from the system."""
    packages = package_checks(["cocotb"], "cosim")
    needed = packages[0].ok
    return [
        *packages,
        _check("verilator", lambda: toolchain.find_verilator()[2], needed),
        _check("C++ compiler", lambda: _described(str(toolchain.find_compiler())), needed),
        *(
            _check(name, lambda name=name: _described(str(toolchain.find_program(name))), needed)
            for name in ("make", "perl")
        ),
    ]


def _check(name: str, find: Callable[[], str], needed: bool) -> Check:
    try:
        return Check(name=name, ok=True, version=find(), needed=needed)
    except UserError as error:
        return Check(name=name, ok=False, fix=str(error).partition("; ")[2], needed=needed)


def _described(program: str) -> str:
    return program_version([program, "--version"]) or shutil.which(program) or program
