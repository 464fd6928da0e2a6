"""Project IceStorm's own reader of iCE40 bitstreams: from bits back to Verilog.

It is a Python program that no package index has. It is taken from PATH, or else out of Debian's
package `fpga-icestorm`, which is unpacked into the cache; nothing is installed.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from spikeloom.errors import UserError
from spikeloom.files import cache_folder
from spikeloom_cosim.debian import VERSION, unpack

PACKAGE = "fpga-icestorm"
_SCRIPT = Path("usr/share/fpga-icestorm/python/icebox_vlog")


@dataclass(frozen=True, kw_only=True)
class Icebox:
    """`icebox_vlog`: the script, and the version of what it is part of."""

    script: Path
    version: str

    @property
    def name(self) -> str:
        """As the tool calls itself."""
        return "icebox_vlog"


def find_icebox(note: Callable[[str], None]) -> Icebox:
    """The reader: on PATH, in the cache, or fetched.

    Args:
        note: is told when it has to be fetched.

    Raises:
        UserError: there is none, and it cannot be fetched.
    """
    if found := shutil.which("icebox_vlog"):
        return Icebox(script=Path(found).resolve(), version="on PATH")
    place = cache_folder("icebox")
    if not (place / _SCRIPT).is_file():
        note(f"icebox_vlog is being fetched, once, out of Debian's package {PACKAGE}")
        unpack(PACKAGE, place, program="icebox_vlog", wanted=str(_SCRIPT))
    return Icebox(script=place / _SCRIPT, version=(place / VERSION).read_text())


def reads_back(icebox: Icebox, folder: Path, *, clock: str, constraints: str) -> str:
    """The Verilog of the bitstream `folder/read.asc`: the module `chip`, its pins by name.

    The pad of the oscillator is not found by its name, since the wire from it to the PLL is hard;
    it is connected here.

    Args:
        icebox: what reads.
        folder: holds the bitstream's text form and the constraints.
        clock: the pin of the oscillator.
        constraints: name of the file that names the pins.

    Raises:
        UserError: it cannot be read, or the clock does not come from one PLL on that pin.
    """
    done = subprocess.run(
        [sys.executable, str(icebox.script), "-s", "-p", constraints, "read.asc"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        said = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise UserError(f"icebox_vlog cannot read the bitstream back: {said}")
    return connect_clock(declare_once(done.stdout), clock)


def declare_once(text: str) -> str:
    """`text` without the wires that are ports already: Verilog knows only one of them."""
    head = text[: text.index(";")]
    ports = set(re.findall(r"(?:input|output|inout) (\w+)", head))

    def others(found: re.Match[str]) -> str:
        names = [name for name in found[1].split(", ") if name not in ports]
        return f"wire {', '.join(names)};" if names else ""

    return re.sub(r"^wire ([\w, ]+);$", others, text, flags=re.MULTILINE)


def connect_clock(text: str, clock: str) -> str:
    """`text` with its one PLL on the pin `clock`.

    Raises:
        UserError: it has another number of PLLs, or something else is on the pin.
    """
    pads = re.findall(r"\.PACKAGEPIN\((\w+)\)", text)
    unmatched = re.findall(r"// Warning: unmatched port '(\S+)'", text)
    if len(pads) != 1 or unmatched != [clock] or f"assign {pads[0]} =" in text:
        raise UserError(
            f"the bitstream has {len(pads)} PLLs, and no pad of its own at "
            f"{', '.join(unmatched) or 'none of the pins'}; one PLL at {clock} is known"
        )
    head, end, _ = text.rpartition("endmodule")
    return f"{head}assign {pads[0]} = {clock};\n\n{end}\n"
