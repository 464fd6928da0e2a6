"""The verb `verify`."""

from __future__ import annotations

import tempfile
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any, Literal, get_args

import click
import msgspec
from rich.console import RenderableType

from spikeloom.cli.console import (
    Console,
    json_option,
    network_path,
    run_folder,
    table,
    write_step,
)
from spikeloom.cli.data import data_options
from spikeloom.cli.lanes import DEFAULT_LANES, LanesType
from spikeloom.cli.samples import SampleCount
from spikeloom.datasets import SplitName
from spikeloom.datasets.fitting import DataChoice
from spikeloom.errors import UserError
from spikeloom.files import check_writable
from spikeloom.image.identity import network_sha256
from spikeloom.lineage import load_network
from spikeloom_cosim.chip.level import ChipLevel
from spikeloom_cosim.cli.host_level import verify_host
from spikeloom_cosim.cli.level import bitstream_folder, verify_level
from spikeloom_cosim.cli.selftest import run_selftests
from spikeloom_cosim.divergence import KINDS, Kind
from spikeloom_cosim.fitting import fit_design
from spikeloom_cosim.flow import FAILURE_FOLDER, fitting_of
from spikeloom_cosim.samples import sample_events
from spikeloom_cosim.simulation import SEEDS
from spikeloom_cosim.toolchain import find_toolchain
from spikeloom_cosim.verify import CoreResult, verify_core
from spikeloom_cosim.verilator import SimulationError
from spikeloom_cosim.work import Shares
from spikeloom_hw.cli.options import loadable_option, output_option, target_option

EXIT_MISMATCH, EXIT_CRASH = 1, 3
COMMANDLINE = click.core.ParameterSource.COMMANDLINE
_SHOWN: tuple[Kind, ...] = ("spike", "membrane", "score", "cycle")


@click.command(epilog="Example: spikeloom verify runs/demo --lanes 1 --lanes 8")
@click.argument("network", type=click.Path(path_type=Path))
@click.option(
    "--lanes",
    "lanes",
    type=LanesType(),
    multiple=True,
    help="Lanes of the busiest layer, or one number a layer (8,1); may be repeated.  [default: 8]",
)
@click.option(
    "--samples", type=SampleCount(), default="all", show_default=True, help="How many samples."
)
@click.option(
    "--split",
    type=click.Choice(get_args(SplitName)),
    default="test",
    show_default=True,
    help="The samples to use.",
)
@data_options()
@click.option(
    "--level",
    type=click.Choice(["rtl", *get_args(ChipLevel), "host"]),
    default="rtl",
    show_default=True,
    help="What is simulated: the generated Verilog of the core; or the whole chip, driven by its "
    "pins: the cells after synthesis, the cells after place and route, or the bitstream turned "
    "back into Verilog (iCE40); or the Verilog of the whole board, through the driver and a serial "
    "port. Of a folder of bitstreams/ it is the very design, and bitstream, of its manifest.",
)
@click.option(
    "--design",
    type=click.Path(path_type=Path),
    help="Verify this generated folder, as it is, instead of generating one. A loadable one is "
    "loaded with NETWORK, whatever it was made for.",
)
@target_option("Board to generate for.")
@loadable_option("Generate a core that is loaded with the network, and load it.")
@click.option(
    "--seed",
    type=click.IntRange(0, SEEDS - 1),
    default=1,
    show_default=True,
    help="Of the random pauses.",
)
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    show_default="processor cores",
    help="Simulations to run at once.",
)
@click.option(
    "--selftest",
    is_flag=True,
    help="Check the check: plant faults of every kind in the core, one at a time, and fail unless "
    "each is reported.",
)
@output_option("Where verify.json goes.  [default: the run folder]")
@json_option
@click.pass_context
def verify(
    context: click.Context,
    network: Path,
    lanes: tuple[tuple[int, ...], ...],
    samples: int | None,
    split: SplitName,
    data: DataChoice,
    level: Literal["rtl", "host"] | ChipLevel,
    design: Path | None,
    target: str,
    loadable: bool,
    seed: int,
    jobs: int | None,
    selftest: bool,
    output: Path | None,
    as_json: bool,
) -> None:
    """Simulate the core and compare it, bit for bit, with the integer reference.

    Every spike, every membrane after every step, every score and class, and the cycles of every
    sample are compared, with samples one by one, back to back, and under random pauses. Ends with
    code 1 when anything differs, and names the first difference; with 3 when the simulator broke
    down, which says nothing about the core.

    At the other levels, every score and class is compared, and what the chip counted in
    every sample: events into each layer, words read, synaptic operations. Spikes and membranes are
    not visible at the pins.
    """
    if design is not None and lanes:
        raise UserError("--design has lanes of its own; leave out --lanes")
    if design is not None and context.get_parameter_source("target") == COMMANDLINE:
        raise UserError("--design has a target of its own; leave out --target")
    if design is not None and loadable:
        raise UserError("--design is loadable or not, as it was generated; leave out --loadable")
    console = Console(as_json=as_json)
    path = network_path(network)
    folder = run_folder(path) if output is None else output
    if selftest and level not in ("rtl", "netlist"):
        raise UserError("--selftest works at --level rtl or netlist; choose one of them")
    if level != "rtl" and not selftest:
        given = context.get_parameter_source("target") == COMMANDLINE or lanes or loadable
        verify_it = (
            partial(verify_host, console, path)
            if level == "host"
            else partial(verify_level, console, path, level)
        )
        context.exit(
            verify_it(
                plan=None if given else bitstream_folder(path),
                lanes=lanes or (DEFAULT_LANES,),
                samples=samples,
                split=split,
                data=data,
                design=design,
                target=target,
                loadable=loadable,
                jobs=jobs,
                folder=folder,
            )
        )
    check_writable(folder / ("selftest.json" if selftest else "verify.json"))
    tools = find_toolchain()
    image = load_network(path)
    fittings = []
    if design is not None:
        fittings = [fit_design(design, image, network=path)]
    with console.step("samples"):
        chosen = sample_events(path, image, split=split, count=samples, data=data)
    results = []
    with tempfile.TemporaryDirectory(prefix="spikeloom-") as scratch:
        if design is None:
            with console.step("generate"):
                fittings = [
                    fitting_of(
                        image,
                        lanes=each,
                        target=target,
                        loadable=loadable,
                        folder=Path(scratch) / str(number),
                        network=path,
                    )
                    for number, each in enumerate(lanes or [DEFAULT_LANES])
                ]
        about = {
            "network_sha256": network_sha256(image),
            "dataset": chosen.dataset,
            "split": split,
            "samples_available": chosen.available,
        }
        if selftest:
            passed = run_selftests(
                console,
                fittings,
                chosen.events,
                about,
                tools=tools,
                level=level,
                seed=seed,
                jobs=jobs,
                folder=folder,
            )
            context.exit(0 if passed else EXIT_MISMATCH)
        for fitting in fittings:
            spoken = _spoken(fitting.core.lanes)
            count = len(chosen.events)
            with (
                console.step(f"{level}, lanes {spoken}, {count} samples"),
                console.track(count, "samples") as track,
            ):
                try:
                    result = verify_core(
                        fitting.core,
                        chosen.events,
                        fitting.expect,
                        tools=tools,
                        seed=seed,
                        failure_folder=folder / f"{FAILURE_FOLDER}-{spoken}",
                        jobs=jobs,
                        advance=track.advance,
                    )
                except SimulationError as error:
                    console.note(
                        f"spikeloom: the simulator broke down, lanes {spoken}: {error}; "
                        "nothing was compared: run it again, or with fewer --samples"
                    )
                    context.exit(EXIT_CRASH)
                results.append(result)
    document = {
        **about,
        **_document(results, level=level),
    }
    written = write_step(folder, "verify", console.seconds, document)
    tables = _mismatches(results, chosen.available), _cycles(results), _work(results)
    console.result(document, *tables)
    console.note(f"written to {written}")
    _report_failures(console, results)
    if any(result.first is not None for result in results):
        context.exit(EXIT_MISMATCH)


def _spoken(lanes: tuple[int, ...]) -> str:
    return ",".join(map(str, lanes))


def _document(results: list[CoreResult], *, level: str) -> dict[str, Any]:
    """The mismatches are sums over all cores; lanes and cycles are those of the last one."""
    total = sum((result.mismatches for result in results), Counter[str]())
    runs = [{"level": level, **result.document()} for result in results]
    failed = [run for run in runs if run["first_divergence"] is not None]
    last = runs[-1]
    return {
        "level": level,
        "samples": last["samples"],
        "lanes": last["lanes"],
        **{f"{kind}_mismatches": total[kind] for kind in KINDS},
        "first_divergence": failed[0]["first_divergence"] if failed else None,
        "waves": failed[0]["waves"] if failed else None,
        "cycles": last["cycles"],
        "layers": last["layers"],
        "runs": runs,
    }


def _mismatches(results: list[CoreResult], available: int) -> RenderableType:
    columns = ["lanes", "samples", "spikes", "membranes", "scores", "cycles", "other", "seconds"]
    rows = []
    for result in results:
        counts = result.mismatches
        shown = [counts[kind] for kind in _SHOWN]
        samples = f"{result.samples:,} of {available:,}"
        other = sum(counts.values()) - sum(shown)
        rows.append((_spoken(result.lanes), samples, *shown, other, result.seconds))
    return table("Mismatches between the core and the integer reference", rows, columns=columns)


def _cycles(results: list[CoreResult]) -> RenderableType:
    rows = [
        (
            _spoken(result.lanes),
            cycles.mean,
            cycles.p99,
            cycles.max,
            cycles.interval,
            cycles.sop_per_cycle_per_lane,
            cycles.busiest_layer.name,
            cycles.busiest_layer.sop_per_cycle_per_lane,
        )
        for result in results
        if (cycles := result.cycles) is not None
    ]
    columns = [
        "lanes",
        "latency",
        "p99",
        "max",
        "interval",
        "op/cycle/lane",
        "busiest layer",
        "its",
    ]
    title = "Cycles: latency of a sample alone, interval of samples back to back"
    return table(title, rows, columns=columns)


def _work(results: list[CoreResult]) -> RenderableType:
    rows = [
        (
            _spoken(result.lanes),
            work.name,
            work.sop_per_cycle_per_lane,
            *(f"{100 * share:.1f} %" for share in msgspec.structs.astuple(work.shares)),
        )
        for result in results
        for work in result.layers or ()
    ]
    columns = ["lanes", "layer", "op/cycle/lane", *Shares.__struct_fields__]
    return table(
        "The chip's counters: cycles of each layer by cause, samples back to back",
        rows,
        columns=columns,
    )


def _report_failures(console: Console, results: list[CoreResult]) -> None:
    for result in results:
        if result.first is None or result.replay is None:
            continue
        console.note(f"first divergence, lanes {_spoken(result.lanes)}: {result.first}")
        alone = "that sample alone" if result.replay.alone else "the samples up to that one"
        console.note(f"waves of {alone}: {result.replay.waves}")
