"""Builds the reference bitstreams, or checks that a rebuild gives the same bytes.

Each folder here is one network on one target:

=======================  ==================================================================
``network.safetensors``  the network, and the resolved configuration it was trained with
``network.toml``         that configuration, to train it again
``top.bin``              the bitstream
``manifest.json``        target, lanes, seed; sha256 of network, Verilog and bitstream;
                         versions, utilisation and clock
=======================  ==================================================================

    python bitstreams/build.py add runs/demo digits --target icebreaker --lanes 8
    python bitstreams/build.py check                # every folder, or those that are named
"""

import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import msgspec

from spikeloom import __version__
from spikeloom.cli.app import ExplainingGroup
from spikeloom.cli.console import Console
from spikeloom.cli.lanes import lanes_option
from spikeloom.errors import UserError
from spikeloom.files import atomic_directory, to_json
from spikeloom.image import load_image
from spikeloom.image.file import image_sha256
from spikeloom.packing import resolve_lanes
from spikeloom_hw.generate import generate
from spikeloom_hw.synth.flow import Synthesis, synthesize
from spikeloom_hw.targets import TARGETS, find_target

HERE = Path(__file__).parent
NETWORK = "network.safetensors"
BITSTREAM = "top.bin"
MANIFEST = "manifest.json"


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """What decides a bitstream, besides its network and the tools."""

    target: str
    lanes: tuple[int, ...]
    seed: int


@dataclass(frozen=True, kw_only=True)
class Build:
    """A finished build, still in its temporary folder."""

    network_sha256: str
    verilog_sha256: str
    synthesis: Synthesis
    bitstream: bytes


def build(network: Path, recipe: Recipe, console: Console) -> Build:
    """Generates and synthesises ``network``."""
    image = load_image(network)
    target = find_target(recipe.target)
    with tempfile.TemporaryDirectory(prefix="spikeloom-") as scratch:
        design, result = Path(scratch) / "design", Path(scratch) / "synth"
        with console.step(f"generate for {target.name}"):
            generate(image, target=target, lanes=recipe.lanes, directory=design)
        synthesis = synthesize(
            design, target=target, directory=result, seed=recipe.seed, progress=console
        )
        return Build(
            network_sha256=image_sha256(image),
            verilog_sha256=_digest(path for path in design.iterdir() if path.suffix != ".json"),
            synthesis=synthesis,
            bitstream=(result / BITSTREAM).read_bytes(),
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
            "verilog": made.verilog_sha256,
            "bitstream": made.synthesis.sha256,
        },
        **{name: synthesis[name] for name in recorded},
        "spikeloom": __version__,
        "commit": _commit(),
    }


@click.group(cls=ExplainingGroup)
def main() -> None:
    """Reference bitstreams: add one, or check that a rebuild gives the same bytes."""


@main.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("name")
@click.option("--target", type=click.Choice(list(TARGETS)), default="icebreaker")
@click.option("--seed", type=int, default=1, show_default=True, help="Of nextpnr's placer.")
@lanes_option
def add(run: Path, name: str, target: str, seed: int, lanes: tuple[int, ...]) -> None:
    """Build the network of RUN as bitstreams/NAME-<target>."""
    console = Console()
    network = run / NETWORK
    if (commit := _commit()).endswith("-dirty"):
        raise UserError(f"the sources differ from commit {commit[:-6]}: commit them first")
    resolved = resolve_lanes(load_image(network), lanes)
    recipe = Recipe(target=target, lanes=resolved, seed=seed)
    made = build(network, recipe, console)
    with atomic_directory(HERE / f"{name}-{target}") as folder:
        shutil.copyfile(network, folder / NETWORK)
        shutil.copyfile(run / "config.toml", folder / "network.toml")
        (folder / BITSTREAM).write_bytes(made.bitstream)
        (folder / MANIFEST).write_text(to_json(manifest(recipe, made)))
    console.note(f"written to {HERE / f'{name}-{target}'}")


@main.command()
@click.argument("folders", nargs=-1, type=click.Path(path_type=Path))
def check(folders: tuple[Path, ...]) -> None:
    """Rebuild each folder and compare every sha256 with its manifest."""
    console = Console()
    chosen = folders or sorted(path.parent for path in HERE.glob(f"*/{MANIFEST}"))
    differing = [folder for folder in chosen if not _reproduces(folder, console)]
    if differing:
        raise UserError(f"{', '.join(path.name for path in differing)}: a rebuild differs")


def _reproduces(folder: Path, console: Console) -> bool:
    recorded = msgspec.json.decode((folder / MANIFEST).read_bytes())
    recipe = msgspec.convert({k: recorded[k] for k in Recipe.__struct_fields__}, Recipe)
    made = build(folder / NETWORK, recipe, console)
    fresh = manifest(recipe, made)
    kept = hashlib.sha256((folder / BITSTREAM).read_bytes()).hexdigest()
    same = fresh["sha256"] == recorded["sha256"] and kept == recorded["sha256"]["bitstream"]
    console.note(f"{folder.name}: {'the same bytes' if same else 'DIFFERENT'}")
    for what, sha256 in fresh["sha256"].items():
        if sha256 != recorded["sha256"][what]:
            console.note(f"  {what}: recorded {recorded['sha256'][what]}, rebuilt {sha256}")
    for tool, version in fresh["tools"].items():
        if version != recorded["tools"].get(tool):
            console.note(f"  {tool} is {version}, recorded with {recorded['tools'].get(tool)}")
    return same


def _digest(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for file in sorted(files):
        digest.update(f"{file.name}\0".encode() + file.read_bytes())
    return digest.hexdigest()


def _commit() -> str:
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=HERE, capture_output=True, text=True
    )
    return described.stdout.strip()


if __name__ == "__main__":
    main()
