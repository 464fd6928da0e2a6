"""A mutant's trial: the tests that cover it, few and fast ones first, until one fails."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from python_mutants.contexts import Suite, file_of
from python_mutants.job import Job
from python_mutants.mutants import Mutant
from python_mutants.slot import Slot

FIRST_FILES = 5
FIRST_S = 4.0
BUDGET_S = 90.0
"""A mutant that these seconds of tests do not kill survives, whatever tests are left."""
NEAR_S = 20.0
PATIENCE = 4.0
"""How many times as long as measured a session may take before it hangs, beside `GRACE_S`."""
GRACE_S = 40.0


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a mutant.

    Attributes:
        name: see `Mutant.name`.
        module: path of its module.
        operator: kind of the mutation.
        fate: "killed", "timeout" (counts as killed), "survived", "uncovered" (no test runs it), or
            "broken" (a session failed for reasons of its own; no kill).
        by: the test that failed.
        said: the first line of why.
        tests: how many were to try it.
        left: how many of those did not, for lack of time.
        seconds: of all sessions.
    """

    name: str
    module: str
    operator: str
    fate: str
    by: str | None = None
    said: str | None = None
    tests: int = 0
    left: int = 0
    seconds: float = 0.0


def trial(slot: Slot, mutant: Mutant, text: bytes, suite: Suite) -> Row:
    """Try a mutant of a module with this text."""
    sessions, left = plan(mutant, suite)
    seconds = 0.0
    fate, by, said = ("survived" if sessions else "uncovered"), None, None
    with slot.tree.mutated(mutant.module, mutant.apply(text)):
        for names in sessions:
            files = list(dict.fromkeys(file_of(test) for test in names))
            expected = sum(suite.seconds[test] for test in names)
            expected += sum(suite.collect_s[file] for file in files)
            limit_s = PATIENCE * expected + GRACE_S
            report = slot.run(Job(files=files, tests=list(names), limit_s=limit_s))
            seconds += report.seconds
            if report.outcome != "passed":
                fates = {"failed": "killed", "timeout": "timeout"}
                fate = fates.get(report.outcome, "broken")
                by, said = report.failure, report.said
                break
    return Row(
        name=mutant.name,
        module=mutant.module,
        operator=mutant.operator,
        fate=fate,
        by=by,
        said=said,
        tests=left + sum(map(len, sessions)),
        left=left,
        seconds=round(seconds, 1),
    )


def plan(mutant: Mutant, suite: Suite) -> tuple[list[Sequence[str]], int]:
    """The sessions of a mutant's trial, and how many covering tests have no place in them."""
    covering = suite.covering(mutant)
    near = list(_within(suite.near(mutant, covering), suite, NEAR_S))
    first = _first(mutant, covering, suite)
    rest = list(_within([one for one in covering if one not in set(first)], suite, BUDGET_S))
    return [own for own in (first, rest, near) if own], len(covering) - len(first) - len(rest)


def _first(mutant: Mutant, covering: Sequence[str], suite: Suite) -> list[str]:
    """A few fast tests of a few files, those of the module itself before others."""
    stem = mutant.module.rpartition("/")[2].removesuffix(".py")
    fastest: dict[str, float] = {}
    for test in covering:
        fastest.setdefault(file_of(test), suite.seconds[test])

    def distance(file: str) -> tuple[bool, float]:
        return f"test_{stem}.py" not in file, fastest[file] + suite.collect_s[file]

    files = sorted(fastest, key=distance)[:FIRST_FILES]
    candidates = [test for test in covering if file_of(test) in files]
    return list(_within(candidates, suite, FIRST_S)) or candidates[:1]


def _within(names: Sequence[str], suite: Suite, limit_s: float) -> Iterator[str]:
    total = 0.0
    for test in names:
        total += suite.seconds[test]
        if total > limit_s:
            return
        yield test
