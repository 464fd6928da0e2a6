"""Icarus Verilog, on which the delivered test bench is tried besides Verilator.

No package index has it. It is taken from PATH, or else out of Debian's package `iverilog`, unpacked
into the cache. Its programs look for their parts under `/usr`; two small scripts tell them where
the parts are.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from spikeloom.files import cache_folder
from spikeloom_cosim.debian import unpack

PACKAGE = "iverilog"
_PARTS = "usr/lib/*/ivl"
# Each program, and its option that names the folder of the parts.
_PROGRAMS = {"iverilog": "-B", "vvp": "-M"}
_SCRIPT = """\
#!/bin/sh
here=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
exec "$here/usr/bin/{name}" {option} "$here/{parts}" "$@"
"""


def find_icarus(note: Callable[[str], None]) -> Path:
    """The folder of `iverilog` and `vvp`: on PATH, in the cache, or fetched.

    Args:
        note: is told when they have to be fetched.

    Raises:
        UserError: there are none, and they cannot be fetched.
    """
    if found := shutil.which("iverilog"):
        return Path(found).parent
    place = cache_folder("icarus")
    if not (place / "bin" / "vvp").is_file():
        note(f"Icarus Verilog is being fetched, once, out of Debian's package {PACKAGE}")
        unpack(PACKAGE, place, program="iverilog", wanted=f"{_PARTS}/ivl", finish=_point)
    return place / "bin"


def _point(place: Path) -> None:
    """Write the scripts that tell the programs where their parts are."""
    (parts,) = place.glob(_PARTS)
    (place / "bin").mkdir()
    for name, option in _PROGRAMS.items():
        script = place / "bin" / name
        where = parts.relative_to(place)
        script.write_text(_SCRIPT.format(name=name, option=option, parts=where))
        script.chmod(0o755)
