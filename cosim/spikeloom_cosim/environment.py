"""The environment in which compilers and simulators run: ours, whatever stands outside.

cocotb, Verilator, make and C++ compilers read dozens of variables (`WAVES`, `COCOTB_TEST_FILTER`,
`VERILATOR_ROOT`, `MAKEFLAGS`, `CPLUS_INCLUDE_PATH`, …), which a user may have set for another test
bench. Here they would change what is compiled and run, and so the proof. So a process gets only
what every program needs, and what its caller gives it.
"""

from __future__ import annotations

import os

KEPT = (
    "PATH",
    "HOME",
    "USER",
    "TMPDIR",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    # Where libraries lie: of a compiler or a Python that was not installed by the system.
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "DYLD_FALLBACK_LIBRARY_PATH",
    "SDKROOT",
)


def own_environment(**variables: str) -> dict[str, str]:
    """The variables of a process: those that every program needs, and `variables`."""
    return {name: os.environ[name] for name in KEPT if name in os.environ} | variables
