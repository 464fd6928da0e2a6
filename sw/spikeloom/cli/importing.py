"""The verb `import`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import click
from rich.console import RenderableType

from spikeloom.cli.console import Console, json_option, table
from spikeloom.cli.data import data_dir_option
from spikeloom.cli.samples import SampleCount
from spikeloom.encoding import (
    DirectEncoding,
    Encoding,
    FramesEncoding,
    LatencyEncoding,
    RateEncoding,
)
from spikeloom.errors import UserError
from spikeloom.importers.foreign import ForeignNetwork, from_nir
from spikeloom.importers.profile import CHOICES, FRAMEWORKS, MEANING
from spikeloom.importers.run import check_free, to_integers, write_run
from spikeloom.importers.samples import Calibration
from spikeloom.importers.widths import Widths
from spikeloom.neurons import Rounding
from spikeloom.provenance import ProfileEntry

TIME_STEPS = 100
CODES: dict[str, Encoding] = {
    "frames": FramesEncoding(),
    "latency": LatencyEncoding(),
    "rate": RateEncoding(),
    "direct": DirectEncoding(),
}


def _profile_options(function: Any) -> Any:
    """An option for each entry of a profile that a user may know better."""
    for name in reversed([name for name, choices in CHOICES.items() if len(choices) > 1]):
        function = click.option(
            f"--{name.replace('_', '-')}",
            type=click.Choice(CHOICES[name]),
            help=f"{MEANING[name][0].upper()}{MEANING[name][1:]}.",
        )(function)
    return function


@click.command(
    "import",
    epilog="Example: spikeloom import lif.nir -o runs/lif --profile norse --dt 1e-4",
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    metavar="RUN",
    help="The run folder to make, or to renew.",
)
@click.option(
    "--profile",
    type=click.Choice(list(FRAMEWORKS)),
    help="Whose habits fill what the file leaves open.",
)
@click.option("--dt", type=float, help="The step of time, in the file's unit.")
@_profile_options
@click.option(
    "--weight-bits", type=int, help="Signed width of the weights; the widest if not given."
)
@click.option("--decay-bits", type=int, help="Fraction bits of the decays.")
@click.option("--fraction-bits", type=int, help="Fraction bits of membranes and currents.")
@click.option("--state-bits", type=int, help="Signed width of membranes and currents.")
@click.option("--rounding", type=click.Choice(get_args(Rounding)), help="Of the leak.")
@click.option("--time-steps", type=click.IntRange(1, 65536), help="T, steps of a sample.")
@click.option("--encoding", type=click.Choice(list(CODES)), help="How samples become events.")
@click.option(
    "--calibrate", metavar="DATA", help="Samples: a file, a folder, or the name of a data set."
)
@data_dir_option
@click.option("--window-us", type=click.IntRange(0), default=0, help="Of a step of recordings.")
@click.option("--samples", type=SampleCount(), help="At most so many of each split.")
@json_option
def import_(
    file: Path,
    output: Path,
    profile: str | None,
    dt: float | None,
    weight_bits: int | None,
    time_steps: int | None,
    encoding: str | None,
    calibrate: str | None,
    data_dir: Path | None,
    window_us: int,
    samples: int | None,
    as_json: bool,
    **more: Any,
) -> None:
    """Bring a network of another framework: read it, make integers of it, say what changed.

    FILE is a network in NIR. What the file leaves open, such as the step of time, is taken from the
    options, else from the habits of `--profile`; each entry is printed with its origin. With
    `--calibrate`, samples decide the widths of the states, and the report compares classes and
    spikes of real numbers and integers.
    """
    console = Console(as_json=as_json)
    check_free(output)
    given = {"dt": dt, **{name: more.pop(name) for name in CHOICES if name in more}}
    with console.step(f"read {file}"):
        foreign = _read(file, profile, given)
    widths = Widths.for_weights(weight_bits, **more)
    code = CODES[encoding or "frames"]
    steps = time_steps or TIME_STEPS
    calibration = dataset = None
    if calibrate is not None:
        calibration = Calibration(
            data=calibrate, data_dir=data_dir, window_us=window_us, samples=samples
        )
        with console.step(f"load {calibrate}"):
            shape = foreign.floats.source.shape
            dataset = calibration.load(shape=shape, time_steps=steps, encoding=code)
    with console.step("make integers" + (" and compare" if calibration else "")):
        total = 0 if calibration is None or dataset is None else len(calibration.part(dataset.test))
        with console.track(total, "samples") as track:
            done = to_integers(
                foreign,
                widths,
                time_steps=steps,
                encoding=code,
                assumed=_of_the_code(time_steps, encoding),
                calibration=calibration,
                dataset=dataset,
                fixed_states=more.get("state_bits") is not None,
                advance=track.advance,
            )
    result = write_run(output, done, console.seconds)
    console.result(result, *_tables(result))
    for note in (*result["notes"], *result["fidelity"]["warnings"]):
        console.note(note)


def _read(file: Path, profile: str | None, given: dict[str, Any]) -> ForeignNetwork:
    if profile is None:
        raise UserError(
            f"{file}: a file of NIR does not say how its neurons step: pass --profile, of "
            f"{', '.join(FRAMEWORKS)}: the framework that the network was trained with"
        )
    return from_nir(file, profile=profile, **given)


def _of_the_code(time_steps: int | None, encoding: str | None) -> tuple[ProfileEntry, ...]:
    return (
        ProfileEntry(name="time_steps", value=str(time_steps), origin="given")
        if time_steps
        else ProfileEntry(
            name="time_steps",
            value=str(TIME_STEPS),
            origin="assumed",
            why="the file has no length of a sample: pass --time-steps",
        ),
        ProfileEntry(name="encoding", value=encoding, origin="given")
        if encoding
        else ProfileEntry(
            name="encoding", value="frames", origin="assumed", why="samples are events already"
        ),
    )


def _tables(result: dict[str, Any]) -> list[RenderableType]:
    fidelity = result["fidelity"]
    profile = [(e["name"], e["value"], e["origin"], e["why"] or "-") for e in result["profile"]]
    populations = [
        (
            own["origin"],
            own["model"],
            own["reset"],
            ", ".join(
                f"{name} {d['left_wanted']:.6g} → {d['left_got']:.6g}"
                for name, d in own["decays"].items()
            ),
            "-"
            if own["threshold"] is None
            else f"{_span(own['threshold'])} → {_span(own['threshold_integer'])}",
            f"{own['weight_error_worst']:.2g}",
            ", ".join(f"{name} {bits}" for name, bits in own["bits"].items() if bits is not None),
        )
        for own in fidelity["populations"]
    ]
    shown: list[RenderableType] = [
        table("Profile", profile, columns=["", "value", "origin", "why"]),
        table(
            "Populations",
            populations,
            columns=["", "model", "reset", "left of a state", "threshold", "weight error", "bits"],
        ),
    ]
    if fidelity["samples"]:
        shown += _measured(fidelity)
    shown.append(
        table(
            f"Imported {result['network']}",
            {
                "from": f"{result['file']} ({result['framework']})",
                "synapses": result["synapses"],
                "chain": result["is_chain"],
            },
        )
    )
    return shown


def _measured(fidelity: dict[str, Any]) -> Sequence[RenderableType]:
    low, high = fidelity["class_agreement_interval_95"]
    rows: dict[str, Any] = {
        "samples": fidelity["samples"],
        "same class": f"{fidelity['class_agreement']:.1%} ({low:.1%} to {high:.1%})",
        "every spike equal": f"{fidelity['samples_with_every_spike_equal']} samples",
        "classes, real numbers": ", ".join(map(str, fidelity["classes_float"])),
        "classes, integers": ", ".join(map(str, fidelity["classes_integers"])),
    }
    if fidelity["one_spike_agreement"] is not None:
        rows["same class with one spike a step"] = f"{fidelity['one_spike_agreement']:.1%}"
    if accuracy := fidelity["accuracy"]:
        rows["accuracy, real numbers"] = f"{accuracy['float']:.2%}"
        if "float_one_spike" in accuracy:
            rows["accuracy, one spike a step"] = f"{accuracy['float_one_spike']:.2%}"
        rows["accuracy, integers"] = f"{accuracy['integers']:.2%}"
    spikes = [
        (
            own["origin"],
            f"{own['spikes_float']:,.0f}",
            f"{own['spikes_integers']:,}",
            f"{own['spikes_differ']:,.0f}",
            own["rails_hit"],
            "-" if own["smallest_margin"] is None else f"{own['smallest_margin']:.2g}",
            "never"
            if own["first_divergence"] is None
            else "sample {sample}, step {step}".format(**own["first_divergence"]),
        )
        for own in fidelity["populations"]
    ]
    columns = ["", "spikes", "in integers", "differ", "limits hit", "margin", "first difference"]
    return [table("Fidelity", rows), table("Spikes", spikes, columns=columns)]


def _span(ends: list[float | int]) -> str:
    low, high = (f"{end:,}" if isinstance(end, int) else f"{end:.6g}" for end in ends)
    return low if low == high else f"{low} … {high}"
