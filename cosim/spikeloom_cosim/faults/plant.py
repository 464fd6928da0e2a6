"""From a core's Verilog to one that carries faults, and does nothing wrong while none is on.

::

    core.v ──► netlist ──► saboteurs or mutations spliced in ──► core.v, its port `fault`
                                                                 set from fault.mem by a wrapper

So the ports stay those of the core, one compilation serves all faults, and which one is on is the
contents of a memory file like any other.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from spikeloom_cosim.core import Core
from spikeloom_cosim.faults.netlist import FAULT, FAULT_BITS, Netlist
from spikeloom_hw.core import CORE_MODULE
from spikeloom_hw.synth.tools import find_tool, run_tool
from spikeloom_hw.verilog import rtlil_to_verilog

PLANTED = "planted_core"
"""Module that carries the faults; what the bench sees as the core is a wrapper around it."""

FAULT_FILE = "fault.mem"
SABOTEURS = Path(__file__).with_name("saboteurs.v")
LEAST_FAULT, MOST_FAULTS = 1, (1 << FAULT_BITS) - 1

READ = f"""\
read_verilog core.v
hierarchy -top {CORE_MODULE}
proc
memory_collect
opt_clean
"""
"""Yosys: from Verilog to cells, one for each operator."""


def plant_logic(core: Core, plant: Callable[[Netlist], None], *, folder: Path) -> Core:
    """A core with saboteurs in its nets.

    Args:
        core: the core.
        plant: splices them in.
        folder: made; holds the new core.
    """
    with tempfile.TemporaryDirectory(prefix="spikeloom-") as scratch:
        work = Path(scratch)
        _copy(core, work)
        _yosys(f"{READ}write_json core.json\n", work)
        document = json.loads((work / "core.json").read_text())
        netlist = Netlist(document, top=CORE_MODULE)
        plant(netlist)
        (work / "core.json").write_text(json.dumps(document))
        (work / SABOTEURS.name).write_text(SABOTEURS.read_text())
        _yosys(
            "read_json core.json\n"
            f"read_verilog -defer {SABOTEURS.name}\n"
            f"hierarchy -top {CORE_MODULE}\nproc\nopt_clean\n"
            f"rename {CORE_MODULE} {PLANTED}\n"
            "write_rtlil planted.il\n",
            work,
        )
        return _wrapped(core, work / "planted.il", document, folder)


def plant_mutations(core: Core, mutations: Sequence[str], *, folder: Path) -> Core:
    """A core with mutations; number n, from 1, is on while `fault` is n.

    Args:
        core: the core.
        mutations: the commands of yosys that `list_mutations` gave, without their control.
        folder: made; holds the new core.
    """
    with tempfile.TemporaryDirectory(prefix="spikeloom-") as scratch:
        work = Path(scratch)
        _copy(core, work)
        numbered = (
            mutation.replace("mutate ", f"mutate -ctrl {FAULT} {FAULT_BITS} {number} ", 1)
            for number, mutation in enumerate(mutations, LEAST_FAULT)
        )
        script = [READ, "write_json core.json\n", *(f"{line}\n" for line in numbered)]
        script += [f"opt_clean\nrename {CORE_MODULE} {PLANTED}\nwrite_rtlil planted.il\n"]
        _yosys("".join(script), work)
        document = json.loads((work / "core.json").read_text())
        return _wrapped(core, work / "planted.il", document, folder)


def list_mutations(core: Core, count: int, *, seed: int) -> list[str]:
    """Mutations of a core's cells, spread evenly by yosys over modules, wires and kinds.

    Args:
        core: the core.
        count: how many; yosys may know fewer.
        seed: of the choice.
    """
    with tempfile.TemporaryDirectory(prefix="spikeloom-") as scratch:
        work = Path(scratch)
        _copy(core, work)
        _yosys(f"{READ}mutate -list {count} -seed {seed} -o mutations.txt\n", work)
        return (work / "mutations.txt").read_text().splitlines()


def with_fault(core: Core, number: int, *, folder: Path) -> Core:
    """A planted core with one fault on; 0 is none. Makes `folder`."""
    folder.mkdir(parents=True)
    file = folder / FAULT_FILE
    file.write_text(f"{number:04x}\n")
    return replace(core, memories=(*core.memories, file))


def _wrapped(core: Core, planted: Path, document: Any, folder: Path) -> Core:
    folder.mkdir(parents=True)
    text = planted.read_text()
    verilog, *memories = rtlil_to_verilog(text, name="core", directory=folder)
    ports = document["modules"][CORE_MODULE]["ports"]
    with verilog.open("a") as file:
        file.write(
            wrapper({name: (port["direction"], len(port["bits"])) for name, port in ports.items()})
        )
    return replace(core, verilog=verilog, memories=tuple(memories))


def wrapper(ports: dict[str, tuple[str, int]]) -> str:
    """The Verilog of `CORE_MODULE` around `PLANTED`, for ports by direction and width."""
    declared = [
        f"{direction} [{width - 1}:0] {name}"
        for name, (direction, width) in ports.items()
        if name != FAULT
    ]
    joined = [f".{name}({name})" for name in ports if name != FAULT]
    lines = [
        "",
        f"module {CORE_MODULE}(",
        ",\n".join(f"  {line}" for line in declared),
        ");",
        f"  reg [{FAULT_BITS - 1}:0] {FAULT} [0:0];",
        f'  initial $readmemh("{FAULT_FILE}", {FAULT});',
        f"  {PLANTED} core (",
        ",\n".join(f"    {line}" for line in [*joined, f".{FAULT}({FAULT}[0])"]),
        "  );",
        "endmodule",
        "",
    ]
    return "\n".join(lines)


def _copy(core: Core, work: Path) -> None:
    (work / "core.v").write_bytes(core.verilog.read_bytes())
    for memory in core.memories:
        (work / memory.name).write_bytes(memory.read_bytes())


def _yosys(script: str, work: Path) -> None:
    (work / "script.ys").write_text(script)
    run_tool(find_tool("yosys"), ["-q", "-s", "script.ys"], folder=work, log="yosys.log")
