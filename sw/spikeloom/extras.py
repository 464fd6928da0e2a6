"""Optional dependencies: which extra of the package brings a module that is missing."""

from __future__ import annotations

import re
from functools import cache
from importlib.metadata import PackageNotFoundError, requires

__all__ = ["missing_module"]

# Modules that are not called like the distribution that brings them.
_BROUGHT_BY = {
    "PIL": "pillow",
    "cocotb_tools": "cocotb",
    "find_libpython": "cocotb",
    "serial": "pyserial",
    "vcd": "pyvcd",
}


def missing_module(error: ModuleNotFoundError) -> str | None:
    """One sentence for a missing optional dependency, or None when the module is not one."""
    module = (error.name or "").partition(".")[0]
    extra = _extras().get(_BROUGHT_BY.get(module, module))
    if extra is None:
        return None
    return f"the Python package {module!r} is not installed; run: pip install 'spikeloom[{extra}]'"


@cache
def _extras() -> dict[str, str]:
    """Import name of each optional dependency, and the extra that brings it."""
    found: dict[str, str] = {}
    try:
        requirements = requires("spikeloom") or []
    except PackageNotFoundError:
        requirements = []
    for requirement in requirements:
        if match := re.match(r"""([\w.-]+).*extra\s*==\s*["'](\w+)["']""", requirement):
            found[match[1].lower().replace("-", "_")] = match[2]
    return found
