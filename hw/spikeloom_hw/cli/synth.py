"""The verb ``synth``."""

from pathlib import Path

import click
from click.core import ParameterSource
from rich.console import RenderableType

from spikeloom.cli.console import Console, json_option, network_path, run_folder, table, write_step
from spikeloom.cli.lanes import lanes_option
from spikeloom.errors import UserError
from spikeloom.files import check_writable
from spikeloom.lineage import load_network
from spikeloom_hw.boards.files import check_top
from spikeloom_hw.cli.options import encoder_option, loadable_option, output_option, target_option
from spikeloom_hw.design_check import check_design, check_memories, open_design
from spikeloom_hw.flow import synth as build_network
from spikeloom_hw.generate import Design
from spikeloom_hw.synth.flow import synthesize
from spikeloom_hw.synth.result import Synthesis
from spikeloom_hw.synth.tools import available_cores
from spikeloom_hw.targets import Target, find_target


@click.command(epilog="Example: spikeloom synth runs/demo --target icebreaker --lanes 8 --seeds 8")
@click.argument("network", type=click.Path(path_type=Path), required=False)
@target_option("Board to build for.  [with --design: the design's]")
@lanes_option
@loadable_option("The host fills the memories, with this network or another within their capacity.")
@encoder_option("The board makes the events: the host sends pixels, or whatever the samples are.")
@click.option(
    "--clock",
    type=click.FloatRange(min=0, min_open=True),
    help="Clock of the core in MHz.  [default: the board's]",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=1,
    show_default=True,
    help="Seed of the placer, or the first of several.",
)
@click.option(
    "--seeds",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="How many seeds to try; the fastest result is kept.",
)
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    default=available_cores,
    show_default="processor cores",
    help="Seeds to try at once.",
)
@click.option(
    "--design",
    type=click.Path(path_type=Path),
    help="Folder made by generate, instead of generating from NETWORK.",
)
@output_option("Folder to write.  [default: synth/<target> in the run folder]")
@json_option
def synth(
    network: Path | None,
    target: str,
    lanes: tuple[int, ...],
    loadable: bool,
    encoder: bool,
    clock: float | None,
    seed: int,
    seeds: int,
    jobs: int,
    design: Path | None,
    output: Path | None,
    as_json: bool,
) -> None:
    """Build the bitstream: yosys, nextpnr, packer; with area, speed and the slowest path.

    NETWORK is an exported file, or a run folder that holds one. A design that does not fit, or
    misses its clock, is refused with the figures, and the tools' logs are kept.
    """
    console = Console(as_json=as_json)
    _check_places(network, design, output)
    described = None
    if design is not None:
        for option in ("lanes", "loadable", "encoder", "clock"):
            if _is_given(option):
                raise UserError(f"--{option} is fixed in a design that is generated: leave it out")
        described = _described(design, network)
        if not _is_given("target"):
            target = described.target
    preset = find_target(target)
    check_top(preset)
    directory = _output(network, preset, output)
    _check_apart(directory, design or network)
    check_writable(directory / "synth.json")
    if design is not None and described is not None:
        check_memories(design, described)
        result = synthesize(
            design,
            target=preset,
            directory=directory,
            seeds=range(seed, seed + seeds),
            jobs=jobs,
            progress=console,
        )
    else:
        assert network is not None
        result = build_network(
            load_network(network_path(network)),
            directory,
            target,
            lanes=lanes,
            loadable=loadable,
            encoder=encoder,
            clock=clock,
            seeds=range(seed, seed + seeds),
            jobs=jobs,
            progress=console,
        )
    data = result.document()
    if network is not None and output is None:
        write_step(run_folder(network_path(network)), "synth", console.seconds, data)
    console.result({"schema": 1, **data}, *_tables(result))
    console.note(f"bitstream: {result.bitstream}")


def _is_given(parameter: str) -> bool:
    """Whether the user wrote an option, rather than left it at its default."""
    source = click.get_current_context().get_parameter_source(parameter)
    return source is ParameterSource.COMMANDLINE


def _described(design: Path, network: Path | None) -> Design:
    """What a design says about itself; of `network`, if there is one."""
    if network is None:
        return open_design(design)
    path = network_path(network)
    return check_design(design, image=load_network(path), network=path)


def _check_places(network: Path | None, design: Path | None, output: Path | None) -> None:
    """Refuse when there is nothing to build, or no place for the result."""
    if network is None and design is None:
        raise UserError("nothing to synthesise: give a network, or a design with --design")
    if network is None and output is None:
        raise UserError("give an output folder with -o: without a network there is no run folder")


def _output(network: Path | None, target: Target, output: Path | None) -> Path:
    """Where the results go."""
    if output is not None:
        return output
    assert network is not None
    return run_folder(network_path(network)) / "synth" / target.name


def _check_apart(directory: Path, source: Path | None) -> None:
    """Refuse to replace the folder that the source lies in."""
    if source is not None and source.resolve().is_relative_to(directory.resolve()):
        raise UserError(f"{directory} holds {source} itself; choose another output folder with -o")


def _tables(result: Synthesis) -> list[RenderableType]:
    rows = [
        (name, usage.used, usage.available, f"{usage.used / usage.available:.0%}")
        for name, usage in result.utilization.items()
    ]
    figures: dict[str, object] = {
        "target": result.target,
        "clock": f"{result.constraint_mhz:g} MHz required, {result.fmax_mhz:.2f} MHz reached",
        "seed": result.seed,
    }
    if len(result.seeds) > 1:
        spread = result.fmax_spread_mhz
        failed = sum(each.failure is not None for each in result.seeds)
        figures["seeds"] = (
            f"{len(result.seeds)} tried, {failed} failed: median {spread.median:.2f}, "
            f"best {spread.best:.2f}, worst {spread.worst:.2f} MHz"
        )
    if path := result.critical_path:
        figures["slowest path"] = f"{path.start} → {path.end}"
        if path.through:
            figures["through"] = ", ".join(path.through)
        figures["its delay"] = (
            f"{path.delay_ns:.1f} ns: {path.logic_ns:.1f} in cells, {path.routing_ns:.1f} in wires"
        )
    return [
        table("Bitstream", {**figures, "sha256": result.sha256}),
        table("Utilisation", rows, columns=["", "used", "of", ""]),
    ]
