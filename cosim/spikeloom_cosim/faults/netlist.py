"""A core's netlist, as yosys writes it in JSON, and the splicing of cells into its nets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

FAULT = "fault"
"""Port that names the fault: the top's, and that of every module on the way to a saboteur."""
FAULT_BITS = 16
CLOCK, RESET = "clk", "rst"

Bits = list[int | str]


@dataclass(frozen=True, kw_only=True)
class Net:
    """Some bits of a net, and who is misled about them.

    Attributes:
        module: the module in which it is.
        cell: a cell or instance in that module, or None.
        name: a port of the cell, or without one a net of the module. All who read the net are
            misled; if it is an input port of the cell, that cell alone.
        low: the lowest bit.
        width: how many bits; None takes all.
    """

    module: str
    cell: str | None = None
    name: str
    low: int = 0
    width: int | None = None


class Netlist:
    """The modules of a design, which are changed in place.

    Args:
        document: what yosys' `write_json` wrote.
        top: the module whose port `FAULT` is the design's.
    """

    def __init__(self, document: Any, *, top: str) -> None:
        self.document = document
        self.top = top
        self._modules: dict[str, Any] = document["modules"]
        self._next: dict[str, int] = {}

    def module_of(self, module: str, instance: str) -> str:
        """The module of which `instance` is."""
        return self._cell(module, instance)["type"]

    def cell_of_type(self, module: str, kind: str) -> str:
        """The one cell of a type in a module.

        Raises:
            LookupError: there is none, or more than one.
        """
        cells = self._module(module)["cells"]
        found = [name for name, cell in cells.items() if cell["type"] == kind]
        if len(found) != 1:
            raise LookupError(f"{module} has {len(found)} cells {kind!r}, not one")
        return found[0]

    def reader(self, net: Net, *, kind: str, port: str) -> str:
        """The one cell of a type that reads a net at a port.

        Raises:
            LookupError: there is none, or more than one.
        """
        bits = self.bits(net)
        cells = self._module(net.module)["cells"]
        found = [
            name
            for name, cell in cells.items()
            if cell["type"] == kind and cell["connections"].get(port) == bits
        ]
        if len(found) != 1:
            raise LookupError(
                f"{net.module} has {len(found)} cells {kind!r} at {net.name}, not one"
            )
        return found[0]

    def cells(self, module: str) -> int:
        """How many cells a module has."""
        return len(self._module(module)["cells"])

    def bits(self, net: Net) -> Bits:
        """The bits of a net, lowest first.

        Raises:
            LookupError: there is no such net.
        """
        module = self._module(net.module)
        if net.cell is None:
            found = module["netnames"].get(net.name, {}).get("bits")
        else:
            found = self._cell(net.module, net.cell)["connections"].get(net.name)
        if found is None:
            raise LookupError(f"{net.module} has no net {net.cell or ''} {net.name}")
        high = None if net.width is None else net.low + net.width
        return found[net.low : high]

    def cut(self, net: Net) -> tuple[Bits, Bits]:
        """Part a net: what drives it, and new bits that its readers now read.

        Raises:
            LookupError: there is no such net, or a constant's readers can not be told apart.
        """
        before = self.bits(net)
        after: Bits = [self._fresh(net.module) for _ in before]
        if net.cell is not None:
            cell = self._cell(net.module, net.cell)
            if cell["port_directions"][net.name] == "input":
                cell["connections"][net.name][net.low : net.low + len(before)] = after
                return before, after
        if any(isinstance(bit, str) for bit in before):
            raise LookupError(f"{net.module}: {net.name} is constant")
        new = dict(zip(before, after, strict=True))
        for bits in self._readers(net.module):
            bits[:] = [new.get(bit, bit) for bit in bits]
        # An output and the net of its name are one.
        module = self._module(net.module)
        for name, port in module["ports"].items():
            if port["direction"] == "output":
                module["netnames"][name]["bits"] = list(port["bits"])
        return before, after

    def splice(
        self,
        module: str,
        kind: str,
        *,
        name: str,
        inputs: Mapping[str, Bits],
        outputs: Mapping[str, Bits],
        parameters: Mapping[str, int],
        clocked: bool = False,
    ) -> None:
        """Add a cell of the module `kind`, told the fault by `FAULT`, in `module`."""
        told: dict[str, Bits] = {FAULT: self._fault(module), **inputs}
        if clocked:
            told |= {port: self.bits(Net(module=module, name=port)) for port in (CLOCK, RESET)}
        self._module(module)["cells"][name] = {
            "hide_name": 0,
            "type": kind,
            "parameters": {key: f"{value:032b}" for key, value in parameters.items()},
            "attributes": {},
            "port_directions": {
                **dict.fromkeys(told, "input"),
                **dict.fromkeys(outputs, "output"),
            },
            "connections": {**told, **outputs},
        }

    def _fault(self, name: str) -> Bits:
        """The bits of `FAULT` in a module, led there from the top."""
        module = self._module(name)
        if FAULT in module["ports"]:
            return module["ports"][FAULT]["bits"]
        bits: Bits = [self._fresh(name) for _ in range(FAULT_BITS)]
        module["ports"][FAULT] = {"direction": "input", "bits": bits}
        module["netnames"][FAULT] = {"hide_name": 0, "bits": bits, "attributes": {}}
        if name == self.top:
            return bits
        for above, parent in self._modules.items():
            for cell in parent["cells"].values():
                if cell["type"] == name:
                    cell["connections"][FAULT] = self._fault(above)
                    cell["port_directions"][FAULT] = "input"
        return bits

    def _readers(self, name: str) -> Iterator[Bits]:
        module = self._module(name)
        for port in module["ports"].values():
            if port["direction"] == "output":
                yield port["bits"]
        for cell in module["cells"].values():
            for port, direction in cell["port_directions"].items():
                if direction == "input":
                    yield cell["connections"][port]

    def _fresh(self, name: str) -> int:
        if name not in self._next:
            module = self._module(name)
            used = chain(
                *(net["bits"] for net in module["netnames"].values()),
                *(port["bits"] for port in module["ports"].values()),
                *(
                    bits
                    for cell in module["cells"].values()
                    for bits in cell["connections"].values()
                ),
            )
            self._next[name] = max((bit for bit in used if isinstance(bit, int)), default=1) + 1
        self._next[name] += 1
        return self._next[name] - 1

    def _module(self, name: str) -> Any:
        if name not in self._modules:
            raise LookupError(f"there is no module {name}")
        return self._modules[name]

    def _cell(self, module: str, name: str) -> Any:
        cells = self._module(module)["cells"]
        if name not in cells:
            raise LookupError(f"{module} has no cell {name}")
        return cells[name]
