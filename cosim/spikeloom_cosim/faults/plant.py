"""From a core's Verilog to one that carries faults, and does nothing wrong while none is on.

::

    core.v ──► netlist ──► saboteurs or mutations spliced in ──► core.v, its port `fault`
                                                                 set from fault.mem by a wrapper

So the ports stay those of the core, one compilation serves all faults, and which one is on is the
contents of a memory file like any other.
"""

from __future__ import annotations

import json
import random
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
WRAPPER = "wrapper.v"
"""The wrapper by itself, beside the core of which it is the end."""
SABOTEURS = Path(__file__).with_name("saboteurs.v")
LEAST_FAULT = 1

READ = f"""\
read_verilog core.v
hierarchy -top {CORE_MODULE}
proc
memory_collect
opt_clean
"""
"""Yosys: from Verilog to cells, one for each operator."""

REDUCE = """\
flatten
opt -nodffe -full
wreduce
opt -nodffe -full
opt_clean
"""
"""Yosys: without what is there twice, or can make no difference: no mutation should fall on it."""


def plant_logic(core: Core, plant: Callable[[Netlist], None], *, folder: Path) -> Core:
    """A core with saboteurs in its nets.

    Args:
        core: the core.
        plant: splices them in.
        folder: made; holds the new core.
    """
    with tempfile.TemporaryDirectory(prefix="spikeloom-") as scratch:
        work = Path(scratch)
        copy_core(core, work)
        run_yosys(f"{READ}write_json core.json\n", work)
        document = json.loads((work / "core.json").read_text())
        netlist = Netlist(document, top=CORE_MODULE)
        plant(netlist)
        (work / "core.json").write_text(json.dumps(document))
        (work / SABOTEURS.name).write_text(SABOTEURS.read_text())
        run_yosys(
            "read_json core.json\n"
            f"read_verilog -defer {SABOTEURS.name}\n"
            f"hierarchy -top {CORE_MODULE}\nproc\nopt_clean\n"
            f"rename {CORE_MODULE} {PLANTED}\n"
            "write_rtlil planted.il\n",
            work,
        )
        return _wrapped(core, work / "planted.il", document, folder)


def plant_mutations(
    core: Core, mutations: Sequence[str], *, folder: Path, uninitialised: bool = False
) -> Core:
    """A core with mutations; number n, from 1, is on while `fault` is n.

    Args:
        core: the core.
        mutations: the commands of yosys that `list_mutations` gave, without their control.
        folder: made; holds the new core.
        uninitialised: registers wake up with anything, so that only reset puts them right.
            Memories keep their contents.
    """
    with tempfile.TemporaryDirectory(prefix="spikeloom-") as scratch:
        work = Path(scratch)
        copy_core(core, work)
        numbered = (
            mutation.replace("mutate ", f"mutate -ctrl {FAULT} {FAULT_BITS} {number} ", 1)
            for number, mutation in enumerate(mutations, LEAST_FAULT)
        )
        script = [READ, REDUCE, "write_json core.json\n", *(f"{line}\n" for line in numbered)]
        script += ["setattr -unset init w:*\n"] if uninitialised else []
        script += [f"opt_clean\nrename {CORE_MODULE} {PLANTED}\nwrite_rtlil planted.il\n"]
        run_yosys("".join(script), work)
        document = json.loads((work / "core.json").read_text())
        return _wrapped(core, work / "planted.il", document, folder)


def list_mutations(core: Core, count: int, *, seed: int) -> list[str]:
    """Mutations of a core's cells, spread evenly by yosys over cells, wires and kinds.

    Left out are those of clock pins, which are no logic, of pins that a memory of the design does
    not have, and those that write over a constant bit the value that it has.

    Args:
        core: the core.
        count: how many; yosys may know fewer.
        seed: of the choice.
    """
    with tempfile.TemporaryDirectory(prefix="spikeloom-") as scratch:
        work = Path(scratch)
        copy_core(core, work)
        # More than are asked for, to make up for what is left out.
        several = 2 * count
        listing = f"mutate -list {several} -seed {seed} -o mutations.txt\n"
        run_yosys(f"{READ}{REDUCE}{listing}write_json core.json\n", work)
        cells = json.loads((work / "core.json").read_text())["modules"][CORE_MODULE]["cells"]
        listed = (work / "mutations.txt").read_text().splitlines()
    kept = [mutation for mutation in listed if _is_mutation(mutation, cells)]
    return random.Random(seed).sample(kept, min(count, len(kept)))


def _is_mutation(command: str, cells: dict[str, Any]) -> bool:
    words = command.split()
    given = dict(zip(words[1::2], words[2::2], strict=False))
    port = given["-port"]
    cell = cells[given["-cell"].removeprefix("\\")]
    bit = cell["connections"][port][int(given["-portbit"])]
    if port.endswith("CLK") or (cell["type"] == "$mem_v2" and isinstance(bit, str)):
        return False
    return bit != {"const0": "0", "const1": "1"}.get(given["-mode"], "x") and bit != "x"


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
    around = wrapper({name: (port["direction"], len(port["bits"])) for name, port in ports.items()})
    (folder / WRAPPER).write_text(around)
    with verilog.open("a") as file:
        file.write(around)
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


def copy_core(core: Core, work: Path) -> None:
    """Put Verilog and memories of a core where yosys runs."""
    (work / "core.v").write_bytes(core.verilog.read_bytes())
    for memory in core.memories:
        (work / memory.name).write_bytes(memory.read_bytes())


def run_yosys(script: str, work: Path) -> None:
    """Run a script of yosys in a folder.

    Raises:
        ToolError: yosys ended with an error.
    """
    (work / "script.ys").write_text(script)
    run_tool(find_tool("yosys"), ["-q", "-s", "script.ys"], folder=work, log="yosys.log")
