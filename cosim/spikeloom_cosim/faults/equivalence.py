"""Can a mutation make any difference? Where it is proved that it can not, no test could find it.

The proof is by induction over time. Two cores, one mutated, see the same inputs, resets included.
If for `FRAMES` cycles the same things left them, and some bits of their registers were equal, then
so it is in the next cycle: then they never differ to anybody outside. Which bits those are is found
out: all at first, without those that a counterexample shows to differ, until the induction closes
or what leaves a core differs. The induction begins with all registers at their first values.

What leaves a core is its outputs, and what its memories are told: each write, and each address that
is read. Memories themselves are left out: what they show may be anything, the same in both cores
if they have been asked the same.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import z3

from spikeloom_cosim.core import Core
from spikeloom_cosim.faults.plant import READ, REDUCE, copy_core, run_yosys
from spikeloom_hw.core import CORE_MODULE
from spikeloom_hw.synth.tools import ToolError

FRAMES = 6
"""Cycles that the induction looks back: what is on its way through a pipeline has left it."""
PATIENCE_MS = 120_000
"""For each question to the solver."""

SOUND, MUTATED = "sound", "mutated"


def equivalent(core: Core, mutations: Sequence[str], *, jobs: int) -> list[bool]:
    """For each mutation of a core, whether it is proved to make no difference.

    Args:
        core: the core that `list_mutations` chose them for.
        mutations: its commands.
        jobs: proofs at once.
    """
    with tempfile.TemporaryDirectory(prefix="spikeloom-") as scratch:
        work = Path(scratch)
        copy_core(core, work)
        run_yosys(f"{READ}{REDUCE}write_json core.json\n", work)

        def proved(place: int) -> bool:
            try:
                pair = _translated(mutations[place], work / str(place))
            except ToolError:
                return False
            return _closes(pair)

        with ThreadPoolExecutor(jobs) as pool:
            return list(pool.map(proved, range(len(mutations))))


@dataclass(frozen=True, kw_only=True)
class _Reader:
    """A port that a memory is read at: its name, and whether it shows the word a cycle later."""

    name: str
    clocked: bool


@dataclass(frozen=True, kw_only=True)
class _Writer:
    """A port that a memory is written at: its name, and the width of a word."""

    name: str
    width: int


@dataclass(frozen=True, kw_only=True)
class _Pair:
    """Two cores as SMT-LIB.

    Attributes:
        text: their transition relations.
        inputs: names of ports.
        outputs: names of ports.
        registers: names of ports that show a bit of a register each, or what a memory shows.
        readers: of all memories.
        writers: of all memories.
    """

    text: str
    inputs: list[str]
    outputs: list[str]
    registers: list[str]
    readers: list[_Reader]
    writers: list[_Writer]


def _translated(mutation: str, folder: Path) -> _Pair:
    folder.mkdir()
    texts = []
    for name, change in ((SOUND, ""), (MUTATED, mutation)):
        run_yosys(f"read_json ../core.json\n{change}\ndffunmap\nwrite_json {name}.json\n", folder)
        document = json.loads((folder / f"{name}.json").read_text())
        module = document["modules"][CORE_MODULE]
        ports = {port: own["direction"] for port, own in module["ports"].items()}
        registers = _show_registers(module)
        readers, writers = _open_memories(module)
        (folder / f"{name}.json").write_text(json.dumps(document))
        run_yosys(
            f"read_json {name}.json\nrename {CORE_MODULE} {name}\nwrite_smt2 -stbv {name}.smt2\n",
            folder,
        )
        texts.append((folder / f"{name}.smt2").read_text())
    return _Pair(
        text="\n".join(texts),
        inputs=[port for port, direction in ports.items() if direction == "input"],
        outputs=[port for port, direction in ports.items() if direction == "output"],
        registers=registers + [f"{own.name}.data" for own in readers if own.clocked],
        readers=readers,
        writers=writers,
    )


def _show_registers(module: Any) -> list[str]:
    """Give every bit of a register a port, and tell their names."""
    cells = module["cells"]
    bits: list[str] = []
    for name in sorted(name for name, cell in cells.items() if cell["type"] == "$dff"):
        for bit in cells[name]["connections"]["Q"]:
            bits.append(f"bit{len(bits)}")
            _add_port(module, bits[-1], "output", [bit])
    return bits


def _open_memories(module: Any) -> tuple[list[_Reader], list[_Writer]]:
    """Turn the pins of every memory into ports, and take it out."""
    cells = module["cells"]
    readers, writers = [], []
    for name in sorted(name for name, cell in cells.items() if cell["type"] == "$mem_v2"):
        cell = cells.pop(name)
        pins = cell["connections"]
        parameters = {key: str(value) for key, value in cell["parameters"].items()}
        width, address = (int(parameters[key], 2) for key in ("WIDTH", "ABITS"))

        def part(pin: str, at: int, size: int, pins: Any = pins) -> list[Any]:
            return pins[pin][at * size : (at + 1) * size]

        for at in range(int(parameters["RD_PORTS"], 2)):
            clocked = parameters["RD_CLK_ENABLE"][::-1][at] == "1"
            reader = _Reader(name=f"reader{len(readers)}", clocked=clocked)
            readers.append(reader)
            _add_port(module, f"{reader.name}.enable", "output", part("RD_EN", at, 1))
            _add_port(module, f"{reader.name}.address", "output", part("RD_ADDR", at, address))
            _add_port(module, f"{reader.name}.data", "input", part("RD_DATA", at, width))
        for at in range(int(parameters["WR_PORTS"], 2)):
            writer = _Writer(name=f"writer{len(writers)}", width=width)
            writers.append(writer)
            _add_port(module, f"{writer.name}.enable", "output", part("WR_EN", at, width))
            _add_port(module, f"{writer.name}.address", "output", part("WR_ADDR", at, address))
            _add_port(module, f"{writer.name}.data", "output", part("WR_DATA", at, width))
    return readers, writers


def _add_port(module: Any, name: str, direction: str, bits: list[Any]) -> None:
    module["ports"][name] = {"direction": direction, "bits": bits}
    module["netnames"][name] = {"hide_name": 0, "bits": bits, "attributes": {}}


def _closes(pair: _Pair) -> bool:
    """The proof: the induction closes, and it begins."""
    # A context of its own: proofs run side by side.
    context = z3.Context()
    solver = z3.SolverFor("QF_BV", ctx=context)
    solver.set("timeout", PATIENCE_MS)
    solver.from_string(_unrolled(pair))
    bits, before = range(len(pair.registers)), range(FRAMES)
    alike = set(bits)
    while True:
        agreed = [z3.Not(_differs(bit, at, context)) for bit in alike for at in before]
        with _assuming(solver, [*agreed, *(z3.Not(_said(at, context)) for at in before)]):
            if solver.check(_said(FRAMES, context)) != z3.unsat:
                return False
            # What differs in the last cycle of a counterexample is not alike; ever less is.
            solver.add(z3.Or([_differs(bit, FRAMES, context) for bit in alike]))
            answer = solver.check()
            if answer == z3.unsat:
                break
            if answer == z3.unknown:
                return False
            model = solver.model()
            alike = {bit for bit in alike if not z3.is_true(model[_differs(bit, FRAMES, context)])}

    # From the first state on, where every register is alike, all of this holds from the start.
    wrong = [_said(at, context) for at in before] + [
        _differs(bit, at, context) for bit in alike for at in before
    ]
    start = [z3.Bool("begins", context), *(z3.Not(_differs(bit, 0, context)) for bit in bits)]
    with _assuming(solver, [*start, z3.Or(wrong)]):
        return solver.check() == z3.unsat


@contextmanager
def _assuming(solver: z3.Solver, facts: Sequence[Any]) -> Iterator[None]:
    solver.push()
    try:
        solver.add(*facts)
        yield
    finally:
        solver.pop()


def _differs(bit: int, frame: int, context: z3.Context) -> z3.BoolRef:
    return z3.Bool(f"differs.{bit}.{frame}", context)


def _said(frame: int, context: z3.Context) -> z3.BoolRef:
    return z3.Bool(f"said.{frame}", context)


def _unrolled(pair: _Pair) -> str:
    """Both cores for `FRAMES` + 1 cycles; `differs.R.F` and `said.F` tell what differs when."""
    lines = [pair.text, "(declare-const begins Bool)"]
    for core in (SOUND, MUTATED):
        lines += [f"(declare-const {core}.{at} |{core}_s|)" for at in range(FRAMES + 1)]
        lines += [f"(assert (|{core}_t| {core}.{at} {core}.{at + 1}))" for at in range(FRAMES)]
    lines.append(f"(assert (=> begins (|{SOUND}_i| {SOUND}.0)))")
    for frame in range(FRAMES + 1):
        lines += [f"(assert (not {_unlike(port, frame)}))" for port in pair.inputs]
        for reader in pair.readers:
            lines += _shown(reader, frame)
        for at, port in enumerate(pair.registers):
            lines += _named(f"differs.{at}.{frame}", _unlike(port, frame))
        said = [_unlike(port, frame) for port in pair.outputs]
        said += [own for writer in pair.writers for own in _written(writer, frame)]
        lines += _named(f"said.{frame}", f"(or {' '.join(said)})")
    return "\n".join(lines)


def _named(name: str, value: str) -> list[str]:
    return [f"(declare-const {name} Bool)", f"(assert (= {name} {value}))"]


def _value(core: str, port: str, frame: int) -> str:
    return f"(|{core}_n {port}| {core}.{frame})"


def _unlike(port: str, frame: int) -> str:
    return f"(not (= {_value(SOUND, port, frame)} {_value(MUTATED, port, frame)}))"


def _shown(reader: _Reader, frame: int) -> Iterator[str]:
    """Asked for the same word, a memory shows the same; not asked, what it showed before."""
    enable, address, data = (f"{reader.name}.{pin}" for pin in ("enable", "address", "data"))
    if not reader.clocked:
        yield f"(assert (or {_unlike(address, frame)} (not {_unlike(data, frame)})))"
    elif frame:
        before = frame - 1
        asked = [_value(core, enable, before) for core in (SOUND, MUTATED)]
        same = f"(and {' '.join(asked)} (not {_unlike(address, before)}))"
        yield f"(assert (=> {same} (not {_unlike(data, frame)})))"
        for core, own in zip((SOUND, MUTATED), asked, strict=True):
            kept = f"(= {_value(core, data, frame)} {_value(core, data, before)})"
            yield f"(assert (or {own} {kept}))"


def _written(writer: _Writer, frame: int) -> Iterator[str]:
    """What of a write differs: which bits, where to, and what."""
    enable, address, data = (f"{writer.name}.{pin}" for pin in ("enable", "address", "data"))
    both, none = ("and", "false") if writer.width == 1 else ("bvand", f"(_ bv0 {writer.width})")
    yield _unlike(enable, frame)
    written = f"(not (= {_value(SOUND, enable, frame)} {none}))"
    yield f"(and {written} {_unlike(address, frame)})"
    words = [
        f"({both} {_value(core, enable, frame)} {_value(core, data, frame)})"
        for core in (SOUND, MUTATED)
    ]
    yield f"(not (= {' '.join(words)}))"
