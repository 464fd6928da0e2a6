"""Mutation testing of the Python sources: do the tests notice a small mistake, wherever it is?

    python benchmarks/mutation_python.py                      # 600 mutants; resumable
    python benchmarks/mutation_python.py --only 'sw/*' --tests 'tests/sw/*' --count 100 --seed 7
    python benchmarks/mutation_python.py --again              # survivors once more, after new tests

Each mutant is a copy of the sources with one change (`python_mutants.operators`), and is tried by
the tests that run the changed lines. The sample is spread over modules and kinds of changes. A
survivor is explained in ``python_mutants/explained.toml``. Results go to
``benchmarks/results/proof/mutation-python.json``.

Why a runner of its own. Starting an interpreter takes seconds here (torch and Amaranth), and the
whole suite many minutes: mutants are tried in processes forked from a warm one, by the tests that
reach them. Sources lie in three folders and are run by subprocesses and the simulator's interpreter
too, so the changed file itself is put in place. mutmut and cosmic-ray, which others use, were not
tried here: nothing is known of how they would do.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec

from python_mutants.contexts import Contexts, Suite, kept, measure
from python_mutants.mutants import Mutant, find_mutants, sources
from python_mutants.results import KILLED, document
from python_mutants.sample import sample
from python_mutants.slot import Slot
from python_mutants.trial import Row, trial
from spikeloom.cli.console import Console
from spikeloom.stamp import stamp, write_result

ROOT = Path(__file__).parent.parent.resolve()
RESULTS = ROOT / "benchmarks" / "results" / "proof" / "mutation-python.json"
TREES = ROOT / ".cache" / "mutation-python"
PACKAGES = ("pytest", "hypothesis", "numpy", "torch")
SAVE_EVERY = 10
T = TypeVar("T")
R = TypeVar("R")


@click.command()
@click.option("--count", type=click.IntRange(min=1), default=600, help="Mutants.")
@click.option("--seed", type=int, default=1, help="Of their choice.")
@click.option("--only", multiple=True, help="Modules by pattern, such as 'sw/*'; repeatable.")
@click.option("--tests", multiple=True, help="Test files by pattern; without it, all.")
@click.option("--again", is_flag=True, help="Try survivors of an earlier run once more.")
@click.option("--jobs", type=click.IntRange(min=1), default=os.cpu_count() or 1)
@click.option("--output", type=click.Path(path_type=Path), default=RESULTS)
def main(
    count: int,
    seed: int,
    only: tuple[str, ...],
    tests: tuple[str, ...],
    again: bool,
    jobs: int,
    output: Path,
) -> None:
    """Kill as many mutants as the tests can."""
    console, origin = Console(), stamp(*PACKAGES)
    texts = {
        module: (ROOT / module).read_bytes() for module in sources(ROOT) if _wanted(module, only)
    }
    found = {module: find_mutants(module, text) for module, text in texts.items()}
    chosen = sample(found, count=count, seed=seed)
    settings = {"count": count, "seed": seed, "only": list(only), "tests": list(tests)}
    known = _known(output, settings, {mutant.name for mutant in chosen}, again=again)
    with ExitStack() as stack:
        slots = [stack.enter_context(Slot(ROOT, TREES / f"tree{at}")) for at in range(jobs)]
        pool = Pool(slots)
        suite = _suite(pool, tests, console)
        rows = dict(known)
        waiting = [mutant for mutant in chosen if mutant.name not in known]

        def write() -> None:
            ordered = [rows[mutant.name] for mutant in chosen if mutant.name in rows]
            write_result(output, document(ordered, settings, suite.failing), origin)

        def one(slot: Slot, mutant: Mutant) -> Row:
            return trial(slot, mutant, texts[mutant.module], suite)

        with console.track(len(waiting), "mutants") as track:
            for number, row in enumerate(pool.map(one, waiting), 1):
                rows[row.name] = row
                if row.fate not in KILLED:
                    console.note(f"{row.fate}: {row.name}")
                if number % SAVE_EVERY == 0:
                    write()
                track.advance(1)
        write()
    _tell(console, document([rows[mutant.name] for mutant in chosen], settings, suite.failing))
    console.note(f"written to {output}")


class Pool:
    """Runs work in the slots, one piece at a time in each."""

    def __init__(self, slots: list[Slot]) -> None:
        self.slots = slots
        self._free = list(slots)
        self._lock = threading.Lock()
        self._jobs = len(slots)

    def map(self, work: Callable[[Slot, T], R], items: Iterable[T]) -> Iterable[R]:
        """The results, in the order of the items."""

        def one(item: T) -> R:
            with self._lock:
                slot = self._free.pop()
            try:
                return work(slot, item)
            finally:
                with self._lock:
                    self._free.append(slot)

        with ThreadPoolExecutor(self._jobs) as pool:
            yield from pool.map(one, items)


def _wanted(path: str, patterns: Sequence[str]) -> bool:
    return not patterns or any(fnmatch(path, pattern) for pattern in patterns)


def _suite(pool: Pool, patterns: Sequence[str], console: Console) -> Suite:
    found = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "tests").rglob("test_*.py"))
    files = [file for file in found if _wanted(file, patterns)]
    held = {file: kept(ROOT, file) for file in files}
    missing = [file for file, contexts in held.items() if contexts is None]

    def one(slot: Slot, file: str) -> Contexts:
        return measure(slot, file, ROOT)

    with console.track(len(missing), "test files measured") as track:
        for contexts in pool.map(one, missing):
            held[contexts.file] = contexts
            track.advance(1)
    for slot in pool.slots:
        slot.tree.give_cache()
    for slot in pool.slots:
        slot.tree.take_cache()
    return Suite((contexts for contexts in held.values() if contexts is not None), ROOT)


def _known(path: Path, settings: dict[str, Any], names: set[str], *, again: bool) -> dict[str, Row]:
    """Rows of an earlier run with the same settings that are still to be found."""
    if not path.is_file():
        return {}
    earlier = msgspec.json.decode(path.read_bytes())
    if any(earlier.get(name) != value for name, value in settings.items()):
        return {}
    rows = msgspec.convert(earlier["rows"], type=list[Row])
    kept_rows = (row for row in rows if row.name in names and row.fate != "broken")
    return {row.name: row for row in kept_rows if not again or row.fate in KILLED}


def _tell(console: Console, results: dict[str, Any]) -> None:
    for kind in ("packages", "groups"):
        for name, own in results[kind].items():
            console.note(f"{name}: {own['killed']} of {own['mutants']} killed, {own['score']}")
    console.note(
        f"{results['killed']} of {results['mutants']} killed, {results['argued_equivalent']} "
        f"argued equivalent: score {results['score']}, raw {results['raw_score']}"
    )


if __name__ == "__main__":
    main()
