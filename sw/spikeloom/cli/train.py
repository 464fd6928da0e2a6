"""The verb `train`."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import click
import msgspec

from spikeloom.cli.console import Console, json_option, table, write_step
from spikeloom.cli.data import data_options
from spikeloom.config import METHODS, Config, load_config
from spikeloom.datasets import Dataset, UnknownDatasetError, load
from spikeloom.datasets.checks import check_inputs, check_splits, remarks
from spikeloom.datasets.fitting import DataChoice, check_same
from spikeloom.errors import UserError
from spikeloom.evaluation import silence
from spikeloom.files import check_writable
from spikeloom.runfolder import (
    PROGRESS_FILE,
    RESTART,
    clear,
    finished_result,
    read_standing,
    recorded_data,
)


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
@click.option("--restart", is_flag=True, help="Begin anew, whatever the run folder holds.")
@data_options(names=None)
@json_option
def train(
    config: Path,
    output: Path,
    seed: int | None,
    method: str | None,
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
    """
    console = Console(as_json=as_json)
    settings = load_config(config, method=method)
    if seed is not None:
        training = msgspec.structs.replace(settings.training, seed=seed)
        settings = msgspec.structs.replace(settings, training=training)
    check_writable(output)
    standing = "new" if restart else read_standing(output, settings)
    with console.step(f"load {settings.data.name}"):
        dataset = _load(settings, config, data)
    if standing == "finished":
        check_same(recorded_data(output), dataset, owner=str(output), fix=RESTART)
        result = finished_result(output)
        (output / PROGRESS_FILE).unlink(missing_ok=True)
        console.note(f"{output} holds this run, finished; {RESTART} to train it again")
    else:
        try:
            result = _train(console, settings, dataset, output, new=standing == "new")
        except (KeyboardInterrupt, SystemExit):
            if (output / PROGRESS_FILE).is_file():
                console.note(f"to go on with it: {_command(config, output, seed, method, data)}")
            raise
    _say(console, settings, output, dataset, result)


def _train(
    console: Console,
    config: Config,
    dataset: Dataset,
    output: Path,
    *,
    new: bool,
) -> dict[str, Any]:
    from spikeloom.training import Keeper, save_run, train_network

    for remark in remarks(dataset):
        console.note(remark)
    if new:
        clear(output)
    keeper = Keeper(output, config, dataset)
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
    result = {**save_run(output, config, trained), "data": dataset.place}
    write_step(output, "train", keeper.seconds + console.seconds, result)
    # Last: until then the run can be taken up again.
    (output / PROGRESS_FILE).unlink(missing_ok=True)
    return result


def _load(config: Config, source: Path, choice: DataChoice) -> Dataset:
    """The data set, found fit for the configuration in `source`."""
    try:
        dataset = load(choice.request(config.data.samples, config.data.time_steps))
    except UnknownDatasetError as error:
        raise UserError(f"{source}: table [data]: name: {error}") from None
    check_splits(dataset)
    if config.training.batch_size > len(dataset.train):
        raise UserError(
            f"{source}: table [training]: batch_size is {config.training.batch_size}, but it must "
            f"be at most {len(dataset.train)}, the training samples of {dataset.name!r}"
        )
    check_inputs(dataset, config.data.encoding, config.data.time_steps)
    return dataset


def _say(
    console: Console, config: Config, output: Path, dataset: Dataset, result: dict[str, Any]
) -> None:
    console.result(
        {"run": str(output), **result},
        table(
            f"Trained {output}",
            {
                "samples": _samples(dataset),
                "accuracy, validation": f"{result['accuracy']['validation']:.2%}",
                "chosen epoch": f"{result['epoch']} of {result['epochs']}",
                "synapses": f"{result['synapses']:,} ({result['density']:.1%} of dense)",
                "rewirings": result["rewirings"],
                "operations a sample": round(result["operations_per_sample"]),
            },
        ),
    )
    if config.sparsity.stop_rule == "density" and not result.get("density_reached", True):
        console.note(
            f"the density is {result['density']:.1%}, above the {result['density_asked']:.1%} "
            "asked for; rewire more often (sparsity.every_epochs) or longer (stop_epoch), "
            "or regrow less (rho)"
        )
    if result.get("bits", 0) > config.sparsity.target_bits:
        console.note(
            f"the synapses take {result['bits']:,} bits, more than the {result['bits_asked']:,} "
            "asked for; rewire more often (sparsity.every_epochs) or longer (stop_epoch)"
        )
    for name in result.get("silent", ()):
        console.note(f"{silence(name)}, in the whole validation split")
    console.note(f"next: spikeloom export {output}")


def _command(
    config: Path, output: Path, seed: int | None, method: str | None, data: DataChoice
) -> str:
    words = ["spikeloom", "train", str(config), "-o", str(output)]
    words += [] if seed is None else ["--seed", str(seed)]
    words += [] if method is None else ["--method", method]
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
