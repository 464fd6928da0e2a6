"""`verify` at the levels behind the RTL: a whole chip, driven by its pins."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from rich.console import RenderableType

from spikeloom.cli.console import Console, table
from spikeloom.datasets import SplitName
from spikeloom.datasets.fitting import DataChoice
from spikeloom.errors import UserError
from spikeloom.files import check_writable, file_sha256, write_step
from spikeloom.image import NetworkImage
from spikeloom.image.identity import network_sha256
from spikeloom.lineage import load_network
from spikeloom.packing import resolve_lanes
from spikeloom_cosim.chip.level import Chip, ChipLevel, make_chip
from spikeloom_cosim.chip.verify import ChipResult, verify_chip
from spikeloom_cosim.divergence import KINDS
from spikeloom_cosim.fitting import Fitting, fit_design
from spikeloom_cosim.samples import sample_events
from spikeloom_cosim.toolchain import find_toolchain
from spikeloom_cosim.verilator import SimulationError
from spikeloom_hw.core.loading import load_sequence
from spikeloom_hw.generate import generate, load_design
from spikeloom_hw.synth.families import family
from spikeloom_hw.synth.manifest import MANIFEST, read_manifest, sources_sha256
from spikeloom_hw.targets import TARGETS, Target

EXIT_MISMATCH, EXIT_CRASH = 1, 3
_SEED = 1
_SHOWN = ("score", "prediction", "counter", "protocol", "hang")


def bitstream_folder(network: Path) -> Path | None:
    """The folder of a network that has a bitstream and its manifest beside it."""
    return network.parent if (network.parent / MANIFEST).is_file() else None


def verify_level(
    console: Console,
    network: Path,
    level: ChipLevel,
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
    """Compare the chip of a network with the integer reference, and say what came of it.

    Args:
        console: for progress and the result.
        network: its file.
        level: what to simulate.
        plan: folder of a reference bitstream, whose manifest says what to build.
        lanes: of the design to generate, when neither `plan` nor `design` has one; one only.
        samples: how many; None takes all.
        split: of the data set.
        data: what the user says about the samples.
        design: a generated folder to take as it is.
        target: board of the design to generate.
        loadable: of the design to generate.
        jobs: simulations at once.
        folder: where `verify-LEVEL.json` goes.

    Returns:
        The exit code.

    Raises:
        UserError: something is missing, or does not fit.
    """
    if len(lanes) > 1:
        raise UserError(f"--level {level} takes one --lanes, not {len(lanes)}")
    name = f"verify-{level}"
    check_writable(folder / f"{name}.json")
    tools = find_toolchain()
    image = load_network(network)
    seed, shipped = _SEED, None
    recorded: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="spikeloom-") as scratch:
        if design is None:
            design = Path(scratch) / "design"
            board, chosen_lanes = TARGETS[target], resolve_lanes(image, lanes[0])
            if plan is not None:
                recorded, recipe = read_manifest(plan)
                board, chosen_lanes = recipe.board, recipe.lanes
                loadable, seed = recipe.loadable, recipe.seed
                shipped = plan / family(board).bitstream
                _check_shipped(shipped, recorded)
            with console.step(f"generate for {board.name}"):
                _generate(image, board, chosen_lanes, loadable, design)
            if plan is not None:
                check_recorded(plan, design, recorded)
        fitting = fit_design(design, image, network=network)
        described = load_design(design)
        loads = load_sequence(image, described.core) if described.loadable else None
        with console.step("samples"):
            chosen = sample_events(network, image, split=split, count=samples, data=data)
        read_back = shipped if level == "bitstream" else None
        chip = make_chip(design, level, seed=seed, progress=console, bitstream=read_back)
        _check_built(chip, plan, recorded)
        count = len(chosen.events)
        with (
            console.step(f"{level}, {count} samples over the pins of {described.target}"),
            console.track(count, "samples") as track,
        ):
            try:
                result = verify_chip(
                    chip,
                    fitting,
                    chosen.events,
                    identity=described.identity,
                    tools=tools,
                    loads=loads,
                    jobs=jobs,
                    advance=track.advance,
                )
            except SimulationError as error:
                console.note(
                    f"spikeloom: the simulator broke down: {error}; nothing was compared: "
                    "run it again, or with fewer --samples"
                )
                return EXIT_CRASH
    document = {
        "network_sha256": network_sha256(image),
        "dataset": chosen.dataset,
        "split": split,
        "samples_available": chosen.available,
        "target": described.target,
        **_document(result, chip, fitting),
    }
    written = write_step(folder, name, console.seconds, document)
    console.result(document, _table(result, chip, chosen.available))
    console.note(f"written to {written}")
    if result.first is not None:
        console.note(f"first divergence: {result.first}")
        return EXIT_MISMATCH
    return 0


def check_recorded(plan: Path, design: Path, recorded: dict[str, Any]) -> None:
    """Refuse to verify a design in place of the one that a reference build was made of.

    Raises:
        UserError: `design` is not what the manifest of `plan` has recorded.
    """
    if sources_sha256(design) != recorded["sha256"]["verilog"]:
        raise UserError(
            f"{plan}: the design generated now is not the one its manifest records, so "
            "this would verify another; build it again: bitstreams/build.py"
        )


def _generate(
    image: NetworkImage, board: Target, lanes: tuple[int, ...], loadable: bool, folder: Path
) -> None:
    generate(image, target=board, lanes=lanes, directory=folder, loadable=loadable)


def _check_shipped(bitstream: Path, recorded: dict[str, Any]) -> None:
    if not bitstream.is_file():
        raise UserError(f"{bitstream.parent} lacks {bitstream.name}; build it: bitstreams/build.py")
    if file_sha256(bitstream) != recorded["sha256"]["bitstream"]:
        raise UserError(
            f"{bitstream} is not the bitstream that its manifest records; build it again: "
            "bitstreams/build.py"
        )


def _check_built(chip: Chip, plan: Path | None, recorded: dict[str, Any]) -> None:
    """What was built here for a reference bitstream must be that bitstream."""
    built = chip.about.get("bitstream_sha256")
    if plan is not None and built is not None and built != recorded["sha256"]["bitstream"]:
        raise UserError(
            f"{plan}: what was placed and routed now makes another bitstream than the one there; "
            "install the tools that its manifest names"
        )


def _document(result: ChipResult, chip: Chip, fitting: Fitting) -> dict[str, Any]:
    return {
        "level": chip.level,
        "samples": result.samples,
        "lanes": list(fitting.core.lanes),
        "loaded": fitting.core.loads is not None,
        "compared": dict(result.compared),
        **{f"{kind}_mismatches": result.mismatches[kind] for kind in KINDS},
        "first_divergence": None if result.first is None else msgspec.to_builtins(result.first),
        "simulated_cycles": result.cycles,
        "verification_seconds": round(result.seconds, 3),
        "build_seconds": round(result.build_seconds, 3),
        **chip.about,
    }


def _table(result: ChipResult, chip: Chip, available: int) -> RenderableType:
    compared = result.compared
    shown = [(kind, compared.get(kind, "-"), result.mismatches[kind]) for kind in _SHOWN]
    title = (
        f"The chip ({chip.level}) and the integer reference, {result.samples:,} of {available:,} "
        "samples, over the pins"
    )
    return table(title, shown, columns=["what", "compared", "mismatches"])
