"""One compiled engine, and the programs and samples that run in it one after another."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spikeloom_cosim import verilator
from spikeloom_cosim.bench import TOP, render
from spikeloom_cosim.build import Build, build_program
from spikeloom_cosim.toolchain import Toolchain
from spikeloom_hw.engine.compiled import EngineProgram
from spikeloom_hw.engine.engine_core import EngineCore
from spikeloom_hw.engine.inputs import input_events
from spikeloom_hw.engine.layouts import InputLayout, LoadLayout, TraceLayout, score_layout
from spikeloom_hw.engine.params import EngineParams
from spikeloom_hw.engine.records import InputEvent, Update
from spikeloom_hw.verilog import write_verilog

MODULE = "spikeloom_engine"
_TEMPLATE = "engine.sv.j2"


@dataclass(frozen=True, kw_only=True, eq=False)
class Engine:
    """A compiled engine.

    Attributes:
        params: of the engine.
        build: the program that simulates it.
    """

    params: EngineParams
    build: Build


@dataclass(frozen=True, kw_only=True, eq=False)
class Ran:
    """What a program did with a sample.

    Attributes:
        scores: in order.
        best: the class.
        cycles: while the program was under way.
    """

    scores: list[int]
    best: int
    cycles: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Played:
    """What an engine did.

    Attributes:
        samples: in order.
        trace: payloads, as integers, of all groups that were updated.
        ended: how the run ended: "END", or "HUNG" when nothing moved for long.
        cycles: of the whole run.
    """

    samples: list[Ran]
    trace: list[int]
    ended: str
    cycles: int


def build_engine(
    params: EngineParams, *, folder: Path, tools: Toolchain, cache: Path | None = None
) -> Engine:
    """Generate an engine's Verilog, and compile it with its bench, or find it compiled.

    Args:
        params: of the engine.
        folder: where the Verilog goes; made for it.
        tools: what compiles.
        cache: folder of compiled benches; None takes `spikeloom.files.cache_folder`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    core = EngineCore(params, trace=True)
    source, *_ = write_verilog(core, name=MODULE, directory=folder)
    bench = render(
        _TEMPLATE,
        load_bits=LoadLayout(params).size,
        event_bits=InputLayout(params).size,
        score_bits=score_layout(params).size,
        trace_bits=TraceLayout(params).size,
    )
    return Engine(params=params, build=build_program(source, bench, tools=tools, cache=cache))


def load_commands(program: EngineProgram) -> Iterator[str]:
    """Everything that a host loads so that the engine runs a program."""
    for number, (name, shape) in enumerate(program.params.memories.items()):
        mask = (1 << shape.chunk_bits) - 1
        for at, word in enumerate(program.memory(name)):
            for chunk in range(shape.chunks):
                value = word >> chunk * shape.chunk_bits & mask
                yield _load(program.params, number, at << shape.select_bits | chunk, value)


def _load(params: EngineParams, memory: int, address: int, value: int) -> str:
    layout = LoadLayout(params)
    payload = 0
    for name, field in (("memory", memory), ("address", address), ("data", value)):
        payload |= field << layout[name].offset
    return f"L {payload:x}"


def event_command(params: EngineParams, event: InputEvent | None) -> str:
    """An event, or the end of a step."""
    layout = InputLayout(params)
    if event is None:
        return f"E {1 << layout['step'].offset:x}"
    payload = 0
    for name, value in zip(("summary", "bit", "word", "lane"), event, strict=True):
        payload |= value << layout[name].offset
    return f"E {payload:x}"


def sample_commands(program: EngineProgram, sample: np.ndarray) -> Iterator[str]:
    """The events of a sample, and the wait for its result."""
    for step in input_events(program, sample):
        yield from (event_command(program.params, event) for event in step)
        yield event_command(program.params, None)
    yield "D"


def play(
    engine: Engine, commands: Sequence[str], *, folder: Path, options: Mapping[str, int | None]
) -> Played:
    """Plays commands to an engine.

    Args:
        engine: the compiled engine.
        commands: as the bench reads them.
        folder: made for this run, and removed afterwards.
        options: more arguments for the simulator.
    """
    folder.mkdir(parents=True)
    (folder / "commands.txt").write_text("\n".join(commands) + "\n")
    log = folder / "simulation.log"
    verilator.run_program(engine.build.folder / TOP, folder=folder, log=log, plusargs=dict(options))
    params = engine.params
    samples: list[Ran] = []
    scores: list[int] = []
    best, ended, cycles = 0, "", 0
    layout = score_layout(params)
    for line in (folder / "results.txt").read_text().splitlines():
        kind, value = line.split()
        if kind == "S":
            payload = int(value, 16)
            scores.append(_signed(payload, params.state_bits))
            best = payload >> layout["best"].offset & (1 << layout["best"].width) - 1
        elif kind == "D":
            samples.append(Ran(scores=scores, best=best, cycles=int(value)))
            scores = []
        else:
            ended, cycles = kind, int(value)
    trace = [int(line, 16) for line in (folder / "trace.txt").read_text().split()]
    shutil.rmtree(folder)
    return Played(samples=samples, trace=trace, ended=ended, cycles=cycles)


def trace_words(program: EngineProgram) -> int:
    """Groups that are updated in a sample."""
    return sum(_groups(program))


def _groups(program: EngineProgram) -> list[int]:
    """Groups of each sweep; a neuron with a current counts twice."""
    sizes = []
    for sweep in program.sweeps:
        placement, name = program.placements[sweep.population], sweep.population
        population = program.lowered.graph.by_name[name]
        two = name in program.held or len(population.neuron.states) > 1
        planes = program.planes[name] if population.stateless else 1
        sizes.append(placement.words * planes * (1 + two))
    return sizes


def updates(program: EngineProgram, trace: Sequence[int]) -> Iterator[list[Update]]:
    """The updates of each sample, from what was traced."""
    params, layout = program.params, TraceLayout(program.params)
    sizes, bits = _groups(program), program.params.state_bits
    fields = {
        name: (layout[name].offset, (1 << layout[name].width) - 1)
        for name in ("address", "current", "spikes", "values")
    }
    rows = [
        {name: payload >> offset & mask for name, (offset, mask) in fields.items()}
        for payload in trace
    ]
    lanes, at = range(params.lanes), 0
    for _ in range(len(trace) // max(1, sum(sizes))):
        found = []
        for size in sizes:
            own = rows[at : at + size]
            at += size
            values = [
                [_signed(row["values"] >> lane * bits, bits) for lane in lanes] for row in own
            ]
            spikes = [[row["spikes"] >> lane & 1 for lane in lanes] for row in own]
            found.append(
                Update(
                    address=np.array([row["address"] for row in own], dtype=np.int64),
                    current=np.array([row["current"] for row in own], dtype=bool),
                    spikes=np.array(spikes, dtype=bool),
                    values=np.array(values, dtype=np.int64),
                )
            )
        yield found


def _signed(value: int, bits: int) -> int:
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value
