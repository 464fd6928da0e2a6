"""Builds the reference bitstreams, or checks that a rebuild gives the same bytes.

Each folder here that has a manifest is one network on one target:

=======================  ==================================================================
``network.safetensors``  the network, and the resolved configuration it was trained with
``network.toml``         that configuration, to train it again
``top.bin``, ``top.bit`` the bitstream
``manifest.json``        target, clock, lanes, seed; sha256 of what the network computes, of the
                         design, of its sources and of the bitstream; versions, utilisation, clock
``report.json``          what it reaches: utilisation, the clock with each seed tried, the
                         slowest path, cycles over the test set, the estimate beforehand
=======================  ==================================================================

    python bitstreams/build.py add runs/demo digits --target icebreaker --lanes 8 --seeds 8
    python bitstreams/build.py check                # every folder, or those that are named
    python bitstreams/build.py foresee FOLDER       # renew what of a report takes no synthesis
"""

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import msgspec

from spikeloom import __version__
from spikeloom.cli.app import ExplainingGroup
from spikeloom.cli.console import Console, network_path
from spikeloom.cli.lanes import lanes_option
from spikeloom.cycle_statistics import CycleStatistics
from spikeloom.datasets import load_dataset
from spikeloom.errors import UserError
from spikeloom.files import atomic_directory, atomic_write, file_sha256, to_json
from spikeloom.image import NetworkImage
from spikeloom.lineage import load_network
from spikeloom.packing import resolve_lanes
from spikeloom.stamp import DIRTY, stamp
from spikeloom_hw.cli.options import loadable_option
from spikeloom_hw.cycles import core_cycles
from spikeloom_hw.estimate import check_fits, estimate
from spikeloom_hw.generate import generate
from spikeloom_hw.synth.families import family
from spikeloom_hw.synth.flow import synthesize
from spikeloom_hw.synth.manifest import MANIFEST, Recipe, read_manifest, sources_sha256
from spikeloom_hw.synth.result import Synthesis
from spikeloom_hw.synth.tools import available_cores
from spikeloom_hw.targets import TARGETS, find_target

HERE = Path(__file__).parent
NETWORK = "network.safetensors"
CONFIG = "network.toml"
REPORT = "report.json"


@dataclass(frozen=True, kw_only=True)
class Build:
    """A finished build, still in its temporary folder."""

    network_sha256: str
    design_sha256: str
    verilog_sha256: str
    synthesis: Synthesis
    bitstream: bytes


def build(
    network: Path, recipe: Recipe, console: Console, *, seeds: Sequence[int] = (), jobs: int = 1
) -> Build:
    """Generates and synthesises ``network``, with the recipe's seed or the best of ``seeds``."""
    image = load_network(network)
    target = recipe.board
    with tempfile.TemporaryDirectory(prefix="spikeloom-") as scratch:
        design, result = Path(scratch) / "design", Path(scratch) / "synth"
        with console.step(f"generate for {target.name}"):
            generated = generate(
                image,
                target=target,
                lanes=recipe.lanes,
                directory=design,
                loadable=recipe.loadable,
            )
        synthesis = synthesize(
            design,
            target=target,
            directory=result,
            seeds=seeds or (recipe.seed,),
            jobs=jobs,
            progress=console,
        )
        return Build(
            network_sha256=generated.network_sha256,
            design_sha256=generated.design_sha256,
            verilog_sha256=sources_sha256(design),
            synthesis=synthesis,
            bitstream=synthesis.bitstream.read_bytes(),
        )


def manifest(recipe: Recipe, made: Build) -> dict[str, Any]:
    """The contents of ``manifest.json``."""
    synthesis = made.synthesis.document()
    recorded = ("tools", "utilization", "fmax_mhz", "constraint_mhz")
    return {
        "schema": 1,
        **msgspec.to_builtins(recipe),
        "sha256": {
            "network": made.network_sha256,
            "design": made.design_sha256,
            "verilog": made.verilog_sha256,
            "bitstream": made.synthesis.sha256,
        },
        **{name: synthesis[name] for name in recorded},
        "spikeloom": __version__,
        "commit": stamp().commit,
    }


def report(
    image: NetworkImage, recipe: Recipe, made: Build, cycles: CycleStatistics
) -> dict[str, Any]:
    """The contents of ``report.json``."""
    synthesis = made.synthesis.document()
    measured = ("fmax_mhz", "fmax_spread_mhz", "seeds", "utilization", "critical_path", "tools")
    claimed = image.provenance
    return {
        "schema": 1,
        "network": {
            "sha256": made.network_sha256,
            "dataset": claimed.dataset,
            "accuracy": {
                "validation": claimed.accuracy_validation,
                "test": claimed.accuracy_test,
            },
            "synapses": sum(layer.synapses for layer in image.layers),
        },
        **msgspec.to_builtins(recipe),
        **{name: synthesis[name] for name in measured},
        **foreseen(image, recipe, cycles),
    }


def foreseen(image: NetworkImage, recipe: Recipe, cycles: CycleStatistics) -> dict[str, Any]:
    """What of ``report.json`` takes no synthesis."""
    cost = estimate(image, target=recipe.board, lanes=recipe.lanes, loadable=recipe.loadable)
    return {"cycles": msgspec.to_builtins(cycles), "estimate": msgspec.to_builtins(cost)}


def cycles_of(
    image: NetworkImage, recipe: Recipe, data_dir: Path | None, console: Console
) -> CycleStatistics:
    """Cycles an image over the whole test set."""
    test = load_dataset(image.provenance.dataset, data_dir).test
    with (
        console.step(f"cycles of {len(test):,} test images"),
        console.track(len(test), "images") as track,
    ):
        return core_cycles(
            image,
            test,
            target=recipe.board,
            lanes=recipe.lanes,
            loadable=recipe.loadable,
            done=track.advance,
        )


@click.group(cls=ExplainingGroup)
def main() -> None:
    """Reference bitstreams: add one, or check that a rebuild gives the same bytes."""


@main.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("name")
@click.option("--target", type=click.Choice(list(TARGETS)), default="icebreaker")
@click.option("--clock", type=float, help="Clock of the core in MHz.  [default: the board's]")
@click.option("--seeds", type=click.IntRange(min=1), default=8, show_default=True)
@click.option("--jobs", type=click.IntRange(min=1), default=available_cores)
@click.option("--data-dir", type=click.Path(path_type=Path), help="Of the network's data set.")
@lanes_option
@loadable_option("The host fills the memories; the bitstream holds no network.")
def add(
    run: Path,
    name: str,
    target: str,
    clock: float | None,
    seeds: int,
    jobs: int,
    data_dir: Path | None,
    lanes: tuple[int, ...],
    loadable: bool,
) -> None:
    """Build the network of RUN as bitstreams/NAME-<target>, with the best of several seeds.

    RUN is a run folder, or any folder with a network and its configuration.
    """
    console = Console()
    network = network_path(run)
    config = _config(network.parent)
    if (commit := stamp().commit).endswith(DIRTY):
        raise UserError(
            f"the sources differ from commit {commit.removesuffix(DIRTY)}: commit them first"
        )
    image = load_network(network)
    recipe = Recipe(
        target=target,
        clock_mhz=clock or find_target(target).core_clock_mhz,
        lanes=resolve_lanes(image, lanes),
        seed=1,
        loadable=loadable,
    )
    check_fits(image, target=recipe.board, lanes=recipe.lanes, loadable=loadable)
    with atomic_directory(HERE / f"{name}-{target}") as folder:
        made = build(network, recipe, console, seeds=range(1, seeds + 1), jobs=jobs)
        recipe = msgspec.structs.replace(recipe, seed=made.synthesis.seed)
        cycles = cycles_of(image, recipe, data_dir, console)
        shutil.copyfile(network, folder / NETWORK)
        shutil.copyfile(config, folder / CONFIG)
        (folder / family(recipe.board).bitstream).write_bytes(made.bitstream)
        (folder / MANIFEST).write_text(to_json(manifest(recipe, made)))
        (folder / REPORT).write_text(to_json(report(image, recipe, made, cycles)))
    console.note(f"written to {HERE / f'{name}-{target}'}")


@main.command()
@click.argument("folders", nargs=-1, type=click.Path(path_type=Path))
def check(folders: tuple[Path, ...]) -> None:
    """Rebuild each folder and compare every sha256 with its manifest."""
    console = Console()
    chosen = folders or sorted(path.parent for path in HERE.glob(f"*/{MANIFEST}"))
    if not chosen:
        raise UserError(f"{HERE} has no reference builds; make one: build.py add")
    differing = [folder for folder in chosen if not _reproduces(folder, console)]
    if differing:
        raise UserError(f"{', '.join(path.name for path in differing)}: a rebuild differs")


@main.command()
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--data-dir", type=click.Path(path_type=Path), help="Of the networks' data sets.")
def foresee(folders: tuple[Path, ...], data_dir: Path | None) -> None:
    """Renew cycles and estimate in the report of each folder, when their models have changed."""
    console = Console()
    for folder in folders:
        _, recipe = read_manifest(folder)
        image = load_network(folder / NETWORK)
        cycles = cycles_of(image, recipe, data_dir, console)
        kept = msgspec.json.decode((folder / REPORT).read_bytes())
        atomic_write(folder / REPORT, to_json({**kept, **foreseen(image, recipe, cycles)}))


def _reproduces(folder: Path, console: Console) -> bool:
    recorded, recipe = read_manifest(folder)
    made = build(folder / NETWORK, recipe, console)
    fresh = manifest(recipe, made)
    kept = file_sha256(folder / family(recipe.board).bitstream)
    same = fresh["sha256"] == recorded["sha256"] and kept == recorded["sha256"]["bitstream"]
    console.note(f"{folder.name}: {'the same bytes' if same else 'DIFFERENT'}")
    if kept != recorded["sha256"]["bitstream"]:
        console.note(f"  the bitstream here is not the one recorded: it has {kept}")
    for what, sha256 in fresh["sha256"].items():
        if sha256 != (before := recorded["sha256"].get(what)):
            console.note(f"  {what}: recorded {before}, rebuilt {sha256}")
    for tool, version in fresh["tools"].items():
        if version != recorded["tools"].get(tool):
            console.note(f"  {tool} is {version}, recorded with {recorded['tools'].get(tool)}")
    return same


def _config(run: Path) -> Path:
    """The resolved configuration beside a network: of a run, or of a folder here."""
    for name in ("config.toml", CONFIG):
        if (run / name).is_file():
            return run / name
    raise UserError(f"{run} has neither config.toml nor {CONFIG}; give the folder of a run")


if __name__ == "__main__":
    main()
