"""`verify --level host`: a simulated board, through the driver and its serial port."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from spikeloom.cli.console import Console, table
from spikeloom.datasets import SplitName
from spikeloom.datasets.fitting import DataChoice
from spikeloom.errors import UserError
from spikeloom.files import check_writable, write_step
from spikeloom.host.failures import PortError
from spikeloom.image.identity import network_sha256
from spikeloom.lineage import load_network
from spikeloom.packing import resolve_lanes
from spikeloom_cosim.board.line import open_board
from spikeloom_cosim.board.verify import HostRun, described, verify_board
from spikeloom_cosim.cli.level import check_recorded
from spikeloom_cosim.divergence import KINDS
from spikeloom_cosim.fitting import fit_design
from spikeloom_cosim.samples import sample_events
from spikeloom_cosim.toolchain import find_toolchain
from spikeloom_hw.generate import generate
from spikeloom_hw.source import Source, find_source
from spikeloom_hw.synth.manifest import read_manifest
from spikeloom_hw.targets import TARGETS

LEVEL = "host"
EXIT_MISMATCH, EXIT_CRASH = 1, 3
_SHOWN = ("score", "prediction", "counter", "protocol", "hang")


def verify_host(
    console: Console,
    network: Path,
    *,
    plan: Path | None,
    lanes: Sequence[tuple[int, ...]],
    samples: int | None,
    split: SplitName,
    data: DataChoice,
    design: Path | None,
    target: str,
    loadable: bool,
    jobs: int | None,
    folder: Path,
) -> int:
    """Compare what the driver says of a simulated board with the integer reference.

    Args:
        console: for progress and the result.
        network: its file.
        plan: folder of a reference bitstream, whose manifest says what to simulate.
        lanes: of the design to generate, when neither `plan` nor `design` has one; one only.
        samples: how many; None takes all.
        split: of the data set.
        data: what the user says about the samples.
        design: a generated folder to take as it is.
        target: board of the design to generate.
        loadable: of the design to generate.
        jobs: boards at once.
        folder: where `verify-host.json` goes.

    Returns:
        The exit code.

    Raises:
        UserError: something is missing, or does not fit.
    """
    if len(lanes) > 1:
        raise UserError(f"--level {LEVEL} takes one --lanes, not {len(lanes)}")
    name = f"verify-{LEVEL}"
    check_writable(folder / f"{name}.json")
    tools = find_toolchain()
    image = load_network(network)
    with tempfile.TemporaryDirectory(prefix="spikeloom-") as scratch:
        if design is None:
            design = Path(scratch) / "design"
            planned = _source(plan) if plan is not None else None
            board = TARGETS[target] if planned is None else planned.target
            with console.step(f"generate for {board.name}"):
                if plan is not None and planned is not None:
                    planned.write(design)
                    check_recorded(plan, design, read_manifest(plan)[0])
                else:
                    chosen_lanes = resolve_lanes(image, lanes[0])
                    generate(
                        image, target=board, lanes=chosen_lanes, directory=design, loadable=loadable
                    )
        source = _source(design)
        run = HostRun(
            design=design,
            known=source.host_design(),
            identity=source.identity,
            image=image,
            fitting=fit_design(design, image, network=network),
            tools=tools,
        )
        with console.step("samples"):
            chosen = sample_events(network, image, split=split, count=samples, data=data)
        with console.step("compile the board"):
            open_board(design, name="the simulated board", tools=tools).close()
        count = len(chosen.events)
        with (
            console.step(f"{LEVEL}, {count} samples through the driver on {source.target.name}"),
            console.track(count, "samples") as track,
        ):
            try:
                result = verify_board(
                    run, chosen.events, jobs=jobs or os.cpu_count() or 1, advance=track.advance
                )
            except PortError as error:
                console.note(
                    f"spikeloom: {error}; nothing was compared: run it again, or with fewer "
                    "--samples"
                )
                return EXIT_CRASH
    document = {
        "network_sha256": network_sha256(image),
        "dataset": chosen.dataset,
        "split": split,
        "samples_available": chosen.available,
        "target": source.target.name,
        "level": LEVEL,
        "lanes": list(run.fitting.core.lanes),
        "loaded": source.loadable,
        "design_hash": source.identity.design_hash.hex(),
        **{f"{kind}_mismatches": result.mismatches[kind] for kind in KINDS},
        **described(result),
    }
    written = write_step(folder, name, console.seconds, document)
    rows = [(kind, result.compared.get(kind, "-"), result.mismatches[kind]) for kind in _SHOWN]
    title = (
        f"The driver on a simulated {source.target.board} and the integer reference, "
        f"{result.samples:,} of {chosen.available:,} samples"
    )
    console.result(document, table(title, rows, columns=["what", "compared", "mismatches"]))
    console.note(f"written to {written}")
    if result.first is not None:
        console.note(f"first divergence: {result.first}")
        return EXIT_MISMATCH
    return 0


def _source(place: Path) -> Source:
    found = find_source(place)
    assert found is not None
    return found
