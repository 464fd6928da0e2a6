"""The verb `train`."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import msgspec

from spikeloom.cli.console import Console, json_option, table
from spikeloom.cli.data import data_options
from spikeloom.config import METHODS, Config, assumed_keys, load_config
from spikeloom.datasets import Dataset, UnknownDatasetError, load
from spikeloom.datasets.checks import check_fit, remarks
from spikeloom.datasets.fitting import DataChoice, check_same, named_source
from spikeloom.errors import UserError
from spikeloom.evaluation import silence
from spikeloom.files import check_writable
from spikeloom.report.network import goal_rows, weak_leak
from spikeloom.runfolder import (
    PROGRESS_FILE,
    RESTART,
    clear,
    finished_result,
    read_standing,
    recorded_data,
)

EXIT_MISSED = 1
"""With --strict: the density or the bits asked for were not reached."""


@click.command(epilog="Example: spikeloom train examples/digits.toml -o runs/demo")
@click.argument("config", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="The run folder to write.",
)
@click.option("--seed", type=click.IntRange(min=0, max=2**32 - 1), help="Instead of the file's.")
@click.option(
    "--method", type=click.Choice(METHODS), help="Of sparsity, instead of the file's keys for it."
)
@click.option(
    "--set",
    "settings",
    metavar="KEY=VALUE",
    multiple=True,
    help="Another value for a key of the file, such as training.epochs=20; may be repeated.",
)
@click.option(
    "--strict",
    is_flag=True,
    help="End with code 1 when the density or the bits asked for were not reached.",
)
@click.option("--restart", is_flag=True, help="Begin anew, whatever the run folder holds.")
@data_options(names=None)
@json_option
def train(
    config: Path,
    output: Path,
    seed: int | None,
    method: str | None,
    settings: tuple[str, ...],
    strict: bool,
    restart: bool,
    data: DataChoice,
    as_json: bool,
) -> None:
    """Train a sparse, quantised spiking network.

    CONFIG is a TOML file; the resolved configuration, the history of all epochs and the trained
    weights are left in the run folder. The choice of the epoch is made on validation data; test
    data is not touched.

    The run is saved as it goes. The same command goes on with a run that was interrupted or killed,
    which then ends bit-identical to one that was not; of a finished run it says the result again.

    With --strict the exit code is 1 when compression ended above the density (or the bits) asked
    for. The run is whole all the same.
    """
    console = Console(as_json=as_json)
    chosen = load_config(config, method=method, settings=settings)
    if seed is not None:
        training = msgspec.structs.replace(chosen.training, seed=seed)
        chosen = msgspec.structs.replace(chosen, training=training)
    if data.source is not None:
        source = msgspec.structs.asdict(named_source(chosen.data.samples, data))
        chosen = msgspec.structs.replace(
            chosen, data=msgspec.structs.replace(chosen.data, **source)
        )
    check_writable(output)
    standing = "new" if restart else read_standing(output, chosen)
    with console.step(f"load {chosen.data.name}"):
        dataset = _load(chosen, config, data)
    if standing == "finished":
        check_same(recorded_data(output), dataset, owner=str(output), fix=RESTART)
        result = finished_result(output)
        (output / PROGRESS_FILE).unlink(missing_ok=True)
        console.note(f"{output} holds this run, finished; {RESTART} to train it again")
    else:
        try:
            assumed = assumed_keys(config, settings)
            taken = ", ".join(f"{key} = {value}" for key, value in assumed.items())
            note = f"{config} leaves some keys to their defaults: {taken}" if taken else ""
            result = _train(console, chosen, dataset, output, new=standing == "new", note=note)
        except (KeyboardInterrupt, SystemExit):
            if (output / PROGRESS_FILE).is_file():
                again = _command(config, output, seed, method, settings, data)
                console.note(f"to go on with it: {again}")
            raise
    missed = _say(console, chosen, output, dataset, result)
    if strict and missed:
        raise click.exceptions.Exit(EXIT_MISSED)


def _train(
    console: Console,
    config: Config,
    dataset: Dataset,
    output: Path,
    *,
    new: bool,
    note: str,
) -> dict[str, Any]:
    from spikeloom.training import Keeper, train_network
    from spikeloom.training.session import finish

    for remark in remarks(dataset):
        console.note(remark)
    if new:
        clear(output)
    keeper = Keeper(output, config, dataset)
    if note:
        console.note(note)
    epochs, done = config.training.epochs, 0
    if keeper.position:
        epoch, batches = keeper.position
        done = epoch - 1
        where = f"epoch {epoch}, batch {batches + 1}" if done < epochs else "its end"
        console.note(f"resuming {output} at {where}, after {keeper.seconds:.0f} s")
        for change in keeper.changes:
            console.note(f"the last bits may differ from an uninterrupted run's: {change}")
    with (
        console.step(f"train {epochs} epochs"),
        console.track(epochs, "epochs") as progress,
    ):
        progress.advance(done)
        trained = train_network(
            config,
            dataset,
            lambda epoch: progress.advance(text=_describe(epoch)),
            keeper=keeper,
        )
    return finish(output, config, dataset, trained, seconds=keeper.seconds + console.seconds)


def _load(config: Config, source: Path, choice: DataChoice) -> Dataset:
    """The data set, found fit for the configuration in `source`."""
    try:
        dataset = load(choice.request(config.data.samples, config.data.time_steps))
    except UnknownDatasetError as error:
        raise UserError(f"{source}: table [data]: name: {error}") from None
    check_fit(config, dataset, str(source))
    return dataset


def _say(
    console: Console, config: Config, output: Path, dataset: Dataset, result: dict[str, Any]
) -> bool:
    """Print the result and what a reader should know; whether the run missed its goal."""
    fix = _missed(config, result)
    console.result(
        {"run": str(output), **result},
        table(
            f"Trained {output}",
            {
                "samples": _samples(dataset),
                "accuracy, validation": f"{result['accuracy']['validation']:.2%}",
                "chosen epoch": f"{result['epoch']} of {result['epochs']}",
                "synapses": f"{result['synapses']:,} ({result['density']:.1%} of dense)",
                **goal_rows(result),
                "rewirings": result["rewirings"],
                "operations a sample": round(result["operations_per_sample"]),
                **{
                    f"positive membranes that leak, {leak['layer']}": f"{leak['share']:.2%}"
                    for leak in result.get("leaks", ())
                    if leak["share"] is not None
                },
            },
        ),
    )
    if fix:
        console.note(fix)
    active = result.get("density_active", result["density"])
    if result["density"] < 0.9 * active:
        console.note(
            f"{1 - result['density'] / active:.0%} of the active weights quantise to 0 and are no "
            "synapses; sparsity.nonzero = true makes every one a synapse"
        )
    if not result.get("portable", True):
        console.note(
            "the sums here are not those of training.portable (another processor or torch): a run "
            "elsewhere may end with other weights"
        )
    for name in result.get("silent", ()):
        console.note(f"{silence(name)}, in the whole validation split")
    for leak in result.get("leaks", ()):
        if leak["share"] is not None and leak["share"] < 0.5:
            console.note(
                f"{leak['layer']}: {leak['share']:.2%} of its positive membranes leak; "
                + weak_leak(leak["from"], leak["threshold"])
            )
    console.note(f"next: spikeloom export {output}")
    return bool(fix)


def _missed(config: Config, result: dict[str, Any]) -> str:
    """What to do where compression did not reach its goal; "" where it did."""
    if result.get("goal_reached") is not False:
        return ""
    longer = "rewire more often (sparsity.every_epochs) or longer (stop_epoch)"
    if config.sparsity.stop_rule == "bits":
        return (
            f"the synapses take {result['bits']:,} bits, more than the {result['bits_asked']:,} "
            f"asked for; {longer}"
        )
    return (
        f"the density is {result['density_active']:.1%}, above the "
        f"{result['density_asked']:.1%} asked for; {longer}, or regrow less (rho)"
    )


def _command(
    config: Path,
    output: Path,
    seed: int | None,
    method: str | None,
    settings: Sequence[str],
    data: DataChoice,
) -> str:
    words = ["spikeloom", "train", str(config), "-o", str(output)]
    words += [] if seed is None else ["--seed", str(seed)]
    words += [] if method is None else ["--method", method]
    words += [word for setting in settings for word in ("--set", setting)]
    words += [] if data.source is None else ["--data", str(data.source)]
    words += [] if data.data_dir is None else ["--data-dir", str(data.data_dir)]
    return shlex.join(words)


def _samples(dataset: Dataset) -> str:
    """Where they are from, and how many each split has."""
    counts = " + ".join(f"{count:,}" for count in dataset.identity.samples)
    return f"{dataset.place}: {counts}, {dataset.classes} classes"


def _describe(epoch: dict[str, Any]) -> str:
    layers = epoch["layers"]
    indices = " ".join(f"{layer['pq_index']:.2f}" for layer in layers)
    return (
        f"loss {epoch['loss']:.3f}, validation {epoch['accuracy_validation']:.1%}, "
        f"density {epoch['density']:.1%}, "
        f"PQ index {indices}, "
        f"operations {sum(layer['operations'] for layer in layers):,.0f}"
    )
