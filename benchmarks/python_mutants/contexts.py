"""Which tests run which lines: measured once for each test file, and kept while that is the same.

When a module has changed since, its lines are no longer known, and any test that ran some of it is
taken to cover them all.
"""

from __future__ import annotations

import hashlib
import shutil
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path

import msgspec
from coverage import CoverageData

from python_mutants.job import Job, Ran
from python_mutants.mutants import IMPORT, Mutant
from python_mutants.session import FIXTURE
from python_mutants.slot import Slot
from spikeloom.files import atomic_write

KEPT = Path(".cache", "mutation-python", "contexts")
LIMIT_S = 1500.0
ANY, UNKNOWN = 0, -1
"""Lines that stand for others: any in a function; and one of a module that has changed."""


class Contexts(msgspec.Struct, frozen=True, kw_only=True):
    """What the tests of a file run.

    Attributes:
        file: the test file.
        sources: sha256 of each file of which a line ran, by path.
        tests: those that ran.
        lines: lines run, by module, then by test or fixture; under "" those of the import.
        collect_s: to import and collect the file.
    """

    file: str
    sources: dict[str, str]
    tests: list[Ran]
    lines: dict[str, dict[str, list[int]]]
    collect_s: float

    def changed(self, root: Path) -> set[str]:
        """The files that are not as they were."""
        return {path for path, known in self.sources.items() if _sha256(root / path) != known}


class Suite:
    """The tests of all files, and what they run in the sources at `root`."""

    def __init__(self, contexts: Iterable[Contexts], root: Path) -> None:
        self._contexts = list(contexts)
        self._root = root
        self.collect_s = {one.file: one.collect_s for one in self._contexts}
        self.failing = [ran.test for one in self._contexts for ran in one.tests if not ran.passed]

    @cached_property
    def seconds(self) -> dict[str, float]:
        """How long each test takes that passes, in the order of files."""
        return {ran.test: ran.seconds for own in self._contexts for ran in own.tests if ran.passed}

    @cached_property
    def _modules(self) -> dict[str, dict[int, set[str]]]:
        """Suite by module and line; line 0: those that run any function of it."""
        found: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
        for own in self._contexts:
            changed = own.changed(self._root)
            users: dict[str, list[str]] = defaultdict(list)
            for ran in own.tests:
                if ran.passed:
                    users[ran.test].append(ran.test)
                    for fixture in ran.fixtures:
                        users[FIXTURE + fixture].append(ran.test)
            for module, contexts in own.lines.items():
                for context, lines in contexts.items():
                    known = (UNKNOWN,) if module in changed else lines
                    for line in (ANY, *known):
                        found[module][line].update(users[context] if context else ())
        return found

    @cached_property
    def _importers(self) -> dict[str, set[str]]:
        """Suite of the files that import a module when they are collected."""
        found: dict[str, set[str]] = defaultdict(set)
        for own in self._contexts:
            for module, contexts in own.lines.items():
                if "" in contexts:
                    found[module].update(ran.test for ran in own.tests if ran.passed)
        return found

    def covering(self, mutant: Mutant) -> list[str]:
        """The tests that run a mutant's lines, or what they define; the fastest first."""
        module = self._modules.get(mutant.module, {})
        first, last = mutant.lines
        lines = (UNKNOWN, *range(first, last + 1))
        found = {test for line in lines for test in module.get(line, ())}
        if mutant.function == IMPORT:
            found |= module.get(ANY, set()) or self._importers.get(mutant.module, set())
        return sorted(found, key=lambda test: (self.seconds[test], test))

    def near(self, mutant: Mutant, covering: Iterable[str]) -> list[str]:
        """Others that might notice it, by what an earlier test of their file has made for them.

        They are in the files of covering tests, and run some of the module.
        """
        known = set(covering)
        files = {file_of(test) for test in known}
        module = self._modules.get(mutant.module, {}).get(ANY, set())
        found = {test for test in module if file_of(test) in files} - known
        return sorted(found, key=lambda test: (self.seconds[test], test))


def measure(slot: Slot, file: str, root: Path) -> Contexts:
    """Run a test file in a tree as it is, and keep what its tests run."""
    folder = slot.tree.root / ".cache" / "coverage"
    shutil.rmtree(folder, ignore_errors=True)
    report = slot.run(Job(files=[file], coverage=str(folder), limit_s=LIMIT_S))
    if report.outcome != "passed":
        raise RuntimeError(f"{file}: {report.outcome}: {report.failure or ''} {report.said or ''}")
    tree = slot.tree.root
    lines = _lines(folder / "data", tree)
    helpers = {path for path in lines if path.startswith("tests/")} | {file}
    contexts = Contexts(
        file=file,
        sources={path: _sha256(tree / path) for path in sorted(set(lines) | helpers)},
        tests=report.ran,
        lines={path: own for path, own in lines.items() if path not in helpers},
        collect_s=report.collect_s,
    )
    atomic_write(_place(root, file), msgspec.json.encode(contexts))
    return contexts


def kept(root: Path, file: str) -> Contexts | None:
    """What was measured for a test file, if it and its helpers are the same."""
    path = _place(root, file)
    if not path.is_file():
        return None
    contexts = msgspec.json.decode(path.read_bytes(), type=Contexts)
    changed = contexts.changed(root)
    return None if any(path.startswith("tests/") for path in changed) else contexts


def file_of(test: str) -> str:
    """The file of a test."""
    return test.partition("::")[0]


def _place(root: Path, file: str) -> Path:
    path = root / KEPT / f"{file.replace('/', '.')}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _lines(data: Path, root: Path) -> Mapping[str, dict[str, list[int]]]:
    measured = CoverageData(basename=str(data))
    measured.read()
    found: dict[str, dict[str, list[int]]] = {}
    for name in measured.measured_files():
        path = Path(name)
        if not path.is_relative_to(root):
            continue
        contexts: dict[str, list[int]] = defaultdict(list)
        for line, own in measured.contexts_by_lineno(name).items():
            for context in {_test(one) for one in own}:
                contexts[context].append(line)
        if contexts:
            found[str(path.relative_to(root))] = dict(contexts)
    return found


def _test(context: str) -> str:
    """The test of a context; a subprocess's also names the phase: `tests/x.py::name (call)`."""
    head, _, phase = context.rpartition(" (")
    return head if phase in ("setup)", "call)", "teardown)") else context


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
