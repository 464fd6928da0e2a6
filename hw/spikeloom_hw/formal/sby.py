"""Runs proofs under sby, several at a time, and reads what it says.

Each proof is two runs of sby: one proves the assertions, the other looks for the cover statements.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from spikeloom_hw.formal.bench import TOP
from spikeloom_hw.formal.proof import Outcome, Proof, Verdict
from spikeloom_hw.formal.tools import find_sby
from spikeloom_hw.synth.tools import Call, find_tool, run_tool, run_tools

SECONDS = 600
"""No run takes longer; one that does is given up, and has timed out."""

TASKS: Sequence[str] = ("prove", "cover")
_FAILED_AT = re.compile(r"failed assertion \S+ at (?P<where>\S+) (?:in )?step (?P<step>\d+)")
_UNREACHED_AT = re.compile(r"Unreached cover statement at [^:]+: (?P<where>\S+)")
_ELAPSED = re.compile(r"Elapsed clock time \[.*\]: \S+ \((\d+)\)")
_TRACE = re.compile(r"counterexample trace(?: \[\w+\])?: (?P<trace>\S+)")


def prove(
    proofs: Sequence[Proof],
    *,
    folder: Path,
    jobs: int,
    tasks: Sequence[str] = TASKS,
    note: Callable[[str], None] = lambda _: None,
    ended: Callable[[str], None] = lambda _: None,
) -> list[Outcome]:
    """Try each of ``proofs``.

    Args:
        proofs: what to prove; their names differ.
        folder: an existing folder for all that the tools write.
        jobs: runs of sby at once, 1 or more.
        tasks: which of the two runs to make; one that is not made counts as passed.
        note: is told when a tool has to be compiled first.
        ended: is told the name of a proof with each of its two runs that has ended.

    Returns:
        What came of each, in order.

    Raises:
        UserError: a tool is missing.
    """
    sby = find_sby()
    yosys = find_tool("yosys")
    if not yosys.native:
        run_tool(yosys, ["--version"], folder=folder, log="yosys.log", note=note)
    calls, owners = [], []
    for proof in proofs:
        for task in tasks:
            name = _run_name(proof, task)
            (folder / f"{name}.il").write_text(proof.rtlil(covering=task == "cover"))
            (folder / f"{name}.sby").write_text(_script(proof, task))
            calls.append(Call(arguments=("-f", f"{name}.sby"), log=f"{name}.log"))
            owners.append(proof.name)
    run_tools(sby, calls, folder=folder, jobs=jobs, ended=lambda number: ended(owners[number]))
    return [_outcome(proof, tasks, folder) for proof in proofs]


def _run_name(proof: Proof, task: str) -> str:
    return f"{proof.name}.{task}"


def _script(proof: Proof, task: str) -> str:
    mode = task if task == "cover" or proof.mode == "induction" else "bmc"
    depth = proof.reach if task == "cover" else proof.depth
    return f"""\
# {proof.sentence}
[options]
mode {mode}
depth {depth}
timeout {SECONDS}
[engines]
smtbmc z3
[script]
read_rtlil {_run_name(proof, task)}.il
# Tables stay logic: an induction would begin with any contents of a ROM.
hierarchy -check -top {TOP}
proc -norom
flatten
# Not `prep`: its pass wreduce is wrong about a signed value that is shifted ($shift).
opt_expr
opt_clean
[files]
{_run_name(proof, task)}.il
"""


def _outcome(proof: Proof, tasks: Sequence[str], folder: Path) -> Outcome:
    statuses = dict.fromkeys(TASKS, "PASS")
    logs: dict[str, str] = {}
    for task in tasks:
        name = _run_name(proof, task)
        status = folder / name / "status"
        statuses[task] = status.read_text().split()[0] if status.is_file() else "ERROR"
        logs[task] = (folder / f"{name}.log").read_text(errors="replace")
    seconds = sum(int(found[1]) for log in logs.values() for found in _ELAPSED.finditer(log))
    verdict: Verdict
    task = "prove"
    match statuses["prove"], statuses["cover"]:
        case "PASS", "PASS":
            return Outcome(proof=proof, verdict="proved", seconds=seconds)
        case "FAIL", _:
            verdict = "failed"
        case "UNKNOWN", _:
            verdict = "not closed"
        case "PASS", "FAIL":
            verdict, task = "not reached", "cover"
        case "TIMEOUT", _:
            verdict = "timed out"
        case "PASS", "TIMEOUT":
            verdict, task = "timed out", "cover"
        case "PASS", _:
            verdict, task = "broken", "cover"
        case _:
            verdict = "broken"
    text = logs[task]
    places = [found["where"] for found in _UNREACHED_AT.finditer(text)]
    places += [f"{found['where']}, cycle {found['step']}" for found in _FAILED_AT.finditer(text)]
    trace = _TRACE.search(text)
    return Outcome(
        proof=proof,
        verdict=verdict,
        seconds=seconds,
        detail="; ".join(dict.fromkeys(places)) or f"see {_run_name(proof, task)}.log",
        trace=trace["trace"] if trace else None,
    )
