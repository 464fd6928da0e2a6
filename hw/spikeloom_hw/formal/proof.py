"""One proof: what is claimed, of what, how far, and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from spikeloom_hw.formal.bench import Bench

Mode = Literal["induction", "bounded"]
Verdict = Literal["proved", "failed", "not closed", "not reached", "timed out", "broken"]
"""``failed``: there is a counter-example. ``not closed``: the induction has one, from a state that
may not be reachable. ``not reached``: a cover statement is not, so the proof may be about nothing.
``timed out``: neither was found in the time allowed; a busy machine may do that. ``broken``: a tool
ended without an answer."""


@dataclass(frozen=True, kw_only=True)
class Proof:
    """A property of a component, for one size of it.

    Attributes:
        name: ``component.property``; names the proof's files, too.
        sentence: what is claimed, as a sentence.
        size: of the component that is proved, in words.
        mode: "induction" holds for all time, "bounded" for the first ``depth`` cycles.
        depth: cycles; for an induction, those that its step may look back on.
        reach: cycles within which the cover statements have to be reached.
        build: puts component and property into a bench.
    """

    name: str
    sentence: str
    size: str
    mode: Mode
    depth: int
    reach: int
    build: Callable[[Bench], None]

    def rtlil(self, *, covering: bool = False) -> str:
        """Component and property as RTLIL, with the module ``proof`` on top."""
        bench = Bench(covering=covering)
        self.build(bench)
        return bench.rtlil()


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of a proof.

    Attributes:
        proof: which.
        verdict: see :data:`Verdict`.
        seconds: that the tools took, in whole seconds, for property and cover statements together.
        detail: what failed, where in the source; empty when proved.
        trace: the counter-example's waves, in the folder of the run; None if there is none.
    """

    proof: Proof
    verdict: Verdict
    seconds: int
    detail: str = ""
    trace: str | None = None
