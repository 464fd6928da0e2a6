"""Can a mutation make any difference? Where yosys proves that it can not, no test could find it.

The proof is by induction over the registers: if all agree in one cycle, they and the outputs agree
in the next, whatever the inputs and the memories say. Memories are left out; what they read and
write becomes ports. It holds for all states, those included that a core never reaches: a mutation
that is harmless for the sake of what can not happen is not proved here.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from spikeloom_cosim.core import Core
from spikeloom_cosim.faults.plant import READ, REDUCE, copy_core, run_yosys
from spikeloom_hw.core import CORE_MODULE
from spikeloom_hw.synth.tools import ToolError

_PROOF = """\
read_json core.json
rename {top} gold
design -stash gold
read_json core.json
{mutation}
rename {top} gate
design -stash gate
design -copy-from gold gold
design -copy-from gate gate
equiv_make gold gate proof
hierarchy -top proof
opt_clean
equiv_simple
equiv_induct -seq 3
equiv_status -assert
"""


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
        document = json.loads((work / "core.json").read_text())
        _open_memories(document["modules"][CORE_MODULE])

        def proved(place: int) -> bool:
            folder = work / str(place)
            folder.mkdir()
            (folder / "core.json").write_text(json.dumps(document))
            script = _PROOF.format(top=CORE_MODULE, mutation=mutations[place])
            try:
                run_yosys(script, folder)
            except ToolError:
                return False
            return True

        with ThreadPoolExecutor(jobs) as pool:
            return list(pool.map(proved, range(len(mutations))))


def _open_memories(module: Any) -> None:
    """Turn the pins of every memory into ports, and take it out."""
    cells = module["cells"]
    for name in [name for name, cell in cells.items() if cell["type"] == "$mem_v2"]:
        cell = cells.pop(name)
        for pin, direction in cell["port_directions"].items():
            port = f"{name}.{pin}"
            bits = cell["connections"][pin]
            turned = "input" if direction == "output" else "output"
            module["ports"][port] = {"direction": turned, "bits": bits}
            module["netnames"][port] = {"hide_name": 0, "bits": bits, "attributes": {}}
