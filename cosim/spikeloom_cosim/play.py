"""The cocotb test: runs inside the simulator, starts the bench, and waits for its end.

Events, scores and traces never pass through Python: the bench reads and writes files (see
`templates/bench.sv.j2`), so a run costs a handful of Python steps, whatever its length.
"""

from pathlib import Path
from typing import Any

import cocotb
import msgspec
from cocotb.triggers import RisingEdge

from spikeloom_cosim.outcome import OUTCOME, Outcome


@cocotb.test()
async def play(dut: Any) -> None:
    """Plays all events; fails when the core stops answering or breaks a promise of its streams."""
    dut.go.value = 1
    await RisingEdge(dut.done)
    outcome = Outcome(
        cycles=int(dut.cycle.value),
        results=int(dut.results.value),
        unstable=int(dut.unstable.value),
        hung=bool(int(dut.hung.value)),
    )
    Path(OUTCOME).write_bytes(msgspec.json.encode(outcome))
    assert not outcome.hung, f"the core came to no end in {outcome.cycles} cycles"
    assert not outcome.unstable, "the core changed a score while it was waiting to be taken"
