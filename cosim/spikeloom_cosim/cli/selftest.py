"""What `verify --selftest` does and says."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import RenderableType

from spikeloom.cli.console import Console, table, write_step
from spikeloom_cosim.fitting import Fitting
from spikeloom_cosim.selftest import SelftestResult, selftest
from spikeloom_cosim.toolchain import Toolchain

VERB = "selftest"


def run_selftests(
    console: Console,
    fittings: Sequence[Fitting],
    events: NDArray[np.bool_],
    about: dict[str, Any],
    *,
    tools: Toolchain,
    level: str,
    seed: int,
    jobs: int | None,
    folder: Path,
) -> bool:
    """Plant faults in each core, and report what became of them; True if all were found.

    Args:
        console: says it.
        fittings: the cores.
        events: bool [samples, steps, inputs].
        about: what the document says of network and samples.
        tools: what compiles.
        level: what is simulated.
        seed: of the stress mode's pauses and orders.
        jobs: simulations at once; None takes one a processor.
        folder: where `selftest.json` goes.
    """
    results = []
    for fitting in fittings:
        spoken = ",".join(map(str, fitting.core.lanes))
        with (
            console.step(f"selftest, {level}, lanes {spoken}: faults planted one by one"),
            console.track(0, "faults") as track,
        ):

            def told(_done: int, of: int, track: Any = track) -> None:
                track.total = of
                track.advance()

            results.append(
                selftest(
                    fitting,
                    events,
                    tools=tools,
                    seed=seed,
                    jobs=jobs or os.cpu_count() or 1,
                    level=level,
                    found=told,
                )
            )
    passed = all(result.passed for result in results)
    findings = [finding for result in results for finding in result.findings]
    document = {
        **about,
        "level": level,
        "passed": passed,
        "faults": len(findings),
        "found": sum(finding.first is not None for finding in findings),
        "runs": [_document(result) for result in results],
    }
    written = write_step(folder, VERB, console.seconds, document)
    console.result(document, *(_table(result) for result in results))
    console.note(f"written to {written}")
    for result in results:
        if result.sound is not None:
            console.note(f"a core without a fault differs, so this proves nothing: {result.sound}")
        for finding in result.escaped:
            console.note(f"escaped: {finding.kind}, {finding.where}")
    return passed


def _document(result: SelftestResult) -> dict[str, Any]:
    return {
        "lanes": list(result.lanes),
        "sound": result.sound is None,
        "build_seconds": round(result.build_seconds, 3),
        "faults": [finding.document() for finding in result.findings],
    }


def _table(result: SelftestResult) -> RenderableType:
    rows = [
        (
            finding.kind,
            finding.planted,
            finding.where,
            "ESCAPED" if finding.first is None else str(finding.first),
        )
        for finding in result.findings
    ]
    found = len(result.findings) - len(result.escaped)
    title = f"{found} of {len(result.findings)} planted faults found"
    return table(title, rows, columns=["fault", "in", "where", "found as"])
